"""Close a folio: settle it to zero, number its invoice, and let its PDF be made.

All of it is one commit, so that there is never a closed folio without an invoice, nor a number
without a document. What companies settle later is owed by this invoice from then on, and due when
their terms are over. The PDF comes after: a broken renderer keeps no guest at the desk.
"""

from common.contracts.fields import FolioRef, InvoiceRef
from common.contracts.folios import FolioView, SettlementView
from common.contracts.shapes import Outcome, Request
from common.domain.folio import FolioAlreadyClosed, FolioUnknown
from common.domain.invoice import issue
from common.domain.refusal import Refusal
from common.domain.settlement import BalanceDue, RefundPending, settle
from common.ports.transaction import Transaction
from common.procedures.owing import invoice_accounts
from common.runtime.declaration import http_function


class CloseFolio(Request):
    """The folio in the path."""

    folio_id: FolioRef


class FolioClosedAnswer(Outcome):
    """The closed folio, how it came to zero, and its invoice."""

    folio: FolioView
    settlement: SettlementView
    invoice_id: InvoiceRef
    invoice_number: str
    version: int

    @property
    def moved_minor_units(self) -> int:
        settled = self.settlement.charges
        return settled.amount_micro // settled.currency.minor_unit_micro


def tell_balance_due(request: CloseFolio, tx: Transaction, refusal: Refusal) -> None:
    """Let the house know that somebody wanted to leave with something owing."""
    folio = tx.folios.take(request.folio_id)
    due = folio.balance_due()
    tx.folios.keep(folio)
    tx.tell(due)


@http_function(
    "POST",
    "/folios/{folio_id}/close",
    scope="billing.folio.write",
    moves_money=True,
    etag="folio",
    after_refusal={BalanceDue: tell_balance_due},
    refusals=(FolioUnknown, FolioAlreadyClosed, RefundPending, BalanceDue),
)
def close_folio(request: CloseFolio, tx: Transaction) -> FolioClosedAnswer:
    """Close a folio that balances and issue its invoice.

    Refuses: FolioUnknown, FolioAlreadyClosed, RefundPending, BalanceDue.
    """
    whole, debtors = tx.company_accounts.take_folio(request.folio_id)
    folio, lines, payments, refunds = whole
    closed = settle(folio, lines, payments, tx)
    house = tx.settings.property(folio.property_id)
    year = house.business_date(tx.now).year if tx.settings.numbers_restart_yearly else 0
    series = tx.invoices.take_series(house.jurisdiction, "invoice", year)
    lines = [*lines, *closed.lines]
    issued = issue(folio, lines, payments, closed.settlement, series, tx, refunds)
    tx.folios.keep(folio)
    tx.folios.keep_settlement(closed.settlement)
    tx.ledger.post(closed)
    tx.tell(closed)
    tx.invoices.issue(issued.subject, series)
    tx.render_queue.put(issued.subject.id)
    tx.tell(issued)
    invoice_accounts(tx, folio, payments, debtors, issued.subject.id)
    return FolioClosedAnswer(
        folio=FolioView.of(folio),
        settlement=SettlementView.of(closed.settlement),
        invoice_id=issued.subject.id,
        invoice_number=issued.subject.number,
        version=folio.version,
    )
