"""A credit note is listed, shown, drawn, signed and verified as an invoice is."""

import hashlib
import io
from pathlib import Path

import pytest
from pypdf import PdfReader
from werkzeug.test import TestResponse

from tests.crediting import credits, lines_of, voids
from tests.hotel import Hotel, House, new_id, usd
from tests.proofs import assert_refused, told
from tests.trust.books import broken


@pytest.fixture
def invoice(hotel: Hotel) -> str:
    return hotel.closed_folio()[1]


def credited(hotel: Hotel, invoice: str, cents: int = 1_000) -> str:
    """A credit note over the first line of an invoice."""
    line = lines_of(hotel, invoice)[0]["lineId"]
    note_id: str = credits(hotel, invoice, (line, usd(cents))).json["creditNoteId"]
    return note_id


def drawn(hotel: Hotel, note: str) -> TestResponse:
    """Deliver the event of its issue, as the outbox does."""
    event = next(each for each in hotel.events("credit_note.issued") if each["subject"] == note)
    return hotel.push("on_credit_note_issued", event)


def pdf_of(hotel: Hotel, note: str) -> bytes:
    """The file that was stored."""
    name = hotel.rows(
        "SELECT object_name FROM {s}.invoice_renditions WHERE invoice_id = :id", id=note
    )[0][0]
    folder = Path(hotel.house.wiring.settings.local_folder)
    (file,) = folder.rglob(Path(name).name)
    return file.read_bytes()


@pytest.mark.req("INV-3", "INV-4", "INV-6", "EVT-5")
def test_its_event_signs_and_draws_it_once(hotel: Hotel, invoice: str) -> None:
    note = credited(hotel, invoice)
    assert_refused(hotel.get(f"/credit-notes/{note}/pdf"), 409, "INVOICE_NOT_RENDERED")

    answers = [drawn(hotel, note), drawn(hotel, note)]

    assert [answer.status_code for answer in answers] == [204, 204]
    shown = hotel.get(f"/credit-notes/{note}").json
    assert (shown["signed"], shown["copies"]) == (True, 1)
    assert told(hotel)[-1] == "credit_note.rendered"
    assert hotel.get(f"/credit-notes/{note}/pdf").status_code == 302
    assert broken(hotel) == []


@pytest.mark.req("INV-4")
def test_its_page_names_the_invoice_that_it_corrects(hotel: Hotel, invoice: str) -> None:
    note = credited(hotel, invoice)
    drawn(hotel, note)

    pdf = PdfReader(io.BytesIO(pdf_of(hotel, note)))

    text = "\n".join(page.extract_text() for page in pdf.pages)
    number = hotel.get(f"/invoices/{invoice}").json["number"]
    assert pdf.metadata is not None
    assert str(pdf.metadata.title).startswith("Credit note CN-AF-KBL-")
    for printed in ("Credit note", number, "A. Guest", "9.09", "0.91", "10.00", "Total credited"):
        assert printed in text, printed


@pytest.mark.req("INV-8")
def test_anybody_verifies_it_by_link_or_file(hotel: Hotel, invoice: str) -> None:
    note = credited(hotel, invoice)
    drawn(hotel, note)
    shown = hotel.get(f"/credit-notes/{note}").json
    tenant = str(hotel.tenant_id)

    by_link = hotel.get(
        f"/credit-notes/{note}/verify", token=None, tenant=tenant, hash=shown["payloadSha256"]
    ).json
    by_file = hotel.post(
        "/invoices/verify",
        pdf_of(hotel, note),
        token=None,
        tenant=tenant,
        headers={"Content-Type": "application/pdf"},
    ).json
    of_another = hotel.get(
        f"/credit-notes/{note}/verify", token=None, tenant=tenant, hash=hashlib.sha256().hexdigest()
    ).json

    assert by_link == by_file
    assert (by_link["valid"], by_link["status"]) == (True, "issued")
    assert by_link["number"] == shown["number"]
    assert of_another["valid"] is False


@pytest.mark.req("INV-8")
def test_a_changed_payload_is_found(hotel: Hotel, invoice: str) -> None:
    note = credited(hotel, invoice)
    drawn(hotel, note)
    digest = hotel.get(f"/credit-notes/{note}").json["payloadSha256"]
    hotel.rows(
        "UPDATE {s}.invoices SET payload = replace(payload, 'Night', 'Might') WHERE id = :id",
        id=note,
    )

    which = {"tenant": str(hotel.tenant_id), "hash": digest}
    answer = hotel.get(f"/credit-notes/{note}/verify", token=None, **which)

    assert answer.json["valid"] is False


@pytest.mark.req("API-5", "SEC-3")
def test_lists_credit_notes_and_no_invoices(hotel: Hotel, house: House, invoice: str) -> None:
    _, other = hotel.closed_folio()
    notes = [credited(hotel, invoice), credited(hotel, other), credited(hotel, invoice)]
    unseen = hotel.token("billing.invoice.read", property_ids=[])

    everything = hotel.get("/credit-notes", limit="2").json
    rest = hotel.get("/credit-notes", limit="2", cursor=everything["nextCursor"]).json
    of_one = hotel.get("/credit-notes", invoiceId=invoice).json

    found = [each["creditNoteId"] for each in (*everything["items"], *rest["items"])]
    assert found == notes
    assert [each["creditNoteId"] for each in of_one["items"]] == [notes[0], notes[2]]
    listed = hotel.get("/invoices")
    assert listed.status_code == 200, listed.text
    assert {each["invoiceId"] for each in listed.json["items"]} == {invoice, other}
    assert hotel.get("/credit-notes", token=unseen).json["items"] == []
    stranger = hotel.get("/credit-notes", cursor="AAAA")
    assert_refused(stranger, 422, "MELMASTOON.GENERAL.CURSOR_INVALID")


@pytest.mark.req("SEC-3", "SEC-2")
def test_shows_only_what_the_caller_may_see(hotel: Hotel, house: House, invoice: str) -> None:
    note = credited(hotel, invoice)
    elsewhere = house.new_hotel()

    assert_refused(hotel.get(f"/credit-notes/{new_id('cn')}"), 404, "CREDIT_NOTE_UNKNOWN")
    assert_refused(elsewhere.get(f"/credit-notes/{note}"), 404, "CREDIT_NOTE_UNKNOWN")
    unseen = hotel.token("billing.invoice.read", property_ids=[])
    for path in (f"/credit-notes/{note}", f"/credit-notes/{note}/pdf"):
        assert_refused(hotel.get(path, token=unseen), 404, "CREDIT_NOTE_UNKNOWN")
    without = hotel.token("billing.folio.read")
    answer = hotel.get(f"/credit-notes/{note}", token=without)
    assert_refused(answer, 403, "MELMASTOON.IAM.SCOPE_MISSING")


@pytest.mark.req("INV-6")
def test_the_backlog_draws_what_was_left_behind(hotel: Hotel, invoice: str) -> None:
    """The job finds credit notes in the same queue."""
    voids(hotel, invoice)

    waiting = hotel.rows("SELECT invoice_id FROM {s}.render_queue ORDER BY invoice_id")

    assert [row[0][:3] for row in waiting] == ["cn_", "inv"]
