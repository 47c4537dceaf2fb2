"""List reviews by property, status and age: what waits for a person, and what was decided."""

from common.contracts.fields import Instant
from common.contracts.references import PropertyRef
from common.contracts.reviews import ReviewView
from common.contracts.shapes import ListRequest, Outcome
from common.domain.review import ReviewStatus
from common.ports.paging import CursorInvalid
from common.ports.risk import ReviewFilter
from common.ports.transaction import Transaction
from common.runtime.declaration import http_function


class ListReviews(ListRequest):
    """Which reviews; what is not given is not asked."""

    property_id: PropertyRef | None = None
    status: ReviewStatus | None = None
    opened_before: Instant | None = None


class ReviewPage(Outcome):
    """A page of reviews, the newest last; `nextCursor` is null at the end."""

    items: tuple[ReviewView, ...]
    next_cursor: str | None


@http_function("GET", "/reviews", scope="billing.ai.review", refusals=(CursorInvalid,))
def list_reviews(request: ListReviews, tx: Transaction) -> ReviewPage:
    """Answer a page of the reviews of the caller's properties.

    Refuses: CursorInvalid.
    """
    page = tx.reviews.page(
        ReviewFilter(
            property_id=request.property_id,
            status=request.status,
            opened_before=request.opened_before,
        ),
        request.limit,
        request.cursor,
    )
    return ReviewPage(
        items=tuple(ReviewView.of(review) for review in page.items), next_cursor=page.next_cursor
    )
