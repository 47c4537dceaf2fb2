"""Events of other services, as far as we read them: unknown fields are passed over.

Their types are `melmastoon.<service fact>.v1`; the tenant comes from the event's `tenantid`.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import date
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from common.contracts.fields import (
    Day,
    FolioRef,
    Instant,
    LocalisedText,
    Payable,
    PaymentIntentRef,
    PaymentRef,
    PaymentToken,
    PropertyRef,
    RefundRef,
    Token,
)
from common.contracts.opening import GuestTold, Terms
from common.contracts.settings import SettingsShape, TaxRuleShape
from common.contracts.shapes import Incoming
from common.domain.cash_patterns import SCORE_MAX, Finding, Suspicion
from common.domain.folio_line import ChargeKind
from common.domain.guest import Stay
from common.domain.stay_plan import PlannedCharge


class NightPlanned(Incoming):
    """What a night costs: the room, or breakfast in a package; several may be for one night."""

    night: Day
    kind: ChargeKind = ChargeKind.ROOM
    description: LocalisedText = {"en": "Room", "de": "Zimmer", "fr": "Chambre"}
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


class TenantSettings(SettingsShape):
    """All settings of a tenant but its tax rules; they replace what was in force."""


class TenantTaxRules(Incoming):
    """All tax rules of a tenant; they replace what was in force."""

    tax_rules: Annotated[tuple[TaxRuleShape, ...], Field(max_length=1000)]


class PaymentCaptured(Incoming):
    """Money that the processor has taken for a folio."""

    payment_id: Token
    folio_id: FolioRef
    amount: Payable
    payment_method_token: PaymentToken | None = None


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
