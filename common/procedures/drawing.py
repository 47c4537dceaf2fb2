"""What has to be known to draw a document outside a transaction, and what drawing it came to.

Signing and drawing may take a second and may fail; neither may hold a lock. So a document is read
in one transaction, drawn between, and the result is written in another one. The page is the same
bytes each time; its signature is not, as it is of chance and of the hour. So it is stored under a
name that comes from the page, and what lies there already is the document: a crash between the two
costs nothing but time.
"""

import hashlib
import json
from dataclasses import replace
from uuid import UUID

from common.domain.certificate import CertificateGiven, keep
from common.domain.dataclass import dataclass
from common.domain.einvoice import EInvoiceNotPossible
from common.domain.identifiers import CreditNoteId, DocumentId
from common.domain.issued_document import IssuedDocument, Rendition, Signature
from common.domain.settings import Issuer
from common.ports.powers import DrawingRefused, Powers, Seal
from common.ports.transaction import Transaction
from common.procedures.logo import logo_of
from common.procedures.sealing_documents import Signer, seal_by, store_sealed, whole_second
from common.procedures.stating import e_invoice_of


@dataclass(frozen=True, slots=True)
class Undrawn:
    """A document as it was read, the number of the copy that is wanted, and who signs it with what.

    `certificates` are those of the tenant's keys, in the order of their keeping.
    """

    tenant_id: UUID
    document: IssuedDocument
    copy: int
    template_version: str
    issuer: Issuer
    certificates: tuple[CertificateGiven, ...]

    @classmethod
    def of(cls, document: IssuedDocument, tx: Transaction) -> "Undrawn":
        """The next copy of a document, by the template that it was issued with.

        A template that turned out broken may have been put back to an earlier one (INV-6).
        """
        settings = tx.settings
        return cls(
            tenant_id=settings.tenant_id,
            document=document,
            copy=len(document.renditions),
            template_version=settings.template_in_use(document.template_version),
            issuer=settings.issuer,
            certificates=tx.certificates.kept(),
        )

    def signer(self, powers: Powers) -> Signer:
        """The tenant, by its own key."""
        return Signer(
            keys=powers.keys,
            owner_id=self.tenant_id,
            issuer=self.issuer,
            certificates=self.certificates,
        )


@dataclass(frozen=True, slots=True)
class Drawn:
    """A stored PDF with its signatures, or the reason why there is none.

    `certificate` is the one that the PDF is signed with.
    """

    document_id: DocumentId
    rendition: Rendition | None
    signature: Signature | None
    error: str = ""
    certificate: CertificateGiven | None = None


def draw(undrawn: Undrawn, powers: Powers) -> Drawn:
    """Sign the payload's hash, draw the PDF, seal and store it. A refused drawing is an answer."""
    document = undrawn.document
    signature = document.signature or _signature(undrawn, powers)
    try:
        pdf, e_invoice = _page(undrawn, powers)
        seal = seal_by(undrawn.signer(powers), undrawn.tenant_id, powers)
        name, sealed = _stored(undrawn, pdf, seal, e_invoice, powers)
    except DrawingRefused as refused:
        return Drawn(document.id, None, signature, str(refused) or type(refused).__name__)
    rendition = Rendition(
        copy=undrawn.copy,
        language=document.language,
        template_version=undrawn.template_version,
        object_name=name,
        pdf_sha256=hashlib.sha256(sealed).digest(),
        rendered_at=powers.now(),
    )
    return Drawn(document.id, rendition, signature, certificate=seal.certificate)


def _page(undrawn: Undrawn, powers: Powers) -> tuple[bytes, bytes | None]:
    """The PDF before anybody has signed it, and the e-invoice in it. Raises DrawingRefused."""
    document = undrawn.document
    e_invoice, without_xml = _e_invoice(document, powers)
    payload = json.loads(document.payload)
    pdf = powers.printer.document(
        payload,
        document.person.document if document.person else {},
        payload_sha256=document.payload_sha256.hex(),
        verify_url=verify_url(powers.public_url, undrawn.tenant_id, document),
        language=document.language,
        template_version=undrawn.template_version,
        copy=undrawn.copy > 0,
        e_invoice=e_invoice,
        without_xml=without_xml,
        logo=logo_of(undrawn.tenant_id, payload, powers),
    )
    return pdf, e_invoice


def _stored(
    undrawn: Undrawn, pdf: bytes, seal: Seal, e_invoice: bytes | None, powers: Powers
) -> tuple[str, bytes]:
    """Seal and store: where it lies, and what lies there. Raises DrawingRefused.

    The name comes from what was drawn and from the certificate, as no two seals are the same.
    """
    document = undrawn.document
    drawn = hashlib.sha256(pdf + seal.certificate.sha256).hexdigest()[:16]
    name = f"{_folder(document)}/{document.id}/{undrawn.copy}-{drawn}.pdf"
    return name, store_sealed(undrawn.tenant_id, name, pdf, seal, e_invoice, powers)


def _e_invoice(document: IssuedDocument, powers: Powers) -> tuple[bytes | None, str]:
    """The document's XML, or why the standard has no words for it: the page is issued all the same.

    Raises DrawingRefused.
    """
    try:
        return e_invoice_of(document, powers), ""
    except EInvoiceNotPossible as refused:
        return None, refused.detail or refused.title


def verify_url(public_url: str, tenant_id: UUID, document: IssuedDocument) -> str:
    """The address in the QR code, under which anybody can verify the document."""
    digest = document.payload_sha256.hex()
    path = f"/api/v1/{_folder(document)}/{document.id}/verify"
    return f"{public_url}{path}?tenant={tenant_id}&hash={digest}"


def keep_drawn(drawn: Drawn, tx: Transaction) -> Drawn:
    """Write down what drawing came to, and answer what is kept: a copy that somebody else has
    written meanwhile stays as it is.

    Raises ValueError for a document that was never issued.
    """
    document = known(drawn.document_id, tx)
    if document.signature is None and drawn.signature is not None:
        tx.invoices.keep_signature(document.id, drawn.signature)
    if drawn.rendition is None:
        tx.render_queue.postpone(document.id, drawn.error)
        return drawn
    _keep_certificate(drawn.certificate, tx)
    if drawn.rendition.copy >= len(document.renditions):
        rendered = document.rendered(drawn.rendition, drawn.signature)
        tx.invoices.keep_rendition(document.id, drawn.rendition)
        tx.render_queue.done(document.id)
        tx.tell(rendered)
    return replace(drawn, rendition=document.rendition(drawn.rendition.copy))


def _keep_certificate(given: CertificateGiven | None, tx: Transaction) -> None:
    """Write down a certificate that was made for this, unless somebody has."""
    if given is None or given in tx.certificates.kept():
        return
    kept = keep(given, tx)
    tx.certificates.keep(kept.subject)
    tx.tell(kept)


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
        signed_at=whole_second(powers.now()),
    )
