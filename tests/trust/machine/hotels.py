"""The hotels of the state machine: their houses, their taxes, their rates, and how they are told.

What stands here is data: the model reads it as numbers and fractions, the service gets it as the
documents that the tenant service would send. Two hotel groups; the houses of the first share one
series of invoices, those of the second have a currency and a series each.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any, Final

House = dict[str, Any]
Tax = dict[str, Any]

START: Final = datetime(2026, 12, 30, 20, 0, tzinfo=UTC)  # a new year is near
TAXED_KINDS: Final = ["room", "minibar"]
HOTELS: Final[list[list[House]]] = [
    [
        {
            "id": "00000000-0000-4000-8000-00000000000a",
            "code": "KBL",
            "zone": "Asia/Kabul",
            "ahead": timedelta(hours=4, minutes=30),
            "close": timedelta(hours=3),
            "currency": "USD",
            "micro": 10_000,
            "jurisdiction": "AF-KBL",
        },
        {
            "id": "00000000-0000-4000-8000-00000000000b",
            "code": "PAGHMAN",
            "zone": "Asia/Kabul",
            "ahead": timedelta(hours=4, minutes=30),
            "close": timedelta(0),
            "currency": "USD",
            "micro": 10_000,
            "jurisdiction": "AF-KBL",
        },
    ],
    [
        {
            "id": "00000000-0000-4000-8000-00000000000c",
            "code": "TYO",
            "zone": "Asia/Tokyo",
            "ahead": timedelta(hours=9),
            "close": timedelta(hours=5),
            "currency": "JPY",
            "micro": 1_000_000,
            "jurisdiction": "JP",
        },
        {
            "id": "00000000-0000-4000-8000-00000000000d",
            "code": "KWT",
            "zone": "Asia/Kuwait",
            "ahead": timedelta(hours=3),
            "close": timedelta(hours=3),
            "currency": "KWD",
            "micro": 1_000,
            "jurisdiction": "KW-1",
        },
    ],
]
EURO_MICRO: Final = 10_000
# For what credits are sold, and pay: the second group's bills are in other currencies than that.
CREDITS: Final[list[dict[str, Any]]] = [
    {"currency": "USD", "perCurrencyUnit": 100},
    {"currency": "EUR", "perCurrencyUnit": 50},
]
RATES: Final = [
    {"USD": "1.0806", "JPY": "162.35", "KWD": "0.3321"},
    {"USD": "0.97", "JPY": "149.5", "KWD": "0.308"},
]

# `share`: of the price; `ppm`: as it is told. Taxes on a folio stand in this order.
REGIMES: Final[dict[str, list[Tax]]] = {
    "on top": [{"code": "VAT", "ppm": 100_000, "share": Fraction(1, 10)}],
    "inside": [{"code": "VAT", "ppm": 70_000, "share": Fraction(7, 107), "inclusive": True}],
    "city tax": [
        {"code": "CITY", "a_night": 25, "kinds": ["room"]},
        {"code": "VAT", "ppm": 100_000, "share": Fraction(1, 10)},
    ],
    "two inside": [
        {"code": "GST", "ppm": 50_000, "share": Fraction(5, 113), "inclusive": True},
        {"code": "VAT", "ppm": 80_000, "share": Fraction(8, 113), "inclusive": True},
    ],
    # 3 % on the price with the 10 % that it contains
    "on a tax": [
        {"code": "VAT", "ppm": 100_000, "share": Fraction(10, 110), "inclusive": True},
        {"code": "LEVY", "ppm": 30_000, "share": Fraction(3, 100), "order": 1},
    ],
    # the room's price contains what comes on top of the minibar's
    "by kind": [
        {
            "code": "VAT",
            "ppm": 100_000,
            "share": Fraction(10, 110),
            "inclusive": True,
            "kinds": ["room"],
        },
        {"code": "VAT", "ppm": 100_000, "share": Fraction(1, 10), "kinds": ["minibar"]},
    ],
}


@dataclass(frozen=True)
class Settings:
    """What a group has decided. `rates` is a place in RATES."""

    regime: str = "on top"
    per_invoice: bool = False
    eager: bool = True
    yearly: bool = True
    prefix: str = "INV"
    residual: int = 1
    rates: int = 0


def rate_of(settings: Settings, house: House) -> Fraction:
    """What a euro is worth in a house's currency."""
    return Fraction(RATES[settings.rates][house["currency"]])


def document(number: int, settings: Settings) -> dict[str, Any]:
    """All settings of a group, as the tenant service tells them, and its tax rules."""
    return {
        "issuer": {"name": "Hotel", "addressLines": ["Street 1"], "taxId": "T-1", "country": "AF"},
        "properties": [_property(house) for house in HOTELS[number]],
        "eagerOpen": settings.eager,
        "roundsTaxPerInvoice": settings.per_invoice,
        "numbersRestartYearly": settings.yearly,
        "numberPrefix": settings.prefix,
        "residualMinorUnitsPerForeignPayment": settings.residual,
        "fxRates": [
            _rate(currency, RATES[settings.rates][currency])
            for currency in dict.fromkeys(house["currency"] for house in HOTELS[number])
        ],
        "taxRules": rules(number, settings.regime),
        "credits": CREDITS[number],
        "riskRules": {"rules": []},  # what is weighed has tests of its own
    }


def rules(number: int, regime: str) -> list[dict[str, Any]]:
    """The tax rules of a group: the same for each of its jurisdictions."""
    houses = {house["jurisdiction"]: house for house in HOTELS[number]}
    return [_rule(tax, house) for house in houses.values() for tax in REGIMES[regime]]


def _property(house: House) -> dict[str, Any]:
    hours, rest = divmod(int(house["close"].total_seconds()), 3600)
    return {
        "id": house["id"],
        "name": house["code"],
        "code": house["code"],
        "timeZone": house["zone"],
        "dayClose": f"{hours:02d}:{rest // 60:02d}:00",
        "currency": house["currency"],
        "jurisdiction": house["jurisdiction"],
    }


def _rate(currency: str, rate: str) -> dict[str, str]:
    taken = {"source": "test", "takenAt": "2026-01-01T00:00:00Z"}
    return {"base": "EUR", "quote": currency, "rate": rate, **taken}


def _rule(tax: Tax, house: House) -> dict[str, Any]:
    amount: dict[str, Any] = {"ratePpm": tax.get("ppm")}
    if "a_night" in tax:
        micro = tax["a_night"] * house["micro"]
        amount = {"perNight": {"amountMicro": micro, "currency": house["currency"]}}
    return {
        "code": tax["code"],
        "name": tax["code"],
        "jurisdiction": house["jurisdiction"],
        "chargeKinds": tax.get("kinds", TAXED_KINDS),
        "inclusive": tax.get("inclusive", False),
        "order": tax.get("order", 0),
        "validFrom": "2020-01-01",
        **amount,
    }
