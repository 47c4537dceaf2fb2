"""Give an invoice to an accountant's program: the e-invoice of EN 16931 that its PDF carries."""

from common.contracts.references import InvoiceRef
from common.contracts.shapes import Request
from common.domain.einvoice import EInvoiceNotPossible
from common.domain.invoice import Invoice, InvoiceUnknown
from common.ports.transaction import Transaction
from common.procedures.stating import state
from common.runtime.declaration import XML, http_function


class GetInvoiceXml(Request):
    """The invoice in the path."""

    invoice_id: InvoiceRef


@http_function(
    "GET",
    "/invoices/{invoice_id}/xml",
    scope="billing.invoice.read",
    perform=state,
    gives=XML,
    needs=("database", "printer"),
    refusals=(InvoiceUnknown, EInvoiceNotPossible),
)
def get_invoice_xml(request: GetInvoiceXml, tx: Transaction) -> Invoice:
    """Answer the invoice as XML, which it is before its PDF is drawn.

    Refuses: InvoiceUnknown, EInvoiceNotPossible.
    """
    return tx.invoices.get(request.invoice_id)
