"""What a tenant has subscribed to. Terms are replaced as a whole, and never changed."""

from common.domain.dataclass import dataclass
from common.domain.identifiers import PlanVersionId
from common.domain.money import Money
from common.domain.period import Interval, Period
from common.domain.plan import PlanVersion
from common.domain.subscription_invoice import InvoiceLine, LineKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What is subscribed to: a version of a plan, seats, how long a period is, what it costs.

    `agreed` is the fee of a month where the plan has none of its own; `credits_micro` are granted a
    month, None where all are included.
    """

    version_id: PlanVersionId
    plan: str
    plan_version: int
    seats: int
    interval: Interval
    fee: Money
    agreed: Money | None
    credits_micro: int | None

    @classmethod
    def of(
        cls, version: PlanVersion, seats: int, interval: Interval, agreed: Money | None
    ) -> "Terms":
        """Refuses: PlanFeeMissing, PlanFeeFixed, SeatsExceedPlan, CurrenciesDiffer."""
        return cls(
            version_id=version.id,
            plan=version.plan,
            plan_version=version.number,
            seats=seats,
            interval=interval,
            fee=version.fee(interval, seats, agreed),
            agreed=agreed,
            credits_micro=version.credits_micro,
        )

    @property
    def period_credits_micro(self) -> int:
        """What is granted for a period."""
        return (self.credits_micro or 0) * self.interval.months

    def line(self, kind: LineKind, period: Period, amount: Money) -> InvoiceLine:
        return InvoiceLine(
            kind=kind,
            plan=self.plan,
            plan_version=self.plan_version,
            seats=self.seats,
            period=period,
            amount=amount,
        )

    def document(self) -> dict[str, object]:
        """As the trail keeps it."""
        return {
            "versionId": self.version_id,
            "seats": self.seats,
            "interval": self.interval.value,
            "feeMicro": self.fee.amount_micro,
            "currency": self.fee.currency,
            "agreedMicro": self.agreed and self.agreed.amount_micro,
            "creditsMicro": self.credits_micro,
        }
