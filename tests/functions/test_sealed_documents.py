"""Documents signed by the tenant's key, with the e-invoice in them (INV-5).

How a file is made and tried stands in `tests/adapters/test_sealed_documents.py`; here it is what is
kept of it: one certificate for each version of the key, however many documents are drawn at once.
"""

import hashlib
import threading
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from pyhanko.pdf_utils.reader import PdfFileReader
from pypdf import PdfReader

from common.documents.printer import PdfPrinter
from common.domain.certificate import CertificateGiven
from common.ports.powers import Documents
from tests.crediting import credits, lines_of
from tests.hotel import Hotel, House, usd, vat
from tests.pdfa import broken_by, xmp
from tests.proofs import assert_books_are_right, assert_nothing_personal, told, trail
from tests.together import PATIENCE_SECONDS, at_once

pytestmark = pytest.mark.req("INV-5")


def pdfs(hotel: Hotel) -> dict[str, bytes]:
    """Every file that is written down, by its SHA-256."""
    names = hotel.rows("SELECT object_name FROM {s}.invoice_renditions ORDER BY 1")
    documents = hotel.house.wiring.documents
    files = [documents.get(hotel.tenant_id, name) for (name,) in names]
    return {hashlib.sha256(file).hexdigest(): file for file in files}


def signer_of(pdf: bytes) -> bytes:
    """The certificate that a file is signed with."""
    (signature,) = PdfFileReader(BytesIO(pdf)).embedded_signatures
    certificate: bytes = signature.signer_cert.dump()
    return certificate


def kept(hotel: Hotel) -> list[bytes]:
    """The certificates that are kept, in their order."""
    rows = hotel.rows("SELECT chain ->> 0 FROM {s}.signing_certificates ORDER BY id")
    return [bytes.fromhex(der) for (der,) in rows]


def is_ours(hotel: Hotel, pdf: bytes) -> bool:
    answer = hotel.post(
        "/invoices/verify",
        pdf,
        token=None,
        tenant=str(hotel.tenant_id),
        headers={"Content-Type": "application/pdf"},
    )
    valid: bool = answer.json["valid"]
    return valid


def test_the_file_carries_what_the_service_answers_and_is_signed_by_the_hotels_key(
    hotel: Hotel,
) -> None:
    _, invoice = hotel.closed_folio(guest={"name": "Zarmina Ahmadi"})

    assert hotel.render(invoice).status_code == 204

    ((_, pdf),) = pdfs(hotel).items()
    assert broken_by(pdf) == []
    (attached,) = PdfReader(BytesIO(pdf)).attachments["factur-x.xml"]
    assert attached == hotel.get(f"/invoices/{invoice}/xml").data
    assert kept(hotel) == [signer_of(pdf)]
    keys, (signature,) = hotel.house.wiring.keys, PdfFileReader(BytesIO(pdf)).embedded_signatures
    version = keys.current(hotel.tenant_id)
    public = signature.signer_cert.public_key.dump()
    assert keys.public_key(hotel.tenant_id, version) == public
    assert told(hotel)[-1] == "invoice.rendered"
    assert [entry["actor"] for entry in trail(hotel, "certificate.kept")] == [
        "system:on_invoice_generated"
    ]
    assert_books_are_right(hotel)
    assert_nothing_personal(hotel, "Zarmina")


