"""What the platform sells: plans, in versions that never change (SUB-1).

A new price is a new version; who has subscribed keeps theirs until they are moved. So a version is
told once and is the whole of its own trail: whoever published it confirmed all of it.

A plan without a fee is sold for a fee that is agreed with each tenant. What is None in its limits
or its credits has no limit.
"""

from dataclasses import field
from datetime import datetime
from typing import ClassVar, Final

from common.domain.aggregate import Aggregate, Fact
from common.domain.dataclass import dataclass
from common.domain.identifiers import PlanVersionId
from common.domain.money import Currency, Money
from common.domain.period import Interval
from common.domain.processor_units import takes_whole_minor_units
from common.domain.refusal import Conflict, Missing, Unmet
from common.domain.usage_price import UsagePrice

SEATS_MAX: Final = 10_000
TRIAL_DAYS: Final = 14
TRIAL_DAYS_MAX: Final = 90


class PlanUnknown(Missing):
    code = "PLAN_UNKNOWN"
    title = "There is no such plan, or no such version of it"


class PlanExists(Conflict):
    code = "PLAN_EXISTS"
    title = "There is a plan of this name already; a price change is a new version of it"


class PlanPriceInvalid(Unmet):
    code = "PLAN_PRICE_INVALID"
    title = "The fees of a plan contradict one another"


class PlanFeeMissing(Unmet):
    code = "PLAN_FEE_MISSING"
    title = "The plan has no fee of its own: the fee that was agreed is named"


class PlanFeeFixed(Unmet):
    code = "PLAN_FEE_FIXED"
    title = "The plan has a fee of its own"


class SeatsExceedPlan(Unmet):
    code = "SEATS_EXCEED_PLAN"
    title = "The plan has fewer seats, and sells no more"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanLimits:
    """What a plan includes; None is without limit. `users` are its seats."""

    projects: int | None = None
    users: int | None = None
    ai_requests: int | None = None
    storage_mb: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanFees:
    """What a period of each interval costs, and a seat beyond those included.

    Both fees or none; the same for seats. None of the first: they are agreed with each tenant; none
    of the seats': no further seats are sold. Refuses: PlanPriceInvalid.
    """

    month: Money | None = None
    year: Money | None = None
    seat_month: Money | None = None
    seat_year: Money | None = None

    def __post_init__(self) -> None:
        for one, other in ((self.month, self.year), (self.seat_month, self.seat_year)):
            if (one is None) != (other is None):
                raise PlanPriceInvalid("A fee is given for both intervals, or for none.")
        if self.month is None and self.seat_month is not None:
            raise PlanPriceInvalid("A fee that is agreed on has no further seats.")

    def of(self, interval: Interval) -> tuple[Money | None, Money | None]:
        """The fee of a period, and of a further seat in it."""
        if interval is Interval.YEAR:
            return self.year, self.seat_year
        return self.month, self.seat_month


@dataclass(frozen=True, kw_only=True)
class PlanVersionPublished(Fact):
    """A version of a plan can be subscribed to."""

    name = "plan_version.published"


@dataclass(kw_only=True)
class PlanVersion(Aggregate):
    """One version of a plan. `credits_micro` are granted a month; None needs none: it has all.
    `trial_days` are how long it can be tried (SUB-10)."""

    kind: ClassVar[str] = "plan_version"
    id: PlanVersionId
    plan: str
    number: int
    name: str
    currency: Currency
    fees: PlanFees
    credits_micro: int | None
    limits: PlanLimits = field(default_factory=PlanLimits)
    support: str
    sla: bool = False
    usage_prices: tuple[UsagePrice, ...] = ()
    trial_days: int = TRIAL_DAYS
    published_at: datetime

    def state(self) -> dict[str, object]:
        fees = (self.fees.month, self.fees.year, self.fees.seat_month, self.fees.seat_year)
        limits = self.limits
        return {
            "plan": self.plan,
            "number": self.number,
            "name": self.name,
            "currency": self.currency,
            "feesMicro": [fee and fee.amount_micro for fee in fees],
            "creditsMicro": self.credits_micro,
            "limits": [limits.projects, limits.users, limits.ai_requests, limits.storage_mb],
            "support": self.support,
            "sla": self.sla,
            "usagePrices": [price.document() for price in self.usage_prices],
            "trialDays": self.trial_days,
        }

    def published(self) -> PlanVersionPublished:
        """Tell of a new version. What a part of a period costs comes in minor units: where the
        processor does not take each of them, an invoice could be charged to nobody.

        Refuses: PlanPriceInvalid.
        """
        if not takes_whole_minor_units(self.currency):
            raise PlanPriceInvalid(f"The processor does not take every amount in {self.currency}.")
        return PlanVersionPublished(subject=self, sequence=self.next_sequence())

    def fee(self, interval: Interval, seats: int, agreed: Money | None) -> Money:
        """What a period costs with so many seats; `agreed` is for a month.

        Refuses: PlanFeeMissing, PlanFeeFixed, SeatsExceedPlan, CurrenciesDiffer, AmountOutOfRange.
        """
        fee, seat = self.fees.of(interval)
        if fee is not None and agreed is not None:
            raise PlanFeeFixed()
        further = 0 if self.limits.users is None else max(seats - self.limits.users, 0)
        if further and seat is None:
            raise SeatsExceedPlan(seats=self.limits.users)
        nothing = Money.zero(self.currency)
        if fee is None:
            if agreed is None:
                raise PlanFeeMissing()
            return nothing + agreed.times(interval.months)
        return fee + (seat or nothing).times(further)
