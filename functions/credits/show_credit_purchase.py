"""Show a purchase of credits: where it stands, and what the buyer has to do for it to go on.

What the buyer needs for that is asked of the processor for each answer, and kept nowhere. Without
the processor the purchase is shown all the same.
"""

from common.contracts.payments import NextActionView
from common.contracts.purchases import CreditPurchaseView
from common.contracts.references import PaymentIntentRef
from common.contracts.shapes import Request
from common.domain.credit_purchase import CreditPurchase, CreditPurchaseUnknown
from common.domain.dataclass import dataclass
from common.domain.processor_payment import PaymentStatus
from common.ports.cards import Order
from common.ports.powers import Powers
from common.ports.transaction import Transaction
from common.procedures.asking import collecting
from common.runtime.declaration import RateLimit, http_function


class ShowCreditPurchase(Request):
    """The purchase in the path."""

    purchase_id: PaymentIntentRef


@dataclass(frozen=True, slots=True)
class Shown:
    """A purchase, and what the processor is asked of it, if anything."""

    purchase: CreditPurchase
    order: Order | None


def with_next_action(shown: Shown, powers: Powers) -> CreditPurchaseView:
    """The purchase with what the buyer has to do, as the processor says it now."""
    action = powers.cards.next_action(shown.order) if shown.order else None
    if action is None:
        return CreditPurchaseView.of(shown.purchase)
    view = NextActionView(client_secret=action.client_secret, redirect_url=action.redirect_url)
    return CreditPurchaseView.of(shown.purchase, view)


@http_function(
    "GET",
    "/credits/purchases/{purchase_id}",
    scope="billing.credits.read",
    limits=(RateLimit(quota=300, window_seconds=60),),
    perform=with_next_action,
    needs=("database", "gateway"),
    refusals=(CreditPurchaseUnknown,),
)
def show_credit_purchase(request: ShowCreditPurchase, tx: Transaction) -> Shown:
    """Answer a purchase of credits.

    Refuses: CreditPurchaseUnknown.
    """
    purchase = tx.credit_purchases.get(request.purchase_id)
    waits = purchase.status is PaymentStatus.REQUIRES_ACTION
    return Shown(purchase, collecting(purchase, tx).order if waits else None)
