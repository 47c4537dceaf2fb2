"""A credit note pays what a company owes by the invoice that it corrects."""

from functools import partial

import pytest
from werkzeug.test import TestResponse

from tests.crediting import credits, lines_of
from tests.hotel import Hotel, new_id, usd
from tests.owing import close, company, invoiced, pay, set_off, settle, shown, sums
from tests.proofs import assert_answers_once, assert_books_are_right, assert_refused, state
from tests.trust.books import broken

pytestmark = pytest.mark.req("FOL-10", "INV-8")


@pytest.fixture
def account(hotel: Hotel) -> str:
    return company(hotel)


@pytest.fixture
def invoice(hotel: Hotel, account: str) -> str:
    """110.00."""
    return invoiced(hotel, account, 10_000)[1]


@pytest.fixture
def note(hotel: Hotel, invoice: str) -> str:
    """22.00 of it."""
    return credited(hotel, invoice, 2_200)


def credited(hotel: Hotel, invoice: str, cents: int) -> str:
    line = lines_of(hotel, invoice)[0]["lineId"]
    answer = credits(hotel, invoice, (line, usd(cents)))
    assert answer.status_code == 201, answer.text
    found: str = answer.json["creditNoteId"]
    return found


def test_pays_its_own_invoice(hotel: Hotel, account: str, invoice: str, note: str) -> None:
    """110.00 less 22.00, and the house owes them to nobody any more."""
    answer = set_off(hotel, account, note)

    assert answer.status_code == 201, answer.text
    (given,) = answer.json["allocations"]
    assert (given["invoiceId"], given["amount"]) == (invoice, usd(2_200))
    assert (answer.json["amount"], answer.json["balance"]) == (usd(2_200), usd(8_800))
    booked = hotel.rows(
        "SELECT debit_account, credit_account, amount_micro FROM {s}.ledger_entries"
        " WHERE source = :id",
        id=answer.json["setOffId"],
    )
    assert booked == [["credit_notes_payable", f"city_ledger:{account}", 22_000_000]]
    assert sums(hotel, account) == (0, 8_800, 0)
    (event,) = hotel.events("receivable.credit_note_set_off")
    assert (event["data"]["creditNoteId"], event["data"]["amount"]) == (note, usd(2_200))
    assert_books_are_right(hotel)
    assert broken(hotel) == []


def test_what_the_invoice_has_not_open_is_to_the_accounts_credit(
    hotel: Hotel, account: str, note: str
) -> None:
    """100.00 of 110.00 are paid: 10.00 of the 22.00 pay the rest, 12.00 are left over."""
    pay(hotel, account, usd(10_000))

    assert set_off(hotel, account, note).status_code == 201
    assert sums(hotel, account) == (0, 0, 1_200)
    assert broken(hotel) == []


def test_is_set_off_in_parts_until_nothing_is_left(hotel: Hotel, account: str, note: str) -> None:
    """22.00: 7.00, not 15.01 more, but the 15.00 that are left, and nothing behind them."""
    assert set_off(hotel, account, note, amount=usd(700)).status_code == 201

    more = set_off(hotel, account, note, amount=usd(1_501))
    assert_refused(more, 409, "SET_OFF_EXCEEDS_CREDIT_NOTE")
    assert more.json["leftMicro"] == 15_000_000
    assert set_off(hotel, account, note).json["amount"] == usd(1_500)
    assert_refused(set_off(hotel, account, note), 409, "CREDIT_NOTE_ALREADY_SET_OFF")
    assert sums(hotel, account) == (0, 8_800, 0)
    assert broken(hotel) == []


def test_two_companies_that_share_an_invoice_share_its_credit_note(hotel: Hotel) -> None:
    """55.00 of 110.00 each, and all of it is credited: neither owes anything, nor the house."""
    accounts, note = _shared(hotel, 11_000)

    for account in accounts:
        assert set_off(hotel, account, note, amount=usd(5_500)).status_code == 201

    assert [sums(hotel, account) for account in accounts] == [(0, 0, 0)] * 2
    left = hotel.rows(
        "SELECT sum(CASE debit_account WHEN 'credit_notes_payable' THEN -amount_micro"
        " ELSE amount_micro END)::bigint FROM {s}.ledger_entries"
        " WHERE 'credit_notes_payable' IN (debit_account, credit_account)"
    )
    assert left == [[0]]
    assert_books_are_right(hotel)
    assert broken(hotel) == []


