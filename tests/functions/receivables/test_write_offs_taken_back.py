"""What was written off is owed again: nobody is owed what nobody has paid (FOL-10)."""

from functools import partial

import pytest

from tests.crediting import voids
from tests.hotel import Hotel, new_id, usd
from tests.owing import (
    WRITE_OFF,
    company,
    invoiced,
    pay,
    reversal_context,
    set_off,
    sums,
    take_write_off_back,
    write_off,
)
from tests.proofs import assert_answers_once, assert_books_are_right, assert_refused, state, trail
from tests.refunding import refund
from tests.reopening import reopened
from tests.together import at_once
from tests.trust.books import broken

pytestmark = pytest.mark.req("FOL-10", "SEC-4")


@pytest.fixture
def account(hotel: Hotel) -> str:
    return company(hotel)


@pytest.fixture
def owed(hotel: Hotel, account: str) -> tuple[str, str]:
    """110.00: their folio and invoice."""
    return invoiced(hotel, account, 10_000)


def given_up(hotel: Hotel, account: str, invoice: str, cents: int) -> str:
    answer = write_off(hotel, account, invoice, usd(cents))
    assert answer.status_code == 201, answer.text
    found: str = answer.json["writeOffId"]
    return found


def test_is_owed_again_and_paid(hotel: Hotel, account: str, owed: tuple[str, str]) -> None:
    """40.00 of 110.00 were given up. The company pays 110.00 after all, to the cent."""
    lost = given_up(hotel, account, owed[1], 4_000)

    answer = take_write_off_back(hotel, account, lost)

    assert answer.status_code == 201, answer.text
    assert (answer.json["amount"], answer.json["reverses"]) == (usd(-4_000), lost)
    assert (answer.json["item"]["open"], answer.json["balance"]) == (usd(11_000), usd(11_000))
    booked = hotel.rows(
        "SELECT debit_account, credit_account, amount_micro FROM {s}.ledger_entries"
        " WHERE source = :id",
        id=answer.json["writeOffId"],
    )
    assert booked == [[f"city_ledger:{account}", "bad_debt", 40_000_000]]
    pay(hotel, account, usd(11_000))
    assert sums(hotel, account) == (0, 0, 0)
    aged = hotel.get(
        f"/company-accounts/{account}/statement", first="2020-01-01", last="2030-01-01"
    )
    assert aged.json["closing"] == usd(0)
    assert_books_are_right(hotel)
    assert broken(hotel) == []


def test_who_took_it_back_and_why_is_told(
    hotel: Hotel, account: str, owed: tuple[str, str]
) -> None:
    lost = given_up(hotel, account, owed[1], 11_000)
    take_write_off_back(hotel, account, lost, by="farid")

    (last,) = trail(hotel, "receivable.write_off_taken_back")
    assert (last["aggregate_id"], last["actor"]) == (account, "farid")
    assert (last["reason"], bool(last["step_up_token_id"])) == ("It pays after all", True)
    (event,) = hotel.events("receivable.write_off_taken_back")
    data = event["data"]
    assert (data["takenBackBy"], data["amount"]) == ("farid", usd(11_000))
    assert (data["reverses"], data["invoiceId"]) == (lost, owed[1])


def test_refuses_what_is_unknown_or_taken_back(
    hotel: Hotel, account: str, owed: tuple[str, str]
) -> None:
    """Unknown, another account's, taken back already, and what takes one back itself."""
    lost = given_up(hotel, account, owed[1], 4_000)
    back = take_write_off_back(hotel, account, lost).json["writeOffId"]
    before = state(hotel)

    for where, which, status, code in (
        (account, new_id("wof"), 404, "WRITE_OFF_UNKNOWN"),
        (company(hotel), lost, 404, "WRITE_OFF_UNKNOWN"),
        (new_id("cac"), lost, 404, "COMPANY_ACCOUNT_UNKNOWN"),
        (account, lost, 409, "WRITE_OFF_TAKEN_BACK"),
        (account, back, 409, "WRITE_OFF_TAKEN_BACK"),
    ):
        assert_refused(take_write_off_back(hotel, where, which), status, code)
    assert sums(hotel, account) == (0, 11_000, 0)
    assert state(hotel)["write_offs"] == before["write_offs"]


