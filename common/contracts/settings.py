"""The document of a tenant's settings: what the tenant service tells us, and what we keep of it.

A version is kept as one JSON document. It is read back through the same shape, so that a field that
is added later has its default for the versions that were written before.
"""

import json
from datetime import datetime, time, timedelta
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import ConfigDict, Field, model_validator

from common.contracts.fields import (
    Amount,
    AmountNotNegative,
    CurrencyCode,
    Day,
    Instant,
    Language,
    Name,
    TaxNumber,
    Token,
    Word,
    ZoneName,
)
from common.contracts.fx import FxSnapshotShape
from common.contracts.shapes import Shape
from common.domain.dunning import DunningTerms
from common.domain.fx import FxRates, FxSnapshot
from common.domain.identifiers import PropertyId, TenantId
from common.domain.money import Currency
from common.domain.prepaid_terms import CREDIT_MICRO, CreditTerms
from common.domain.risk import (
    CHALLENGE_AT,
    REVIEW_AT,
    SCORE_MAX,
    USUAL_RULES,
    Course,
    RiskRule,
    RiskTerms,
    Subject,
)
from common.domain.settings import (
    CancellationPolicy,
    Issuer,
    Property,
    Settings,
    untaxed_until,
)
from common.domain.tax import TaxRule

Jurisdiction = Annotated[str, Field(pattern="^[A-Z]{2}(-[A-Z0-9]{1,12})?$")]
TemplateVersion = Annotated[str, Field(pattern="^[a-z]+(-[a-z]+)*-[0-9]{1,4}$")]
NumberPrefix = Annotated[str, Field(pattern="^[A-Z0-9]{1,8}$")]


class _Part(Shape):
    model_config = ConfigDict(extra="ignore")


class IssuerShape(_Part):
    """Who stands at the head of an invoice."""

    name: Name
    address_lines: tuple[Name, ...] = ()
    tax_id: TaxNumber | Literal[""] = ""
    country: Annotated[str, Field(pattern="^[A-Z]{2}$")]


class PropertyShape(_Part):
    """A hotel; `dayClose` is local time. `allowUntaxed` ends by itself at the hotel's midnight, or
    at an `untaxedUntil` before it; who gives that alone switches it on as well. `taxCurrency` is
    the one in which the law wants tax said on documents in another (EN 16931 BT-6)."""

    id: UUID
    name: Name
    code: Annotated[str, Field(pattern="^[A-Z0-9]{2,8}$")]
    time_zone: ZoneName
    day_close: time = time(0)
    currency: CurrencyCode
    jurisdiction: Jurisdiction
    tax_currency: CurrencyCode | None = None
    allow_untaxed: bool = False
    untaxed_until: Instant | None = None

    def in_force(self, before: "PropertyShape | None", now: datetime) -> "PropertyShape":
        """The property as it is kept from now on; `before` is how it was kept, if it was.

        Refuses: TimeZoneUnknown.
        """
        until = untaxed_until(
            allowed=self.switches_taxes_off,
            was_allowed=before is not None and before.switches_taxes_off,
            until=before.untaxed_until if before else None,
            zone=self.time_zone,
            now=now,
        )
        if until and self.untaxed_until:
            until = min(until, self.untaxed_until)
        return self.model_copy(update={"untaxed_until": until})

    @property
    def switches_taxes_off(self) -> bool:
        return self.allow_untaxed or self.untaxed_until is not None

    def property(self) -> Property:
        return Property(
            id=PropertyId(self.id),
            name=self.name,
            code=self.code,
            time_zone=self.time_zone,
            day_close=self.day_close,
            currency=self.currency,
            jurisdiction=self.jurisdiction,
            tax_currency=self.tax_currency,
            untaxed_until=self.untaxed_until,
        )


class CancellationPolicyShape(_Part):
    """What is kept of what was paid ahead: `forfeitPpm` millionths of it, taxes included, of a stay
    that is canceled fewer than `freeUntilDaysBefore` days before the arrival."""

    free_until_days_before: Annotated[int, Field(ge=0, le=3650)]
    forfeit_ppm: Annotated[int, Field(ge=0, le=1_000_000)]

    def policy(self) -> CancellationPolicy:
        return CancellationPolicy(
            free_until_days_before=self.free_until_days_before, forfeit_ppm=self.forfeit_ppm
        )