def test_refuses(hotel: Hotel, account: str, note: str) -> None:
    """More than it is, nothing, another currency, another company, no note, no account."""
    guest = credited(hotel, hotel.closed_folio()[1], 100)
    before = state(hotel)

    answer = set_off(hotel, account, note, amount=usd(2_201))
    assert_refused(answer, 409, "SET_OFF_EXCEEDS_CREDIT_NOTE")
    assert_refused(set_off(hotel, account, note, amount=usd(0)), 422, "AMOUNT_NOT_POSITIVE")
    euro = {"amountMicro": 10_000, "currency": "EUR"}
    assert_refused(set_off(hotel, account, note, amount=euro), 422, "CURRENCY_MISMATCH")
    assert_refused(set_off(hotel, account, new_id("cn")), 404, "CREDIT_NOTE_UNKNOWN")
    assert_refused(set_off(hotel, account, guest), 404, "CREDIT_NOTE_UNKNOWN")
    assert_refused(set_off(hotel, new_id("cac"), note), 404, "COMPANY_ACCOUNT_UNKNOWN")
    assert state(hotel) == before


def test_another_company_cannot_use_it(hotel: Hotel, note: str) -> None:
    other = company(hotel)
    invoiced(hotel, other, 10_000)

    assert_refused(set_off(hotel, other, note), 404, "CREDIT_NOTE_UNKNOWN")


def test_a_closed_account_takes_none_until_it_is_opened_again(
    hotel: Hotel, account: str, note: str
) -> None:
    pay(hotel, account, usd(11_000))
    body = {"status": "closed", "reason": "Gone"}
    assert hotel.call("PATCH", f"/company-accounts/{account}", body).status_code == 200

    assert_refused(set_off(hotel, account, note), 409, "COMPANY_ACCOUNT_NOT_ACTIVE")
    body = {"status": "on_hold", "reason": "There is a credit note of theirs"}
    assert hotel.call("PATCH", f"/company-accounts/{account}", body).status_code == 200
    assert set_off(hotel, account, note).status_code == 201
    assert broken(hotel) == []


def test_a_retry_sets_off_once(hotel: Hotel, account: str, note: str) -> None:
    path, body = f"/company-accounts/{account}/set-offs", {"creditNoteId": note}

    assert_answers_once(hotel, path, body, {**body, "amount": usd(1)})
    assert sums(hotel, account) == (0, 8_800, 0)


def test_two_companies_at_once_have_no_more_of_it_than_it_is(hotel: Hotel) -> None:
    """22.00 of an invoice of both are credited: 1.00 to each, and of 15.00 each one is too much."""
    accounts, note = _shared(hotel, 2_200)

    def both(cents: int) -> list[TestResponse]:
        calls = [partial(set_off, hotel, each, note, amount=usd(cents)) for each in accounts]
        return hotel.house.at_once_before_they_write(f"{hotel.schema}.account_credits", calls)

    parts, wholes = both(100), both(1_500)

    assert [answer.status_code for answer in parts] == [201, 201]
    assert sorted(answer.status_code for answer in wholes) == [201, 409]
    assert {answer.json.get("code") for answer in wholes} == {
        None,
        "MELMASTOON.BILLING.SET_OFF_EXCEEDS_CREDIT_NOTE",
    }
    assert sorted(sums(hotel, account)[1] for account in accounts) == [3_900, 5_400]
    assert broken(hotel) == []


def _shared(hotel: Hotel, cents: int) -> tuple[list[str], str]:
    """110.00 were left to two companies, and so much of the invoice was credited."""
    accounts, folio = [company(hotel), company(hotel)], hotel.open_folio()
    hotel.charged(folio, cents=10_000)
    for account in accounts:
        assert settle(hotel, folio, account, usd(5_500)).status_code == 201
    return accounts, credited(hotel, close(hotel, folio), cents)


def test_stands_on_the_statement(hotel: Hotel, account: str, note: str) -> None:
    set_off(hotel, account, note)
    period = {"first": "2020-01-01", "last": "2099-12-31"}

    stated = hotel.get(f"/company-accounts/{account}/statement", **period).json

    kinds = [(each["kind"], each["amount"]) for each in stated["entries"]]
    assert kinds == [("settlement", usd(11_000)), ("credit_note", usd(-2_200))]
    number = hotel.get(f"/credit-notes/{note}").json["number"]
    assert stated["entries"][1]["reference"] == number
    assert shown(hotel, account)["balance"] == stated["closing"] == usd(8_800)
