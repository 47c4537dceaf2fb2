"""Show what a guest owes by now and how it came to that: a statement, and not an invoice.

It is what the desk hands over before a guest pays, as a page or a PDF in the language of the
house's invoices, and what a program reads as JSON. It is drawn anew for each who asks: nothing of
it is kept, numbered or signed.
"""

from common.contracts.references import FolioRef
from common.contracts.shapes import Request
from common.contracts.statement import StatementView
from common.domain.folio import FolioUnknown
from common.domain.statement import statement_of
from common.ports.powers import NotPrintable
from common.ports.transaction import Transaction
from common.runtime.declaration import HTML, PDF, RateLimit, http_function


class ShowStatement(Request):
    """The folio in the path."""

    folio_id: FolioRef


@http_function(
    "GET",
    "/folios/{folio_id}/statement",
    scope="billing.folio.read",
    pages={HTML: "statement", PDF: "statement"},
    limits=(RateLimit(quota=60, window_seconds=60),),
    refusals=(FolioUnknown, NotPrintable),
)
def show_statement(request: ShowStatement, tx: Transaction) -> StatementView:
    """Answer a folio's statement, as JSON, as a page or as a PDF.

    Refuses: FolioUnknown, NotPrintable.
    """
    return StatementView.of(statement_of(*tx.folios.get_whole(request.folio_id)), tx)
