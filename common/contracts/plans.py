"""How plans read on the wire: fees are money; null has no limit, or no fee of its own."""

from typing import Annotated

from pydantic import Field

from common.contracts.fields import (
    Amount,
    AmountNotNegative,
    AmountOfUnits,
    CreditsMicro,
    CurrencyCode,
    Instant,
    Name,
    Word,
)
from common.contracts.references import PlanVersionRef
from common.contracts.shapes import Outcome, Request, Shape
from common.domain.moment import Moment
from common.domain.money import CurrenciesDiffer, Currency, Money
from common.domain.plan import TRIAL_DAYS, TRIAL_DAYS_MAX, PlanFees, PlanLimits, PlanVersion
from common.domain.usage_price import PriceModel, Tier, UsagePrice, one_price_a_meter

PlanName = Annotated[Word, Field(examples=["pro"])]
Count = Annotated[int, Field(ge=1, le=10**12, examples=[10])]


class LimitsShape(Shape):
    """What is included; null is without limit. `users` are the seats."""

    projects: Count | None = None
    users: Count | None = None
    ai_requests: Count | None = None
    storage_mb: Count | None = None


UnitCount = Annotated[int, Field(ge=0, le=10**12, examples=[1000])]


class TierShape(Shape):
    """What `per` units cost, up to the unit `upTo` behind what is included; null has no end."""

    up_to: UnitCount | None = None
    price: AmountOfUnits


class UsagePriceShape(Shape):
    """What a meter's quantity costs: `tiered` by the tier of each unit, `volume` by that of all of
    them, `package` for each `per` that was begun. `included` units cost nothing."""

    meter: Word
    model: PriceModel
    per: Annotated[int, Field(ge=1, le=10**9, examples=[1000])] = 1
    included: UnitCount = 0
    tiers: Annotated[tuple[TierShape, ...], Field(min_length=1, max_length=20)]

    def price(self, currency: Currency) -> UsagePrice:
        """As the rules read it. Refuses: CurrenciesDiffer, UsagePriceInvalid."""
        if any(tier.price.currency != currency for tier in self.tiers):
            raise CurrenciesDiffer(f"The plan is sold in {currency}.")
        return UsagePrice(
            meter=self.meter,
            model=self.model,
            per=self.per,
            included=self.included,
            tiers=tuple(
                Tier(up_to=tier.up_to, price_micro=tier.price.amount_micro) for tier in self.tiers
            ),
        )

    @classmethod
    def of(cls, price: UsagePrice, currency: Currency) -> "UsagePriceShape":
        return cls(
            meter=price.meter,
            model=price.model,
            per=price.per,
            included=price.included,
            tiers=tuple(
                TierShape(up_to=tier.up_to, price=Money(tier.price_micro, currency))
                for tier in price.tiers
            ),
        )


class PlanGiven(Request):
    """What a version of a plan is to be. The fees are for a period of either interval, given
    together or not at all; those of a seat are for each beyond `limits.users`."""

    name: Name
    currency: CurrencyCode
    monthly_fee: AmountNotNegative | None = None
    yearly_fee: AmountNotNegative | None = None
    seat_monthly_fee: AmountNotNegative | None = None
    seat_yearly_fee: AmountNotNegative | None = None
    credits_micro: CreditsMicro | None = None
    limits: LimitsShape
    support: Word
    sla: bool = False
    usage_prices: Annotated[tuple[UsagePriceShape, ...], Field(max_length=50)] = ()
    trial_days: Annotated[int, Field(ge=1, le=TRIAL_DAYS_MAX)] = TRIAL_DAYS

    def version(
        self, version_id: PlanVersionRef, plan: str, number: int, at: Moment
    ) -> PlanVersion:
        """As the rules read it. Refuses: PlanPriceInvalid, UsagePriceInvalid, CurrenciesDiffer."""
        fees = (self.monthly_fee, self.yearly_fee, self.seat_monthly_fee, self.seat_yearly_fee)
        if any(fee is not None and fee.currency != self.currency for fee in fees):
            raise CurrenciesDiffer(f"The plan is sold in {self.currency}.")
        month, year, seat_month, seat_year = fees
        return PlanVersion(
            id=version_id,
            plan=plan,
            number=number,
            name=self.name,
            currency=self.currency,
            fees=PlanFees(month=month, year=year, seat_month=seat_month, seat_year=seat_year),
            credits_micro=self.credits_micro,
            limits=PlanLimits(**dict(self.limits)),
            support=self.support,
            sla=self.sla,
            usage_prices=one_price_a_meter(
                tuple(given.price(self.currency) for given in self.usage_prices)
            ),
            trial_days=self.trial_days,
            published_at=at.now,
        )


class PlanVersionView(Outcome):
    """A version of a plan. `creditsMicro` are granted a month; null has all it uses. `trialDays`
    are how long it can be tried."""

    plan_version_id: PlanVersionRef
    plan: str
    plan_version: int
    name: str
    currency: str
    monthly_fee: Amount | None
    yearly_fee: Amount | None
    seat_monthly_fee: Amount | None
    seat_yearly_fee: Amount | None
    credits_micro: int | None
    limits: LimitsShape
    support: str
    sla: bool
    usage_prices: tuple[UsagePriceShape, ...]
    trial_days: int
    published_at: Instant

    @classmethod
    def of(cls, version: PlanVersion) -> "PlanVersionView":
        fees, limits = version.fees, version.limits
        return cls(
            plan_version_id=version.id,
            plan=version.plan,
            plan_version=version.number,
            name=version.name,
            currency=version.currency,
            monthly_fee=fees.month,
            yearly_fee=fees.year,
            seat_monthly_fee=fees.seat_month,
            seat_yearly_fee=fees.seat_year,
            credits_micro=version.credits_micro,
            limits=LimitsShape(
                projects=limits.projects,
                users=limits.users,
                ai_requests=limits.ai_requests,
                storage_mb=limits.storage_mb,
            ),
            support=version.support,
            sla=version.sla,
            usage_prices=tuple(
                UsagePriceShape.of(price, version.currency) for price in version.usage_prices
            ),
            trial_days=version.trial_days,
            published_at=version.published_at,
        )
