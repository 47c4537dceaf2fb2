"""Opening a closed folio again: what was billed stays, what comes then is billed, and only that."""

import json
from functools import partial
from typing import Any

import pytest

from common.runtime.declaration import declaration_of
from functions.folios.reopen_folio import reopen_folio
from tests.hotel import Hotel, usd
from tests.proofs import (
    assert_answers_once,
    assert_books_are_right,
    assert_refused,
    state,
    trail,
)
from tests.refunding import refund
from tests.reopening import SCOPE, closes, context, reopened, reopening, reopens, voids, wanted
from tests.together import at_once

REFUSALS = [("FOLIO_UNKNOWN", 404), ("FOLIO_NOT_CLOSED", 409)]


def _documents(hotel: Hotel) -> list[dict[str, Any]]:
    """The payloads that were signed, in the order of their issue."""
    rows = hotel.rows("SELECT payload FROM {s}.invoices ORDER BY issued_at, id")
    return [json.loads(row[0]) for row in rows]


def _balance(hotel: Hotel, folio: str) -> Any:
    return hotel.get(f"/folios/{folio}").json["balance"]


@pytest.mark.req("CLO-4", "SEC-4")
def test_opens_a_closed_folio_and_leaves_its_invoice(hotel: Hotel) -> None:
    """A charge, its tax and the payment were billed: three lines."""
    folio, _ = hotel.closed_folio()
    issued = hotel.rows("SELECT * FROM {s}.invoices")

    answer = reopens(hotel, folio, by="nadia")

    assert answer.status_code == 200, answer.text
    assert answer.json["billedTo"] == 3
    shown = answer.json["folio"]
    assert (shown["status"], shown["closedAt"], shown["balance"]) == ("open", None, usd(0))
    assert answer.headers["ETag"] == f'"{answer.json["version"]}"'
    assert hotel.rows("SELECT * FROM {s}.invoices") == issued
    kept = hotel.rows("SELECT number, billed_to, reopened_by, step_up_method FROM {s}.reopenings")
    assert kept == [[1, 3, "nadia", "totp"]]
    assert_books_are_right(hotel)


@pytest.mark.req("CLO-4", "INV-2")
def test_bills_only_what_came_since(hotel: Hotel) -> None:
    """110.00 were billed; 7.00 of minibar and 0.70 of tax come on an invoice of their own."""
    folio, first = hotel.closed_folio()
    reopened(hotel, folio)
    hotel.charged(folio, "minibar", 700)
    hotel.paid(folio, usd(770))

    again = closes(hotel, folio)

    one, two = _documents(hotel)
    assert (one["invoiceId"], two["invoiceId"]) == (first, again["invoiceId"])
    assert again["creditNoteId"] is None
    assert [row["kind"] for row in two["lines"]] == ["minibar"]
    assert (two["totals"]["grossMicro"], two["totals"]["paidMicro"]) == (7_700_000, 7_700_000)
    assert [row["amountMicro"] for row in two["payments"]] == [7_700_000]
    settled = again["settlement"]
    assert (settled["charges"], settled["payments"]) == (usd(770), usd(770))
    shown = hotel.get(f"/folios/{folio}").json["lines"]
    assert one["lineIds"] + two["lineIds"] == [line["lineId"] for line in shown]
    assert_books_are_right(hotel)


