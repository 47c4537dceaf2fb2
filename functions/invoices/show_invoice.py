"""Show an invoice with the payload that was hashed and signed."""

import json
from typing import Any

from common.contracts.fields import InvoiceRef
from common.contracts.invoices import InvoiceView
from common.contracts.shapes import Request
from common.domain.invoice import InvoiceUnknown
from common.ports.transaction import Transaction
from common.runtime.declaration import http_function


class ShowInvoice(Request):
    """The invoice in the path."""

    invoice_id: InvoiceRef


class InvoiceWithPayload(InvoiceView):
    """An invoice, its payload, who it is made out to (null once erased), and its copies."""

    payload: dict[str, Any]
    customer: dict[str, Any] | None
    signed: bool
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
        copies=len(invoice.renditions),
    )
