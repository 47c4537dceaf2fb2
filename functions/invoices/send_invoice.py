"""Send an invoice: hand its issued copy to the notification service, with language and recipients.

What is sent is what was signed, so an invoice whose PDF is still being made is refused with
Retry-After: a clerk who sends it right after the close is asked to try again in a moment, and
nothing is left behind that would go out later, when nobody looks any more. The addresses stay in
this house; see `common/domain/sending.py` for why.
"""

from common.contracts.references import InvoiceRef
from common.contracts.sendings import SendingAsked, SendingView
from common.contracts.shapes import Request
from common.domain.invoice import InvoiceUnknown
from common.domain.issued_document import DocumentNotRendered
from common.domain.languages import LanguageNotWritten
from common.ports.transaction import Transaction
from common.procedures import sending
from common.runtime.declaration import RateLimit, http_function


class SendInvoice(SendingAsked, Request):
    """The invoice in the path."""

    invoice_id: InvoiceRef


@http_function(
    "POST",
    "/invoices/{invoice_id}/send",
    scope=sending.SCOPE,
    status=202,
    limits=(RateLimit(quota=60, window_seconds=60),),
    refusals=(InvoiceUnknown, DocumentNotRendered, LanguageNotWritten),
)
def send_invoice(request: SendInvoice, tx: Transaction) -> SendingView:
    """Hand an invoice over to be sent, and answer the sending.

    Refuses: InvoiceUnknown, DocumentNotRendered, LanguageNotWritten.
    """
    return sending.send(tx.invoices.get(request.invoice_id), request, tx)
