"""List what the nightly reconciliation found, by property, status or business date."""

from typing import Literal

from common.contracts.fields import Day
from common.contracts.reconciliations import ReconciliationView
from common.contracts.references import PropertyRef
from common.contracts.shapes import ListRequest, Outcome
from common.ports.paging import CursorInvalid
from common.ports.reconciling import ReconciliationFilter
from common.ports.transaction import Transaction
from common.runtime.declaration import http_function


class ListReconciliations(ListRequest):
    """Which reconciliations; what is not given is not asked."""

    property_id: PropertyRef | None = None
    status: Literal["matched", "mismatch", "resolved", "unknown"] | None = None
    business_date: Day | None = None


class ReconciliationPage(Outcome):
    """A page of reconciliations; `nextCursor` is null at the end."""

    items: tuple[ReconciliationView, ...]
    next_cursor: str | None


@http_function(
    "GET", "/cash-reconciliations", scope="billing.report.read", refusals=(CursorInvalid,)
)
def list_reconciliations(request: ListReconciliations, tx: Transaction) -> ReconciliationPage:
    """Answer a page of the reconciliations of the caller's properties, by their first runs.

    Refuses: CursorInvalid.
    """
    which = ReconciliationFilter(
        property_id=request.property_id,
        status=request.status,
        business_date=request.business_date,
    )
    page = tx.reconciliations.page(which, request.limit, request.cursor)
    return ReconciliationPage(
        items=tuple(ReconciliationView.of(each) for each in page.items),
        next_cursor=page.next_cursor,
    )
