"""Move charges, or a part of them, to another folio of the property: both are right, or as before.

A guest pays another's dinner, a company the room and the guest the bar. What leaves the folio in
the path is voided or adjusted there, and posted anew on the other one at the rates that it bears,
in one transaction that holds both folios.
"""

from typing import Annotated, Self

from pydantic import Field, model_validator

from common.contracts.fields import FreeText, Payable
from common.contracts.references import ChargeRef, FolioRef
from common.contracts.shapes import Request
from common.contracts.transfers import TransferAnswer
from common.domain.charge import ChargeAlreadyVoided, ChargeCredited, ChargeUnknown
from common.domain.folio import FolioAlreadyClosed, FolioUnknown
from common.domain.money import AmountNotPositive, CurrenciesDiffer
from common.domain.transfer import (
    TransferCrossProperty,
    TransferExceedsCharges,
    TransferToSameFolio,
    UntaxedChargeSplit,
    transfer,
)
from common.ports.transaction import Transaction
from common.runtime.declaration import http_function


class TransferLines(Request):
    """Which charges move, where to, and why: all of them, or `amount` or `sharePpm` of them.

    An amount is in the terms that the charges were priced in; 250,000 ppm are a quarter.
    """

    folio_id: FolioRef
    to_folio_id: FolioRef
    charge_ids: Annotated[tuple[ChargeRef, ...], Field(min_length=1, max_length=100)]
    amount: Payable | None = None
    share_ppm: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    reason: FreeText

    @model_validator(mode="after")
    def _one_way_to_say_how_much(self) -> Self:
        if self.amount is not None and self.share_ppm is not None:
            raise ValueError("either an amount or a share")
        return self


@http_function(
    "POST",
    "/folios/{folio_id}/transfers",
    scope="billing.folio.write",
    status=201,
    moves_money=True,
    etag="folio",
    refusals=(
        FolioUnknown,
        TransferToSameFolio,
        TransferCrossProperty,
        CurrenciesDiffer,
        FolioAlreadyClosed,
        ChargeUnknown,
        ChargeAlreadyVoided,
        ChargeCredited,
        AmountNotPositive,
        TransferExceedsCharges,
        UntaxedChargeSplit,
    ),
)
def transfer_lines(request: TransferLines, tx: Transaction) -> TransferAnswer:
    """Move charges, or a part of them, to another folio, and answer the balances it leaves.

    Refuses: FolioUnknown, TransferToSameFolio, TransferCrossProperty, CurrenciesDiffer,
    FolioAlreadyClosed, ChargeUnknown, ChargeAlreadyVoided, ChargeCredited, AmountNotPositive,
    TransferExceedsCharges, UntaxedChargeSplit.
    """
    source, target, lines = tx.folios.take_both(
        request.folio_id, request.to_folio_id, request.charge_ids
    )
    moved = transfer(
        source,
        target,
        lines,
        request.charge_ids,
        request.reason,
        tx,
        amount=request.amount,
        share_ppm=request.share_ppm,
    )
    for folio, fact in ((source, moved.left), (target, moved.reached)):
        tx.folios.keep(folio)
        tx.ledger.post(fact)
        tx.tell(fact)
    return TransferAnswer.between(moved)
