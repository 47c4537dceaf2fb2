"""Credits follow the money that bought them: back when it goes back, here again when it returns.

A grant is keyed by the payment that bought it, `purchase:<payment intent>`, and whatever takes
credits back by its refund or dispute; so a webhook, its retry, a job and a person do it once
between them (CRD-3, CRD-5). Most payments bought no credits: that is asked first, and locks
nothing.
"""

from common.domain.money import Money
from common.domain.payment import Payment
from common.domain.prepaid_refunded import credits_of
from common.domain.prepaid_reversal import ClawBackReversed, ClawBackUnknown, give_back
from common.ports.transaction import Transaction
from common.procedures.granting import take_back_once


def bought_with(processor_payment_id: str, tx: Transaction) -> bool:
    """Whether a payment of the processor's bought credits."""
    return tx.prepaid.find_granted(_grant(processor_payment_id)) is not None


def take_back_bought(
    processor_payment_id: str,
    money: Money,
    source_key: str,
    reason: str,
    tx: Transaction,
    payment: Payment | None = None,
) -> None:
    """Take back what so much of a payment bought, once for `source_key`; nothing where it bought
    none, and never more than is left of the grant."""
    key = _grant(processor_payment_id)
    found = tx.prepaid.find_granted(key)
    if found is None:
        return
    paid = payment.paid if payment else None
    micro = credits_of(money, found.granted_micro, paid, tx.settings.credits)
    most = found.granted_micro - found.asked_micro
    if min(micro, most) > 0:
        take_back_once(tx, key, source_key, min(micro, most), reason)


def give_back_bought(source_key: str, reason: str, tx: Transaction) -> None:
    """Give back what was taken for a dispute, once; nothing where nothing was taken.

    Refuses: CreditsOutOfRange.
    """
    try:
        account, taken, moves = tx.prepaid.take_claw_back(source_key)
    except (ClawBackUnknown, ClawBackReversed):
        return
    given = give_back(account, taken, moves, reason, tx)
    tx.prepaid.keep(account)
    tx.prepaid.keep_reversal(given.reversal)
    tx.tell(given)


def _grant(processor_payment_id: str) -> str:
    return f"purchase:{processor_payment_id}"
