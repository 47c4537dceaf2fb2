"""Write down which reviews nobody has decided for 72 hours: they count as refused (FRD-2).

From that moment on nobody can approve them, whether this job comes by or not. It ends what waited,
which has failed then without anybody having been asked for it. Killed and started again, or run
twice at once, it finds what is left to do.
"""

from collections.abc import Sequence

from common.domain.identifiers import ReviewId
from common.ports.jobs import Round
from common.ports.transaction import Transaction
from common.procedures.deciding import turn_down
from common.runtime.declaration import job


def over(which: Round, tx: Transaction) -> Sequence[ReviewId]:
    """The reviews of a tenant whose time is over, the longest waiting first."""
    return tx.reviews.due(which.limit)


@job(schedule="*/10 * * * *", find=over)
def expire_reviews(review_id: ReviewId, tx: Transaction) -> None:
    """End a review that nobody has decided, and what waited for it.

    Refuses: ReviewUnknown, PaymentIntentUnknown.
    """
    review = tx.reviews.take(review_id)
    expired = review.expire(tx.actor.sub, tx)
    if expired is None:
        return
    tx.reviews.keep(review)
    tx.tell(expired)
    turn_down(review, tx)
