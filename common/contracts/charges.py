"""A charge as a client gives it: alone or in a batch."""

from typing import Annotated

from pydantic import Field

from common.contracts.fields import (
    Amount,
    Day,
    LocalisedText,
    Payable,
    Quantity,
    Token,
    Word,
)
from common.contracts.references import ChargeRef
from common.contracts.shapes import Shape
from common.domain.charge import Charge
from common.domain.folio_line import ChargeKind, Source
from common.domain.identifiers import ChargeId
from common.domain.moment import Moment


class ChargeGiven(Shape):
    """What was consumed. `amount`, when given, must be quantity times unit amount.

    The `nights` count from the service date on; `firstNight` is the place of the first in the stay,
    which the folio's stay says where it is not given. `ages` are the persons', where known.
    """

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
    first_night: Annotated[int, Field(ge=1, le=3660)] | None = None
    ages: Annotated[tuple[Annotated[int, Field(ge=0, le=150)], ...], Field(max_length=500)] = ()

    def charge(self, moment: Moment) -> Charge:
        """Refuses: AmountNotPositive, AmountDiffers, AmountOutOfRange."""
        return Charge(
            id=self.id or moment.new_id(ChargeId),
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
            first_night=self.first_night,
            ages=self.ages,
        )
