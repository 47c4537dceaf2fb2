"""Answer for a difference with the processor, with a reason.

Nothing is corrected by it, and what was found stays written down. When a later look finds another
amount, the difference is open again.
"""

from common.contracts.fields import FreeText
from common.contracts.processor_differences import ProcessorDifferenceView
from common.contracts.references import ProcessorDifferenceRef
from common.contracts.shapes import Request
from common.domain.processor_reconciliation import (
    ProcessorDifferenceNotOpen,
    ProcessorDifferenceUnknown,
)
from common.ports.transaction import Transaction
from common.runtime.declaration import http_function


class ResolveProcessorDifference(Request):
    """The difference in the path, and why it is as it should be."""

    difference_id: ProcessorDifferenceRef
    reason: FreeText


@http_function(
    "POST",
    "/processor-differences/{difference_id}/resolve",
    scope="billing.admin",
    etag="processor_difference",
    refusals=(ProcessorDifferenceUnknown, ProcessorDifferenceNotOpen),
)
def resolve_processor_difference(
    request: ResolveProcessorDifference, tx: Transaction
) -> ProcessorDifferenceView:
    """Resolve an open difference, and answer it.

    Refuses: ProcessorDifferenceUnknown, ProcessorDifferenceNotOpen.
    """
    difference = tx.processor_differences.take(request.difference_id)
    resolved = difference.resolve(tx.actor.sub, request.reason, tx.now)
    tx.processor_differences.keep(difference)
    tx.tell(resolved)
    return ProcessorDifferenceView.of(difference, tx.now)
