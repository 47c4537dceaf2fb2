"""Adjust a charge: a signed correction with a reason, taxed as the charge was."""

from common.contracts.fields import FreeText, LocalisedText, Payable
from common.contracts.folios import LinesAnswer
from common.contracts.references import ChargeRef, FolioRef
from common.contracts.shapes import Request
from common.domain import correction
from common.domain.charge import (
    AdjustmentExceedsCharge,
    ChargeAlreadyVoided,
    ChargeCredited,
    ChargeUnknown,
)
from common.domain.folio import FolioAlreadyClosed, FolioUnknown
from common.domain.money import AmountNotPositive, CurrenciesDiffer
from common.ports.transaction import Transaction
from common.runtime.declaration import http_function


class PostAdjustment(Request):
    """By how much a charge is corrected: less is negative. In the terms it was priced in."""

    folio_id: FolioRef
    charge_id: ChargeRef
    amount: Payable
    description: LocalisedText
    reason: FreeText


@http_function(
    "POST",
    "/folios/{folio_id}/adjustments",
    scope="billing.folio.write",
    status=201,
    moves_money=True,
    etag="folio",
    refusals=(
        FolioUnknown,
        FolioAlreadyClosed,
        ChargeUnknown,
        ChargeAlreadyVoided,
        ChargeCredited,
        AmountNotPositive,
        AdjustmentExceedsCharge,
        CurrenciesDiffer,
    ),
)
def post_adjustment(request: PostAdjustment, tx: Transaction) -> LinesAnswer:
    """Move what a charge came to, never below nothing, and answer the balance it leaves.

    Refuses: FolioUnknown, FolioAlreadyClosed, ChargeUnknown, ChargeAlreadyVoided,
    ChargeCredited, AmountNotPositive (for zero), AdjustmentExceedsCharge, CurrenciesDiffer.
    """
    folio, lines = tx.folios.take_with_charge(request.folio_id, request.charge_id)
    adjusted = correction.adjust_charge(
        folio, lines, request.amount, request.description, request.reason, tx
    )
    tx.folios.keep(folio)
    tx.ledger.post(adjusted)
    tx.tell(adjusted)
    return LinesAnswer.of(adjusted)
