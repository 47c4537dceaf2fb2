"""What companies pay is in what the night holds against the drawers and the processor."""

from datetime import date

import pytest

from tests.hotel import Hotel, usd
from tests.owing import company, invoiced, pay
from tests.reconciling import MATCHED, NOON, OVER, Clock, captured, found, run
from tests.till import Till

pytestmark = pytest.mark.req("FOL-10", "CASH-9")


def test_cash_of_a_company_is_no_difference(hotel: Hotel, clock: Clock) -> None:
    """100.00 of float and 110.00 of a company, in a drawer that is closed and in one that runs."""
    clock(NOON)
    account = company(hotel)
    for by in ("karim", "amina"):
        till = Till.opened(hotel, usd(10_000), by=by)
        invoiced(hotel, account, 10_000)
        answer = pay(hotel, account, usd(11_000), method="cash", token=hotel.token(sub=by))
        assert answer.status_code == 201, answer.text
    assert till.initiate(usd(21_000), by="amina").status_code == 200
    assert till.close(usd(21_000), by="laila").status_code == 200
    clock(OVER)

    run(hotel)

    assert found(hotel) == MATCHED


def test_a_card_of_a_company_is_matched_with_the_processors(hotel: Hotel, clock: Clock) -> None:
    """One that was captured and recorded, and one that only we know of."""
    clock(NOON)
    account = company(hotel)
    invoiced(hotel, account, 10_000)
    payment = captured(hotel, 5_000)
    for given in (payment, "psp_never_captured"):
        answer = pay(hotel, account, usd(5_000), method="card", paymentId=given)
        assert answer.status_code == 201, answer.text
    clock(OVER)

    run(hotel)

    assert found(hotel) == ("mismatch", {("payment_not_captured", "psp_never_captured")})


def test_a_card_that_was_recorded_under_the_next_date_is_no_difference(
    hotel: Hotel, clock: Clock
) -> None:
    """Captured a minute before the close hour, recorded a minute after it: matched on both."""
    clock(NOON)
    account = company(hotel)
    invoiced(hotel, account, 10_000)
    clock("2026-03-01T22:29:00Z")
    payment = captured(hotel, 5_000)
    clock("2026-03-01T22:31:00Z")
    assert pay(hotel, account, usd(5_000), method="card", paymentId=payment).status_code == 201
    clock("2026-03-02T23:30:00Z")

    run(hotel)

    assert found(hotel) == MATCHED
    assert found(hotel, date(2026, 3, 2)) == MATCHED
