"""Deposits to test with: paid ahead, moved to another folio, and of a stay that is canceled.

    folio = paid_ahead(hotel, 20_000)
    answer = move(hotel, folio, other, 5_000)
    canceled(hotel, "R-1", at=TWO_DAYS_BEFORE)

The stays are those of `tests.nights`: from the first of March, in Kabul.
"""

from collections.abc import Callable
from typing import Any

from werkzeug.test import TestResponse

from tests.hotel import Hotel, new_id, usd, vat
from tests.moving import accounts
from tests.nights import confirmed, room
from tests.refunding import card_payment

CANCELED = "on_reservation_canceled"
TWO_DAYS_BEFORE, EIGHT_DAYS_BEFORE = "2026-02-27T10:00:00Z", "2026-02-21T10:00:00Z"
EVERY_KIND = [*vat()["chargeKinds"], "deposit"]
HALF = {"freeUntilDaysBefore": 7, "forfeitPpm": 500_000}


def path(folio: str) -> str:
    """Where a transfer of what was paid ahead on a folio is asked for."""
    return f"/folios/{folio}/deposits/transfers"


def wanted(to: str, cents: int, **more: Any) -> dict[str, Any]:
    """So many cents, to that folio."""
    asked = {"id": new_id("dpt"), "toFolioId": to, "amount": usd(cents), "reason": "One room less"}
    return {**asked, **more}


def move(hotel: Hotel, folio: str, to: str, cents: int, **more: Any) -> TestResponse:
    """Move so many cents that stand on a folio in credit."""
    return hotel.post(path(folio), wanted(to, cents, **more))


def moves(folio: str, to: str, cents: int, **more: Any) -> Callable[[Hotel], TestResponse]:
    """The same as something that somebody does at a hotel."""
    return lambda at: move(at, folio, to, cents, **more)


def paid_ahead(hotel: Hotel, cents: int = 10_000, **more: Any) -> str:
    """A folio on which so much was paid by bank transfer, and nothing is owed."""
    folio = hotel.open_folio(**more)
    hotel.paid(folio, usd(cents), allowCredit=True)
    return folio


def ahead(hotel: Hotel, *folios: str) -> list[int]:
    """What each folio shows as its deposits, in cents."""
    shown = [hotel.get(f"/folios/{folio}").json["depositsHeld"] for folio in folios]
    return [held["amountMicro"] // 10_000 for held in shown]


def ledger(hotel: Hotel, *names: str) -> list[int]:
    """What these accounts hold over all folios, in cents; debits count."""
    found = accounts(hotel)
    return [found.get(name, 0) for name in names]


def that_forfeits(hotel: Hotel, policy: dict[str, Any] | None = None, **more: Any) -> None:
    """The hotel keeps a half within a week of the arrival, and taxes that at 10 %."""
    rules = [vat(chargeKinds=EVERY_KIND)]
    hotel.write_settings(**{"taxRules": rules, "cancellationPolicy": policy or HALF, **more})


def booked(hotel: Hotel, *nights: dict[str, Any], **more: Any) -> tuple[str, str]:
    """A stay is booked; its reservation's id and its folio's."""
    folio = confirmed(hotel, *nights, **more)
    return hotel.get(f"/folios/{folio}").json["reservationId"], folio


def cancellation(hotel: Hotel, reservation: str, at: str | None = None) -> dict[str, Any]:
    """What is told of a reservation that was canceled, just now unless it says when."""
    told = {"reservationId": reservation, "propertyId": str(hotel.property_id), "canceledAt": at}
    return {name: value for name, value in told.items() if value is not None}


def canceled(hotel: Hotel, reservation: str, at: str | None = None) -> None:
    """A reservation is canceled."""
    answer = hotel.deliver(CANCELED, cancellation(hotel, reservation, at))
    assert answer.status_code == 204, answer.text


def refunds(hotel: Hotel) -> list[list[Any]]:
    """Each refund in its order: of which payment, how many cents, and whether it waits."""
    return hotel.rows(
        "SELECT payment_id, amount_micro / 10000, confirmed_by, status FROM {s}.refunds"
        " LEFT JOIN {s}.refund_settlements ON refund_id = id ORDER BY recorded_at, id"
    )


def paid_by_card(hotel: Hotel, cents: int, *nights: dict[str, Any]) -> tuple[str, str, str]:
    """A stay of which so much was paid ahead by card: reservation, folio, payment."""
    name, folio = booked(hotel, *(nights or (room(1), room(2))))
    return name, folio, card_payment(hotel, folio, usd(cents), "sandbox_done")