@pytest.mark.req("CLO-4", "INV-2")
def test_credits_a_negative_difference(hotel: Hotel) -> None:
    """The night of 110.00 is taken back and refunded, a bill of 5.50 is posted and kept: 104.50."""
    folio = hotel.open_folio()
    night = hotel.charged(folio)
    payment = hotel.paid(folio, usd(11_000))
    first = closes(hotel, folio)
    reopened(hotel, folio, by="nadia")
    assert voids(hotel, folio, night).status_code == 201
    hotel.charged(folio, "minibar", 500)
    assert refund(hotel, folio, payment, usd(10_450)).status_code == 201
    before = hotel.rows("SELECT count(*) FROM {s}.ledger_entries")

    again = closes(hotel, folio)

    assert again["invoiceId"] is None
    invoice, note = _documents(hotel)
    assert (note["creditNoteId"], note["number"]) == (
        again["creditNoteId"],
        again["creditNoteNumber"],
    )
    assert note["invoice"]["number"] == invoice["number"] == first["invoiceNumber"]
    assert note["customer"] == invoice["customer"]
    assert [(row["kind"], row["grossMicro"]) for row in note["lines"]] == [
        ("room", 110_000_000),
        ("minibar", -5_500_000),
    ]
    assert note["totals"] == {
        "netMicro": 95_000_000,
        "taxMicro": 9_500_000,
        "grossMicro": 104_500_000,
        "roundingMicro": 0,
        "totalMicro": 104_500_000,
    }
    assert [row["amountMicro"] for row in note["payments"]] == [-104_500_000]
    shown = hotel.get(f"/credit-notes/{again['creditNoteId']}").json
    assert (shown["total"], shown["invoiceId"]) == (usd(10_450), first["invoiceId"])
    assert hotel.rows("SELECT issued_by FROM {s}.credit_notes") == [["nadia"]]
    assert hotel.rows("SELECT count(*) FROM {s}.ledger_entries") == before
    assert_books_are_right(hotel)


@pytest.mark.req("CLO-4")
def test_needs_no_document_where_only_money_moved(hotel: Hotel) -> None:
    """A transfer was booked twice: 10.00 come in, and go out again."""
    folio, _ = hotel.closed_folio()
    reopened(hotel, folio)
    payment = hotel.paid(folio, usd(1_000), allowCredit=True)
    assert refund(hotel, folio, payment, usd(1_000)).status_code == 201

    again = closes(hotel, folio)

    assert (again["invoiceId"], again["creditNoteId"]) == (None, None)
    assert len(_documents(hotel)) == 1
    assert_books_are_right(hotel)


@pytest.mark.req("CLO-4", "INV-2")
def test_may_be_done_again_and_again(hotel: Hotel) -> None:
    """110.00; then 110.00 less the first night: an invoice of nothing; then 110.00 back."""
    folio = hotel.open_folio()
    first = hotel.charged(folio)
    payment = hotel.paid(folio, usd(11_000))
    closes(hotel, folio)
    reopened(hotel, folio)
    assert voids(hotel, folio, first).status_code == 201
    second = hotel.charged(folio)
    exchanged = closes(hotel, folio)
    reopened(hotel, folio)
    assert voids(hotel, folio, second).status_code == 201
    assert refund(hotel, folio, payment, usd(11_000)).status_code == 201

    last = closes(hotel, folio)

    _, nothing, note = _documents(hotel)
    assert nothing["invoiceId"] == exchanged["invoiceId"]
    assert nothing["totals"]["grossMicro"] == 0
    assert [row["grossMicro"] for row in nothing["lines"]] == [-110_000_000, 110_000_000]
    assert note["invoice"]["invoiceId"] == exchanged["invoiceId"]
    assert last["settlement"]["charges"] == usd(-11_000)
    assert hotel.rows("SELECT number, billed_to FROM {s}.reopenings ORDER BY number") == [
        [1, 3],
        [2, 7],
    ]
    assert_books_are_right(hotel)


@pytest.mark.req("CLO-4", "TAX-3")
def test_rounds_the_tax_of_each_document_on_its_own(hotel: Hotel) -> None:
    """Three times 0.05 are 0.015 of tax: 0.02 on an invoice of three. One taken back is 0.005 of
    tax: 0.01 on a document of its own; so 0.11 are owed of 0.17."""
    hotel.write_settings(roundsTaxPerInvoice=True)
    folio = hotel.open_folio()
    charges = [hotel.charged(folio, cents=5) for _ in range(3)]
    payment = hotel.paid(folio, usd(17))
    closes(hotel, folio)
    reopened(hotel, folio)

    assert voids(hotel, folio, charges[1]).status_code == 201

    assert _balance(hotel, folio) == usd(-6)
    assert refund(hotel, folio, payment, usd(6)).status_code == 201
    closes(hotel, folio)
    totals = _documents(hotel)[1]["totals"]
    assert (totals["netMicro"], totals["taxMicro"]) == (50_000, 10_000)
    assert_books_are_right(hotel)


