"""A folio that is opened again, and what companies owe by it then."""

import pytest

from tests.hotel import Hotel, usd
from tests.owing import close, company, invoiced, pay, set_off, settle, shown, sums
from tests.proofs import assert_books_are_right, assert_refused
from tests.refunding import refund
from tests.reopening import closes, reopened, voids
from tests.trust.books import broken

pytestmark = pytest.mark.req("FOL-10", "CLO-4")


@pytest.fixture
def account(hotel: Hotel) -> str:
    return company(hotel)


def items(hotel: Hotel, account: str) -> list[tuple[str, int, int]]:
    """Invoice, amount and what is open of it, in cents."""
    return [
        (
            item["invoiceId"],
            item["amount"]["amountMicro"] // 10_000,
            item["open"]["amountMicro"] // 10_000,
        )
        for item in shown(hotel, account)["items"]
    ]


def settlements(hotel: Hotel) -> list[str]:
    rows = hotel.rows("SELECT id FROM {s}.payments WHERE method = 'city_ledger' ORDER BY id")
    return [row[0] for row in rows]


def test_what_comes_later_is_an_item_of_the_second_invoice(hotel: Hotel, account: str) -> None:
    """110.00 and, a bar bill that was forgotten, 11.00."""
    folio, first = invoiced(hotel, account, 10_000)
    reopened(hotel, folio)
    hotel.charged(folio, "minibar", 1_000)
    assert settle(hotel, folio, account, usd(1_100)).status_code == 201
    assert sums(hotel, account) == (1_100, 11_000, 0)

    second = close(hotel, folio)

    assert second != first
    assert set(items(hotel, account)) == {(first, 11_000, 11_000), (second, 1_100, 1_100)}
    assert_books_are_right(hotel)
    assert broken(hotel) == []


def test_a_company_takes_over_what_a_guest_had_paid(hotel: Hotel, account: str) -> None:
    """110.00 by transfer go back, and the company owes them by the invoice that there is."""
    folio = hotel.open_folio()
    hotel.charged(folio)
    payment = hotel.paid(folio, usd(11_000))
    invoice = close(hotel, folio)
    reopened(hotel, folio)
    assert refund(hotel, folio, payment, usd(11_000)).status_code == 201
    assert settle(hotel, folio, account, usd(11_000)).status_code == 201

    closed = closes(hotel, folio)

    assert closed["invoiceId"] is None
    assert items(hotel, account) == [(invoice, 11_000, 11_000)]
    assert broken(hotel) == []


def test_a_folio_that_is_settled_once_more_adds_to_its_item(hotel: Hotel, account: str) -> None:
    """Of 110.00 the company owes 60.00 and has paid 20.00; then it takes over the other 50.00."""
    folio = hotel.open_folio()
    hotel.charged(folio)
    payment = hotel.paid(folio, usd(5_000))
    settle(hotel, folio, account, usd(6_000))
    invoice = close(hotel, folio)
    pay(hotel, account, usd(2_000))
    reopened(hotel, folio)
    assert refund(hotel, folio, payment, usd(5_000)).status_code == 201
    assert settle(hotel, folio, account, usd(5_000)).status_code == 201

    closes(hotel, folio)

    assert items(hotel, account) == [(invoice, 11_000, 9_000)]
    assert [each["data"]["amount"] for each in hotel.events("receivable.created")] == [
        usd(6_000),
        usd(5_000),
    ]
    assert broken(hotel) == []


def test_what_is_given_back_of_an_invoiced_settlement_is_a_credit(
    hotel: Hotel, account: str
) -> None:
    """110.00 and 22.00 were left to the company; 22.00 are voided, and go back to its account.

    The credit note that the closing comes to has been settled by that, and is not set off again.
    """
    folio = hotel.open_folio()
    hotel.charged(folio)
    spa = hotel.charged(folio, "spa", 2_000)
    for cents in (11_000, 2_200):
        assert settle(hotel, folio, account, usd(cents)).status_code == 201
    invoice = close(hotel, folio)
    reopened(hotel, folio)
    assert voids(hotel, folio, spa).status_code in (200, 201)
    answer = refund(hotel, folio, settlements(hotel)[1], usd(2_200))
    assert answer.status_code == 201, answer.text
    assert sums(hotel, account) == (0, 13_200, 2_200)

    note = closes(hotel, folio)["creditNoteId"]

    assert items(hotel, account) == [(invoice, 13_200, 13_200)]
    assert_refused(set_off(hotel, account, note), 404, "CREDIT_NOTE_UNKNOWN")
    assert broken(hotel) == []
