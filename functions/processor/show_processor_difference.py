"""Show what differs between the books and the processor."""

from common.contracts.processor_differences import ProcessorDifferenceView
from common.contracts.references import ProcessorDifferenceRef
from common.contracts.shapes import Request
from common.domain.processor_reconciliation import ProcessorDifferenceUnknown
from common.ports.transaction import Transaction
from common.runtime.declaration import http_function


class ShowProcessorDifference(Request):
    """The difference in the path."""

    difference_id: ProcessorDifferenceRef


@http_function(
    "GET",
    "/processor-differences/{difference_id}",
    scope="billing.report.read",
    refusals=(ProcessorDifferenceUnknown,),
)
def show_processor_difference(
    request: ShowProcessorDifference, tx: Transaction
) -> ProcessorDifferenceView:
    """Answer a difference as the last look left it.

    Refuses: ProcessorDifferenceUnknown.
    """
    return ProcessorDifferenceView.of(tx.processor_differences.get(request.difference_id), tx.now)
