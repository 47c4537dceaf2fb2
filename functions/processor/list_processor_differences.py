"""List what differs between the books and the processor, by property, status, kind or owner."""

from typing import Literal

from common.contracts.fields import Token
from common.contracts.processor_differences import ProcessorDifferenceView
from common.contracts.references import PropertyRef
from common.contracts.shapes import ListRequest, Outcome
from common.domain.processor_reconciliation import Discrepancy
from common.ports.movements import ProcessorDifferenceFilter
from common.ports.paging import CursorInvalid
from common.ports.transaction import Transaction
from common.runtime.declaration import http_function


class ListProcessorDifferences(ListRequest):
    """Which differences; what is not given is not asked."""

    property_id: PropertyRef | None = None
    status: Literal["open", "resolved", "cleared"] | None = None
    kind: Discrepancy | None = None
    owner: Token | None = None


class ProcessorDifferencePage(Outcome):
    """A page of differences; `nextCursor` is null at the end."""

    items: tuple[ProcessorDifferenceView, ...]
    next_cursor: str | None


@http_function(
    "GET", "/processor-differences", scope="billing.report.read", refusals=(CursorInvalid,)
)
def list_processor_differences(
    request: ListProcessorDifferences, tx: Transaction
) -> ProcessorDifferencePage:
    """Answer a page of the differences of the caller's properties, in the order of their finding.

    What is of no property is shown to who works at all of them. Refuses: CursorInvalid.
    """
    which = ProcessorDifferenceFilter(
        property_id=request.property_id,
        status=request.status,
        kind=request.kind,
        owner=request.owner,
    )
    page = tx.processor_differences.page(which, request.limit, request.cursor)
    return ProcessorDifferencePage(
        items=tuple(ProcessorDifferenceView.of(each, tx.now) for each in page.items),
        next_cursor=page.next_cursor,
    )
