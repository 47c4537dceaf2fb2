"""Usage to test with: plans that price it, events of it, and what was counted and billed.

plan = priced(hotel, price("ai_tokens", 15_000, per=1_000_000))
subscribed(hotel, plan)
send(hotel, used("ai_tokens", 1_200, "2026-03-05T10:00:00Z"))
"""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from werkzeug.test import TestResponse

from tests.hotel import Hotel, usd
from tests.subscribing import staff

Event = dict[str, Any]
WRITES = "billing.credits.write"


def price(meter: str, micro: int, *, per: int = 1, included: int = 0, **more: Any) -> Event:
    """A price by the unit, in micro units for `per` of them; `tiers` are [up to, micro]."""
    tiers = more.get("tiers", [[None, micro]])
    return {
        "meter": meter,
        "model": more.get("model", "per_unit"),
        **({} if per == 1 else {"per": per}),
        **({"included": included} if included else {}),
        "tiers": [
            {
                **({} if end is None else {"upTo": end}),
                "price": {"amountMicro": each, "currency": "USD"},
            }
            for end, each in tiers
        ],
    }


def plan_body(*prices: Event, **more: Any) -> Event:
    """A plan of 10.00 a month without credits."""
    return {
        "name": "Metered",
        "currency": "USD",
        "monthlyFee": usd(1_000),
        "yearlyFee": usd(10_000),
        "limits": {},
        "support": "email",
        "usagePrices": list(prices),
        **more,
    }


def create_plan(hotel: Hotel, plan: str, *prices: Event) -> TestResponse:
    body = {"plan": plan, **plan_body(*prices)}
    known = staff(hotel, "plan.create", body, office=hotel.tenant_id)
    sent = {**body, "stepUpToken": known["stepUpToken"]}
    return hotel.post("/plans", sent, token=known["token"])


def priced(hotel: Hotel, *prices: Event, plan: str = "") -> str:
    """The name of a new plan with these prices."""
    plan = plan or f"club_{uuid4().hex[:10]}"
    answer = create_plan(hotel, plan, *prices)
    assert answer.status_code == 201, answer.text
    return plan


def used(meter: str, quantity: int | None, at: str, event_id: str = "", **more: Any) -> Event:
    """An event of usage, under an id of its own."""
    event = {"meter": meter, "eventId": event_id or uuid4().hex, "occurredAt": at, **more}
    return event if quantity is None else {**event, "quantity": quantity}


def hours_ago(hours: int) -> str:
    """An instant before now, by the real clock."""
    at = datetime.now(UTC) - timedelta(hours=hours)
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")


def send(hotel: Hotel, event: Event, **more: Any) -> TestResponse:
    """Tell of one event."""
    more.setdefault("token", hotel.token(WRITES))
    return hotel.post("/usage", event, **more)


def send_all(hotel: Hotel, *events: Event, **more: Any) -> TestResponse:
    """Tell of several at once."""
    more.setdefault("token", hotel.token(WRITES))
    return hotel.post("/usage/batch", {"events": list(events)}, **more)


def fates(answer: TestResponse) -> list[str]:
    """What became of each event; of a refused one its code."""
    assert answer.status_code == 200, answer.text
    items = answer.json["items"]
    return [each["code"].rsplit(".")[-1] if each["code"] else each["fate"] for each in items]


def totals(hotel: Hotel, **which: str) -> list[list[Any]]:
    """Of each period and meter: events, quantity, how much of it is billed, and for how much."""
    answer = hotel.get("/usage", token=hotel.token("subscription.read"), **which)
    assert answer.status_code == 200, answer.text
    return [
        [
            each["periodNumber"],
            each["meter"],
            each["events"],
            each["quantity"],
            each["billedQuantity"],
            each["billed"]["amountMicro"] // 10_000,
        ]
        for each in answer.json["items"]
    ]


def usage_lines(hotel: Hotel) -> list[list[Any]]:
    """Of each line of usage: on the invoice of which period, what, of which, how much, in cents."""
    return hotel.house.sql(
        "SELECT period_number, line ->> 'kind', line ->> 'meter', (line ->> 'usagePeriod')::int,"
        " (line ->> 'quantity')::bigint, (line ->> 'amountMicro')::bigint / 10000"
        " FROM billing_central.subscription_invoices"
        " CROSS JOIN jsonb_array_elements(lines) WITH ORDINALITY AS each (line, place)"
        " WHERE tenant_id = :t AND line ->> 'meter' IS NOT NULL"
        " ORDER BY year, series_number, place",
        t=hotel.tenant_id,
    )
