"""Ask for a payout of what the processor holds of a property's card payments.

It is booked as promised at once, and asked of the processor by a job; more than 10,000 USD, in one
or in several payouts of a day, wait for a second person first. The answer is what was promised,
whatever becomes of it.
"""

from common.contracts.fields import Payable
from common.contracts.payouts import PayoutView
from common.contracts.references import PayoutRef, PropertyRef
from common.contracts.shapes import Request
from common.domain.money import AmountNotPositive
from common.domain.payout import Payout, PayoutAccountNotVerified, PayoutExceedsBalance
from common.domain.settings import PropertyUnknown
from common.ports.transaction import Transaction
from common.runtime.declaration import RateLimit, http_function


class RequestPayout(Request):
    """How much of which property's money is paid out."""

    id: PayoutRef | None = None
    property_id: PropertyRef
    amount: Payable


@http_function(
    "POST",
    "/payouts",
    scope="billing.payout.request",
    status=201,
    moves_money=True,
    creates=True,
    limits=(RateLimit(quota=10, window_seconds=60),),
    refusals=(
        PropertyUnknown,
        PayoutAccountNotVerified,
        AmountNotPositive,
        PayoutExceedsBalance,
    ),
)
def request_payout(request: RequestPayout, tx: Transaction) -> PayoutView:
    """Promise a payout, and answer whether it waits for a second person.

    Refuses: PropertyUnknown, PayoutAccountNotVerified, AmountNotPositive, PayoutExceedsBalance.
    """
    house = tx.settings.property(request.property_id)
    if not tx.actor.holds(house.id):
        raise PropertyUnknown()
    account, held, alone = tx.payouts.take_held(house.id, request.amount.currency)
    requested = Payout.requested(
        account, house.id, request.amount, held, tx.actor.sub, tx, request.id, alone
    )
    tx.payouts.keep(requested.subject)
    tx.ledger.post(requested)
    tx.tell(requested)
    return PayoutView.of(requested.subject)
