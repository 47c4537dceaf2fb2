"""List what a figure of the platform is made of: movements, invoices, trials, what was used.

The rows of a figure add up to it, of the same days. What came after the last day is in none of
them, though it is in the books by now.
"""

from common.contracts.fields import Day
from common.contracts.figures import BehindPage, BehindView
from common.contracts.shapes import ListRequest
from common.domain.account_statement import PeriodInvalid
from common.domain.platform_figures import Days, Figure, ListAsked
from common.ports.paging import CursorInvalid
from common.ports.powers import Powers
from common.ports.transaction import Transaction
from common.runtime.declaration import CSV, http_function


class ListBehindFigure(ListRequest):
    """The figure in the path, and of which days."""

    figure: Figure
    first: Day
    last: Day


def rows(asked: ListAsked, powers: Powers) -> BehindPage:
    """Read a page over all tenants. Refuses: CursorInvalid."""
    page = powers.platform_figures.behind(asked)
    return BehindPage(
        items=tuple(BehindView.of(row) for row in page.items), next_cursor=page.next_cursor
    )


@http_function(
    "GET",
    "/analytics/figures/{figure}",
    scope="platform.subscription.read",
    pages={CSV: "rows_behind"},
    perform=rows,
    refusals=(PeriodInvalid, CursorInvalid),
)
def list_behind_figure(request: ListBehindFigure, tx: Transaction) -> ListAsked:
    """Answer a page of the rows that a figure is made of: JSON, or a table.

    Refuses: PeriodInvalid, CursorInvalid.
    """
    return ListAsked(
        figure=request.figure,
        days=Days.of(request.first, request.last, tx.now),
        limit=request.limit,
        cursor=request.cursor,
    )
