"""Taking a payout that a second person decides on: it is the one that was shown to them."""

from common.domain.identifiers import PayoutId
from common.domain.money import Money
from common.domain.payout import Payout, PayoutUnknown
from common.ports.transaction import Transaction


def take_to_decide(payout_id: PayoutId, amount: Money, tx: Transaction) -> Payout:
    """Lock a payout of an amount: one of another amount is not what was confirmed.

    Refuses: PayoutUnknown.
    """
    payout = tx.payouts.take(payout_id)
    if payout.amount != amount:
        raise PayoutUnknown("The payout is of another amount than the one confirmed.")
    return payout
