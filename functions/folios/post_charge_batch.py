"""Post many charges to a folio at once: all of them, or none.

A point of sale that was offline hands in its evening. Each charge is taxed and told as if it had
come alone; the first one that is refused refuses them all, and is named.
"""

from typing import Annotated

from pydantic import Field

from common.contracts.charges import ChargeGiven
from common.contracts.fields import FolioRef
from common.contracts.folios import LinesAnswer
from common.contracts.shapes import Request
from common.domain.charge import AmountDiffers, ChargeAlreadyPosted
from common.domain.folio import FolioAlreadyClosed, FolioUnknown, WindowUnknown
from common.domain.money import AmountNotPositive, CurrenciesDiffer
from common.domain.tax import TaxRuleMissing
from common.ports.transaction import Transaction
from common.runtime.declaration import http_function


class PostChargeBatch(Request):
    """Up to 500 charges to the folio in the path, in their order."""

    folio_id: FolioRef
    charges: Annotated[tuple[ChargeGiven, ...], Field(min_length=1, max_length=500)]


@http_function(
    "POST",
    "/folios/{folio_id}/charges/batch",
    scope="billing.folio.write",
    status=201,
    moves_money=True,
    etag="folio",
    refusals=(
        FolioUnknown,
        FolioAlreadyClosed,
        CurrenciesDiffer,
        AmountNotPositive,
        AmountDiffers,
        TaxRuleMissing,
        WindowUnknown,
        ChargeAlreadyPosted,
    ),
)
def post_charge_batch(request: PostChargeBatch, tx: Transaction) -> LinesAnswer:
    """Post all charges with their taxes, or none of them.

    Refuses: FolioUnknown, FolioAlreadyClosed, CurrenciesDiffer, AmountNotPositive, AmountDiffers,
    TaxRuleMissing, WindowUnknown, ChargeAlreadyPosted.
    """
    folio = tx.folios.take(request.folio_id)
    posted = [folio.post_charge(given.charge(tx), tx) for given in request.charges]
    tx.folios.keep(folio)
    for each in posted:
        tx.ledger.post(each)
        tx.tell(each)
    return LinesAnswer.all(posted)
