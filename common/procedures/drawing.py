"""What has to be known to draw a document outside a transaction, and what drawing it came to.

Signing and drawing may take a second and may fail; neither may hold a lock. So a document is read
in one transaction, drawn between, and the result is written in another one. The page is the same
bytes each time; its signature is not, as it is of chance and of the hour. So a crash between the
two leaves a file that is written down nowhere, which no link ever leads to, and the next one is
the document.
"""

import hashlib
import json
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Final
from uuid import UUID

from common.domain.certificate import CertificateGiven, keep, signing
from common.domain.einvoice import EInvoiceNotPossible
from common.domain.identifiers import CreditNoteId, DocumentId
from common.domain.issued_document import IssuedDocument, Rendition, Signature
from common.domain.settings import Issuer
from common.ports.powers import DrawingRefused, Keys, Powers, Seal
from common.ports.transaction import Transaction
from common.procedures.stating import e_invoice_of

CERTIFICATE_LOST: Final = "another certificate of the key was kept meanwhile"


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


@dataclass(frozen=True, slots=True)
class Drawn:
    """A stored PDF with its signatures, or the reason why there is none.

    `certificate` is a new one of the key's own, by which the PDF is signed.
    """

    document_id: DocumentId
    rendition: Rendition | None
    signature: Signature | None
    error: str = ""
    certificate: CertificateGiven | None = None


def draw(undrawn: Undrawn, powers: Powers) -> Drawn:
    """Sign the payload's hash, draw the PDF, sign and store it. A refused drawing is an answer."""
    document = undrawn.document
    signature = document.signature or _signature(undrawn, powers)
    try:
        pdf, certificate = _sealed(undrawn, powers)
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
    return Drawn(document.id, rendition, signature, certificate=certificate)


def _sealed(undrawn: Undrawn, powers: Powers) -> tuple[bytes, CertificateGiven | None]:
    """The PDF with its e-invoice, signed, and the certificate that had to be made for that.

    Raises DrawingRefused.
    """
    document = undrawn.document
    e_invoice, without_xml = _e_invoice(document, powers)
    pdf = powers.printer.document(
        json.loads(document.payload),
        document.person.document if document.person else {},
        payload_sha256=document.payload_sha256.hex(),
        verify_url=verify_url(powers.public_url, undrawn.tenant_id, document),
        language=document.language,
        template_version=undrawn.template_version,
        copy=undrawn.copy > 0,
        e_invoice=e_invoice,
        without_xml=without_xml,
    )
    key_version, now = powers.keys.current(undrawn.tenant_id), powers.now()
    sign = partial(_signed_by, powers.keys, undrawn.tenant_id, key_version)
    known = signing(undrawn.certificates, key_version, now)
    certificate = known or powers.printer.own_certificate(
        undrawn.issuer,
        key_version,
        powers.keys.public_key(undrawn.tenant_id, key_version),
        sign,
        now,
    )
    sealed = powers.printer.sealed(pdf, Seal(certificate, sign, _second(now)), e_invoice)
    return sealed, None if known else certificate


def _e_invoice(document: IssuedDocument, powers: Powers) -> tuple[bytes | None, str]:
    """The document's XML, or why the standard has no words for it: the page is issued all the same.

    Raises DrawingRefused.
    """
    try:
        return e_invoice_of(document, powers), ""
    except EInvoiceNotPossible as refused:
        return None, refused.detail or refused.title


def _signed_by(keys: Keys, tenant_id: UUID, key_version: str, sha256: bytes) -> bytes:
    """A signature by the very key version that the certificate is for. Raises DrawingRefused."""
    signed = keys.sign(tenant_id, sha256)
    if signed.key_version != key_version:
        raise DrawingRefused("the signing key was rotated meanwhile")
    return signed.value


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
    if not _certificate_is_kept(drawn, tx):
        drawn = replace(drawn, rendition=None, error=CERTIFICATE_LOST)
    if document.signature is None and drawn.signature is not None:
        tx.invoices.keep_signature(document.id, drawn.signature)
    if drawn.rendition is None:
        tx.render_queue.postpone(document.id, drawn.error)
        return drawn
    if drawn.rendition.copy >= len(document.renditions):
        rendered = document.rendered(drawn.rendition, drawn.signature)
        tx.invoices.keep_rendition(document.id, drawn.rendition)
        tx.render_queue.done(document.id)
        tx.tell(rendered)
    return replace(drawn, rendition=document.rendition(drawn.rendition.copy))


def _certificate_is_kept(drawn: Drawn, tx: Transaction) -> bool:
    """Keep a new certificate of the key's own; False where somebody else's came first.

    A key version has one of its own: a PDF that bears another one is drawn again.
    """
    given = drawn.certificate
    if given is None or drawn.rendition is None:
        return True
    for first in tx.certificates.kept():
        if first.own and first.key_version == given.key_version:
            return first == given
    kept = keep(given, tx)
    tx.certificates.keep(kept.subject)
    tx.tell(kept)
    return True


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
