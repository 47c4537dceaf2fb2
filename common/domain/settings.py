"""What a tenant has decided: its properties, its tax rules, and how its hotel bills.

Settings are versioned as a whole and never overwritten. A transaction sees one version from its
beginning to its end, and every charge names the version that it was taxed under, so that a price
can be explained years later by the rules of its day.
"""

from collections.abc import Iterable
from dataclasses import field
from datetime import date, datetime, time
from typing import ClassVar

from common.domain.aggregate import Aggregate, Fact
from common.domain.business_date import (
    business_date,
    end_of_business_day,
    midnight_after,
    start_of_business_day,
)
from common.domain.dataclass import dataclass
from common.domain.dunning import DunningTerms
from common.domain.fx import FxSnapshot
from common.domain.identifiers import PropertyId, TenantId
from common.domain.money import Currency, Money
from common.domain.prepaid_terms import CreditTerms
from common.domain.refusal import Missing
from common.domain.risk import RiskTerms
from common.domain.tax import TaxRule


class PropertyUnknown(Missing):
    code = "PROPERTY_UNKNOWN"
    title = "There is no such property"


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuer:
    """Who stands at the head of an invoice; a logo is named by the hash of its picture."""

    name: str
    address_lines: tuple[str, ...]
    tax_id: str
    country: str
    logo_sha256: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Property:
    """A hotel. Its business day ends at `day_close`, local time, not at midnight in Greenwich.

    `tax_currency` is what the law of its jurisdiction wants tax said in, whatever it bills in.
    """

    id: PropertyId
    name: str
    code: str
    time_zone: str
    day_close: time
    currency: Currency
    jurisdiction: str
    tax_currency: Currency | None = None
    untaxed_until: datetime | None = None

    def business_date(self, moment: datetime) -> date:
        """The business date that a moment belongs to at this property."""
        return business_date(moment, self.time_zone, self.day_close)

    def calendar_date(self, moment: datetime) -> date:
        """What the calendar on the wall says at this property, whatever the business date is."""
        return business_date(moment, self.time_zone, time.min)

    def hours_of(self, day: date) -> tuple[datetime, datetime]:
        """The instants at which a business date opens and is over, at this property."""
        return (
            start_of_business_day(day, self.time_zone, self.day_close),
            end_of_business_day(day, self.time_zone, self.day_close),
        )

    def allows_untaxed(self, moment: datetime) -> bool:
        """Whether charges without a tax rule may be posted for now (TAX-2)."""
        return self.untaxed_until is not None and moment < self.untaxed_until


@dataclass(frozen=True, slots=True, kw_only=True)
class CancellationPolicy:
    """What the house keeps of what was paid ahead: `forfeit_ppm` millionths of it, taxes included,
    of a stay that is canceled fewer than `free_until_days_before` days before the arrival."""

    free_until_days_before: int
    forfeit_ppm: int


def untaxed_until(
    *, allowed: bool, was_allowed: bool, until: datetime | None, zone: str, now: datetime
) -> datetime | None:
    """The instant at which a permission to charge untaxed ends; None where there is none (TAX-2).

    It is for one day: switched on, it ends at the property's next midnight, and settings that go on
    saying that it is on do not renew it. It is switched off before it can be switched on again. An
    end that was kept before there was this rule, and is further off, is brought to that midnight.
    Refuses: TimeZoneUnknown.
    """
    if not allowed:
        return None
    midnight = midnight_after(now, zone)
    return min(until, midnight) if was_allowed and until else midnight


@dataclass(frozen=True, kw_only=True)
class SettingsChanged(Fact):
    """A new version is in force; `parts` are what it replaced."""

    name = "settings.changed"
    parts: tuple[str, ...]


@dataclass(kw_only=True)
class SettingsRecord(Aggregate):
    """The trail of a tenant's settings: `document_sha256` is the newest version's."""

    kind: ClassVar[str] = "settings"
    id: str = "settings"
    document_sha256: str = ""

    def state(self) -> dict[str, object]:
        return {"version": self.version, "documentSha256": self.document_sha256}

    def changed(self, document_sha256: str, parts: Iterable[str]) -> SettingsChanged:
        """Note that a version has come into force."""
        self.document_sha256 = document_sha256
        return SettingsChanged(
            subject=self, sequence=self.next_sequence(), parts=tuple(sorted(parts))
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One version of a tenant's settings."""

    tenant_id: TenantId
    version: int
    issuer: Issuer
    eager_open: bool = True
    show_fx_at_close: bool = False
    rounds_tax_per_invoice: bool = False
    residual_minor_units_per_foreign_payment: int = 1
    no_show_fee_ppm: int = 0
    late_check_out_fee_ppm: int = 0
    cancellation_policy: CancellationPolicy | None = None
    numbers_restart_yearly: bool = True
    number_prefix: str = "INV"
    credit_note_prefix: str = "CN"
    language: str = "en"
    invoice_template: str = "invoice-2"
    credit_note_template: str = "credit-note-2"
    templates_put_back: dict[str, str] = field(default_factory=dict)
    fx_rates: tuple[FxSnapshot, ...] = ()
    tax_rules: tuple[TaxRule, ...] = ()
    blind_count: bool = True
    cash_variance_thresholds: dict[Currency, Money] = field(default_factory=dict)
    properties: dict[PropertyId, Property] = field(default_factory=dict)
    credits: CreditTerms = field(default_factory=CreditTerms)
    risk: RiskTerms = field(default_factory=RiskTerms)
    dunning: DunningTerms = field(default_factory=DunningTerms)

    def property(self, property_id: PropertyId) -> Property:
        """A property of this tenant. Refuses: PropertyUnknown."""
        found = self.properties.get(property_id)
        if found is None:
            raise PropertyUnknown()
        return found

    def year_of_series(self, property_id: PropertyId, now: datetime) -> int:
        """The year whose series numbers the documents of a property now; 0 where none restarts."""
        on = self.property(property_id).business_date(now)
        return on.year if self.numbers_restart_yearly else 0

    def template_in_use(self, version: str) -> str:
        """The template to draw with where one was put back to an earlier version."""
        return self.templates_put_back.get(version, version)

    def is_beyond_threshold(self, variance: Money) -> bool:
        """Whether a drawer may not be that far off without somebody explaining it (CASH-5)."""
        threshold = self.cash_variance_thresholds.get(
            variance.currency, Money.zero(variance.currency)
        )
        return abs(variance) > threshold

    def rates_to(self, quote: Currency) -> tuple[FxSnapshot, ...]:
        """Today's rates that lead to a currency, to be pinned when a folio opens."""
        return tuple(rate for rate in self.fx_rates if rate.quote == quote)
