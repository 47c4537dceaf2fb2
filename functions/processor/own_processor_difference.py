"""Take a difference with the processor over, or give it to somebody who looks after it."""

from common.contracts.fields import Token
from common.contracts.processor_differences import ProcessorDifferenceView
from common.contracts.references import ProcessorDifferenceRef
from common.contracts.shapes import Request
from common.domain.processor_reconciliation import (
    ProcessorDifferenceNotOpen,
    ProcessorDifferenceUnknown,
)
from common.ports.transaction import Transaction
from common.runtime.declaration import http_function


class OwnProcessorDifference(Request):
    """The difference in the path, and who looks after it: the caller, unless somebody is named."""

    difference_id: ProcessorDifferenceRef
    owner: Token | None = None


@http_function(
    "POST",
    "/processor-differences/{difference_id}/owner",
    scope="billing.admin",
    etag="processor_difference",
    refusals=(ProcessorDifferenceUnknown, ProcessorDifferenceNotOpen),
)
def own_processor_difference(
    request: OwnProcessorDifference, tx: Transaction
) -> ProcessorDifferenceView:
    """Give an open difference to an owner, and answer it.

    Refuses: ProcessorDifferenceUnknown, ProcessorDifferenceNotOpen.
    """
    difference = tx.processor_differences.take(request.difference_id)
    owned = difference.owned_by(request.owner or tx.actor.sub)
    tx.processor_differences.keep(difference)
    tx.tell(owned)
    return ProcessorDifferenceView.of(difference, tx.now)
