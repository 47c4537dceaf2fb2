"""Events of other services, as far as we read them: unknown fields are passed over.

Their types are `melmastoon.<service fact>.v1`; the tenant comes from the event's `tenantid`.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import date
from typing import Annotated, Any, Final, Self
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from common.contracts.fields import (
    Amount,
    Day,
    Instant,
    LocalisedText,
    Payable,
    PaymentToken,
    Quantity,
    Token,
    Word,
    no_card_number,
)
from common.contracts.opening import GuestTold, Terms
from common.contracts.references import (
    FolioRef,
    PaymentIntentRef,
    PaymentRef,
    PropertyRef,
    RefundRef,
)
from common.contracts.shapes import Incoming
from common.domain.cash_patterns import SCORE_MAX, Finding, Suspicion
from common.domain.charge import Charge
from common.domain.folio_line import ChargeKind, Source
from common.domain.guest import Stay
from common.domain.identifiers import ChargeId
from common.domain.moment import Moment
from common.domain.stay_plan import PlannedCharge

ROOM: Final = {
    "en": "Room",
    "de": "Zimmer",
    "fr": "Chambre",
    "fa": "اتاق",
    "ps": "کوټه",
    "ar": "غرفة",
}
TillName = Annotated[
    str,
    StringConstraints(strict=True, pattern=r"^[A-Za-z0-9._-]{1,40}$"),
    AfterValidator(no_card_number),
]
CheckNumber = Annotated[
    Token, StringConstraints(strict=True, max_length=60, pattern=r"^[A-Za-z0-9._-]+$")
]


class NightPlanned(Incoming):
    """What a night costs: the room, or breakfast in a package; several may be for one night."""

    night: Day
    kind: ChargeKind = ChargeKind.ROOM
    description: LocalisedText = ROOM
    price: Payable
    persons: Annotated[int, Field(ge=0, le=500)] = 1
    ages: Annotated[tuple[Annotated[int, Field(ge=0, le=150)], ...], Field(max_length=500)] = ()


class Reservation(Terms, Incoming):
    """A stay that was booked, or has begun. `nights` are what its nights are to be charged at."""

    reservation_id: Token
    property_id: PropertyRef
    guest: GuestTold
    arrival: Day
    departure: Day
    nights: Annotated[tuple[NightPlanned, ...], Field(max_length=1000)] = ()

    def stay(self) -> Stay:
        """Refuses: StayInvalid."""
        return Stay(arrival=self.arrival, departure=self.departure)

    def terms(self) -> dict[str, Any]:
        """Refuses: StayInvalid, FxRateInvalid."""
        return {**super().terms(), "stay": self.stay()}

    def planned(self) -> Iterator[PlannedCharge]:
        """The nights as they are to be charged, in the order in which they are told."""
        places: Counter[date] = Counter()
        for each in self.nights:
            yield PlannedCharge(
                night=each.night,
                place=places[each.night],
                kind=each.kind,
                description=each.description,
                price=each.price,
                persons=each.persons,
                ages=each.ages,
            )
            places[each.night] += 1


class ReservationCanceled(Incoming):
    """A stay that will not be. `canceledAt` says when the guest canceled, if not just now."""

    reservation_id: Token
    property_id: PropertyRef
    canceled_at: Instant | None = None


class TenantCreated(Incoming):
    """A tenant that is to be billed."""

    tenant_id: UUID


class PaymentCaptured(Incoming):
    """Money that the processor has taken for a folio.

    `allowCredit` says that it was wanted as a deposit. What others have paid already of the same
    debt goes back otherwise.
    """

    payment_id: Token
    folio_id: FolioRef
    amount: Payable
    payment_method_token: PaymentToken | None = None
    allow_credit: bool = False


class ChargeAtTill(Incoming):
    """What a guest consumed at a point of sale, for a folio or for the folio of a reservation.

    The point of sale and the number of its check, with the line where a check has several, name the
    charge for ever: told again, by whatever event, it is the same one (BEY-13).
    """

    property_id: PropertyRef
    folio_id: FolioRef | None = None
    reservation_id: Token | None = None
    window: Word = "guest"
    point_of_sale: TillName
    check_number: CheckNumber
    check_line: Annotated[int, Field(ge=1, le=9999)] | None = None
    kind: ChargeKind = ChargeKind.FOOD_BEVERAGE
    description: LocalisedText
    quantity: Quantity = "1"
    unit_amount: Amount
    amount: Payable | None = None
    service_date: Day | None = None

    @model_validator(mode="after")
    def _names_one_folio(self) -> Self:
        if (self.folio_id is None) == (self.reservation_id is None):
            raise PydanticCustomError("one_folio", "A folio or a reservation, and one of them")
        return self

    @property
    def reference(self) -> str:
        """`BAR/4711#2`: neither part can hold the sign that ends it."""
        line = f"#{self.check_line}" if self.check_line else ""
        return f"{self.point_of_sale}/{self.check_number}{line}"

    def charge(self, moment: Moment) -> Charge:
        """Refuses: AmountNotPositive, AmountDiffers, AmountOutOfRange."""
        return Charge(
            id=moment.new_id(ChargeId),
            kind=self.kind,
            description=self.description,
            quantity=self.quantity,
            unit_amount=self.unit_amount,
            amount=Charge.price(self.quantity, self.unit_amount, self.amount),
            service_date=self.service_date,
            source=Source.POINT_OF_SALE,
            external_reference=self.reference,
        )


class SignalTold(Incoming):
    """Something odd about a folio, or a payment, a payment that is to be taken, or a refund of it,
    as the orchestrator sees it."""

    folio_id: FolioRef
    payment_id: PaymentRef | None = None
    refund_id: RefundRef | None = None
    payment_intent_id: PaymentIntentRef | None = None
    pattern: Suspicion
    score_ppm: Annotated[int, Field(ge=0, le=SCORE_MAX)]
    figures: Annotated[dict[Token, int], Field(max_length=20)] = {}
    source: Token

    @property
    def subject(self) -> str:
        """The narrowest thing that it is about."""
        return self.refund_id or self.payment_id or self.payment_intent_id or self.folio_id

    def finding(self) -> Finding:
        """What was found."""
        return Finding(
            pattern=self.pattern,
            subject=self.subject,
            score_ppm=self.score_ppm,
            figures=dict(self.figures),
        )


class RefundMade(Incoming):
    """A refund that the processor has made."""

    refund_id: RefundRef
    folio_id: FolioRef


class RefundNotMade(RefundMade):
    """A refund that the processor has refused for good, and why, in its own words."""

    failure_code: Token
