"""Show an invoice with the payload that was hashed and signed."""

import json
from typing import Any, cast

from common.contracts.invoices import InvoiceView, SignatureView, Status
from common.contracts.references import InvoiceRef
from common.contracts.sendings import SendingView
from common.contracts.shapes import Request
from common.domain.invoice import InvoiceUnknown
from common.ports.transaction import Transaction
from common.runtime.declaration import http_function


class ShowInvoice(Request):
    """The invoice in the path."""

    invoice_id: InvoiceRef


class InvoiceWithPayload(InvoiceView):
    """An invoice, its payload, who it is made out to (null once erased), its copies, its sendings.

    `status` says whether credit notes have taken something off it since, or all of it.
    """

    status: Status
    payload: dict[str, Any]
    customer: dict[str, Any] | None
    signed: bool
    signature: SignatureView | None
    copies: int
    sendings: tuple[SendingView, ...]


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
        status=cast(Status, invoice.status),
        payload=json.loads(invoice.payload),
        customer=invoice.person.document if invoice.person else None,
        signed=invoice.signature is not None,
        signature=SignatureView.of(invoice.signature) if invoice.signature else None,
        copies=len(invoice.renditions),
        sendings=SendingView.all(tx.sendings.of(invoice.id)),
    )
