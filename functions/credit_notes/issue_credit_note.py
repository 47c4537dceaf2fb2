"""Credit lines of an invoice, in full or in part, by a numbered document of its own.

Who confirms it confirms the invoice, the lines and the amounts: a confirmation fits no other credit
(SEC-4). Amounts are what the guest gets back, taxes included; the taxes follow from the line.
"""

from typing import Annotated

from pydantic import Field

from common.contracts.credit_notes import Credited
from common.contracts.fields import Amount, FreeText
from common.contracts.references import InvoiceRef, LineRef
from common.contracts.shapes import Request, Shape
from common.domain.credit_note import (
    CreditExceedsInvoice,
    FolioOpenAgain,
    InvoiceAlreadyVoided,
    LineCorrected,
    LineNotInvoiced,
    crediting_sha256,
)
from common.domain.identifiers import LineId
from common.domain.invoice import InvoiceUnknown
from common.domain.money import (
    AmountNotInMinorUnits,
    AmountNotPositive,
    CurrenciesDiffer,
    Money,
)
from common.ports.identity import Actor
from common.ports.transaction import Transaction
from common.procedures import crediting
from common.procedures.confirming import note_attempt
from common.runtime.declaration import http_function


class CreditLine(Shape):
    """A line of the invoice, and how much of it is given back; with the sign of the line."""

    line_id: LineRef
    amount: Amount


class IssueCreditNote(Request):
    """Which lines of which invoice are credited, by how much, and why."""

    invoice_id: InvoiceRef
    lines: Annotated[tuple[CreditLine, ...], Field(min_length=1, max_length=500)]
    reason: FreeText


def what_is_confirmed(request: IssueCreditNote, actor: Actor) -> str:
    """The invoice, its lines and the amounts."""
    return crediting_sha256(actor.tenant_id, request.invoice_id, _asked(request)).hex()


@http_function(
    "POST",
    "/credit-notes",
    scope=crediting.SCOPE,
    status=201,
    step_up=True,
    context=what_is_confirmed,
    moves_money=True,
    after_refusal={InvoiceAlreadyVoided: note_attempt, CreditExceedsInvoice: note_attempt},
    refusals=(
        InvoiceUnknown,
        FolioOpenAgain,
        InvoiceAlreadyVoided,
        LineNotInvoiced,
        LineCorrected,
        CreditExceedsInvoice,
        AmountNotPositive,
        CurrenciesDiffer,
        AmountNotInMinorUnits,
    ),
)
def issue_credit_note(request: IssueCreditNote, tx: Transaction) -> Credited:
    """Credit lines of an invoice, never beyond what they came to, and answer the document.

    Refuses: InvoiceUnknown, FolioOpenAgain, InvoiceAlreadyVoided, LineNotInvoiced, LineCorrected,
    CreditExceedsInvoice, AmountNotPositive, CurrenciesDiffer, AmountNotInMinorUnits.
    """
    return crediting.issue_credit_note(tx, request.invoice_id, _asked(request), request.reason)


def _asked(request: IssueCreditNote) -> list[tuple[LineId, Money]]:
    return [(line.line_id, line.amount) for line in request.lines]
