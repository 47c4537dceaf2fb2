"""What moved on an account of credits is kept and told, and that the account has become low."""

from common.domain.prepaid_account import CreditsMoved
from common.ports.transaction import Transaction


def keep_moved(moved: CreditsMoved, tx: Transaction) -> None:
    """Keep an account as a movement has left it, tell that, and whether it is low by now (EVT-2).

    It is told once, until it has had more in between; filling it up is another's business.
    """
    account = moved.subject
    tx.prepaid.keep(account)
    tx.tell(moved)
    low = account.low(tx)
    if low is not None:
        tx.tell(low)
