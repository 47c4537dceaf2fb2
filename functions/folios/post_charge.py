"""Post a charge to a folio, with the taxes that it bears.

The busiest command of the house: a bar posts hundreds of them in an evening, so concurrent charges
of one tenant may share a transaction. A late charge on a closed folio is refused.
"""

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


class PostCharge(ChargeGiven, Request):
    """A charge to the folio in the path."""

    folio_id: FolioRef


def tell_missing(request: PostCharge, tx: Transaction, refusal: Refusal) -> None:
    """Let the house know which rule was not there."""
    tell_rule_missing(request.folio_id, tx, refusal)


@http_function(
    "POST",
    "/folios/{folio_id}/charges",
    scope="billing.folio.write",
    status=201,
    moves_money=True,
    batches=lambda request: request.folio_id,
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
def post_charge(request: PostCharge, tx: Transaction) -> LinesAnswer:
    """Post one charge with its taxes and answer the balance it leaves.

    Refuses: FolioUnknown, FolioAlreadyClosed, CurrenciesDiffer, AmountNotPositive, AmountDiffers,
    TaxRuleMissing, WindowUnknown, ChargeAlreadyPosted.
    """
    folio = tx.folios.take(request.folio_id)
    return LinesAnswer.all(charge_to(folio, [request.charge(tx)], tx))
