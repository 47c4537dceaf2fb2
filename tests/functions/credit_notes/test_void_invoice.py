"""Voiding an invoice: a credit note over all that is left of it (INV-2, INV-8)."""

from functools import partial

import pytest

from common.runtime.declaration import declaration_of
from functions.invoices.void_invoice import void_invoice
from tests.crediting import approval, credits, lines_of, voiding, voids
from tests.hotel import Hotel, House, new_id, usd, vat
from tests.proofs import assert_books_are_right, assert_refused, state, told, trail
from tests.together import at_once
from tests.trust.books import broken


@pytest.mark.req("INV-2", "EVT-2")
def test_credits_everything_and_tells_that_nothing_is_left(hotel: Hotel) -> None:
    _, invoice = hotel.closed_folio()
    issued = hotel.get(f"/invoices/{invoice}").json

    answer = voids(hotel, invoice)

    assert answer.status_code == 201, answer.text
    assert (answer.json["total"], answer.json["left"]) == (usd(11_000), usd(0))
    assert told(hotel)[-2:] == ["credit_note.issued", "invoice.voided"]
    (event,) = hotel.events("invoice.voided")
    assert event["data"]["creditNoteId"] == answer.json["creditNoteId"]
    assert trail(hotel, "invoice.voided")[0]["reason"] == "Billed to the wrong guest"
    now = hotel.get(f"/invoices/{invoice}").json
    assert now == {**issued, "status": "voided"}  # the document itself is as it was
    assert_books_are_right(hotel)
    assert broken(hotel) == []


@pytest.mark.req("INV-2", "MON-3")
@pytest.mark.req("INV-2", "AUD-1")
@pytest.mark.parametrize("copies", [1, 2])
def test_an_invoice_that_was_drawn_is_voided_with_its_copies(hotel: Hotel, copies: int) -> None:
    """The trail goes on from the document as it is: signed, and drawn so often."""
    _, invoice = hotel.closed_folio()
    assert hotel.render(invoice).status_code == 204
    for _ in range(1, copies):
        assert hotel.post(f"/invoices/{invoice}/regenerate").status_code == 201

    assert voids(hotel, invoice).status_code == 201

    assert broken(hotel) == []
    assert hotel.post(f"/invoices/{invoice}/regenerate").status_code == 201
    assert broken(hotel) == []


def test_takes_exactly_what_partial_credits_have_left(hotel: Hotel) -> None:
    """110.00, of which 10.00 went as 9.09 and 0.91: 90.91 and 9.09 are left."""
    _, invoice = hotel.closed_folio()
    line = lines_of(hotel, invoice)[0]["lineId"]
    credits(hotel, invoice, (line, usd(1_000)))

    answer = voids(hotel, invoice)

    (row,) = lines_of(hotel, answer.json["creditNoteId"])
    assert (row["netMicro"], row["taxMicro"]) == (90_910_000, 9_090_000)
    assert answer.json["number"].endswith("-000002")
    assert broken(hotel) == []


@pytest.mark.req("INV-2", "CLO-1")
def test_gives_the_rounding_back_with_the_last_of_it(hotel: Hotel) -> None:
    """100.11 were owed and 100.10 paid in euros: what comes back is what was paid."""
    folio = hotel.open_folio()
    hotel.charged(folio, cents=9_091)  # and 9.09 of tax, 100.00 in all
    hotel.paid(folio, {"amountMicro": 90_910_000, "currency": "EUR"})  # 100.001, so 100.00
    hotel.charged(folio, cents=10)  # 0.11 with its tax
    hotel.paid(folio, {"amountMicro": 90_000, "currency": "EUR"})  # 0.099, so 0.10
    closed = hotel.post(f"/folios/{folio}/close")
    assert closed.status_code == 200, closed.text

    answer = voids(hotel, closed.json["invoiceId"])

    assert answer.status_code == 201, answer.text
    assert closed.json["settlement"]["residualMicro"] == 10_000
    assert answer.json["total"] == usd(10_010)
    rounded = hotel.rows(
        "SELECT debit_account, credit_account, amount_micro FROM {s}.ledger_entries"
        " WHERE starts_with(source, 'cn_') AND 'rounding' IN (debit_account, credit_account)"
    )
    assert rounded == [["credit_notes_payable", "rounding", 10_000]]
    assert broken(hotel) == []


