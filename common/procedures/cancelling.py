"""A folio of a canceled reservation: what was paid ahead is forfeited, given back, or left."""

from datetime import date

from common.domain.cancellation import Held, StayCanceled, forfeited, give_back_ahead
from common.domain.folio import FolioStatus
from common.domain.money import Money
from common.ports.transaction import Transaction
from common.procedures.charging import charge_to


def cancel_stay(held: Held, arrival: date | None, on: date, tx: Transaction) -> None:
    """Cancel the stay of a folio that was taken, as of a business date; book and tell it.

    A folio that is closed keeps what it was closed with. Refuses: TaxRuleMissing, CurrenciesDiffer,
    WindowUnknown.
    """
    folio = held.folio
    if held.plan is not None:
        tx.stays.keep(held.plan.canceled(tx))
    if folio.status is FolioStatus.CLOSED:
        return
    deposit = folio.deposits_held
    charge = forfeited(held, arrival, on, tx)
    charge_to(folio, [charge] if charge else [], tx)
    kept = deposit - folio.deposits_held
    refunds = list(give_back_ahead(held, tx))
    canceled = StayCanceled(
        subject=folio,
        sequence=folio.next_sequence(),
        canceled_on=on,
        forfeited=kept,
        given_back=Money.total((each.refund.amount for each in refunds), folio.currency),
        left=folio.deposits_held,
    )
    tx.folios.keep(folio)
    for each in refunds:
        tx.refunds.keep(each.refund, each.payment)
        tx.ledger.post(each)
        tx.tell(each)
    tx.tell(canceled)