class TaxRuleShape(_Part):
    """One tax of a jurisdiction; exactly one of the rate and the fixed amounts is given."""

    code: Token
    name: Name
    jurisdiction: Jurisdiction
    charge_kinds: Annotated[tuple[Word, ...], Field(min_length=1)]
    rate_ppm: int | None = None
    per_night: Amount | None = None
    per_person_night: Amount | None = None
    inclusive: bool = False
    order: int = 0
    valid_from: Day
    valid_to: Day | None = None
    exemptions: tuple[Word, ...] = ()
    long_stay_over_nights: int | None = None
    cap_nights: int | None = None
    from_age: int = 0
    category: Annotated[str, Field(pattern="^[A-Z]{1,3}$")] = "S"
    levy: bool = False

    def rule(self) -> TaxRule:
        """Refuses: TaxRuleInvalid."""
        return TaxRule(
            code=self.code,
            name=self.name,
            jurisdiction=self.jurisdiction,
            charge_kinds=frozenset(self.charge_kinds),
            rate_ppm=self.rate_ppm,
            per_night=self.per_night,
            per_person_night=self.per_person_night,
            inclusive=self.inclusive,
            order=self.order,
            valid_from=self.valid_from,
            valid_to=self.valid_to,
            exemptions=frozenset(self.exemptions),
            long_stay_over_nights=self.long_stay_over_nights,
            cap_nights=self.cap_nights,
            from_age=self.from_age,
            category=self.category,
            levy=self.levy,
        )


class CreditTermsShape(_Part):
    """What was agreed on about prepaid credits: whole credits, but for the price (CRD-6, CRD-8)."""

    per_currency_unit: Annotated[int, Field(ge=1, le=1_000_000)] = 100
    currency: CurrencyCode = Currency("USD")
    minimum_purchase: Annotated[int, Field(ge=1, le=1_000_000_000)] = 500
    maximum_purchase: Annotated[int, Field(ge=1, le=1_000_000_000)] = 100_000
    maximum_balance: Annotated[int, Field(ge=1, le=1_000_000_000)] = 1_000_000
    free_monthly: Annotated[int, Field(ge=0, le=1_000_000_000)] = 0
    unlimited: bool = False

    def terms(self) -> CreditTerms:
        return CreditTerms(
            per_currency_unit=self.per_currency_unit,
            currency=self.currency,
            minimum_purchase_micro=self.minimum_purchase * CREDIT_MICRO,
            maximum_purchase_micro=self.maximum_purchase * CREDIT_MICRO,
            maximum_balance_micro=self.maximum_balance * CREDIT_MICRO,
            free_monthly_micro=self.free_monthly * CREDIT_MICRO,
            unlimited=self.unlimited,
        )


class DunningShape(_Part):
    """What was agreed on about charges that are declined, in days since the first one (SUB-7)."""

    retry_days: tuple[Annotated[int, Field(ge=1, le=90)], ...] = (1, 3, 5, 7)
    grace_days: Annotated[int, Field(ge=0, le=90)] = 3
    cap_days: Annotated[int, Field(ge=1, le=90)] = 14

    def terms(self) -> DunningTerms:
        return DunningTerms(
            retry_days=self.retry_days, grace_days=self.grace_days, cap_days=self.cap_days
        )


class RiskRuleShape(_Part):
    """At most `countMax` attempts to pay, or `sumMax` in all, are usual of a subject in a window.

    What is more has points, and the rule's own course, if it is to have one.
    """

    name: Word
    subject: Literal["buyer", "tenant", "card", "address"]
    window_seconds: Annotated[int, Field(ge=60, le=31 * 24 * 3600)]
    count_max: Annotated[int, Field(ge=0, le=1_000_000)] | None = None
    sum_max: AmountNotNegative | None = None
    points: Annotated[int, Field(ge=0, le=SCORE_MAX)] = 0
    course: Literal["pass", "challenge", "review", "refuse"] = "pass"
    exact: bool = False

    @model_validator(mode="after")
    def _limits_one_thing(self) -> Self:
        if (self.count_max is None) == (self.sum_max is None):
            raise ValueError("a rule limits a count or a sum")
        return self

    def rule(self) -> RiskRule:
        return RiskRule(
            name=self.name,
            subject=Subject(self.subject),
            window=timedelta(seconds=self.window_seconds),
            count_max=self.count_max,
            sum_max=self.sum_max,
            points=self.points,
            course=Course(self.course),
            exact=self.exact,
        )


class RiskTermsShape(_Part):
    """The rules that attempts to pay are held against, and the scores from which a bank
    (`challengeAt`) or a person (`reviewAt`) is asked; 101 is never. No `rules` are the usual ones,
    and an empty list is none."""

    challenge_at: Annotated[int, Field(ge=1, le=SCORE_MAX + 1)] = CHALLENGE_AT
    review_at: Annotated[int, Field(ge=1, le=SCORE_MAX + 1)] = REVIEW_AT
    rules: Annotated[tuple[RiskRuleShape, ...], Field(max_length=20)] | None = None

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = [rule.name for rule in self.rules or ()]
        if len(set(names)) < len(names):
            raise ValueError("two rules have one name")
        return self

    def terms(self) -> RiskTerms:
        rules = self.rules
        return RiskTerms(
            challenge_at=self.challenge_at,
            review_at=self.review_at,
            rules=USUAL_RULES if rules is None else tuple(rule.rule() for rule in rules),
        )


