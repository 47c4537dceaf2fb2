"""A numbered document that never changes once it is issued: an invoice, or a credit note.

Its number comes from a series without gaps, in the transaction that issues it. Its payload is one
canonical document; each payload names the hash of the document before it in its series, so that a
series can be proven whole with nothing but the documents. Who the customer is stands beside the
payload and is committed to by a salted hash: erasing the person later breaks no hash, no signature
and no chain. Signing and rendering happen after the commit and add to the document, never change
it.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import field
from datetime import date, datetime
from typing import ClassVar, Final

from common.domain.aggregate import Aggregate, Fact
from common.domain.canonical import canonical
from common.domain.dataclass import dataclass
from common.domain.guest import Guest
from common.domain.identifiers import DocumentId, FolioId, PropertyId, SendingId
from common.domain.invoice_payload import Place
from common.domain.moment import Moment
from common.domain.money import Currency, Money
from common.domain.refusal import Conflict
from common.domain.sending import Recipients, Sending

ISSUED_COPY: Final = 0


class DocumentNotRendered(Conflict):
    code = "INVOICE_NOT_RENDERED"
    title = "The document's PDF is still being made"


@dataclass(slots=True, kw_only=True)
class Series:
    """A locked row that numbers documents of one kind, without a gap and in the order of time.

    Year 0 never restarts. A document's own instant is that of its transaction's begin, before it
    waited for this row: where the one before it bears a later one, it bears that as well.
    """

    jurisdiction: str
    document_type: str
    year: int
    last_number: int = 0
    last_sha256: bytes | None = None
    last_issued_at: datetime | None = None

    def next_place(self, document_id: DocumentId, prefix: str, now: datetime) -> Place:
        """The place behind the last one, with its number as printed: `INV-AF-KBL-2026-000001`."""
        sequence = self.last_number + 1
        year = [str(self.year)] if self.year else []
        return Place(
            id=document_id,
            number="-".join([prefix, self.jurisdiction, *year, f"{sequence:06d}"]),
            jurisdiction=self.jurisdiction,
            document_type=self.document_type,
            year=self.year,
            sequence=sequence,
            issued_at=max(now, self.last_issued_at or now),
            previous_sha256=self.last_sha256,
        )

    def move_on(self, place: Place, payload_sha256: bytes) -> None:
        """Note that the place is taken, and by what."""
        self.last_number, self.last_sha256 = place.sequence, payload_sha256
        self.last_issued_at = place.issued_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """The customer as the document names them; `salt` and document can be erased together."""

    salt: bytes
    document: dict[str, object]

    @classmethod
    def of(cls, guest: Guest, moment: Moment) -> "Person":
        """The guest as the document names them, under a salt of its own."""
        document: dict[str, object] = {
            "name": guest.name,
            "addressLines": list(guest.address_lines),
            "taxId": guest.tax_id,
        }
        if guest.country is not None:
            document["country"] = guest.country
        return cls(salt=moment.new_salt(), document=document)

    @property
    def commitment(self) -> str:
        """SHA-256 over salt and canonical document, in hex: binds without telling."""
        return hashlib.sha256(self.salt + canonical(self.document)).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """A signature over the payload's SHA-256 by a version of the tenant's key."""

    key_version: str
    algorithm: str
    value: bytes
    signed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendition:
    """A PDF of the document. Copy 0 is the one that was issued; later ones stand beside it."""

    copy: int
    language: str
    template_version: str
    object_name: str
    pdf_sha256: bytes
    rendered_at: datetime


@dataclass(frozen=True, kw_only=True)
class DocumentRendered(Fact):
    """A PDF was drawn and stored; with the first one came the signature."""

    subject: "IssuedDocument" = field(repr=False, compare=False)
    rendition: Rendition
    signature: Signature | None = None


@dataclass(frozen=True, kw_only=True)
class DocumentSent(Fact):
    """The issued copy was handed over to be sent; the document itself is as it was."""

    subject: "IssuedDocument" = field(repr=False, compare=False)
    sending: Sending


@dataclass(kw_only=True)
class IssuedDocument(Aggregate):
    """See the module. `payload` is the canonical text that was hashed, byte for byte."""

    rendered_fact: ClassVar[type[DocumentRendered]]
    sent_fact: ClassVar[type[DocumentSent]]
    id: DocumentId
    folio_id: FolioId
    property_id: PropertyId
    jurisdiction: str
    document_type: str
    year: int
    series_number: int
    number: str
    currency: Currency
    total: Money
    business_date: date
    issued_at: datetime
    language: str
    template_version: str
    payload: str
    payload_sha256: bytes
    previous_sha256: bytes | None
    person: Person | None
    signature: Signature | None = None
    renditions: tuple[Rendition, ...] = ()

    def state(self) -> dict[str, object]:
        """What the audit trail digests: nothing personal."""
        return {
            "id": self.id,
            "number": self.number,
            "payloadSha256": self.payload_sha256.hex(),
            "signed": self.signature is not None,
            "copies": len(self.renditions),
        }

    def rendition(self, copy: int) -> Rendition:
        """One of its PDFs. Refuses: DocumentNotRendered."""
        for rendition in self.renditions:
            if rendition.copy == copy:
                return rendition
        raise DocumentNotRendered()

    def rendered(self, rendition: Rendition, signature: Signature | None) -> DocumentRendered:
        """Add a PDF, and the signature if this was the first."""
        self.renditions = (*self.renditions, rendition)
        self.signature = self.signature or signature
        return self.rendered_fact(
            subject=self,
            sequence=self.next_sequence(),
            rendition=rendition,
            signature=signature,
        )

    def send(
        self, addresses: Sequence[str], language: str, sent_by: str, moment: Moment
    ) -> DocumentSent:
        """Hand the issued copy over to be sent. Refuses: DocumentNotRendered."""
        recipients = Recipients.of(addresses, moment)
        sending = Sending(
            id=moment.new_id(SendingId),
            document_id=self.id,
            copy=self.rendition(ISSUED_COPY).copy,
            language=language,
            recipient_count=len(recipients.addresses),
            recipients_sha256=recipients.commitment,
            sent_by=sent_by,
            sent_at=moment.now,
            recipients=recipients,
        )
        return self.sent_fact(subject=self, sequence=self.next_sequence(), sending=sending)
