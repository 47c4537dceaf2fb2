"""Granting credits once for each thing, whoever learns of it first (CRD-3).

A webhook, its retry, the cycle of subscriptions and the reconciliation all come through here. What
has been granted is no error to them: the second one is told so, and nothing changes.
"""

from common.domain.prepaid_grant import CreditGrant, CreditsGranted, grant
from common.ports.transaction import Transaction


def grant_once(tx: Transaction, account: str, wanted: CreditGrant) -> CreditsGranted | None:
    """Grant credits to an account; None where they have been granted for the same already.

    The account opens with its first credits. Of two at the same moment, one is run again, and finds
    what the other has granted. Refuses: GrantExpired, CreditBalanceLimit, CreditsOutOfRange.
    """
    taken, already = tx.prepaid.take_to_grant(account, wanted.source_key)
    if already is not None:
        return None
    granted = grant(taken, wanted, tx)
    tx.prepaid.keep(taken)
    tx.tell(granted)
    return granted
