"""Prepaid credits as a way to pay a folio: whose they are, what they settle, what comes back.

The folio is locked already; the account is taken behind it. Whoever moves credits otherwise takes
no folio, so nobody waits for somebody who waits for them.
"""

from common.domain.dataclass import dataclass
from common.domain.money import Money
from common.domain.payment import CreditAccountMissing, Payment
from common.domain.prepaid_account import CreditAccount
from common.domain.prepaid_redemption import (
    SPENDING,
    CreditSpendingForbidden,
    credits_for,
    redeem,
    restore,
)
from common.domain.refund import Refund
from common.ports.transaction import Transaction
from common.procedures.moving import keep_moved


@dataclass(frozen=True, slots=True)
class Payer:
    """The account of credits that pays, and how many micro credits it is to pay."""

    account: CreditAccount
    credits_micro: int


def take_payer(tx: Transaction, name: str | None, paid: Money) -> Payer:
    """The account that is to pay, locked.

    Refuses: CreditAccountMissing, CreditSpendingForbidden, CurrenciesDiffer, CreditAccountUnknown.
    """
    if name is None:
        raise CreditAccountMissing()
    if not tx.actor.may(SPENDING):
        raise CreditSpendingForbidden(scope=SPENDING)
    micro = credits_for(paid, tx.settings.credits)
    return Payer(tx.prepaid.take(name), micro)


def redeem_credits(tx: Transaction, payer: Payer, payment: Payment) -> None:
    """Let the account pay. Refuses: InsufficientCredits."""
    keep_moved(redeem(payer.account, payment, tx), tx)


def restore_credits(tx: Transaction, payment: Payment, refund: Refund) -> None:
    """Give an account back what was given back of a payment, if credits have made it.

    Refuses: CreditsOutOfRange.
    """
    if payment.credit_account_id is None:
        return
    account, redemption = tx.prepaid.take_redeemed(payment.id)
    keep_moved(restore(account, payment, refund, redemption, tx), tx)
