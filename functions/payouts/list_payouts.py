"""List the payouts of the caller's properties, by property or status."""

from typing import Literal

from common.contracts.payouts import PayoutView
from common.contracts.references import PropertyRef
from common.contracts.shapes import ListRequest, Outcome
from common.ports.paging import CursorInvalid
from common.ports.payouts import PayoutFilter
from common.ports.transaction import Transaction
from common.runtime.declaration import http_function


class ListPayouts(ListRequest):
    """Which payouts; what is not given is not asked."""

    property_id: PropertyRef | None = None
    status: Literal["awaiting_approval", "pending", "paid", "failed", "rejected"] | None = None


class PayoutPage(Outcome):
    """A page of payouts; `nextCursor` is null at the end."""

    items: tuple[PayoutView, ...]
    next_cursor: str | None


@http_function("GET", "/payouts", scope="billing.payout.request", refusals=(CursorInvalid,))
def list_payouts(request: ListPayouts, tx: Transaction) -> PayoutPage:
    """Answer a page of the payouts of the caller's properties, in the order of their asking.

    Refuses: CursorInvalid.
    """
    which = PayoutFilter(property_id=request.property_id, status=request.status)
    page = tx.payouts.page(which, request.limit, request.cursor)
    return PayoutPage(
        items=tuple(PayoutView.of(each) for each in page.items), next_cursor=page.next_cursor
    )
