"""How plans read on the wire: fees are money; null has no limit, or no fee of its own."""

from typing import Annotated

from pydantic import Field

from common.contracts.fields import (
    Amount,
    AmountNotNegative,
    CurrencyCode,
    Instant,
    Name,
    Word,
)
from common.contracts.prepaid import CreditsMicro
from common.contracts.references import PlanVersionRef
from common.contracts.shapes import Outcome, Request, Shape
from common.domain.moment import Moment
from common.domain.money import CurrenciesDiffer
from common.domain.plan import PlanFees, PlanLimits, PlanVersion

PlanName = Annotated[Word, Field(examples=["pro"])]
Count = Annotated[int, Field(ge=1, le=10**12, examples=[10])]


class LimitsShape(Shape):
    """What is included; null is without limit. `users` are the seats."""

    projects: Count | None = None
    users: Count | None = None
    ai_requests: Count | None = None
    storage_mb: Count | None = None


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

    def version(
        self, version_id: PlanVersionRef, plan: str, number: int, at: Moment
    ) -> PlanVersion:
        """As the rules read it. Refuses: PlanPriceInvalid, CurrenciesDiffer."""
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
            published_at=at.now,
        )


class PlanVersionView(Outcome):
    """A version of a plan. `creditsMicro` are granted a month; null has all it uses."""

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
            published_at=version.published_at,
        )