@pytest.mark.req("CLO-4", "CLO-1")
def test_what_was_settled_allows_no_residual_again(hotel: Hotel) -> None:
    """At 3.00 a euro 36.67 EUR are 110.01: the cent is absorbed once. Of 7.70 then every cent is
    owed, as nothing foreign was paid since."""
    rate = {"base": "EUR", "quote": "USD", "source": "t", "takenAt": "2026-01-01T00:00:00Z"}
    hotel.write_settings(fxRates=[{**rate, "rate": "3"}])
    folio = hotel.open_folio()
    hotel.charged(folio)
    hotel.paid(folio, {"amountMicro": 36_670_000, "currency": "EUR"})
    assert closes(hotel, folio)["settlement"]["residualMicro"] == -10_000
    reopened(hotel, folio)
    hotel.charged(folio, "minibar", 700)
    hotel.paid(folio, usd(769))

    answer = hotel.post(f"/folios/{folio}/close")

    assert_refused(answer, 409, "BALANCE_DUE")


@pytest.mark.req("CLO-4")
@pytest.mark.parametrize(("code", "status"), REFUSALS, ids=[code for code, _ in REFUSALS])
def test_refuses(hotel: Hotel, code: str, status: int) -> None:
    folio = hotel.open_folio()
    asked = {
        "FOLIO_UNKNOWN": "fol_01J0000000000000000000000Z",
        "FOLIO_NOT_CLOSED": folio,
    }[code]
    before = state(hotel, without=("idempotency_keys", "step_up_nonces"))

    answer = reopens(hotel, asked)

    assert_refused(answer, status, code)
    assert state(hotel, without=("idempotency_keys", "step_up_nonces")) == before


@pytest.mark.req("CLO-4")
def test_every_refusal_is_tried(hotel: Hotel) -> None:
    declared = {refusal.code for refusal in declaration_of(reopen_folio).refusals}
    assert declared == {code for code, _ in REFUSALS}


@pytest.mark.req("CLO-4", "SEC-4")
def test_wants_a_confirmation_of_this_folio(hotel: Hotel) -> None:
    """One for another folio is refused."""
    folio, _ = hotel.closed_folio()
    other, _ = hotel.closed_folio()
    stolen = hotel.confirmation("nadia", SCOPE, context(hotel, other))

    answer = hotel.post(
        f"/folios/{folio}/reopen",
        {"reason": "The minibar was forgotten", "stepUpToken": stolen},
        token=hotel.token(sub="nadia"),
    )

    assert_refused(answer, 403, "MELMASTOON.IAM.STEP_UP_CONTEXT")


@pytest.mark.req("CLO-4", "API-4")
def test_a_retry_gets_the_same_answer(hotel: Hotel) -> None:
    folio, _ = hotel.closed_folio()
    token = hotel.token(sub="nadia")
    body = wanted(hotel, folio, "nadia")

    assert_answers_once(
        hotel, f"/folios/{folio}/reopen", body, {**body, "reason": "Another one"}, token=token
    )

    assert_books_are_right(hotel)


@pytest.mark.req("CLO-4")
def test_two_at_once_and_one_opens_it(hotel: Hotel) -> None:
    folio, _ = hotel.closed_folio()

    asked = [reopening(hotel, folio, by) for by in ("nadia", "yusuf")]
    answers = at_once([partial(ask, hotel) for ask in asked])

    assert sorted(answer.status_code for answer in answers) == [200, 409]
    assert hotel.rows("SELECT number FROM {s}.reopenings") == [[1]]
    assert_books_are_right(hotel)


@pytest.mark.req("CLO-4", "EVT-2", "AUD-1")
def test_tells_that_it_is_open_again(hotel: Hotel) -> None:
    folio, _ = hotel.closed_folio()
    reopened(hotel, folio, by="nadia")

    event = hotel.events("folio.reopened")[-1]

    assert event["data"]["billedTo"] == 3
    assert event["data"]["reopened"] == 1
    (entry,) = trail(hotel, "folio.reopened")
    assert (entry["actor"], entry["reason"]) == ("nadia", "The minibar was forgotten")
    assert entry["step_up_token_id"] is not None
