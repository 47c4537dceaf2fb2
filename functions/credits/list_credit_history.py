"""List everything that ever moved an account's credits, newest first."""

from common.contracts.fields import Word
from common.contracts.prepaid import CreditEntryView
from common.contracts.shapes import ListRequest, Outcome
from common.domain.prepaid_account import MAIN, CreditAccountUnknown, EntryKind
from common.ports.paging import CursorInvalid
from common.ports.prepaid import CreditFilter
from common.ports.transaction import Transaction
from common.runtime.declaration import http_function


class ListCreditHistory(ListRequest):
    """Of which account, and which kind of movement; what is not given is not asked."""

    account: Word = MAIN
    kind: EntryKind | None = None


class CreditHistory(Outcome):
    """A page of movements; `nextCursor` is null at the end."""

    items: tuple[CreditEntryView, ...]
    next_cursor: str | None


@http_function(
    "GET",
    "/credits/history",
    scope="billing.credits.read",
    refusals=(CreditAccountUnknown, CursorInvalid),
)
def list_credit_history(request: ListCreditHistory, tx: Transaction) -> CreditHistory:
    """Answer a page of an account's movements with the lots that each took from, newest first.

    Refuses: CreditAccountUnknown, CursorInvalid.
    """
    which = CreditFilter(account=request.account, kind=request.kind)
    page = tx.prepaid.page(which, request.limit, request.cursor)
    return CreditHistory(
        items=tuple(CreditEntryView.of(entry) for entry in page.items),
        next_cursor=page.next_cursor,
    )
