"""What has to be known to draw a document outside a transaction, and what drawing it came to.

Signing and drawing may take a second and may fail; neither may hold a lock. So a document is read
in one transaction, drawn between, and the result is written in another one. The page is the same
bytes each time; its signature is not, as it is of chance and of the hour. So it is stored under a
name that comes from the page, and what lies there already is the document: a crash between the two
costs nothing but time.
"""

import hashlib
import json
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from uuid import UUID

from common.domain.certificate import CertificateGiven, keep, signing
from common.domain.einvoice import EInvoiceNotPossible
from common.domain.identifiers import CreditNoteId, DocumentId
from common.domain.issued_document import IssuedDocument, Rendition, Signature
from common.domain.settings import Issuer
from common.ports.powers import DrawingRefused, Keys, Powers, Seal
from common.ports.transaction import Transaction
from common.procedures.logo import logo_of
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
        seal = _seal(undrawn, powers)
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
    """Seal and store: where it lies, and what lies there.

    The name comes from what was drawn and from the certificate, as no two seals are the same. What
    somebody has stored there before, who died or was faster, is tried, and is the document.
    Raises DrawingRefused.
    """
    document, tenant_id = undrawn.document, undrawn.tenant_id
    drawn = hashlib.sha256(pdf + seal.certificate.sha256).hexdigest()[:16]
    name = f"{_folder(document)}/{document.id}/{undrawn.copy}-{drawn}.pdf"
    sealed = powers.printer.sealed(pdf, seal, e_invoice)
    try:
        powers.documents.put(tenant_id, name, sealed)
    except FileExistsError:
        sealed = powers.documents.get(tenant_id, name)
        powers.printer.must_hold(pdf, sealed, seal, e_invoice)
    return name, sealed


def _seal(undrawn: Undrawn, powers: Powers) -> Seal:
    """What a document is signed with now: the key's newest version, and its certificate.

    One of the key's own is made where there is none; the store keeps the first that comes, so that
    all who make one at once sign with the same.
    """
    tenant_id, now = undrawn.tenant_id, powers.now()
    key_version = powers.keys.current(tenant_id)
    sign = partial(_signed_by, powers.keys, tenant_id, key_version)
    known = signing(undrawn.certificates, key_version, now)
    if known is not None:
        return Seal(known, sign, _second(now))
    public_key = powers.keys.public_key(tenant_id, key_version)
    made = powers.printer.own_certificate(undrawn.issuer, key_version, public_key, sign, now)
    name = f"certificates/{hashlib.sha256(key_version.encode()).hexdigest()[:16]}.der"
    try:
        powers.documents.put(tenant_id, name, made.chain[0])
    except FileExistsError:
        first = powers.documents.get(tenant_id, name)
        made = powers.printer.read_certificate(key_version, first)
    return Seal(made, sign, _second(now))


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
        signed_at=_second(powers.now()),
    )


def _second(moment: datetime) -> datetime:
    return moment.replace(microsecond=0)
