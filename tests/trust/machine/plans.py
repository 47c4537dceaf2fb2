"""The plans that the model's groups subscribe to, and what a period of them costs, in cents.

What stands here is data: the model reads it as numbers, the platform's catalogue as documents.
Prices are odd on purpose, so that nothing divides evenly.
"""

from calendar import monthrange
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any, Final
from zoneinfo import ZoneInfo

from tests.metering import plan_body, price
from tests.trust.machine.folio import Fraction, half_away
from tests.trust.machine.prepaid import CREDIT

MONTHS: Final = {"month": 1, "year": 12}
ZONES: Final = ["UTC", "Asia/Kabul", "Europe/Berlin", "Pacific/Apia"]
METERS: Final = {"ai_tokens": "sum", "storage_mb": "max"}
# Fees of a month and of a year, and of a seat beyond the first one; micro units for a unit of use,
# of which so many are included each month.
PLANS: Final[dict[str, dict[str, Any]]] = {
    "free": {"fees": (0, 0), "seats": (0, 0), "credits": 100 * CREDIT, "prices": {}},
    "small": {
        "fees": (1_001, 10_009),
        "seats": (333, 3_331),
        "credits": 40 * CREDIT,
        "prices": {"ai_tokens": (15_000, 100)},
    },
    "large": {
        "fees": (4_777, 47_767),
        "seats": (0, 1),
        "credits": 300 * CREDIT,
        "prices": {"ai_tokens": (7_777, 0), "storage_mb": (123_456, 3)},
    },
}


def name_of(plan: str, mark: str) -> str:
    """What a plan is called in the catalogue, where another machine has plans as well."""
    return plan if plan == "free" else f"machine_{plan}_{mark}"


def document(plan: str) -> dict[str, Any]:
    """A plan as it is published."""
    found = PLANS[plan]
    fees = zip(("monthlyFee", "yearlyFee"), found["fees"], strict=True)
    seats = zip(("seatMonthlyFee", "seatYearlyFee"), found["seats"], strict=True)
    prices = [
        price(meter, micro, included=included)
        for meter, (micro, included) in found["prices"].items()
    ]
    money = {
        name: {"amountMicro": cents * 10_000, "currency": "USD"} for name, cents in (*fees, *seats)
    }
    return plan_body(*prices, **money, creditsMicro=found["credits"], limits={"users": 1})


def fee(terms: tuple[str, int, str]) -> int:
    """What a period costs."""
    plan, seats, interval = terms
    place = 1 if interval == "year" else 0
    return int(PLANS[plan]["fees"][place] + (seats - 1) * PLANS[plan]["seats"][place])


def used(meter: str, quantity: int, terms: tuple[str, int, str]) -> int | None:
    """What so much use costs in a period of these terms; None without a price. What is included of
    a sum grows with the months, and so does the price of what is the highest."""
    plan, _, interval = terms
    if meter not in PLANS[plan]["prices"]:
        return None
    micro, included = PLANS[plan]["prices"][meter]
    months = MONTHS[interval]
    if METERS[meter] == "sum":
        return half_away(Fraction(max(quantity - included * months, 0) * micro, 10_000))
    return half_away(Fraction(max(quantity - included, 0) * micro * months, 10_000))


def share(cents: int, left: int, whole: int) -> int:
    return half_away(Fraction(cents * left, whole))


def cost(fees: list[tuple[int, int]], whole: int) -> int:
    """What a period costs of which each fee was in force until the next one: rounded once."""
    spans = pairwise([*fees, (0, 0)])
    return half_away(Fraction(sum(cents * (one - two) for (one, cents), (two, _) in spans), whole))


def boundary(anchor: datetime, months: int, zone: str) -> datetime:
    """So many months later by the tenant's wall clock, on the last day where there is no other."""
    there = anchor.astimezone(ZoneInfo(zone))
    month = there.year * 12 + there.month - 1 + months
    year, month = month // 12, month % 12 + 1
    day = min(there.day, monthrange(year, month)[1])
    return there.replace(year=year, month=month, day=day, fold=0).astimezone(UTC)
