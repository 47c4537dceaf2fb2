"""Open a closed folio again: something was forgotten, or was wrong.

The documents that were issued stay as they are. What came to be charged, taken back, paid or given
back since is billed when the folio is closed again, and nothing else is.
"""

from common.contracts.fields import FreeText
from common.contracts.folios import FolioView
from common.contracts.references import FolioRef
from common.contracts.shapes import Outcome, Request
from common.domain.folio import FolioUnknown
from common.domain.reopening import FolioNotClosed, reopen, reopening_sha256
from common.ports.identity import Actor
from common.ports.transaction import Transaction
from common.procedures.confirming import confirmed
from common.procedures.refunded_there import settle_late_refunds
from common.runtime.declaration import http_function


class ReopenFolio(Request):
    """The folio in the path, and why it is opened again.

    `stillInHouse` says that the guest has not left: what is planned for nights to come is charged.
    """

    folio_id: FolioRef
    reason: FreeText
    still_in_house: bool = False


class FolioReopenedAnswer(Outcome):
    """The open folio. Its lines up to `billedTo` stand on documents."""

    folio: FolioView
    billed_to: int
    version: int


def what_is_confirmed(request: ReopenFolio, actor: Actor) -> str:
    """That this folio is opened again."""
    return reopening_sha256(actor.tenant_id, request.folio_id).hex()


@http_function(
    "POST",
    "/folios/{folio_id}/reopen",
    scope="billing.folio.reopen",
    step_up=True,
    context=what_is_confirmed,
    etag="folio",
    refusals=(FolioUnknown, FolioNotClosed),
)
def reopen_folio(request: ReopenFolio, tx: Transaction) -> FolioReopenedAnswer:
    """Open a closed folio again, and answer from where it will be billed.

    Refuses: FolioUnknown, FolioNotClosed.
    """
    folio, plan = tx.stays.take_folio(request.folio_id)
    reopened = reopen(folio, request.reason, confirmed(tx))
    tx.folios.keep(folio)
    tx.folios.keep_reopening(reopened.reopening)
    if plan is not None and not request.still_in_house:
        tx.stays.keep(plan.left(tx))
    tx.tell(reopened)
    settle_late_refunds(folio, tx)
    return FolioReopenedAnswer(
        folio=FolioView.of(folio), billed_to=folio.billed_to, version=folio.version
    )
