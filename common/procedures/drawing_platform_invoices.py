"""Drawing a document of the platform when it is first asked for, and leading to it ever after: an
invoice, or a credit note of one.

The page comes from the payload alone, which never changes: whoever draws it first, and however
often, it is the same bytes. It is sealed by the platform's own key, as hotels' documents are by
theirs, in the name of who has sold. Nothing is written down: it lies in the tenant's own store,
under a name that comes from the hash of the payload and the template, and what lies there is not
replaced. So does the certificate that the key has issued itself: one for each version of the key,
seller and tenant, as each of them says no more than the key does.
"""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from common.domain.dataclass import dataclass
from common.domain.settings import Issuer
from common.domain.subscription_invoice import PLATFORM_ID, SubscriptionInvoice
from common.ports.powers import DocumentMissing, DrawingRefused, NotPrintable, Powers
from common.procedures.linking import LINK_SECONDS, PdfLink
from common.procedures.sealing_documents import Signer, seal_by, store_sealed

if TYPE_CHECKING:  # who leads to an invoice loads no credit notes
    from common.domain.platform_credit import PlatformCreditNote

PRINTED: Final = {
    "subscription_invoice": ("subscription-invoices", "platform-invoice-1"),
    "platform_credit_note": ("platform-credit-notes", "platform-credit-note-1"),
}
"""Where each kind of document lies, and by which template it is drawn."""
SET_OFF: Final = "platform-set-off-1"
"""By which an invoice is drawn whose credit pays earlier ones: it is a credit note of these."""


@dataclass(frozen=True, slots=True)
class AskedFor:
    """A document as it was read, and whose store it lies in."""

    tenant_id: UUID
    document: "SubscriptionInvoice | PlatformCreditNote"

    @property
    def template(self) -> str:
        sets_off = isinstance(self.document, SubscriptionInvoice) and self.document.bill.set_off
        return SET_OFF if sets_off else PRINTED[self.document.kind][1]

    @property
    def object_name(self) -> str:
        folder, _ = PRINTED[self.document.kind]
        digest = self.document.payload_sha256.hex()[:16]
        return f"{folder}/{self.document.id}/{self.template}-{digest}-sealed.pdf"


def draw_and_link(asked: AskedFor, powers: Powers) -> PdfLink:
    """Draw, seal and store the PDF, unless it is there, and sign an address.

    Refuses: NotPrintable.
    """
    tenant_id, name = asked.tenant_id, asked.object_name
    try:
        powers.documents.get(tenant_id, name)
    except DocumentMissing:
        _draw(asked, powers)
    return PdfLink(location=powers.documents.link(tenant_id, name, LINK_SECONDS))


def _draw(asked: AskedFor, powers: Powers) -> None:
    document, tenant_id = asked.document, asked.tenant_id
    payload, digest = json.loads(document.payload), document.payload_sha256.hex()
    try:
        pdf = powers.printer.platform_invoice(payload, digest, asked.template)
        seal = seal_by(_signer(payload["issuer"], powers), tenant_id, powers)
        store_sealed(tenant_id, asked.object_name, pdf, seal, None, powers)
    except DrawingRefused:
        raise NotPrintable() from None


def _signer(seller: Mapping[str, Any], powers: Powers) -> Signer:
    """The platform, in the name of who has sold; before it has named a seller, in its own."""
    issuer = Issuer(
        name=seller["name"],
        address_lines=tuple(seller.get("addressLines", ())),
        tax_id=seller.get("taxId", ""),
        country=seller.get("country", ""),
    )
    return Signer(
        keys=powers.platform_keys,
        owner_id=PLATFORM_ID,
        issuer=issuer,
        certified_as=f" {issuer.country} {issuer.name}",
    )
