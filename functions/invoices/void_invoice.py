"""Void an invoice: a credit note over all that is left of it. The invoice itself stays as it is."""

from common.contracts.credit_notes import Credited
from common.contracts.fields import FreeText
from common.contracts.references import InvoiceRef
from common.contracts.shapes import Request
from common.domain.credit_note import (
    FolioOpenAgain,
    InvoiceAlreadyVoided,
    LineCorrected,
    voiding_sha256,
)
from common.domain.invoice import InvoiceUnknown
from common.ports.identity import Actor
from common.ports.transaction import Transaction
from common.procedures import crediting
from common.procedures.confirming import note_attempt
from common.runtime.declaration import http_function


class VoidInvoice(Request):
    """The invoice in the path, and why it is taken back."""

    invoice_id: InvoiceRef
    reason: FreeText


def what_is_confirmed(request: VoidInvoice, actor: Actor) -> str:
    """All that is left of this invoice."""
    return voiding_sha256(actor.tenant_id, request.invoice_id).hex()


@http_function(
    "POST",
    "/invoices/{invoice_id}/void",
    scope=crediting.SCOPE,
    status=201,
    step_up=True,
    context=what_is_confirmed,
    moves_money=True,
    after_refusal={InvoiceAlreadyVoided: note_attempt},
    refusals=(InvoiceUnknown, FolioOpenAgain, InvoiceAlreadyVoided, LineCorrected),
)
def void_invoice(request: VoidInvoice, tx: Transaction) -> Credited:
    """Credit all that is left of an invoice, and answer the credit note.

    Refuses: InvoiceUnknown, FolioOpenAgain, InvoiceAlreadyVoided, LineCorrected.
    """
    return crediting.issue_credit_note(tx, request.invoice_id, None, request.reason)
