"""One stay through everything that a hotel does with its money, and the books hold at each step."""

from collections.abc import Callable
from typing import Any

import pytest

from tests import nights, reconciling
from tests.crediting import voids
from tests.hotel import Hotel, usd
from tests.moving import balances, move
from tests.nights import EVENING, NEXT_DAY, checked_in, room
from tests.reconciling import MATCHED, found, paid_by_card
from tests.refunding import refund
from tests.till import Till
from tests.trust.books import broken


@pytest.mark.req("FOL-7", "FOL-9", "REF-1", "INV-2", "CASH-9", "REL-5")
def test_a_night_is_charged_moved_paid_refunded_billed_and_voided(
    hotel: Hotel, clock: Callable[[str], None]
) -> None:
    """100.00 and 10 % for the night. The company takes the room, pays 150.00 by card, of which
    40.00 go back; the guest's minibar is paid in cash. Then the company's bill is voided."""
    clock(EVENING)
    till = Till.opened(hotel, usd(10_000))
    guest, company = checked_in(hotel, room(1)), hotel.open_folio()
    hotel.charged(guest, "minibar", 1_000)
    clock(NEXT_DAY)
    assert nights.run(hotel).exit_code == 0
    assert balances(hotel, guest, company) == [12_100, 0]
    night = _charge(hotel, guest, "room")

    assert move(hotel, guest, company, night).status_code == 201
    assert balances(hotel, guest, company) == [1_100, 11_000]
    assert broken(hotel) == []

    payment, _ = paid_by_card(hotel, company, 15_000)
    assert refund(hotel, company, payment, usd(4_000)).status_code == 201
    assert till.pay(usd(1_100), guest, allowCredit=False).status_code == 201
    assert balances(hotel, guest, company) == [0, 0]
    bills = [hotel.post(f"/folios/{each}/close").json["invoiceId"] for each in (guest, company)]
    for bill in bills:
        assert hotel.render(bill).status_code == 204
    assert voids(hotel, bills[1]).status_code == 201
    assert broken(hotel) == []

    clock("2026-03-03T06:00:00+00:00")
    assert nights.run(hotel).exit_code == 0
    assert reconciling.run(hotel).exit_code == 0
    for day in hotel.rows("SELECT business_date FROM {s}.reconciliations ORDER BY 1"):
        assert found(hotel, day[0]) == MATCHED
    assert nights.lines(hotel, guest)[-1][1] == "cash"  # nobody is charged after the close
    assert broken(hotel) == []


def _charge(hotel: Hotel, folio: str, kind: str) -> str:
    lines: list[dict[str, Any]] = hotel.get(f"/folios/{folio}").json["lines"]
    return str(next(line["lineId"] for line in lines if line["kind"] == kind))
