"""Connect the tenant's account at the processor, to which its money will be paid out.

Nothing goes there until the processor has proven it: it says so by `account.updated`, to the
account whose metadata name the tenant. Another account may take its place, unproven again. One that
is another tenant's is refused; that somebody tried is written down, and the people for security are
told.
"""

from common.contracts.fields import Token
from common.contracts.payouts import PayoutAccountView
from common.contracts.shapes import Request
from common.domain.payout_account import PayoutAccount, PayoutAccountTaken
from common.ports.transaction import Transaction
from common.procedures.confirming import note_attempt
from common.runtime.declaration import RateLimit, http_function


class ConnectPayoutAccount(Request):
    """The account, by the processor's id."""

    processor_account_id: Token


@http_function(
    "POST",
    "/payout-account",
    scope="platform.tenant.write",
    limits=(RateLimit(quota=10, window_seconds=60),),
    after_refusal={PayoutAccountTaken: note_attempt},
    refusals=(PayoutAccountTaken,),
)
def connect_payout_account(request: ConnectPayoutAccount, tx: Transaction) -> PayoutAccountView:
    """Connect an account of the processor, and answer where it stands.

    Refuses: PayoutAccountTaken.
    """
    account, by = tx.payouts.find_account(), tx.actor.sub
    connected = (
        account.connected_anew(request.processor_account_id, by, tx)
        if account
        else PayoutAccount.connected(request.processor_account_id, by, tx)
    )
    if connected is None:
        return PayoutAccountView.of(tx.payouts.get_account())
    tx.payouts.keep_account(connected.subject)
    tx.tell(connected)
    return PayoutAccountView.of(connected.subject)
