"""Events of other services, as far as we read them: unknown fields are passed over.

Their types are `melmastoon.<service fact>.v1`; the tenant comes from the event's `tenantid`.
"""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from common.contracts.fields import CurrencyCode, Day, FolioRef, Name, Payable, Token, Word
from common.contracts.settings import FxSnapshotShape, SettingsShape, TaxRuleShape
from common.contracts.shapes import Incoming


class ReservationGuest(Incoming):
    """Who arrives."""

    name: Name
    address_lines: tuple[Name, ...] = ()
    tax_id: Token | None = None
    exemptions: tuple[Word, ...] = ()


class Reservation(Incoming):
    """A stay that was booked, or has begun."""

    reservation_id: Token
    property_id: UUID
    guest: ReservationGuest
    arrival: Day
    departure: Day
    window: Word = "guest"
    windows: tuple[Word, ...] = ()
    routing: dict[Word, Word] = {}
    currency: CurrencyCode | None = None
    fx_snapshots: tuple[FxSnapshotShape, ...] = ()


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
    payment_method_token: Token | None = None
