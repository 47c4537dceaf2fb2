"""What has to be known to draw an invoice outside a transaction, and what drawing it came to.

Signing and drawing may take a second and may fail; neither may hold a lock. So an invoice is read
in one transaction, drawn between, and the result is written in another one. Both steps give the
same bytes when they are repeated, so a crash between them costs nothing but time.
"""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from common.domain.identifiers import InvoiceId
from common.domain.invoice import Invoice, Rendition, Signature
from common.domain.settings import Settings
from common.ports.powers import DrawingRefused, Powers
from common.ports.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Undrawn:
    """An invoice as it was read, and the number of the copy that is wanted."""

    tenant_id: UUID
    invoice: Invoice
    copy: int
    template_version: str

    @classmethod
    def of(cls, invoice: Invoice, settings: Settings) -> "Undrawn":
        """The next copy of an invoice, by the template that it was issued with.

        A template that turned out broken may have been put back to an earlier one (INV-6).
        """
        template = settings.template_in_use(invoice.template_version)
        return cls(settings.tenant_id, invoice, len(invoice.renditions), template)


@dataclass(frozen=True, slots=True)
class Drawn:
    """A stored PDF with its signature, or the reason why there is none."""

    invoice_id: InvoiceId
    rendition: Rendition | None
    signature: Signature | None
    error: str = ""


def draw(undrawn: Undrawn, powers: Powers) -> Drawn:
    """Sign the payload's hash, draw the PDF, store it. A drawing that is refused is an answer."""
    invoice = undrawn.invoice
    signature = invoice.signature or _signature(undrawn, powers)
    try:
        pdf = powers.printer.invoice(
            json.loads(invoice.payload),
            invoice.person.document if invoice.person else {},
            payload_sha256=invoice.payload_sha256.hex(),
            verify_url=verify_url(powers.public_url, undrawn.tenant_id, invoice),
            language=invoice.language,
            template_version=undrawn.template_version,
            copy=undrawn.copy > 0,
        )
    except DrawingRefused as refused:
        return Drawn(invoice.id, None, signature, str(refused) or type(refused).__name__)
    digest = hashlib.sha256(pdf).digest()
    name = f"invoices/{invoice.id}/{undrawn.copy}-{digest.hex()[:16]}.pdf"
    powers.documents.put(undrawn.tenant_id, name, pdf)
    rendition = Rendition(
        copy=undrawn.copy,
        language=invoice.language,
        template_version=undrawn.template_version,
        object_name=name,
        pdf_sha256=digest,
        rendered_at=powers.now(),
    )
    return Drawn(invoice.id, rendition, signature)


def verify_url(public_url: str, tenant_id: UUID, invoice: Invoice) -> str:
    """The address in the QR code, under which anybody can verify the document."""
    digest = invoice.payload_sha256.hex()
    return f"{public_url}/api/v1/invoices/{invoice.id}/verify?tenant={tenant_id}&hash={digest}"


def keep_drawn(drawn: Drawn, tx: Transaction) -> Invoice:
    """Write down what drawing came to; a copy that somebody else has written is left as it is."""
    invoice = tx.invoices.get(drawn.invoice_id)
    if invoice.signature is None and drawn.signature is not None:
        tx.invoices.keep_signature(invoice.id, drawn.signature)
    if drawn.rendition is None:
        tx.render_queue.postpone(invoice.id, drawn.error)
    elif drawn.rendition.copy >= len(invoice.renditions):
        rendered = invoice.rendered(drawn.rendition, drawn.signature)
        tx.invoices.keep_rendition(invoice.id, drawn.rendition)
        tx.render_queue.done(invoice.id)
        tx.tell(rendered)
    return invoice


def _signature(undrawn: Undrawn, powers: Powers) -> Signature:
    signed = powers.keys.sign(undrawn.tenant_id, undrawn.invoice.payload_sha256)
    return Signature(
        key_version=signed.key_version,
        algorithm=signed.algorithm,
        value=signed.value,
        signed_at=_second(powers.now()),
    )


def _second(moment: datetime) -> datetime:
    return moment.replace(microsecond=0)
