"""Invoices and credit notes as e-invoices, over HTTP: for those who may read them, and nobody else.

What stands in the XML is tried where it is made (`tests/adapters/test_einvoice.py`).
"""

import json

import pytest

from common.runtime.declaration import declaration_of
from functions.credit_notes.get_credit_note_xml import get_credit_note_xml
from functions.invoices.get_invoice_xml import get_invoice_xml
from tests.crediting import credits, lines_of
from tests.einvoicing import breakdown, broken_rules, said
from tests.hotel import Hotel, House, new_id, usd, vat
from tests.proofs import assert_refused, state

pytestmark = pytest.mark.req("INV-5")


def test_an_invoice_is_given_as_a_file_before_its_pdf_is_drawn(hotel: Hotel) -> None:
    """100.00 and 10.00 of VAT. Asked again, it is the same; and asking changes nothing."""
    _, invoice = hotel.closed_folio()
    before = state(hotel)

    answer = hotel.get(f"/invoices/{invoice}/xml")

    assert answer.status_code == 200, answer.text
    number = hotel.get(f"/invoices/{invoice}").json["number"]
    assert answer.mimetype == "application/xml"
    assert answer.headers["Content-Disposition"] == f"attachment; filename={number}.xml"
    assert answer.headers["Cache-Control"] == "no-store"
    assert broken_rules(answer.data) == []
    assert said(answer.data, "BuyerTradeParty/Name") == ["A. Guest"]
    assert said(answer.data, "GrandTotalAmount") == ["110.00"]
    again = hotel.get(f"/invoices/{invoice}/xml", headers={"Accept": "application/json"})
    assert again.data == answer.data
    assert state(hotel) == before


@pytest.mark.req("FOL-12")
def test_a_credit_note_names_its_invoice_and_the_levy_that_it_gives_back(hotel: Hotel) -> None:
    """A night, 100.00, 10.00 VAT and 5.00 levy, of which 23.00 are given back."""
    levy = vat(50_000, code="CITY", name="City tax", levy=True)
    hotel.write_settings(taxRules=[vat(), levy])
    _, invoice = hotel.closed_folio()
    line = lines_of(hotel, invoice)[0]["lineId"]
    note = credits(hotel, invoice, (line, usd(2_300))).json["creditNoteId"]

    answer = hotel.get(f"/credit-notes/{note}/xml")

    assert answer.status_code == 200, answer.text
    assert broken_rules(answer.data) == []
    number = hotel.get(f"/invoices/{invoice}").json["number"]
    assert said(answer.data, "InvoiceReferencedDocument/IssuerAssignedID") == [number]
    assert breakdown(answer.data) == [("E", "0", "1.00", "0.00"), ("S", "10", "20.00", "2.00")]


def test_refuses_what_is_not_there_and_what_cannot_be_said(hotel: Hotel) -> None:
    """Two value-added taxes side by side are more than the standard has words for."""
    hotel.write_settings(taxRules=[vat(code="GST"), vat(code="PST")])
    _, invoice = hotel.closed_folio()

    unknown = hotel.get(f"/invoices/{new_id('inv')}/xml")
    no_note = hotel.get(f"/credit-notes/{new_id('cn')}/xml")
    unsayable = hotel.get(f"/invoices/{invoice}/xml")

    assert_refused(unknown, 404, "INVOICE_UNKNOWN")
    assert_refused(no_note, 404, "CREDIT_NOTE_UNKNOWN")
    assert_refused(unsayable, 422, "E_INVOICE_NOT_POSSIBLE")
    assert "side by side" in json.loads(unsayable.data)["detail"]
    for function, missing in (
        (get_invoice_xml, "INVOICE_UNKNOWN"),
        (get_credit_note_xml, "CREDIT_NOTE_UNKNOWN"),
    ):
        declared = {refusal.code for refusal in declaration_of(function).refusals}
        assert declared == {missing, "E_INVOICE_NOT_POSSIBLE"}


def test_a_person_who_was_erased_is_named_no_more(house: House, hotel: Hotel) -> None:
    _, invoice = hotel.closed_folio()
    hotel.rows(
        "UPDATE {s}.invoice_persons SET salt = NULL, document = NULL, erased_at = now()"
        " WHERE invoice_id = :id",
        id=invoice,
    )

    answer = hotel.get(f"/invoices/{invoice}/xml")

    assert broken_rules(answer.data) == []
    assert said(answer.data, "BuyerTradeParty/Name") == ["Personal data erased"]