@pytest.mark.req("INV-8")
def test_one_changed_byte_is_found_wherever_it_is(hotel: Hotel) -> None:
    _, invoice = hotel.closed_folio()
    hotel.render(invoice)
    ((_, pdf),) = pdfs(hotel).items()
    assert is_ours(hotel, pdf)
    for place in (len(pdf) // 2, pdf.index(b"<ram:Name>") + 12, pdf.rindex(b"/Contents <") + 300):
        changed = bytearray(pdf)
        changed[place] ^= 1
        assert not is_ours(hotel, bytes(changed)), place
    assert not is_ours(hotel, pdf[: pdf.rindex(b"%%EOF", 0, -10) + 6])  # without its signature


@pytest.mark.req("INV-3")
def test_a_version_of_the_key_has_one_certificate_and_a_new_one_another(hotel: Hotel) -> None:
    """An invoice and a credit note by the first version, an invoice by the second."""
    _, invoice = hotel.closed_folio()
    hotel.render(invoice)
    line = lines_of(hotel, invoice)[0]["lineId"]
    note = credits(hotel, invoice, (line, usd(1_000))).json["creditNoteId"]
    (event,) = [each for each in hotel.events("credit_note.issued") if each["subject"] == note]
    hotel.push("on_credit_note_issued", event)
    (first,) = kept(hotel)
    assert {signer_of(pdf) for pdf in pdfs(hotel).values()} == {first}

    hotel.house.wiring.keys.rotate(hotel.tenant_id)  # type: ignore[attr-defined]
    _, later = hotel.closed_folio()
    hotel.render(later)

    assert len(kept(hotel)) == 2
    assert {signer_of(pdf) for pdf in pdfs(hotel).values()} == set(kept(hotel))
    assert all(is_ours(hotel, pdf) for pdf in pdfs(hotel).values())
    assert_books_are_right(hotel)


class Waiting(PdfPrinter):
    """Lets two makers of a certificate wait for each other, so that both make one."""

    def __init__(self) -> None:
        self.barrier = threading.Barrier(2)

    def own_certificate(self, *given: Any) -> CertificateGiven:
        self.barrier.wait(PATIENCE_SECONDS)
        return super().own_certificate(*given)


def test_two_that_make_a_certificate_at_once_sign_with_the_one_that_is_kept(
    house: House, hotel: Hotel
) -> None:
    """Both have made one; the store has kept the first of them, and both sign with that."""
    invoices = [hotel.closed_folio()[1] for _ in range(2)]
    beside = house.beside(powers={"printer": Waiting()})
    events = {each["subject"]: each for each in hotel.events("invoice.generated")}

    def push(invoice: str) -> int:
        other = Hotel(beside, tenant_id=hotel.tenant_id)
        return other.push("on_invoice_generated", events[invoice]).status_code

    answers = at_once([partial(push, invoice) for invoice in invoices])

    assert answers == [204, 204]
    assert len(pdfs(hotel)) == 2
    assert {signer_of(pdf) for pdf in pdfs(hotel).values()} == set(kept(hotel))
    assert len(kept(hotel)) == len(trail(hotel, "certificate.kept")) == 1
    assert_books_are_right(hotel)


def test_what_lies_there_from_before_is_the_document(house: House, hotel: Hotel) -> None:
    """A process died after it had stored the file: the next one writes that file down."""
    _, invoice = hotel.closed_folio()
    dying = house.beside(powers={"documents": Dying(house.wiring.documents)})
    event = hotel.events("invoice.generated")[0]
    other = Hotel(dying, tenant_id=hotel.tenant_id)
    assert other.push("on_invoice_generated", event).status_code == 500
    assert pdfs(hotel) == {}

    assert hotel.render(invoice).status_code == 204

    folder = Path(house.wiring.settings.local_folder) / "documents"
    stored = {file.read_bytes() for file in folder.rglob(f"{invoice}/*.pdf")}
    assert stored == set(pdfs(hotel).values())
    assert len(stored) == 1
    assert kept(hotel) == [signer_of(pdf) for pdf in stored]


@dataclass(frozen=True)
class Dying:
    """Stores a PDF, and never comes back from that."""

    documents: Documents

    def put(self, tenant_id: UUID, name: str, content: bytes) -> None:
        self.documents.put(tenant_id, name, content)
        if name.endswith(".pdf"):
            raise RuntimeError("the process is gone")


def test_what_the_standard_has_no_words_for_is_issued_without_it_and_says_so(
    hotel: Hotel,
) -> None:
    hotel.write_settings(taxRules=[vat(code="GST", name="GST"), vat(code="PST", name="PST")])
    _, invoice = hotel.closed_folio()

    hotel.render(invoice)

    ((_, pdf),) = pdfs(hotel).items()
    assert broken_by(pdf) == []
    assert not PdfReader(BytesIO(pdf)).attachments
    said = "none: A line bears two value-added taxes side by side: GST and PST."
    assert said in xmp(pdf)
    assert signer_of(pdf) == kept(hotel)[0]
    assert is_ours(hotel, pdf)


def test_a_certificate_is_of_its_time(hotel: Hotel, clock: Any) -> None:
    clock("2026-03-10T10:00:00Z")
    _, invoice = hotel.closed_folio()
    hotel.render(invoice)

    ((begins, ends, own),) = hotel.rows(
        "SELECT valid_from, valid_to, own FROM {s}.signing_certificates"
    )

    assert begins <= datetime.fromisoformat("2026-03-10T10:00:00Z")
    assert ends > datetime.fromisoformat("2046-03-10T10:00:00Z")
    assert own is True
