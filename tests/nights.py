"""Reservations and night audits to test with.

    folio = checked_in(hotel, "R-1", room(1, 12_000), room(2, 12_000))
    run(hotel)

The hotel is in Kabul, where a business day ends at three at night: at EVENING its first day is on,
at NEXT_DAY it is over.
"""

import threading
from typing import Any
from uuid import uuid4

from common.runtime.declaration import declaration_of
from common.runtime.job import Orders, Progress
from jobs.run_night_audit import run_night_audit
from tests.hotel import Hotel, usd

EVENING, NEXT_DAY = "2026-03-01T16:00:00+00:00", "2026-03-02T06:00:00+00:00"
THIRD_DAY, FOURTH_DAY = "2026-03-03T06:00:00+00:00", "2026-03-04T06:00:00+00:00"
FIRST_NIGHT = "2026-03-01"


def room(day: int, cents: int = 10_000, kind: str = "room", **more: Any) -> dict[str, Any]:
    """A night of March, and what it costs."""
    return {"night": f"2026-03-{day:02}", "kind": kind, "price": usd(cents), **more}


def reservation(hotel: Hotel, *nights: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A stay from the first to the fourth of March."""
    return {
        "reservationId": f"R-{uuid4()}",
        "propertyId": str(hotel.property_id),
        "guest": {"name": "Zarmina Ahmadi"},
        "arrival": "2026-03-01",
        "departure": "2026-03-04",
        "nights": list(nights),
        **more,
    }


def confirmed(hotel: Hotel, *nights: dict[str, Any], **more: Any) -> str:
    """A stay is booked; its folio."""
    told = reservation(hotel, *nights, **more)
    answer = hotel.deliver("on_reservation_confirmed", told)
    assert answer.status_code == 204, answer.text
    return folio_of(hotel, told["reservationId"])


def checked_in(hotel: Hotel, *nights: dict[str, Any], **more: Any) -> str:
    """A guest comes, as booked; the folio."""
    told = reservation(hotel, *nights, **more)
    for consumer in ("on_reservation_confirmed", "on_reservation_checked_in"):
        answer = hotel.deliver(consumer, told)
        assert answer.status_code == 204, answer.text
    return folio_of(hotel, told["reservationId"])


def folio_of(hotel: Hotel, reservation_id: str) -> str:
    """The folio of a reservation."""
    (folio,) = hotel.get("/folios", reservationId=reservation_id).json["items"]
    folio_id: str = folio["folioId"]
    return folio_id


def run(hotel: Hotel, **orders: Any) -> Progress:
    """Run the night audit for this hotel."""
    return hotel.house.wiring.job_shell.run(
        declaration_of(run_night_audit),  # type: ignore[arg-type]
        Orders(tenants=(hotel.tenant_id,), **orders),
        stop=threading.Event(),
        tell=lambda _: None,
    )


def lines(hotel: Hotel, folio: str) -> list[tuple[str, str, str | None, str, int]]:
    """Type, kind, day of service, business date and cents of a folio's lines."""
    return [
        (
            line["type"],
            line["kind"],
            line["serviceDate"],
            line["businessDate"],
            line["amount"]["amountMicro"] // 10_000,
        )
        for line in hotel.get(f"/folios/{folio}").json["lines"]
    ]


def days(hotel: Hotel) -> list[dict[str, Any]]:
    """The days that have ended, in their order."""
    items: list[dict[str, Any]] = hotel.get("/night-audits").json["items"]
    return sorted(items, key=lambda each: each["businessDate"])
