"""Three years of a platform with four houses, lived through the service (ANA-1, BEY-15)."""

import random
import threading
from collections.abc import Callable, Sequence

import pytest

from common.local.functions import job_declarations
from common.runtime.job import Orders
from tests.analysing import Document, figures, money, published
from tests.buying import card
from tests.charging import choose, status
from tests.hotel import Hotel, House
from tests.subscribing import act, change, shown, subscribed
from tests.trust.books import broken

pytestmark = pytest.mark.req("ANA-1", "BEY-15")
Clock = Callable[[str], None]
IT = "TTD"
MONTHS = [f"{year}-{month:02}" for year in (2050, 2051, 2052) for month in range(1, 13)]
KINDS = ("new", "expansion", "contraction", "churn", "reactivation")
JOBS = ("cycle_subscriptions", "collect_subscriptions", "settle_subscription_payments")
DEEDS = ("grow", "shrink", "lengthen", "pause", "fail", "fail", "end", "end_later")


def run_jobs(hotels: Sequence[Hotel]) -> None:
    """What is due of all of them: their periods, then their money."""
    known = {each.name: each for each in job_declarations()}
    orders = Orders(tenants=tuple(hotel.tenant_id for hotel in hotels))
    for name in JOBS:
        ended = hotels[0].house.wiring.job_shell.run(
            known[name], orders, stop=threading.Event(), tell=lambda _: None
        )
        assert ended.exit_code == 0, name


def live(hotel: Hotel, plans: dict[str, str], chance: random.Random) -> None:
    """A house comes back from where it is, or does something else; what is refused changes
    nothing."""
    state, deed = status(hotel), chance.choice(DEEDS)
    if state == "canceled":
        subscribed(hotel, plans[chance.choice(("small", "big"))], paymentMethodId=card(hotel))
    elif state == "paused":
        act(hotel, "resume")
    elif state in ("past_due", "suspended"):
        choose(hotel, card(hotel))
    elif deed in ("grow", "shrink"):
        change(hotel, plan=plans["big" if deed == "grow" else "small"])
    elif deed == "lengthen":
        change(hotel, interval="year")
    elif deed == "fail":
        choose(hotel, card(hotel, "sandbox_expired"))
    elif deed == "pause":
        act(hotel, "pause")
    else:
        act(hotel, "cancel", **({"at": "now"} if deed == "end" else {}))


def worth_micro(hotel: Hotel) -> int:
    """What it is worth a month by its own terms: its fee, or a twelfth of a year's."""
    mine = shown(hotel)["subscription"]
    if mine["status"] not in ("active", "past_due"):
        return 0
    fee: int = mine["terms"]["fee"]["amountMicro"]
    return fee if mine["terms"]["interval"] == "month" else round(fee / 12)


def test_nothing_is_unexplained_in_any_month_of_three_years(house: House, clock: Clock) -> None:
    """From a seed: each month the jobs run once, whatever is due by then, and two houses do
    something. Afterwards every month is asked: it opens with what the month before closed with,
    its movements lead from one end to the other, and what was invoiced is earned or deferred."""
    chance = random.Random(14)
    clock("2050-01-01T00:00:30+00:00")
    hotels = [house.new_hotel() for _ in range(4)]
    plans = published(hotels[0], IT, small=(3_000, 30_000), big=(9_000, 90_000))
    for hotel in hotels:
        subscribed(hotel, plans["small"], paymentMethodId=card(hotel))
    for month in MONTHS:
        clock(f"{month}-{chance.randint(3, 27):02}T{chance.randint(1, 22):02}:00:30+00:00")
        run_jobs(hotels)
        for hotel in chance.sample(hotels, 2):
            live(hotel, plans, chance)
    clock("2053-01-02T00:00:30+00:00")

    lived = [
        figures(hotels[0], "revenue", f"{month}-01", f"{month}-{last_day(month)}", IT)
        for month in MONTHS
    ]

    before = money(0, IT)
    for found in lived:
        bridge = found["bridge"]
        assert bridge["opening"] == before
        assert bridge["unexplained"] == money(0, IT)
        assert found["recognition"]["unexplained"] == money(0, IT)
        moved = sum(bridge[kind]["amountMicro"] for kind in KINDS)
        assert moved == bridge["closing"]["amountMicro"] - before["amountMicro"]
        before = bridge["closing"]
    assert before["amountMicro"] == sum(worth_micro(hotel) for hotel in hotels)
    assert moved_at_all(lived) == set(KINDS)
    assert [broken(hotel) for hotel in hotels] == [[]] * 4


def moved_at_all(lived: Sequence[Document]) -> set[str]:
    """The kinds of movement that there were."""
    return {kind for found in lived for kind in KINDS if found["bridge"][kind]["amountMicro"]}


def last_day(month: str) -> int:
    """Of 2050 to 2052; 2052 is a leap year."""
    year, number = (int(part) for part in month.split("-"))
    return {2: 29 if year == 2052 else 28, 4: 30, 6: 30, 9: 30, 11: 30}.get(number, 31)