@pytest.mark.req("INV-2", "TAX-3")
@pytest.mark.parametrize("per_invoice", [True, False])
def test_takes_back_the_taxes_that_stand_on_the_document(house: House, per_invoice: bool) -> None:
    """Three times 0.33 with 7.7 % inside and 3.3333 % on top, rounded per line or per invoice."""
    rules = [vat(77_000, inclusive=True), vat(33_333, code="CITY", name="City tax", order=1)]
    hotel = house.new_hotel(taxRules=rules, roundsTaxPerInvoice=per_invoice)
    folio = hotel.open_folio()
    for _ in range(3):
        hotel.charged(folio, "minibar", cents=33)
    hotel.paid(folio, hotel.get(f"/folios/{folio}").json["balance"])
    invoice = hotel.post(f"/folios/{folio}/close").json["invoiceId"]
    for line in lines_of(hotel, invoice):
        assert credits(hotel, invoice, (line["lineId"], usd(11))).status_code == 201

    answer = voids(hotel, invoice)

    assert answer.status_code == 201, answer.text
    left = hotel.rows(
        "SELECT sum(CASE WHEN starts_with(credit_account, 'tax_payable') THEN amount_micro"
        " WHEN starts_with(debit_account, 'tax_payable') THEN -amount_micro ELSE 0 END)::bigint,"
        " sum(CASE WHEN starts_with(credit_account, 'revenue') THEN amount_micro"
        " WHEN starts_with(debit_account, 'revenue') THEN -amount_micro ELSE 0 END)::bigint"
        " FROM {s}.ledger_entries"
    )
    assert left == [[0, 0]]
    assert broken(hotel) == []


@pytest.mark.req("INV-2")
def test_refuses_to_void_twice_and_writes_the_attempt_down(hotel: Hotel) -> None:
    _, invoice = hotel.closed_folio()
    line = lines_of(hotel, invoice)[0]["lineId"]
    assert voids(hotel, invoice).status_code == 201
    before = state(hotel, without=("audit_entries",))

    again, late = voids(hotel, invoice), credits(hotel, invoice, (line, usd(1)))
    unknown = voids(hotel, new_id("inv"))

    assert_refused(again, 409, "INVOICE_VOIDED")
    assert_refused(late, 409, "INVOICE_VOIDED")
    assert_refused(unknown, 404, "INVOICE_UNKNOWN")
    assert state(hotel, without=("audit_entries",)) == before
    noted = [entry["reason"] for entry in trail(hotel, "security.attempt_refused")]
    assert noted == ["MELMASTOON.BILLING.INVOICE_VOIDED"] * 2


@pytest.mark.req("SEC-4")
def test_refuses_a_confirmation_of_another_deed(hotel: Hotel) -> None:
    """One of crediting the same lines in full is not one of voiding."""
    _, invoice = hotel.closed_folio()
    _, other = hotel.closed_folio()
    line = lines_of(hotel, invoice)[0]["lineId"]

    for token in (approval(hotel, invoice, (line, usd(11_000))), voiding(hotel, other)):
        body = {"reason": "Wrong guest", "stepUpToken": token}
        answer = hotel.post(f"/invoices/{invoice}/void", body, token=hotel.token(sub="mariam"))
        assert_refused(answer, 403, "MELMASTOON.IAM.STEP_UP_CONTEXT")
    assert hotel.rows("SELECT count(*) FROM {s}.credit_notes") == [[0]]


@pytest.mark.req("API-4")
def test_the_same_again_gets_the_same_answer(hotel: Hotel) -> None:
    _, invoice = hotel.closed_folio()
    body = {"reason": "Wrong guest", "stepUpToken": voiding(hotel, invoice)}
    mariam = hotel.token(sub="mariam")

    first, again = (
        hotel.post(f"/invoices/{invoice}/void", body, token=mariam, key="v") for _ in range(2)
    )

    assert (again.status_code, again.data) == (201, first.data)
    assert again.headers["Idempotency-Replayed"] == "true"


@pytest.mark.req("INV-2")
def test_of_eight_at_once_one_voids(hotel: Hotel) -> None:
    _, invoice = hotel.closed_folio()

    answers = at_once([partial(voids, hotel, invoice) for _ in range(8)])

    assert sorted(answer.status_code for answer in answers) == [201, *[409] * 7]
    assert hotel.rows("SELECT credited_micro, status FROM {s}.invoice_credits") == [
        [110_000_000, "voided"]
    ]
    assert broken(hotel) == []


@pytest.mark.req("INV-8")
def test_whoever_verifies_the_invoice_hears_of_it(hotel: Hotel) -> None:
    _, invoice = hotel.closed_folio()
    hotel.render(invoice)
    line = lines_of(hotel, invoice)[0]["lineId"]
    digest = hotel.get(f"/invoices/{invoice}").json["payloadSha256"]
    heard = []

    def ask() -> None:
        which = {"tenant": str(hotel.tenant_id), "hash": digest}
        heard.append(hotel.get(f"/invoices/{invoice}/verify", token=None, **which).json)

    ask()
    credits(hotel, invoice, (line, usd(1)))
    ask()
    voids(hotel, invoice)
    ask()

    assert [each["status"] for each in heard] == ["issued", "credited", "voided"]
    assert all(each["valid"] for each in heard)


def test_declares_what_it_refuses() -> None:
    declared = {refusal.code for refusal in declaration_of(void_invoice).refusals}

    assert declared == {
        "INVOICE_UNKNOWN",
        "INVOICE_VOIDED",
        "FOLIO_OPEN_AGAIN",
        "LINE_CORRECTED",
    }
