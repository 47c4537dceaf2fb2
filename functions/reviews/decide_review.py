"""Decide what waits for a person: it goes on, or it ends; once, and by somebody else (FRD-2).

Approved, a payment is asked for in the same deed: the decision is committed with it, the processor
is asked after that, and what it said is on the payment. Nobody who asked for the payment or made it
out decides it. The same decision of the same person again changes nothing, and asks what became of
the payment. Where the processor could not be asked, the approval stands: sent again, or by way of
POST /payments/confirm, the payment goes on.
"""

from common.contracts.fields import FreeText
from common.contracts.references import ReviewRef
from common.contracts.reviews import ReviewView
from common.contracts.shapes import Request
from common.domain.folio import FolioAlreadyClosed, Overpayment
from common.domain.identifiers import PaymentIntentId
from common.domain.payment import PaymentUnderWay
from common.domain.refusal import Refusal
from common.domain.review import (
    Decision,
    ReviewDecidedAlready,
    ReviewSamePerson,
    ReviewUnknown,
)
from common.domain.stored_method import PaymentMethodErased, PaymentMethodRemoved
from common.domain.webhook import WebhookContradictsBooks
from common.ports.cards import GatewayUnavailable
from common.ports.transaction import Transaction
from common.procedures.deciding import (
    Decided,
    Followed,
    ask_for_it,
    go_on,
    keep_what_came_of_it,
    turn_down,
)
from common.runtime.declaration import RateLimit, http_function


class DecideReview(Request):
    """Whether what waits goes on, and why."""

    review_id: ReviewRef
    decision: Decision
    reason: FreeText


def keep(followed: Followed, tx: Transaction) -> ReviewView:
    """Keep what the processor said, and answer the review.

    Refuses: WebhookContradictsBooks.
    """
    return ReviewView.of(keep_what_came_of_it(followed, tx))


def hold_again(request: DecideReview, tx: Transaction, _: Refusal) -> None:
    """Nobody was asked: the payment waits to be asked for, and the approval stands."""
    review = tx.reviews.get(request.review_id)
    _folio, intent = tx.payment_intents.take(PaymentIntentId(review.subject_id))
    taken_back = intent.take_back(tx)
    if taken_back is not None:
        tx.payment_intents.keep(intent)
        tx.tell(taken_back)


@http_function(
    "POST",
    "/reviews/{review_id}/decision",
    scope="billing.ai.review",
    moves_money=True,
    intends=True,
    etag="review",
    limits=(RateLimit(quota=60, window_seconds=60),),
    perform=ask_for_it,
    record=keep,
    after_refusal={GatewayUnavailable: hold_again, PaymentMethodErased: hold_again},
    needs=("database", "gateway", "vault"),
    refusals=(
        ReviewUnknown,
        ReviewSamePerson,
        ReviewDecidedAlready,
        FolioAlreadyClosed,
        Overpayment,
        PaymentUnderWay,
        PaymentMethodRemoved,
        PaymentMethodErased,
        GatewayUnavailable,
        WebhookContradictsBooks,
    ),
)
def decide_review(request: DecideReview, tx: Transaction) -> Decided:
    """Keep a person's decision, once, and let what waited go on or end.

    Refuses: ReviewUnknown, ReviewSamePerson, ReviewDecidedAlready, FolioAlreadyClosed, Overpayment,
    PaymentUnderWay, PaymentMethodRemoved, PaymentMethodErased, GatewayUnavailable,
    WebhookContradictsBooks.
    """
    review = tx.reviews.take(request.review_id)
    decided = review.decide(request.decision, request.reason, tx.actor.sub, tx)
    if decided is not None:
        tx.reviews.keep(review)
        tx.tell(decided)
    if review.is_approved:
        return go_on(review, tx)
    turn_down(review, tx)
    return Decided(review, None)
