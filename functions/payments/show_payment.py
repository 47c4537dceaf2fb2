"""Show a payment: where it stands, and what the guest has to do for it to go on.

What the guest needs for that is asked of the processor for each answer, and kept nowhere. Without
the processor the payment is shown all the same.
"""

from common.contracts.payments import NextActionView, PaymentIntentView
from common.contracts.references import PaymentIntentRef
from common.contracts.shapes import Request
from common.domain.dataclass import dataclass
from common.domain.payment_intent import PaymentIntentUnknown
from common.domain.processor_payment import PaymentStatus
from common.domain.standing_payment import StandingPayment
from common.ports.cards import Order
from common.ports.powers import Powers
from common.ports.transaction import Transaction
from common.procedures.asking import collecting
from common.runtime.declaration import RateLimit, http_function


class ShowPayment(Request):
    """The payment in the path."""

    payment_intent_id: PaymentIntentRef


@dataclass(frozen=True, slots=True)
class Shown:
    """A payment, and what the processor is asked of it, if anything."""

    found: StandingPayment
    order: Order | None


def with_next_action(shown: Shown, powers: Powers) -> PaymentIntentView:
    """The payment with what the guest has to do, as the processor says it now."""
    action = powers.cards.next_action(shown.order) if shown.order else None
    if action is None:
        return PaymentIntentView.whole(shown.found)
    view = NextActionView(client_secret=action.client_secret, redirect_url=action.redirect_url)
    return PaymentIntentView.whole(shown.found, view)


@http_function(
    "GET",
    "/payments/{payment_intent_id}",
    scope="billing.payment.read",
    limits=(RateLimit(quota=300, window_seconds=60),),
    perform=with_next_action,
    needs=("database", "gateway"),
    refusals=(PaymentIntentUnknown,),
)
def show_payment(request: ShowPayment, tx: Transaction) -> Shown:
    """Answer a payment.

    Refuses: PaymentIntentUnknown.
    """
    found = tx.payment_intents.get(request.payment_intent_id)
    waits = found.intent.status is PaymentStatus.REQUIRES_ACTION
    return Shown(found, collecting(found.intent, tx).order if waits else None)