def test_needs_a_confirmation_of_exactly_this(
    hotel: Hotel, account: str, owed: tuple[str, str]
) -> None:
    lost = given_up(hotel, account, owed[1], 4_000)
    other = hotel.confirmation("laila", WRITE_OFF, "0" * 64)

    answer = take_write_off_back(hotel, account, lost, body={"stepUpToken": other})

    assert_refused(answer, 403, "MELMASTOON.IAM.STEP_UP_CONTEXT")
    token = hotel.token("billing.receivable.write", sub="laila")
    answer = take_write_off_back(hotel, account, lost, token=token)
    assert_refused(answer, 403, "MELMASTOON.IAM.SCOPE_MISSING")


@pytest.mark.req("API-4")
def test_a_retry_takes_it_back_once(hotel: Hotel, account: str, owed: tuple[str, str]) -> None:
    lost = given_up(hotel, account, owed[1], 4_000)
    confirmed = reversal_context(hotel, account, lost)
    body = {"reason": "It pays", "stepUpToken": hotel.confirmation("laila", WRITE_OFF, confirmed)}
    path = f"/company-accounts/{account}/write-offs/{lost}/reverse"
    other = {**body, "reason": "It pays at last"}

    assert_answers_once(hotel, path, body, other, token=hotel.token(sub="laila"))

    assert sums(hotel, account) == (0, 11_000, 0)


def test_two_at_once_take_it_back_once(hotel: Hotel, account: str, owed: tuple[str, str]) -> None:
    lost = given_up(hotel, account, owed[1], 4_000)
    calls = [partial(take_write_off_back, hotel, account, lost, by) for by in ("laila", "farid")]

    answers = at_once(calls)

    assert sorted(answer.status_code for answer in answers) == [201, 409]
    assert sums(hotel, account) == (0, 11_000, 0)
    assert broken(hotel) == []


def test_a_closed_account_owes_again_and_is_on_hold(
    hotel: Hotel, account: str, owed: tuple[str, str]
) -> None:
    lost = given_up(hotel, account, owed[1], 11_000)
    closing = {"status": "closed", "reason": "Bankrupt"}
    assert hotel.call("PATCH", f"/company-accounts/{account}", closing).status_code == 200

    assert take_write_off_back(hotel, account, lost).status_code == 201

    assert hotel.get(f"/company-accounts/{account}").json["status"] == "on_hold"
    assert pay(hotel, account, usd(11_000)).status_code == 201
    assert broken(hotel) == []


@pytest.mark.req("INV-8")
def test_a_credit_note_gives_nobody_what_was_written_off(
    hotel: Hotel, account: str, owed: tuple[str, str]
) -> None:
    """110.00, of which 60.00 were given up and 50.00 are open, are voided. The note pays the 50.00
    or, once the write-off is taken back, all of it; never 60.00 to who has not paid them."""
    lost = given_up(hotel, account, owed[1], 6_000)
    note = voids(hotel, owed[1]).json["creditNoteId"]

    answer = set_off(hotel, account, note)

    assert_refused(answer, 409, "INVOICE_WRITTEN_OFF")
    assert answer.json["leftMicro"] == 50_000_000
    assert set_off(hotel, account, note, amount=usd(1_000)).status_code == 201
    assert take_write_off_back(hotel, account, lost).status_code == 201
    assert set_off(hotel, account, note).json["amount"] == usd(10_000)
    assert sums(hotel, account) == (0, 0, 0)
    assert broken(hotel) == []


def test_a_settlement_that_was_written_off_is_no_credit_when_it_is_given_back(
    hotel: Hotel, account: str, owed: tuple[str, str]
) -> None:
    """110.00 were given up; then the guest's folio takes them back from the company."""
    folio, invoice = owed
    lost = given_up(hotel, account, invoice, 11_000)
    reopened(hotel, folio)
    ((payment,),) = hotel.rows("SELECT id FROM {s}.payments WHERE folio_id = :id", id=folio)

    answer = refund(hotel, folio, payment, usd(11_000), reference="By hand")

    assert_refused(answer, 409, "INVOICE_WRITTEN_OFF")
    assert take_write_off_back(hotel, account, lost).status_code == 201
    assert refund(hotel, folio, payment, usd(11_000), reference="By hand").status_code == 201
    assert sums(hotel, account) == (0, 11_000, 11_000)
    answer = write_off(hotel, account, invoice, usd(1))
    assert_refused(answer, 409, "WRITE_OFF_EXCEEDS_DEBT")
    assert answer.json["owedMicro"] == 0
    assert broken(hotel) == []
