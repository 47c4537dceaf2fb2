"""Show a folio with all its lines and its refunds."""

from common.contracts.folios import FolioView, LineView
from common.contracts.references import FolioRef
from common.contracts.refunds import RefundView
from common.contracts.shapes import Request
from common.domain.folio import FolioUnknown
from common.ports.transaction import Transaction
from common.runtime.declaration import http_function


class ShowFolio(Request):
    """The folio in the path."""

    folio_id: FolioRef


class FolioWithLines(FolioView):
    """A folio, every line that ever moved its balance, and its refunds as they stand."""

    lines: tuple[LineView, ...]
    refunds: tuple[RefundView, ...] = ()


@http_function("GET", "/folios/{folio_id}", scope="billing.folio.read", refusals=(FolioUnknown,))
def show_folio(request: ShowFolio, tx: Transaction) -> FolioWithLines:
    """Answer a folio with its lines, its refunds and its balance.

    Refuses: FolioUnknown.
    """
    folio, lines, _, refunds = tx.folios.get_whole(request.folio_id)
    return FolioWithLines(
        **dict(FolioView.of(folio)),
        lines=tuple(LineView.of(line) for line in lines),
        refunds=tuple(RefundView.of(refund) for refund in refunds),
    )
