"""Drawing an invoice of the platform when it is first asked for, and leading to it ever after.

The page comes from the payload alone, which never changes: whoever draws it first, and however
often, it is the same bytes. So nothing is written down; it lies in the tenant's own store, under a
name that comes from the hash of the payload and the template, and what lies there is not replaced.
"""

import json
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from common.domain.subscription_invoice import SubscriptionInvoice
from common.ports.powers import DocumentMissing, DrawingRefused, NotPrintable, Powers
from common.procedures.linking import LINK_SECONDS, PdfLink

TEMPLATE: Final = "platform-invoice-1"


@dataclass(frozen=True, slots=True)
class AskedFor:
    """An invoice as it was read, and whose store it lies in."""

    tenant_id: UUID
    invoice: SubscriptionInvoice

    @property
    def object_name(self) -> str:
        digest = self.invoice.payload_sha256.hex()[:16]
        return f"subscription-invoices/{self.invoice.id}/{TEMPLATE}-{digest}.pdf"


def draw_and_link(asked: AskedFor, powers: Powers) -> PdfLink:
    """Draw and store the PDF, unless it is there, and sign an address. Refuses: NotPrintable."""
    tenant_id, name = asked.tenant_id, asked.object_name
    try:
        powers.documents.get(tenant_id, name)
    except DocumentMissing:
        _draw(asked, powers)
    return PdfLink(location=powers.documents.link(tenant_id, name, LINK_SECONDS))


def _draw(asked: AskedFor, powers: Powers) -> None:
    invoice = asked.invoice
    try:
        pdf = powers.printer.platform_invoice(
            json.loads(invoice.payload), invoice.payload_sha256.hex(), TEMPLATE
        )
    except DrawingRefused:
        raise NotPrintable() from None
    try:
        powers.documents.put(asked.tenant_id, asked.object_name, pdf)
    except FileExistsError:
        return  # somebody was faster, with a version before or after this one: it stays
