"""What a company will never pay is written off, confirmed for exactly that."""

from typing import Any

import pytest

from tests.hotel import Hotel, new_id, usd
from tests.owing import (
    WRITE_OFF,
    ask,
    company,
    context,
    given_up,
    invoiced,
    pay,
    sums,
    write_off,
    writing_off,
)
from tests.proofs import assert_books_are_right, assert_refused, state, trail
from tests.together import at_once
from tests.trust.books import broken

pytestmark = pytest.mark.req("FOL-10", "SEC-4")


@pytest.fixture
def account(hotel: Hotel) -> str:
    return company(hotel)


@pytest.fixture
def invoice(hotel: Hotel, account: str) -> str:
    """110.00."""
    return invoiced(hotel, account, 10_000)[1]


def test_gives_up_a_part_of_an_invoice(hotel: Hotel, account: str, invoice: str) -> None:
    """110.00 less 40.00."""
    answer = write_off(hotel, account, invoice, usd(4_000))

    assert answer.status_code == 201, answer.text
    assert (answer.json["item"]["open"], answer.json["balance"]) == (usd(7_000), usd(7_000))
    booked = hotel.rows(
        "SELECT debit_account, credit_account, amount_micro FROM {s}.ledger_entries"
        " WHERE source = :id",
        id=answer.json["writeOffId"],
    )
    assert booked == [["bad_debt", f"city_ledger:{account}", 40_000_000]]
    assert sums(hotel, account) == (0, 7_000, 0)
    assert_books_are_right(hotel)
    assert broken(hotel) == []


def test_who_gave_it_up_and_why_is_in_the_trail(hotel: Hotel, account: str, invoice: str) -> None:
    write_off(hotel, account, invoice, usd(11_000), by="laila")

    (last,) = trail(hotel, "receivable.written_off")
    assert (last["aggregate_id"], last["actor"]) == (account, "laila")
    assert last["reason"] == "The company is bankrupt"
    assert last["step_up_token_id"]
    (event,) = hotel.events("receivable.written_off")
    assert (event["data"]["writtenOffBy"], event["data"]["amount"]) == ("laila", usd(11_000))
    assert hotel.rows("SELECT confirmed_by, reason FROM {s}.write_offs") == [
        ["laila", "The company is bankrupt"]
    ]


@pytest.mark.parametrize(
    ("status", "code", "more"),
    [
        (404, "RECEIVABLE_UNKNOWN", {"invoiceId": new_id("inv")}),
        (409, "RECEIVABLE_EXCEEDED", {"amount": usd(11_001)}),
        (422, "AMOUNT_NOT_POSITIVE", {"amount": usd(0)}),
        (422, "AMOUNT_NOT_POSITIVE", {"amount": usd(-1)}),
        (422, "AMOUNT_NOT_IN_MINOR_UNITS", {"amount": {"amountMicro": 1, "currency": "USD"}}),
        (422, "CURRENCY_MISMATCH", {"amount": {"amountMicro": 1_000_000, "currency": "EUR"}}),
        (400, "MELMASTOON.GENERAL.VALIDATION_FAILED", {"reason": ""}),
    ],
    ids=["unknown", "too much", "nothing", "less", "a part of a cent", "currency", "no reason"],
)
def test_refuses(
    hotel: Hotel, account: str, invoice: str, status: int, code: str, more: dict[str, Any]
) -> None:
    body = {**given_up(invoice, usd(1_000)), **more}
    before = state(hotel)

    assert_refused(ask(hotel, account, body), status, code)
    assert state(hotel) == before


def test_an_account_that_nobody_opened_is_unknown(hotel: Hotel, invoice: str) -> None:
    answer = write_off(hotel, new_id("cac"), invoice, usd(1))

    assert_refused(answer, 404, "COMPANY_ACCOUNT_UNKNOWN")


def test_what_is_paid_is_not_given_up(hotel: Hotel, account: str, invoice: str) -> None:
    pay(hotel, account, usd(10_000))

    answer = write_off(hotel, account, invoice, usd(1_001))

    assert_refused(answer, 409, "RECEIVABLE_EXCEEDED")
    assert answer.json["openMicro"] == 10_000_000


def test_needs_a_confirmation_of_exactly_this(hotel: Hotel, account: str, invoice: str) -> None:
    """Another amount, another invoice, another write-off, none at all."""
    body = given_up(invoice, usd(1_000))
    token = hotel.confirmation("laila", WRITE_OFF, context(hotel, account, body))
    before = state(hotel)

    for more in ({"amount": usd(1_001)}, {"invoiceId": new_id("inv")}, {"id": new_id("wof")}):
        answer = ask(hotel, account, {**body, **more, "stepUpToken": token})
        assert_refused(answer, 403, "MELMASTOON.IAM.STEP_UP_CONTEXT")
    answer = ask(hotel, company(hotel), {**body, "stepUpToken": token})
    assert_refused(answer, 403, "MELMASTOON.IAM.STEP_UP_CONTEXT")
    answer = hotel.post(f"/company-accounts/{account}/write-offs", body)
    assert_refused(answer, 403, "MELMASTOON.IAM.STEP_UP_REQUIRED")
    changed = {name for name, each in state(hotel).items() if each != before[name]}
    assert not changed & {"write_offs", "receivables", "ledger_entries"}


def test_needs_its_own_scope(hotel: Hotel, account: str, invoice: str) -> None:
    token = hotel.token("billing.receivable.write", sub="laila")

    answer = ask(hotel, account, given_up(invoice, usd(1)), token=token)

    assert_refused(answer, 403, "MELMASTOON.IAM.SCOPE_MISSING")


def test_a_retry_gives_up_once(hotel: Hotel, account: str, invoice: str) -> None:
    send = writing_off(hotel, account, invoice, usd(1_000), "laila")

    first, again = send(hotel), send(hotel)

    assert (first.status_code, again.data) == (201, first.data)
    assert sums(hotel, account) == (0, 10_000, 0)


def test_two_at_once_give_up_no_more_than_is_open(hotel: Hotel, account: str, invoice: str) -> None:
    """Twice 80.00 of 110.00."""
    sends = [writing_off(hotel, account, invoice, usd(8_000), by) for by in ("laila", "farid")]

    answers = at_once([lambda send=send: send(hotel) for send in sends])  # type: ignore[misc]

    assert sorted(answer.status_code for answer in answers) == [201, 409]
    assert sums(hotel, account) == (0, 3_000, 0)
    assert broken(hotel) == []


def test_a_payment_and_a_write_off_at_once_settle_it_once(
    hotel: Hotel, account: str, invoice: str
) -> None:
    """110.00 paid while 110.00 are given up: one settles it, or what was paid is a credit."""
    send = writing_off(hotel, account, invoice, usd(11_000), "laila")

    paid, forgiven = at_once([lambda: pay(hotel, account, usd(11_000)), lambda: send(hotel)])

    assert paid.status_code == 201
    assert forgiven.status_code in (201, 409)
    left = 11_000 if forgiven.status_code == 201 else 0
    assert sums(hotel, account) == (0, 0, left)
    assert broken(hotel) == []
