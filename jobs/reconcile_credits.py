"""Hold every account of credits against its entries, its lots and its book, each hour (CRD-7).

Purchases are held against the credits that were granted for them and against what was booked of
their money, both ways. What differs is told by a line of the log for each kind of difference, and
ends the run with an error. Nothing is changed, but for two things: a purchase that was paid and has
no credits is granted them, once, by the key that all grants have (CRD-3), and that is told as well;
and credits whose money went back while a dispute had them are taken once that was won.
"""

from collections.abc import Sequence
from uuid import UUID

from common.domain.identifiers import PaymentIntentId
from common.domain.prepaid_reconciliation import differences, purchase_differences
from common.ports.jobs import FoundWrong, Round
from common.ports.transaction import Transaction
from common.procedures.purchasing import grant_bought, take_back_missing
from common.runtime.declaration import job


def what_is_to_be_held(which: Round, tx: Transaction) -> Sequence[UUID | PaymentIntentId]:
    """A tenant's accounts and purchases, looked at together; then each that lacks its credits, or
    has them without its money."""
    found = tx.credit_purchases.differences()
    return [tx.actor.tenant_id, *[*found.ungranted, *found.untaken][: which.limit]]


@job(schedule="40 * * * *", find=what_is_to_be_held)
def reconcile_credits(which: UUID | PaymentIntentId, tx: Transaction) -> None:
    """Hold the credits of a tenant against one another, or let a purchase have what it should.

    Raises FoundWrong. Refuses: CreditPurchaseUnknown, CreditsOutOfRange.
    """
    if isinstance(which, UUID):
        found = differences(tx.prepaid.sums())
        found.update(purchase_differences(tx.credit_purchases.differences()))
        if found:
            raise FoundWrong(found)
        return
    purchase = tx.credit_purchases.take(which)
    if grant_bought(purchase, tx):
        tx.credit_purchases.keep(purchase)
        tx.tell(purchase.repaired())
    else:
        take_back_missing(purchase, tx)
