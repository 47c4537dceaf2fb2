"""Post a charge to a folio, with the taxes that it bears.

The busiest command of the house: a bar posts hundreds of them in an evening, so concurrent charges
of one tenant may share a transaction. A late charge on a closed folio is refused.
"""

from typing import Annotated

from pydantic import Field

from common.contracts.fields import (
    Amount,
    ChargeRef,
    Day,
    FolioRef,
    LocalisedText,
    Payable,
    Quantity,
    Token,
    Word,
)
from common.contracts.folios import LinesAnswer
from common.contracts.shapes import Request, Shape
from common.domain.charge import (
    AmountDiffers,
    AmountNotPositive,
    Charge,
    ChargeAlreadyPosted,
)
from common.domain.folio import FolioAlreadyClosed, FolioUnknown, WindowUnknown
from common.domain.folio_line import ChargeKind, Source
from common.domain.identifiers import ChargeId
from common.domain.tax import TaxRuleMissing
from common.ports.transaction import Transaction
from common.runtime.declaration import http_function


class ChargeGiven(Shape):
    """What was consumed. `amount`, when given, must be quantity times unit amount."""

    id: ChargeRef | None = None
    kind: ChargeKind
    description: LocalisedText
    quantity: Quantity = "1"
    unit_amount: Amount
    amount: Payable | None = None
    service_date: Day | None = None
    source: Source = Source.MANUAL
    external_reference: Token | None = None
    window: Word | None = None
    nights: Annotated[int, Field(ge=0, le=366)] = 1
    persons: Annotated[int, Field(ge=0, le=500)] = 1

    def charge(self, tx: Transaction) -> Charge:
        """Refuses: AmountNotPositive, AmountDiffers, AmountOutOfRange."""
        return Charge(
            id=self.id or tx.new_id(ChargeId),
            kind=self.kind,
            description=self.description,
            quantity=self.quantity,
            unit_amount=self.unit_amount,
            amount=Charge.price(self.quantity, self.unit_amount, self.amount),
            service_date=self.service_date,
            source=self.source,
            external_reference=self.external_reference,
            window=self.window,
            nights=self.nights,
            persons=self.persons,
        )


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
