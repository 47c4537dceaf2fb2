"""What is charged less what was quoted is nought, whatever is changed and when (BEY-5).

    python -m tests.trust quotes --changes 2000

Subscriptions of tenants in random zones and countries are changed to random plans and seats, at
random instants of their periods; each change is quoted first, and made with its quote some minutes
later. What the invoice asks for is held against the preview, line by line, and so is what moved in
the ledger. `make test` plays a few.
"""

import random
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from tests.hotel import Hotel, usd
from tests.platform_taxing import settle_in
from tests.subscribing import ask, change, cycle, preview, shown, subscribed
from tests.trust.books import broken

ZONES = ("Europe/Berlin", "Asia/Kabul", "Pacific/Apia", "America/St_Johns", "Africa/Casablanca")
COUNTRIES = ("DE", "FR", "HU", "AF")
CHANGES_OF_ONE = 100
"""How often one subscription is changed, at most."""


def play(new_hotel: Callable[[], Hotel], changes: int, seed: int) -> list[str]:
    """What was wrong, in sentences: nothing, if all is well. The clock is left where it is."""
    drawn, wrong = random.Random(seed), []
    for done in range(0, changes, CHANGES_OF_ONE):
        hotel = new_hotel()
        turns = min(CHANGES_OF_ONE, changes - done)
        wrong += [f"seed {seed}: {each}" for each in _life(hotel, turns, drawn)]
        wrong += [f"seed {seed}: {each}" for each in broken(hotel)]
    return wrong


def _life(hotel: Hotel, turns: int, drawn: random.Random) -> Iterator[str]:
    """One tenant, whose subscription is changed so many times."""
    settle_in(hotel, drawn.choice(COUNTRIES))
    plans = [_plan(hotel, cents) for cents in drawn.sample(range(1_000, 50_000), 3)]
    at = datetime.fromisoformat("2026-04-01T12:00:00+00:00")
    at += timedelta(seconds=drawn.randrange(10**7))
    hotel.house.turn_clock(at.isoformat())
    subscribed(hotel, plans[0], seats=2, timeZone=drawn.choice(ZONES))
    has = (plans[0], 2)
    for _ in range(turns):
        at += timedelta(seconds=drawn.randrange(60, 5 * 86_400))
        hotel.house.turn_clock(at.isoformat())
        _catch_up(hotel, at)
        wanted = has
        while wanted == has:
            wanted = (drawn.choice(plans), drawn.randrange(1, 40))
        has = wanted
        asked = {"plan": wanted[0], "seats": wanted[1]}
        quoted = preview(hotel, **asked)
        assert quoted.status_code == 200, quoted.text
        at += timedelta(seconds=drawn.randrange(1, 840))
        hotel.house.turn_clock(at.isoformat())
        before, token = _owed(hotel), quoted.json["quoteToken"]
        made = change(hotel, **asked, quoteToken=token)
        if made.status_code != 200:
            if _is_over(quoted.json, at):
                continue  # the period has ended since
            yield f"{asked} is {made.text}"
            continue
        bill, charged = quoted.json["bill"], made.json["invoice"]
        if (charged and charged["bill"]) != bill:
            yield f"{charged} and not {bill}"
        if (moved := _owed(hotel) - before) != (bill["total"]["amountMicro"] if bill else 0):
            yield f"{moved} moved in the ledger for {bill}"


def _plan(hotel: Hotel, cents: int) -> str:
    """A plan of so many cents a month, and odd cents for each seat beyond one."""
    plan = f"quoted_{uuid4().hex[:10]}"
    seat = cents // 7
    body: dict[str, Any] = {
        "plan": plan,
        "name": "Quoted",
        "currency": "USD",
        "monthlyFee": usd(cents),
        "yearlyFee": usd(cents * 10),
        "seatMonthlyFee": usd(seat),
        "seatYearlyFee": usd(seat * 10),
        "creditsMicro": 1_000_000,
        "limits": {"users": 1},
        "support": "email",
    }
    answer = ask(hotel, "plan.create", "/plans", body, office=hotel.tenant_id)
    assert answer.status_code == 201, answer.text
    return plan


def _catch_up(hotel: Hotel, at: datetime) -> None:
    """Bill the periods that are over."""
    while datetime.fromisoformat(shown(hotel)["subscription"]["period"]["end"]) <= at:
        assert cycle(hotel).status_code == 200


def _is_over(answer: dict[str, Any], at: datetime) -> bool:
    end = datetime.fromisoformat(answer["subscription"]["period"]["end"])
    return end <= at + timedelta(seconds=2)


def _owed(hotel: Hotel) -> int:
    """What the tenant was asked for in all, by the ledger, less what stands to its credit."""
    ((micro,),) = hotel.house.sql(
        "SELECT coalesce(sum(amount_micro * ((debit_account = ANY(:owed))::int"
        " - (credit_account = ANY(:owed))::int)), 0)::bigint"
        " FROM billing_central.platform_entries WHERE tenant_id = :t",
        owed=["receivable", "customer_credit"],
        t=hotel.tenant_id,
    )
    return int(micro)
