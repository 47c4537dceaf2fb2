"""Correct charges that went untaxed, now that there is a rule for them (TAX-4).

Only on the folios that are asked for, by somebody who administers the books, with a reason; on all
of them or on none. Each charge is reversed and posted again with its taxes, by lines that name what
they correct. What stands on an invoice takes a credit note and is refused.
"""

from typing import Annotated

from pydantic import Field

from common.contracts.fields import Amount, FreeText
from common.contracts.folios import LineView
from common.contracts.references import ChargeRef, FolioRef
from common.contracts.shapes import Outcome, Request, Shape
from common.domain.charge import ChargeCredited
from common.domain.folio import Folio, FolioUnknown
from common.domain.money import CurrenciesDiffer
from common.domain.untaxed import Backfilled, UntaxedChargeInvoiced, backfill
from common.ports.transaction import Transaction
from common.runtime.declaration import http_function


class BackfillTaxes(Request):
    """Up to 50 folios, and why their charges are corrected."""

    folio_ids: Annotated[tuple[FolioRef, ...], Field(min_length=1, max_length=50)]
    reason: FreeText


class FolioBackfilled(Shape):
    """What was written on a folio, and which charges no rule covers yet."""

    folio_id: FolioRef
    lines: tuple[LineView, ...]
    balance: Amount
    still_untaxed: tuple[ChargeRef, ...]

    @classmethod
    def of(cls, folio: Folio, done: Backfilled) -> "FolioBackfilled":
        return cls(
            folio_id=folio.id,
            lines=tuple(LineView.of(line) for told in done.told for line in told.lines),
            balance=folio.balance,
            still_untaxed=done.still_untaxed,
        )


class TaxesBackfilled(Outcome):
    """Each folio that was asked for, once, in the order of their ids."""

    folios: tuple[FolioBackfilled, ...]


@http_function(
    "POST",
    "/folios/tax-backfill",
    scope="billing.admin",
    moves_money=True,
    refusals=(FolioUnknown, UntaxedChargeInvoiced, ChargeCredited, CurrenciesDiffer),
)
def backfill_taxes(request: BackfillTaxes, tx: Transaction) -> TaxesBackfilled:
    """Reverse untaxed charges that a rule covers by now, and post them again with their taxes.

    Refuses: FolioUnknown, UntaxedChargeInvoiced, ChargeCredited, CurrenciesDiffer (a fixed tax in
    another currency).
    """
    corrected = []
    for folio_id in sorted(set(request.folio_ids)):
        folio, lines, *_ = tx.folios.take_whole(folio_id)
        done = backfill(folio, lines, request.reason, tx)
        if done.told:
            tx.folios.keep(folio)
        for fact in done.told:
            tx.ledger.post(fact)
            tx.tell(fact)
        corrected.append(FolioBackfilled.of(folio, done))
    return TaxesBackfilled(folios=tuple(corrected))
