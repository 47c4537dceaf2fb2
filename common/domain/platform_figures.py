"""The platform's figures of some days: what it earns, whom it wins and loses, what it is owed.

Days are those of UTC, and both ends are in. Everything is a sum of what had been written down by
the end of the last day, so that a day of the past is answered as on that day; a day that is not
over yet is answered as it is. Rates are in basis points, ten thousandths; nothing is divided by
nothing: such a figure is None. Amounts are micro units of one currency; currencies are never added.

A customer is a tenant whose subscription is worth something (`common.domain.recurring_revenue`).
An invoice is charged when it is issued, and is overdue a day later; one that is
open and was not charged for fourteen days, the cap of dunning, is charged no more.
"""

from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from common.domain.account_statement import PeriodInvalid, must_be_a_period
from common.domain.dataclass import dataclass
from common.domain.identifiers import PropertyId
from common.domain.money import Currency, Money, divided
from common.domain.period import MONTHS_PER_YEAR, seconds_between
from common.domain.recurring_revenue import MovementKind
from common.domain.revenue_bridge import Bridge, Recognition

BASIS_POINTS: Final = 10_000
MONTH_SECONDS: Final = 2_629_746
"""A twelfth of a year of 365.2425 days: what a month is on average."""
DAYS_MAX: Final = 3_660
SETTLES_WITHIN: Final = timedelta(minutes=5)
"""When a day is over, no transaction is under way any more that began in it."""


@dataclass(frozen=True, slots=True)
class Days:
    """Days of UTC, as instants: from `start` until just before `end`."""

    start: datetime
    end: datetime
    is_final: bool

    @classmethod
    def of(cls, first: date, last: date, now: datetime) -> "Days":
        """Both days are in it; of one that is not over, what there is of it.

        Refuses: PeriodInvalid, also for what has not begun, and for more than ten years.
        """
        must_be_a_period(first, last)
        start = datetime.combine(first, time.min, UTC)
        if start > now or (last - first).days >= DAYS_MAX:
            raise PeriodInvalid("The days have not begun, or are more than ten years.")
        end = datetime.combine(last, time.min, UTC) + timedelta(days=1)
        return cls(start, min(end, now), is_final=now >= end + SETTLES_WITHIN)


class Figure(StrEnum):
    """What can be looked behind: each figure is made of these rows."""

    MRR = "mrr"
    NEW = "new"
    EXPANSION = "expansion"
    CONTRACTION = "contraction"
    CHURN = "churn"
    REACTIVATION = "reactivation"
    INVOICED = "invoiced"
    OUTSTANDING = "outstanding"
    OVERDUE = "overdue"
    NEVER_CHARGED = "never_charged"
    NOT_RETRIED = "not_retried"
    USAGE_NOT_INVOICED = "usage_not_invoiced"
    LATE_USAGE = "late_usage"
    DUNNED = "dunned"
    RECOVERED = "recovered"
    REFUNDED = "refunded"
    UNTAXED = "untaxed"
    TRIALS_ENDED = "trials_ended"
    TRIALS_CONVERTED = "trials_converted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Behind:
    """A row behind a figure; `key` is its place in the list. A trial has no amount, nor has a
    record of usage. What came late is of a meter in a period of its subscription."""

    key: str
    tenant_id: UUID
    subscription_id: str
    invoice_id: str | None
    number: str | None
    amount: Money | None
    at: datetime
    meter: str | None = None
    usage_period: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Customers:
    """How many there were before and after, and how many of those before are none after."""

    before: int = 0
    after: int = 0
    lost: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Debts:
    """What invoices were open at the end: all, those overdue, and of these the ones that nobody has
    ever charged, and those that were declined and are charged no more."""

    outstanding: Money
    overdue: Money
    never_charged: Money
    not_retried: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Dunned:
    """What was declined for the first time in these days, and was paid by their end."""

    declined: Money
    recovered: Money

    @property
    def recovery(self) -> int | None:
        """In basis points of what was declined."""
        return share_of(self.recovered.amount_micro, self.declined.amount_micro)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reversed:
    """What became of the money of invoices: `refunded` is what credit notes of these days have
    taken back of what was invoiced, without tax, and `lost` what banks got in them; `disputed` is
    what is withheld for banks at the end."""

    refunded: Money
    disputed: Money
    lost: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class LateUsage:
    """What came after its period was billed and is on no invoice yet, at the end: how many events,
    and what it will cost, without tax: below zero where a lower volume price was reached."""

    events: int
    amount: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Trials:
    """How many began, how many ended, and how many of these are worth something since."""

    began: int = 0
    ended: int = 0
    converted: int = 0

    @property
    def conversion(self) -> int | None:
        """In basis points of those that ended."""
        return share_of(self.converted, self.ended)


@dataclass(frozen=True, slots=True, kw_only=True)
class Revenue:
    """See the module; all of one currency. `untaxed` is what was invoiced, without tax, while the
    platform had named no seller who charges one."""

    days: Days
    bridge: Bridge
    customers: Customers
    recognition: Recognition
    debts: Debts
    dunned: Dunned
    reversed: Reversed
    untaxed: Money
    late_usage: LateUsage

    @property
    def currency(self) -> Currency:
        return self.bridge.closing.currency

    @property
    def arr(self) -> Money:
        """Twelve times what a month is worth."""
        return self.bridge.closing.times_micro(MONTHS_PER_YEAR)

    @property
    def arpu(self) -> Money | None:
        """What a month is worth by customer, in whole micro units."""
        after = self.customers.after
        return self.bridge.closing.times_micro(1, after) if after else None

    @property
    def revenue_churn(self) -> int | None:
        """What was lost and what shrank, in basis points of the worth before."""
        moved = self.bridge.moved
        lost = moved[MovementKind.CHURN] + moved[MovementKind.CONTRACTION]
        return share_of(-lost.amount_micro, self.bridge.opening.amount_micro)

    @property
    def logo_churn(self) -> int | None:
        """Customers that were lost, in basis points of those before."""
        return share_of(self.customers.lost, self.customers.before)

    @property
    def lifetime_value(self) -> Money | None:
        """What a customer is worth until it is lost, if customers are lost as in these days: ARPU
        by the part of them that is lost in a month. None where none was."""
        arpu, known = self.arpu, self.customers
        if arpu is None or not known.before or not known.lost:
            return None
        seconds = seconds_between(self.days.start, self.days.end)
        return arpu.times_micro(known.before * seconds, known.lost * MONTH_SECONDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListAsked:
    """What somebody wants to look behind, and how far they have come."""

    figure: Figure
    days: Days
    limit: int
    cursor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Credits:
    """Prepaid credits of a tenant in these days, in micro credits: granted, consumed (spent and
    captured), metered (what of it was free included), expired, taken back, and redeemed: what
    settled guests' bills, which the platform owes the house, less what came back of them."""

    tenant_id: UUID
    granted_micro: int
    consumed_micro: int
    metered_micro: int
    expired_micro: int
    taken_back_micro: int
    redeemed_micro: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OwedToHouse:
    """What the platform owes a house at the end of these days, for guests' bills that were settled
    with prepaid credits: what stands on its `credits_clearing`, by currency."""

    tenant_id: UUID
    property_id: PropertyId
    amount: Money


def share_of(part: int, whole: int) -> int | None:
    """A part in basis points of a whole, half away from zero; None of nothing."""
    return divided(part * BASIS_POINTS, whole) if whole > 0 else None
