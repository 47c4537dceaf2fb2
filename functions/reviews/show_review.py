"""Show a review: what waits, and for which reasons."""

from common.contracts.references import ReviewRef
from common.contracts.reviews import ReviewView
from common.contracts.shapes import Request
from common.domain.review import ReviewUnknown
from common.ports.transaction import Transaction
from common.runtime.declaration import http_function


class ShowReview(Request):
    """The review in the path."""

    review_id: ReviewRef


@http_function("GET", "/reviews/{review_id}", scope="billing.ai.review", refusals=(ReviewUnknown,))
def show_review(request: ShowReview, tx: Transaction) -> ReviewView:
    """Answer a review.

    Refuses: ReviewUnknown.
    """
    return ReviewView.of(tx.reviews.get(request.review_id))
