"""Figures of the platform to test with. Each test has a currency of its own, and so only its own
figures in it: they are read over all tenants of the database.

plans = published(hotel, "BBD", small=(3_000, 10_000))
figures(hotel, "revenue", "2040-01-01", "2040-01-31", "BBD")
"""

from typing import Any
from uuid import uuid4

from werkzeug.test import TestResponse

from tests.hotel import Hotel
from tests.subscribing import READING, ask

Document = dict[str, Any]


def money(cents: int, currency: str) -> Document:
    return {"amountMicro": cents * 10_000, "currency": currency}


def published(hotel: Hotel, currency: str, **fees: tuple[int, int]) -> dict[str, str]:
    """Plans of a month's and a year's fee in cents; what they are called in requests."""
    names = {}
    for name, (month, year) in fees.items():
        names[name] = f"{name}_{uuid4().hex[:12]}"
        body = {
            "plan": names[name],
            "name": name.title(),
            "currency": currency,
            "monthlyFee": money(month, currency),
            "yearlyFee": money(year, currency),
            "creditsMicro": 1_000_000,
            "limits": {"projects": 1, "users": 1, "aiRequests": 1, "storageMb": 1},
            "support": "email",
        }
        made = ask(hotel, "plan.create", "/plans", body, office=hotel.tenant_id)
        assert made.status_code == 201, made.text
    return names


def reader(hotel: Hotel) -> str:
    """Somebody of the platform's finance staff, of another tenant."""
    return hotel.token(READING, sub=f"finance-{uuid4()}", tenant_id=hotel.tenant_id)


def asked(hotel: Hotel, path: str, first: str, last: str, **more: Any) -> TestResponse:
    more.setdefault("token", reader(hotel))
    return hotel.get(f"/analytics/{path}", first=first, last=last, **more)


def figures(hotel: Hotel, path: str, first: str, last: str, currency: str) -> Document:
    """What is answered of some days in one currency."""
    answer = asked(hotel, path, first, last)
    assert answer.status_code == 200, answer.text
    parts = answer.json["currencies" if path == "revenue" else "customers"]
    found: Document = next(part for part in parts if part["currency"] == currency)
    return found


def rows(hotel: Hotel, figure: str, first: str, last: str, currency: str) -> list[Document]:
    """All rows behind a figure in one currency, read page by page."""
    found: list[Document] = []
    more: dict[str, Any] = {}
    while True:
        answer = asked(hotel, f"figures/{figure}", first, last, limit="50", **more)
        assert answer.status_code == 200, answer.text
        found += answer.json["items"]
        if answer.json["nextCursor"] is None:
            return [row for row in found if row["amount"]["currency"] == currency]
        more = {"cursor": answer.json["nextCursor"]}


def movements(hotel: Hotel) -> list[list[Any]]:
    """The steps of the worth of the hotel's subscriptions, in micro units."""
    return hotel.house.sql(
        "SELECT kind, change_micro, worth_micro FROM billing_central.revenue_movements"
        " WHERE tenant_id = :t ORDER BY recorded_at, number",
        t=hotel.tenant_id,
    )
