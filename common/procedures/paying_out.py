"""A payout after it was promised: the processor is asked, and its word is kept once.

The promise is committed before anybody is asked, and asking holds no lock. What the processor knows
of is never asked for again; what still runs waits. Its webhooks may tell first, in any order.
"""

from datetime import datetime

from common.domain.dataclass import dataclass
from common.domain.identifiers import PayoutId
from common.domain.money import Money
from common.domain.payout import Payout, PayoutUnknown
from common.domain.payout_account import PayoutAccountUnknown
from common.domain.webhook import WebhookContradictsBooks
from common.ports.answers import Answer, Failed, Succeeded, Unknown
from common.ports.payouts import PendingPayout
from common.ports.powers import Powers
from common.ports.transaction import Transaction


@dataclass(frozen=True, slots=True)
class PayoutAsked:
    """A pending payout, and what the processor said of it."""

    pending: PendingPayout
    answer: Answer


def ask_for_payout(pending: PendingPayout, powers: Powers) -> PayoutAsked:
    """Ask what became of a payout, and for it where the processor knows of none."""
    answer = powers.gateway.ask_payout(pending)
    if answer is None:
        answer = powers.gateway.pay_out(pending)
    return PayoutAsked(pending, answer)


def keep_payout_answer(asked: PayoutAsked, tx: Transaction) -> None:
    """Settle the payout as the processor said, or let it wait longer. Refuses: PayoutUnknown."""
    match asked.answer:
        case Succeeded():
            keep_payout_result(asked.pending.id, None, tx)
        case Failed(code):
            keep_payout_result(asked.pending.id, code, tx)
        case Unknown():
            tx.payouts.postpone(asked.pending.id)


def keep_payout_result(
    payout_id: PayoutId, failure_code: str | None, tx: Transaction, told: Money | None = None
) -> None:
    """Keep what became of a payout, unless that is kept already; it is of the amount that was told.

    Refuses: PayoutUnknown, WebhookContradictsBooks.
    """
    payout = tx.payouts.take(payout_id)
    if told is not None and told != payout.amount:
        raise WebhookContradictsBooks("It is of another amount.")
    settled = payout.settled(failure_code, tx)
    if settled is None:
        return
    tx.payouts.keep(payout)
    tx.ledger.post(settled)
    tx.tell(settled)


def keep_account_told(
    processor_account_id: str, *, is_enabled: bool, told_at: datetime, tx: Transaction
) -> None:
    """Keep what the processor says of the tenant's account. Refuses: PayoutAccountUnknown."""
    account = tx.payouts.find_account()
    if account is None or account.processor_account_id != processor_account_id:
        raise PayoutAccountUnknown()
    updated = account.updated(is_enabled, told_at)
    tx.payouts.keep_account(account)
    if updated is not None:
        tx.tell(updated)


def take_to_decide(payout_id: PayoutId, amount: Money, tx: Transaction) -> Payout:
    """Lock a payout of an amount: one of another amount is not what was confirmed.

    Refuses: PayoutUnknown.
    """
    payout = tx.payouts.take(payout_id)
    if payout.amount != amount:
        raise PayoutUnknown("The payout is of another amount than the one confirmed.")
    return payout
