"""What waited for a person goes on, or ends, as it was decided (FRD-2).

Whoever decides takes the review first, then what waits for it. An approved payment is asked for in
the same deed: that it is asked for is committed with the decision, and the processor asked after
that, under the payment's own id. So it goes on once, however often its approval is sent.
"""

from common.domain.dataclass import dataclass
from common.domain.identifiers import PaymentIntentId
from common.domain.review import Review, SubjectKind
from common.ports.powers import Powers
from common.ports.transaction import Transaction
from common.procedures.asking import Asked, Collecting, collecting, take_from_card
from common.procedures.collecting import keep_answer
from common.procedures.leasing import lease_debt


@dataclass(frozen=True, slots=True)
class Decided:
    """A review as it was decided, and what the processor is to be asked because of it."""

    review: Review
    collecting: Collecting | None


@dataclass(frozen=True, slots=True)
class Followed:
    """What came of a decision."""

    review: Review
    asked: Asked | None


def go_on(review: Review, tx: Transaction) -> Decided:
    """Let what was approved go on; the processor is asked afterwards.

    Refuses: PaymentIntentUnknown, FolioAlreadyClosed, PaymentMethodUnknown, PaymentMethodRemoved,
    Overpayment, PaymentUnderWay.
    """
    if review.subject_kind is not SubjectKind.PAYMENT_INTENT:
        return Decided(review, None)
    folio, intent = tx.payment_intents.take(PaymentIntentId(review.subject_id))
    begins = False
    if intent.is_held and intent.review_id == review.id and intent.method_id is not None:
        tx.collection_leases.foresee(folio.id)
        tx.payment_intents.foresee_means(intent.customer_id, intent.method_id)
        method = tx.stored_methods.get(intent.method_id)
        confirmed = intent.confirm(
            folio,
            method,
            tx,
            is_challenged=intent.is_challenged,
            is_approved=review.is_approved,
        )
        if confirmed is not None:
            lease_debt(folio, intent, tx.collection_leases.find(folio.id), tx)
            tx.payment_intents.keep(intent)
            tx.tell(confirmed)
            begins = True
    return Decided(review, collecting(intent, tx, begins=begins))


def turn_down(review: Review, tx: Transaction) -> None:
    """End what was refused: nobody was asked for it, and nobody will be.

    Refuses: PaymentIntentUnknown.
    """
    if review.subject_kind is not SubjectKind.PAYMENT_INTENT:
        return
    _folio, intent = tx.payment_intents.take(PaymentIntentId(review.subject_id))
    failed = intent.turn_down(tx) if intent.review_id == review.id else None
    if failed is not None:
        tx.payment_intents.keep(intent)
        tx.tell(failed)


def ask_for_it(decided: Decided, powers: Powers) -> Followed:
    """Let the processor take what goes on. Refuses: GatewayUnavailable, PaymentMethodErased."""
    if decided.collecting is None:
        return Followed(decided.review, None)
    return Followed(decided.review, take_from_card(decided.collecting, powers))


def keep_what_came_of_it(followed: Followed, tx: Transaction) -> Review:
    """Keep what the processor said. Refuses: PaymentIntentUnknown, WebhookContradictsBooks."""
    if followed.asked is not None:
        keep_answer(followed.asked, tx)
    return followed.review