class SettingsShape(_Part):
    """All settings of a tenant but its tax rules."""

    issuer: IssuerShape
    properties: tuple[PropertyShape, ...] = ()
    eager_open: bool = True
    show_fx_at_close: bool = False
    rounds_tax_per_invoice: bool = False
    residual_minor_units_per_foreign_payment: Annotated[int, Field(ge=0, le=100)] = 1
    no_show_fee_ppm: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    late_check_out_fee_ppm: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    cancellation_policy: CancellationPolicyShape | None = None
    numbers_restart_yearly: bool = True
    number_prefix: NumberPrefix = "INV"
    credit_note_prefix: NumberPrefix = "CN"
    language: Language = "en"
    invoice_template: TemplateVersion = "invoice-2"
    credit_note_template: TemplateVersion = "credit-note-2"
    invoice_templates: dict[TemplateVersion, TemplateVersion] = {}
    logo_sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None = None
    fx_rates: tuple[FxSnapshotShape, ...] = ()
    blind_count: bool = True
    cash_variance_thresholds: tuple[AmountNotNegative, ...] = ()
    credits: CreditTermsShape = CreditTermsShape()
    risk_rules: RiskTermsShape = RiskTermsShape()
    dunning: DunningShape = DunningShape()

    @model_validator(mode="after")
    def _numbers_differ(self) -> Self:
        if self.number_prefix == self.credit_note_prefix:
            raise ValueError("an invoice and a credit note would bear the same number")
        return self

    def in_force(self, before: dict[str, Any], now: datetime) -> dict[str, Any]:
        """The settings as they are kept from now on; `before` is the newest version.

        Refuses: FxRateInvalid, TimeZoneUnknown.
        """
        self.rates()
        texts = [json.dumps(kept) for kept in before.get("properties", ())]
        by_id = {shape.id: shape for shape in map(PropertyShape.model_validate_json, texts)}
        properties = tuple(each.in_force(by_id.get(each.id), now) for each in self.properties)
        return self.model_copy(update={"properties": properties}).model_dump(mode="json")

    def rates(self) -> tuple[FxSnapshot, ...]:
        """The rates of exchange, each pair once.

        Refuses: FxRateInvalid.
        """
        snapshots = tuple(rate.snapshot() for rate in self.fx_rates)
        for quote in {snapshot.quote for snapshot in snapshots}:
            FxRates(tuple(snapshot for snapshot in snapshots if snapshot.quote == quote))
        return snapshots


class SettingsDocument(SettingsShape):
    """A version of the settings, tax rules included, as it is kept."""

    tax_rules: tuple[TaxRuleShape, ...] = ()

    def settings(self, tenant_id: UUID, version: int) -> Settings:
        """The settings that the rules read. Refuses: FxRateInvalid, TaxRuleInvalid."""
        return Settings(
            tenant_id=TenantId(tenant_id),
            version=version,
            issuer=Issuer(**self.issuer.model_dump(by_alias=False), logo_sha256=self.logo_sha256),
            eager_open=self.eager_open,
            show_fx_at_close=self.show_fx_at_close,
            rounds_tax_per_invoice=self.rounds_tax_per_invoice,
            residual_minor_units_per_foreign_payment=(
                self.residual_minor_units_per_foreign_payment
            ),
            no_show_fee_ppm=self.no_show_fee_ppm,
            late_check_out_fee_ppm=self.late_check_out_fee_ppm,
            cancellation_policy=(
                self.cancellation_policy.policy() if self.cancellation_policy else None
            ),
            numbers_restart_yearly=self.numbers_restart_yearly,
            number_prefix=self.number_prefix,
            credit_note_prefix=self.credit_note_prefix,
            language=self.language,
            invoice_template=self.invoice_template,
            credit_note_template=self.credit_note_template,
            templates_put_back=self.invoice_templates,
            fx_rates=self.rates(),
            tax_rules=tuple(rule.rule() for rule in self.tax_rules),
            blind_count=self.blind_count,
            cash_variance_thresholds={
                threshold.currency: threshold for threshold in self.cash_variance_thresholds
            },
            properties={PropertyId(shape.id): shape.property() for shape in self.properties},
            credits=self.credits.terms(),
            risk=self.risk_rules.terms(),
            dunning=self.dunning.terms(),
        )
