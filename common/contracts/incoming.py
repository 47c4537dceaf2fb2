"""Events of other services, as far as we read them: unknown fields are passed over.

Their types are `melmastoon.<service fact>.v1`; the tenant comes from the event's `tenantid`.
"""

from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from common.contracts.fields import (
    Day,
    FolioRef,
    Payable,
    PaymentToken,
    PropertyRef,
    RefundRef,
    Token,
)
from common.contracts.opening import GuestTold, Terms
from common.contracts.settings import SettingsShape, TaxRuleShape
from common.contracts.shapes import Incoming
from common.domain.guest import Stay


class Reservation(Terms, Incoming):
    """A stay that was booked, or has begun."""

    reservation_id: Token
    property_id: PropertyRef
    guest: GuestTold
    arrival: Day
    departure: Day

    def terms(self) -> dict[str, Any]:
        """Refuses: StayInvalid, FxRateInvalid."""
        stay = Stay(arrival=self.arrival, departure=self.departure)
        return {**super().terms(), "stay": stay}


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


class RefundMade(Incoming):
    """A refund that the processor has made."""

    refund_id: RefundRef
    folio_id: FolioRef


class RefundNotMade(RefundMade):
    """A refund that the processor has refused for good, and why, in its own words."""

    failure_code: Token
