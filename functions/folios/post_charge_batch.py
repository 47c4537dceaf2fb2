"""Post many charges to a folio at once: all of them, or none.

A point of sale that was offline hands in its evening. Each charge is taxed and told as if it had
come alone; the first one that is refused refuses them all, and is named.
"""

from typing import Annotated

from pydantic import Field

from common.contracts.charges import ChargeGiven
from common.contracts.folios import LinesAnswer
from common.contracts.references import FolioRef
from common.contracts.shapes import Request
from common.domain.charge import AmountDiffers, ChargeAlreadyPosted
from common.domain.folio import FolioAlreadyClosed, FolioUnknown, WindowUnknown
from common.domain.money import AmountNotPositive, CurrenciesDiffer
from common.domain.refusal import Refusal
from common.domain.tax import TaxRuleMissing
from common.ports.transaction import Transaction
from common.procedures.charging import charge_to, tell_rule_missing
from common.runtime.declaration import http_function


class PostChargeBatch(Request):
    """Up to 500 charges to the folio in the path, in their order."""

    folio_id: FolioRef
    charges: Annotated[tuple[ChargeGiven, ...], Field(min_length=1, max_length=500)]


def tell_missing(request: PostChargeBatch, tx: Transaction, refusal: Refusal) -> None:
    """Let the house know which rule was not there."""
    tell_rule_missing(request.folio_id, tx, refusal)


@http_function(
    "POST",
    "/folios/{folio_id}/charges/batch",
    scope="billing.folio.write",
    status=201,
    moves_money=True,
    creates=True,
    etag="folio",
    after_refusal={TaxRuleMissing: tell_missing},
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
    return LinesAnswer.all(charge_to(folio, (given.charge(tx) for given in request.charges), tx))
