"""Show an invoice with the payload that was hashed and signed."""

import json
from base64 import b64encode
from typing import Any

from common.contracts.fields import Instant, InvoiceRef
from common.contracts.invoices import InvoiceView
from common.contracts.shapes import Outcome, Request
from common.domain.invoice import InvoiceUnknown, Signature
from common.ports.transaction import Transaction
from common.runtime.declaration import http_function


class ShowInvoice(Request):
    """The invoice in the path."""

    invoice_id: InvoiceRef


class SignatureView(Outcome):
    """The signature over `payloadSha256`: its DER bytes in base64, and the key version it is of."""

    key_version: str
    algorithm: str
    value: str
    signed_at: Instant

    @classmethod
    def of(cls, signature: Signature) -> "SignatureView":
        return cls(
            key_version=signature.key_version,
            algorithm=signature.algorithm,
            value=b64encode(signature.value).decode(),
            signed_at=signature.signed_at,
        )


class InvoiceWithPayload(InvoiceView):
    """An invoice, its payload, who it is made out to (null once erased), and its copies."""

    payload: dict[str, Any]
    customer: dict[str, Any] | None
    signed: bool
    signature: SignatureView | None
    copies: int


@http_function(
    "GET", "/invoices/{invoice_id}", scope="billing.invoice.read", refusals=(InvoiceUnknown,)
)
def show_invoice(request: ShowInvoice, tx: Transaction) -> InvoiceWithPayload:
    """Answer an invoice with its payload.

    Refuses: InvoiceUnknown.
    """
    invoice = tx.invoices.get(request.invoice_id)
    return InvoiceWithPayload(
        **dict(InvoiceView.of(invoice)),
        payload=json.loads(invoice.payload),
        customer=invoice.person.document if invoice.person else None,
        signed=invoice.signature is not None,
        signature=SignatureView.of(invoice.signature) if invoice.signature else None,
        copies=len(invoice.renditions),
    )
