"""Show a reconciliation with each difference that was found."""

from common.contracts.reconciliations import ReconciliationWithDifferences
from common.contracts.references import ReconciliationRef
from common.contracts.shapes import Request
from common.domain.reconciliation import ReconciliationUnknown
from common.ports.transaction import Transaction
from common.runtime.declaration import http_function


class ShowReconciliation(Request):
    """The reconciliation in the path."""

    reconciliation_id: ReconciliationRef


@http_function(
    "GET",
    "/cash-reconciliations/{reconciliation_id}",
    scope="billing.report.read",
    refusals=(ReconciliationUnknown,),
)
def show_reconciliation(
    request: ShowReconciliation, tx: Transaction
) -> ReconciliationWithDifferences:
    """Answer a reconciliation as its last run left it.

    Refuses: ReconciliationUnknown.
    """
    return ReconciliationWithDifferences.of(tx.reconciliations.get(request.reconciliation_id))
