"""Buy credits for accounts that are low and fill themselves up.

The purchase is written down here, and settled by the job that settles all of them: whoever spent
the credits has long been answered. An account that is low again buys again; one whose card is
declined is tried three times more, and a month's cap holds. Run twice at once, or killed and
started again, one top-up of an account is under way at a time: the account's lock says so, and
behind it the database.
"""

from collections.abc import Sequence

from common.domain.identifiers import CreditAccountId
from common.ports.jobs import Round
from common.ports.transaction import Transaction
from common.procedures.topping_up import start_top_up
from common.runtime.declaration import job


def low(which: Round, tx: Transaction) -> Sequence[CreditAccountId]:
    """The accounts of a tenant that are low and may be filled up now."""
    return tx.auto_top_ups.due(which.limit)


@job(schedule="* * * * *", find=low)
def top_up_credits(account_id: CreditAccountId, tx: Transaction) -> None:
    """Start to fill an account up.

    Refuses: CreditAccountUnknown.
    """
    start_top_up(account_id, tx)
