"""Show how an account of credits fills itself up."""

from common.contracts.fields import Word
from common.contracts.purchases import AutoTopUpView
from common.contracts.shapes import Request
from common.domain.auto_top_up import AutoTopUpUnknown
from common.domain.prepaid_account import MAIN
from common.ports.transaction import Transaction
from common.runtime.declaration import http_function


class ShowAutoTopUp(Request):
    """Which account."""

    account: Word = MAIN


@http_function(
    "GET",
    "/credits/auto-top-up",
    scope="billing.credits.read",
    etag="auto_top_up",
    refusals=(AutoTopUpUnknown,),
)
def show_auto_top_up(request: ShowAutoTopUp, tx: Transaction) -> AutoTopUpView:
    """Answer how an account fills itself up.

    Refuses: AutoTopUpUnknown.
    """
    return AutoTopUpView.of(tx.auto_top_ups.get(request.account))
