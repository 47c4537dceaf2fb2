"""An account of credits that is filled up by itself when it runs low.

Whoever sets it says below which balance, by how many credits, from which payment method, and how
many credits at most in a calendar month (UTC). A top-up is a purchase as any other; it is started
by a job, outside of the transaction that spent, and only one of an account is under way at a time:
the database refuses a second one.

What is not paid is tried again three times, each after a longer pause, and then no more until
somebody sets it anew: a card that is declined for ever would be asked for ever. Each failure is
told, with when it is tried again.
"""

from dataclasses import field
from datetime import UTC, datetime, timedelta
from typing import ClassVar, Final

from common.domain.aggregate import Aggregate, Fact
from common.domain.credit_purchase import must_be_sold
from common.domain.dataclass import dataclass
from common.domain.identifiers import AutoTopUpId, CreditAccountId, StoredMethodId
from common.domain.moment import Moment
from common.domain.prepaid_account import CreditAccount, CreditBalanceLimit
from common.domain.refusal import Missing, Unmet
from common.domain.stored_method import StoredMethod

PAUSES: Final = (timedelta(hours=1), timedelta(hours=6), timedelta(hours=24))
"""How long after each failure in a row it is tried again; after one more it is not."""
CAP_REACHED: Final = "monthly_cap_reached"


class AutoTopUpUnknown(Missing):
    code = "AUTO_TOP_UP_UNKNOWN"
    title = "This account is not filled up by itself"


class MonthlyCapTooSmall(Unmet):
    code = "MONTHLY_CAP_TOO_SMALL"
    title = "The monthly cap is less than one top-up"


@dataclass(frozen=True, slots=True, kw_only=True)
class TopUpTerms:
    """Below which balance, by how much, and how much in a month at most, in micro credits."""

    threshold_micro: int
    credits_micro: int
    monthly_cap_micro: int


@dataclass(frozen=True, kw_only=True)
class TopUpFact(Fact):
    """Something that happened to the topping up of an account."""

    subject: "AutoTopUp" = field(repr=False, compare=False)


@dataclass(frozen=True, kw_only=True)
class TopUpSet(TopUpFact):
    """Somebody has set how an account is filled up, or that it is no more."""

    name = "auto_top_up.set"


@dataclass(frozen=True, kw_only=True)
class TopUpStarted(TopUpFact):
    """The account was low, and credits are bought for it."""

    name = "auto_top_up.started"


@dataclass(frozen=True, kw_only=True)
class TopUpFailed(TopUpFact):
    """Credits could not be bought; `subject.next_attempt_at` says when it is tried again."""

    name = "auto_top_up.failed"


@dataclass(frozen=True, kw_only=True)
class TopUpPaid(TopUpFact):
    """It was paid: failures before it count no more."""

    name = "auto_top_up.paid"


@dataclass(kw_only=True)
class AutoTopUp(Aggregate):
    """See the module. `failures` are those in a row.

    `next_attempt_at` is when an account that is low may be filled up next: None once that has
    failed too often, or is switched off.
    """

    kind: ClassVar[str] = "auto_top_up"
    id: AutoTopUpId
    account_id: CreditAccountId
    account: str
    is_on: bool
    terms: TopUpTerms
    method_id: StoredMethodId
    set_at: datetime
    failures: int = 0
    next_attempt_at: datetime | None = None

    @classmethod
    def of(
        cls, account: CreditAccount, method: StoredMethod, terms: TopUpTerms, moment: Moment
    ) -> "AutoTopUp":
        """An account that nobody has set anything for yet."""
        return cls(
            id=moment.new_id(AutoTopUpId),
            account_id=account.id,
            account=account.name,
            is_on=False,
            terms=terms,
            method_id=method.id,
            set_at=moment.now,
        )

    def set(
        self,
        account: CreditAccount,
        method: StoredMethod,
        terms: TopUpTerms,
        *,
        is_on: bool,
        moment: Moment,
    ) -> TopUpSet:
        """Set how the account is filled up from now on; what has failed before counts no more.

        Refuses: PaymentMethodRemoved, PaymentMethodForStays, MonthlyCapTooSmall,
        CreditPurchaseTooSmall, CreditPurchaseTooLarge, CreditBalanceLimit.
        """
        method.must_pay_the_platform()
        must_be_sold(terms.credits_micro, moment.settings.credits)
        if terms.monthly_cap_micro < terms.credits_micro:
            raise MonthlyCapTooSmall(creditsMicro=terms.credits_micro)
        most = moment.settings.credits.maximum_balance_micro
        if terms.threshold_micro + terms.credits_micro > most:
            raise CreditBalanceLimit(account=account.name, maximumMicro=most)
        self.is_on, self.terms, self.method_id = is_on, terms, method.id
        self.failures, self.set_at = 0, moment.now
        self.next_attempt_at = moment.now if is_on else None
        return TopUpSet(subject=self, sequence=self.next_sequence())

    def is_due(self, account: CreditAccount, moment: Moment) -> bool:
        """Whether credits are to be bought for the account now."""
        at = self.next_attempt_at
        return account.is_low and self.is_on and at is not None and at <= moment.now

    def start(self) -> TopUpStarted:
        """Credits are bought; until that is settled no other purchase of it is started."""
        return TopUpStarted(subject=self, sequence=self.next_sequence())

    def is_capped(self, bought_micro: int) -> bool:
        """Whether one more would be beyond the month's cap."""
        return bought_micro + self.terms.credits_micro > self.terms.monthly_cap_micro

    def wait_for_next_month(self, moment: Moment) -> TopUpFailed:
        """The month's cap is reached: it goes on with the next one."""
        self.next_attempt_at = month_after(moment.now)
        return TopUpFailed(subject=self, sequence=self.next_sequence(), reason=CAP_REACHED)

    def failed(self, code: str, moment: Moment) -> TopUpFailed:
        """It was not paid: try again after a while, or no more."""
        pause = PAUSES[self.failures] if self.failures < len(PAUSES) else None
        self.failures += 1
        self.next_attempt_at = moment.now + pause if pause and self.is_on else None
        return TopUpFailed(subject=self, sequence=self.next_sequence(), reason=code)

    def paid(self) -> TopUpPaid | None:
        """It was paid; None where nothing had failed before."""
        if self.failures == 0:
            return None
        self.failures = 0
        return TopUpPaid(subject=self, sequence=self.next_sequence())

    def state(self) -> dict[str, object]:
        """What the audit trail digests."""
        return {
            "id": self.id,
            "accountId": self.account_id,
            "isOn": self.is_on,
            "thresholdMicro": self.terms.threshold_micro,
            "creditsMicro": self.terms.credits_micro,
            "monthlyCapMicro": self.terms.monthly_cap_micro,
            "paymentMethodId": self.method_id,
            "failures": self.failures,
        }


def month_of(now: datetime) -> datetime:
    """When the calendar month began, UTC."""
    return now.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def month_after(now: datetime) -> datetime:
    """When the next calendar month begins, UTC."""
    return month_of(month_of(now) + timedelta(days=32))
