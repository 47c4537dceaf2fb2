"""Handing invoices and credit notes to the notification service, and what it asks for then."""

import hashlib
import json
from functools import partial
from typing import Any

import pytest

from common.documents.words import WORDS
from common.domain.languages import LANGUAGES
from common.runtime.declaration import declaration_of
from functions.credit_notes.send_credit_note import send_credit_note
from functions.invoices.send_invoice import send_invoice
from functions.invoices.show_sending import show_sending
from tests.crediting import credits, lines_of
from tests.hotel import Hotel, new_id, usd
from tests.proofs import (
    GENERAL,
    assert_answers_once,
    assert_books_are_right,
    assert_refused,
    state,
    trail,
)
from tests.together import at_once

GUEST = "zarmina@example.com"
OFFICE = "books@firm.example.org"


def to(*recipients: str, **more: Any) -> dict[str, Any]:
    return {"recipients": list(recipients) or [GUEST], **more}


@pytest.fixture
def invoice(hotel: Hotel) -> str:
    """An invoice whose issued copy is drawn."""
    _, invoice_id = hotel.closed_folio()
    assert hotel.render(invoice_id).status_code == 204
    return invoice_id


@pytest.fixture
def note(hotel: Hotel, invoice: str) -> str:
    """A credit note over a part of it, drawn as well."""
    line = lines_of(hotel, invoice)[0]["lineId"]
    note_id: str = credits(hotel, invoice, (line, usd(1_000))).json["creditNoteId"]
    (issued,) = hotel.events("credit_note.issued")
    assert hotel.push("on_credit_note_issued", issued).status_code == 204
    return note_id


