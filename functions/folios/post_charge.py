"""Post a charge to a folio, with the taxes that it bears.

The busiest command of the house: a bar posts hundreds of them in an evening, so concurrent charges
of one tenant may share a transaction. A late charge on a closed folio is refused.
"""

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


class PostCharge(ChargeGiven, Request):
    """A charge to the folio in the path."""

    folio_id: FolioRef


@http_function(
    "POST",
    "/folios/{folio_id}/charges",
    scope="billing.folio.write",
    status=201,
    moves_money=True,
    batches=True,
    creates=True,
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
def post_charge(request: PostCharge, tx: Transaction) -> LinesAnswer:
    """Post one charge with its taxes and answer the balance it leaves.

    Refuses: FolioUnknown, FolioAlreadyClosed, CurrenciesDiffer, AmountNotPositive, AmountDiffers,
    TaxRuleMissing, WindowUnknown, ChargeAlreadyPosted.
    """
    folio = tx.folios.take(request.folio_id)
    posted = folio.post_charge(request.charge(tx), tx)
    tx.folios.keep(folio)
    tx.ledger.post(posted)
    tx.tell(posted)
    return LinesAnswer.of(posted)
