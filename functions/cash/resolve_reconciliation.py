"""Answer for the differences that a reconciliation found, with a reason.

Nothing is corrected by it, and what was found stays written down. When a later run finds anything
else, the mismatch is back.
"""

from common.contracts.fields import FreeText
from common.contracts.reconciliations import ReconciliationWithDifferences
from common.contracts.references import ReconciliationRef
from common.contracts.shapes import Request
from common.domain.reconciliation import NothingToResolve, ReconciliationUnknown
from common.ports.transaction import Transaction
from common.runtime.declaration import http_function


class ResolveReconciliation(Request):
    """The reconciliation in the path, and why its differences are as they should be."""

    reconciliation_id: ReconciliationRef
    reason: FreeText


@http_function(
    "POST",
    "/cash-reconciliations/{reconciliation_id}/resolve",
    scope="billing.admin",
    etag="reconciliation",
    refusals=(ReconciliationUnknown, NothingToResolve),
)
def resolve_reconciliation(
    request: ResolveReconciliation, tx: Transaction
) -> ReconciliationWithDifferences:
    """Resolve a mismatch, and answer the reconciliation.

    Refuses: ReconciliationUnknown, NothingToResolve.
    """
    reconciliation = tx.reconciliations.take(request.reconciliation_id)
    resolved = reconciliation.resolve(tx.actor.sub, request.reason, tx.now)
    tx.reconciliations.keep(reconciliation)
    tx.tell(resolved)
    return ReconciliationWithDifferences.of(reconciliation)
