"""What has to be known to draw a document outside a transaction, and what drawing it came to.

Signing and drawing may take a second and may fail; neither may hold a lock. So a document is read
in one transaction, drawn between, and the result is written in another one. Both steps give the
same bytes when they are repeated, so a crash between them costs nothing but time.
"""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from common.domain.identifiers import CreditNoteId, DocumentId
from common.domain.issued_document import IssuedDocument, Rendition, Signature
from common.domain.settings import Settings
from common.ports.powers import DrawingRefused, Powers
from common.ports.transaction import Transaction
from common.procedures.logo import logo_of


@dataclass(frozen=True, slots=True)
class Undrawn:
    """A document as it was read, and the number of the copy that is wanted."""

    tenant_id: UUID
    document: IssuedDocument
    copy: int
    template_version: str

    @classmethod
    def of(cls, document: IssuedDocument, settings: Settings) -> "Undrawn":
        """The next copy of a document, by the template that it was issued with.

        A template that turned out broken may have been put back to an earlier one (INV-6).
        """
        template = settings.template_in_use(document.template_version)
        return cls(settings.tenant_id, document, len(document.renditions), template)


@dataclass(frozen=True, slots=True)
class Drawn:
    """A stored PDF with its signature, or the reason why there is none."""

    document_id: DocumentId
    rendition: Rendition | None
    signature: Signature | None
    error: str = ""


def draw(undrawn: Undrawn, powers: Powers) -> Drawn:
    """Sign the payload's hash, draw the PDF, store it. A drawing that is refused is an answer."""
    document = undrawn.document
    signature = document.signature or _signature(undrawn, powers)
    payload = json.loads(document.payload)
    try:
        pdf = powers.printer.document(
            payload,
            document.person.document if document.person else {},
            payload_sha256=document.payload_sha256.hex(),
            verify_url=verify_url(powers.public_url, undrawn.tenant_id, document),
            language=document.language,
            template_version=undrawn.template_version,
            copy=undrawn.copy > 0,
            logo=logo_of(undrawn.tenant_id, payload, powers),
        )
    except DrawingRefused as refused:
        return Drawn(document.id, None, signature, str(refused) or type(refused).__name__)
    digest = hashlib.sha256(pdf).digest()
    name = f"{_folder(document)}/{document.id}/{undrawn.copy}-{digest.hex()[:16]}.pdf"
    powers.documents.put(undrawn.tenant_id, name, pdf)
    rendition = Rendition(
        copy=undrawn.copy,
        language=document.language,
        template_version=undrawn.template_version,
        object_name=name,
        pdf_sha256=digest,
        rendered_at=powers.now(),
    )
    return Drawn(document.id, rendition, signature)


def verify_url(public_url: str, tenant_id: UUID, document: IssuedDocument) -> str:
    """The address in the QR code, under which anybody can verify the document."""
    digest = document.payload_sha256.hex()
    path = f"/api/v1/{_folder(document)}/{document.id}/verify"
    return f"{public_url}{path}?tenant={tenant_id}&hash={digest}"


def keep_drawn(drawn: Drawn, tx: Transaction) -> IssuedDocument:
    """Write down what drawing came to; a copy that somebody else has written is left as it is.

    Raises ValueError for a document that was never issued.
    """
    document = known(drawn.document_id, tx)
    if document.signature is None and drawn.signature is not None:
        tx.invoices.keep_signature(document.id, drawn.signature)
    if drawn.rendition is None:
        tx.render_queue.postpone(document.id, drawn.error)
    elif drawn.rendition.copy >= len(document.renditions):
        rendered = document.rendered(drawn.rendition, drawn.signature)
        tx.invoices.keep_rendition(document.id, drawn.rendition)
        tx.render_queue.done(document.id)
        tx.tell(rendered)
    return document


def known(document_id: DocumentId, tx: Transaction) -> IssuedDocument:
    """The document that an event or a queue has named. Raises ValueError where there is none."""
    document = tx.invoices.find(document_id)
    if document is None:
        raise ValueError(f"{document_id} was never issued")
    return document


def _folder(document: IssuedDocument) -> str:
    return "credit-notes" if isinstance(document.id, CreditNoteId) else "invoices"


def _signature(undrawn: Undrawn, powers: Powers) -> Signature:
    signed = powers.keys.sign(undrawn.tenant_id, undrawn.document.payload_sha256)
    return Signature(
        key_version=signed.key_version,
        algorithm=signed.algorithm,
        value=signed.value,
        signed_at=_second(powers.now()),
    )


def _second(moment: datetime) -> datetime:
    return moment.replace(microsecond=0)