@pytest.mark.req("EVT-2", "GDPR-1", "SEC-8")
def test_hands_it_over_without_an_address_in_what_is_kept(
    hotel: Hotel, invoice: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The event says that, in which language and to how many; the addresses stand in one table."""
    answer = hotel.post(f"/invoices/{invoice}/send", to(GUEST, OFFICE, language="de"))

    assert answer.status_code == 202, answer.text
    (event,) = hotel.events("invoice.sent")
    shown = hotel.get(f"/invoices/{invoice}").json
    told = {
        "invoiceId": invoice,
        "propertyId": str(hotel.property_id),
        "number": shown["number"],
        "sendingId": answer.json["sendingId"],
        "copyNumber": 0,
        "language": "de",
        "recipientCount": 2,
    }
    assert told.items() <= event["data"].items()
    ((salt, addresses),) = hotel.rows("SELECT salt, addresses FROM {s}.sending_recipients")
    assert addresses == [GUEST, OFFICE]
    bound = hashlib.sha256(salt + json.dumps(addresses, separators=(",", ":")).encode())
    assert event["data"]["recipientsSha256"] == bound.hexdigest()
    assert shown["sendings"] == [answer.json]
    assert_only_among_the_recipients(hotel, GUEST)
    assert "example" not in capsys.readouterr().out
    assert_books_are_right(hotel)


def assert_only_among_the_recipients(hotel: Hotel, address: str) -> None:
    """In no other table, and not in the outbox."""
    tables = hotel.house.sql(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = :s", s=hotel.schema
    )
    found = {
        name
        for (name,) in tables
        if hotel.rows(
            f"SELECT count(*) FROM {{s}}.{name} AS r WHERE r::text LIKE :a", a=f"%{address}%"
        )
        != [[0]]
    }
    assert found == {"sending_recipients"}
    outbox = "SELECT count(*) FROM billing_central.outbox WHERE event LIKE :a"
    assert hotel.house.sql(outbox, a=f"%{address}%") == [[0]]


@pytest.mark.req("EVT-2", "INV-7")
def test_tells_who_delivers_it_the_addresses_and_a_link(
    hotel: Hotel, invoice: str, note: str
) -> None:
    """Of a credit note as of an invoice; once erased, the addresses are null."""
    for path, document in ((f"/invoices/{invoice}", invoice), (f"/credit-notes/{note}", note)):
        sent = hotel.post(f"{path}/send", to())
        shown = hotel.get(path).json

        answer = hotel.get(f"/sendings/{sent.json['sendingId']}")

        assert answer.status_code == 200, answer.text
        assert answer.json.items() >= sent.json.items()
        assert sent.json["language"] == shown["language"] == "en"
        assert answer.json["recipients"] == [GUEST]
        assert (answer.json["documentId"], answer.json["number"]) == (document, shown["number"])
        assert answer.json["pdfUrl"].startswith(hotel.house.wiring.public_url)
        assert [each["sendingId"] for each in shown["sendings"]] == [sent.json["sendingId"]]
    assert len(hotel.events("credit_note.sent")) == 1
    hotel.rows("UPDATE {s}.sending_recipients SET salt = NULL, addresses = NULL, erased_at = now()")
    assert hotel.get(f"/sendings/{sent.json['sendingId']}").json["recipients"] is None
    assert_books_are_right(hotel)


@pytest.mark.req("API-3", "INV-6")
def test_refuses_what_cannot_be_sent(hotel: Hotel, invoice: str) -> None:
    """One nobody knows, one whose PDF is being made, a language that nothing is written in."""
    _, undrawn = hotel.closed_folio()
    before = state(hotel)

    unknown = hotel.post(f"/invoices/{new_id('inv')}/send", to())
    no_note = hotel.post(f"/credit-notes/{new_id('cn')}/send", to())
    early = hotel.post(f"/invoices/{undrawn}/send", to())
    language = hotel.post(f"/invoices/{invoice}/send", to(language="tlh"))
    nothing = hotel.get(f"/sendings/{new_id('snd')}")

    assert_refused(unknown, 404, "INVOICE_UNKNOWN")
    assert_refused(no_note, 404, "CREDIT_NOTE_UNKNOWN")
    assert_refused(early, 409, "INVOICE_NOT_RENDERED")
    assert int(early.headers["Retry-After"]) > 0
    assert_refused(language, 422, "LANGUAGE_NOT_WRITTEN")
    assert_refused(nothing, 404, "SENDING_UNKNOWN")
    assert state(hotel) == before
    refusals = [
        {refusal.code for refusal in declaration_of(each).refusals}
        for each in (send_invoice, send_credit_note, show_sending)
    ]
    assert refusals == [
        {"INVOICE_UNKNOWN", "INVOICE_NOT_RENDERED", "LANGUAGE_NOT_WRITTEN"},
        {"CREDIT_NOTE_UNKNOWN", "INVOICE_NOT_RENDERED", "LANGUAGE_NOT_WRITTEN"},
        {"SENDING_UNKNOWN"},
    ]


@pytest.mark.req("API-6", "SEC-6")
def test_refuses_what_is_no_address(hotel: Hotel, invoice: str) -> None:
    """With no word of it in the answer: not at all one, a name before it, a host within, two alike,
    eleven of them, none, and a card's number before the sign."""
    before = state(hotel)
    for recipients in (
        ["zarmina"],
        ["Zarmina <zarmina@example.com>"],
        ["zarmina@intern.local"],
        ["zarmina@example.com\r\nBcc: all@example.com"],
        [GUEST, "Zarmina@Example.com"],
        [f"guest{n}@example.com" for n in range(11)],
        [],
    ):
        answer = hotel.post(f"/invoices/{invoice}/send", {"recipients": recipients})
        assert_refused(answer, 400, GENERAL + "VALIDATION_FAILED")
        assert not any(each.split("@")[0].lower() in answer.text.lower() for each in recipients)
    card = hotel.post(f"/invoices/{invoice}/send", to("4111111111111111@example.com"))
    assert_refused(card, 422, "PAN_DETECTED")
    assert state(hotel) == before


@pytest.mark.req("API-4")
def test_sends_once_however_often_it_is_asked_the_same(
    hotel: Hotel, invoice: str, note: str
) -> None:
    for path in (f"/invoices/{invoice}/send", f"/credit-notes/{note}/send"):
        assert_answers_once(hotel, path, to(), to(OFFICE))


@pytest.mark.req("EVT-1", "AUD-1")
def test_two_at_once_are_two_sendings_one_behind_the_other(hotel: Hotel, invoice: str) -> None:
    """To the guest and to the office; the trail has both, with who sent them."""
    sends = [
        partial(
            hotel.post,
            f"/invoices/{invoice}/send",
            to(whom),
            token=hotel.token("billing.invoice.send", sub=who),
        )
        for whom, who in ((GUEST, "amina"), (OFFICE, "laila"))
    ]

    answers = at_once(sends)

    assert [answer.status_code for answer in answers] == [202, 202]
    assert {entry["actor"] for entry in trail(hotel, "invoice.sent")} == {"amina", "laila"}
    assert len(hotel.events("invoice.sent")) == 2
    assert_books_are_right(hotel)


@pytest.mark.req("SEC-2", "SEC-3")
def test_who_sends_does_not_read_to_whom(hotel: Hotel, invoice: str) -> None:
    sent = hotel.post(f"/invoices/{invoice}/send", to()).json["sendingId"]
    clerk, reader = hotel.token("billing.invoice.send"), hotel.token("billing.invoice.read")
    elsewhere = hotel.token(property_ids=[])

    assert_refused(hotel.get(f"/sendings/{sent}", token=clerk), 403, "MELMASTOON.IAM.SCOPE_MISSING")
    assert_refused(
        hotel.post(f"/invoices/{invoice}/send", to(), token=reader),
        403,
        "MELMASTOON.IAM.SCOPE_MISSING",
    )
    assert_refused(hotel.get(f"/sendings/{sent}", token=elsewhere), 404, "SENDING_UNKNOWN")


def test_guests_are_written_to_in_every_language_of_documents() -> None:
    assert set(WORDS) <= LANGUAGES
