"""Close a folio: settle it to zero, number its invoice, and let its PDF be made.

All of it is one commit, so that there is never a closed folio without an invoice, nor a number
without a document. What companies settle later is owed by its invoice from then on, and due when
their terms are over. The PDF comes after: a broken renderer keeps no guest at the desk.

A guest who leaves in the night, before the audit, is charged for it here: no audit charges a folio
that is closed. What that leaves owing refuses the close, and stands on the folio to be paid.

A folio that was opened again bills what came since: by an invoice, by a credit note where that is
less than nothing, by no document where only money moved.
"""

from common.contracts.folios import FolioView, SettlementView
from common.contracts.references import CreditNoteRef, FolioRef, InvoiceRef
from common.contracts.shapes import Outcome, Request
from common.domain.collection_lease import must_not_run
from common.domain.credit_note import CreditNote
from common.domain.folio import FolioAlreadyClosed, FolioUnknown
from common.domain.fx import FxRateMissing
from common.domain.invoice import Invoice
from common.domain.money import CurrenciesDiffer
from common.domain.payment import PaymentUnderWay
from common.domain.refusal import Refusal
from common.domain.settlement import BalanceDue, RefundPending, settle
from common.domain.tax import TaxRuleMissing
from common.ports.transaction import Transaction
from common.procedures.billing import bill
from common.procedures.charging import charge_slept, tell_rule_missing
from common.procedures.owing import invoice_accounts
from common.runtime.declaration import http_function


class CloseFolio(Request):
    """The folio in the path."""

    folio_id: FolioRef


class FolioClosedAnswer(Outcome):
    """The closed folio, how it came to zero, and the document that says so."""

    folio: FolioView
    settlement: SettlementView
    invoice_id: InvoiceRef | None
    invoice_number: str | None
    credit_note_id: CreditNoteRef | None
    credit_note_number: str | None
    version: int

    @property
    def moved_minor_units(self) -> int:
        settled = self.settlement.charges
        return settled.amount_micro // settled.currency.minor_unit_micro


def tell_balance_due(request: CloseFolio, tx: Transaction, refusal: Refusal) -> None:
    """Let the house know that somebody wanted to leave with something owing.

    Nights that were slept are charged now: they are part of what is owed, and can be paid.
    """
    tx.stays.foresee(request.folio_id)
    folio = tx.folios.take(request.folio_id)
    charge_slept(folio, tx)
    due = folio.balance_due()
    tx.folios.keep(folio)
    tx.tell(due)


def tell_missing(request: CloseFolio, tx: Transaction, refusal: Refusal) -> None:
    """Let the house know which rule a night lacked."""
    tell_rule_missing(request.folio_id, tx, refusal)


@http_function(
    "POST",
    "/folios/{folio_id}/close",
    scope="billing.folio.write",
    moves_money=True,
    etag="folio",
    after_refusal={BalanceDue: tell_balance_due, TaxRuleMissing: tell_missing},
    refusals=(
        FolioUnknown,
        FolioAlreadyClosed,
        PaymentUnderWay,
        RefundPending,
        BalanceDue,
        FxRateMissing,
        TaxRuleMissing,
        CurrenciesDiffer,
    ),
)
def close_folio(request: CloseFolio, tx: Transaction) -> FolioClosedAnswer:
    """Close a folio that balances and bill what it came to.

    Refuses: FolioUnknown, FolioAlreadyClosed, PaymentUnderWay, RefundPending, BalanceDue,
    FxRateMissing; TaxRuleMissing and CurrenciesDiffer of a night that is charged.
    """
    tx.stays.foresee(request.folio_id)
    whole, debtors, lease = tx.company_accounts.take_folio(request.folio_id)
    folio, lines, payments, refunds = whole
    must_not_run(lease, tx)
    lines = folio.unbilled([*lines, *charge_slept(folio, tx)])
    closed = settle(folio, lines, payments, tx)
    tx.folios.keep(folio)
    tx.folios.keep_settlement(closed.settlement)
    tx.ledger.post(closed)
    tx.tell(closed)
    lines = [*lines, *closed.lines]
    document = bill(tx, folio, lines, payments, refunds, closed.settlement)
    invoice_accounts(tx, folio, payments, debtors, document)
    return FolioClosedAnswer(
        folio=FolioView.of(folio),
        settlement=SettlementView.of(closed.settlement),
        invoice_id=document.id if isinstance(document, Invoice) else None,
        invoice_number=document.number if isinstance(document, Invoice) else None,
        credit_note_id=document.id if isinstance(document, CreditNote) else None,
        credit_note_number=document.number if isinstance(document, CreditNote) else None,
        version=folio.version,
    )
