"""Show a payout: what was asked for, who decided, and what became of it."""

from common.contracts.payouts import PayoutView
from common.contracts.references import PayoutRef
from common.contracts.shapes import Request
from common.domain.payout import PayoutUnknown
from common.ports.transaction import Transaction
from common.runtime.declaration import http_function


class ShowPayout(Request):
    """The payout in the path."""

    payout_id: PayoutRef


@http_function(
    "GET", "/payouts/{payout_id}", scope="billing.payout.request", refusals=(PayoutUnknown,)
)
def show_payout(request: ShowPayout, tx: Transaction) -> PayoutView:
    """Answer a payout as it stands. Refuses: PayoutUnknown."""
    return PayoutView.of(tx.payouts.get(request.payout_id))
