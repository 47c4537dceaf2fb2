"""The bridge from what subscriptions are worth to what was invoiced and earned (BEY-15).

Two sums are made of the same days, each by two ways that do not know one another. What leads from
the worth at the beginning to the worth at the end are the movements between; and what was booked as
invoiced is the fees, the prorations and the usage of the lines. Of each sum it is said what of it
nobody can explain, which is nothing, or there is a mistake in the books.

An amount is earned evenly over the seconds of the time that its line is for, from the moment that
it is invoiced; usage is invoiced in arrears and is earned at once. What is invoiced and not yet
earned is deferred. What was earned by an instant is rounded once, to whole micro units, half away
from zero, and what was earned between two instants is the difference: so it adds up over any days,
and in the end to the line. A pause moves nothing here: the line says which seconds it is for.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from common.domain.dataclass import dataclass
from common.domain.money import Currency, Money, divided
from common.domain.period import Period, seconds_between
from common.domain.recurring_revenue import MovementKind
from common.domain.subscription_invoice import USED, LineKind

FEES: Final = frozenset({LineKind.PLAN_FEE})
PRORATIONS: Final = frozenset({LineKind.UNUSED, LineKind.REST, LineKind.GIVEN_BACK})


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoicedLine:
    """A line of an invoice of the platform, and when that was issued."""

    kind: LineKind
    period: Period
    amount: Money
    issued_at: datetime

    def earned(self, at: datetime) -> Money:
        """What was earned of it by then."""
        if at <= self.issued_at:
            return Money.zero(self.amount.currency)
        passed = max(seconds_between(self.period.start, at), 0)
        if self.kind in USED or passed >= self.period.seconds:
            return self.amount
        micro = divided(self.amount.amount_micro * passed, self.period.seconds)
        return Money(micro, self.amount.currency)

    def deferred(self, at: datetime) -> Money:
        """What was invoiced of it and not earned by then."""
        invoiced = at > self.issued_at
        return (self.amount if invoiced else self.amount.times(0)) - self.earned(at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recognition:
    """What was invoiced between two instants, by what it is for; what was booked as earned by
    invoices; what was earned over time; and what was deferred at both ends."""

    fees: Money
    prorations: Money
    usage: Money
    booked: Money
    earned: Money
    deferred_before: Money
    deferred_after: Money

    @property
    def invoiced(self) -> Money:
        return self.fees + self.prorations + self.usage

    @property
    def unexplained(self) -> Money:
        """What the books say was invoiced and no line does, or what is neither earned by now nor
        deferred."""
        if not (gap := self.booked - self.invoiced).is_zero:
            return gap
        return self.invoiced - self.earned - (self.deferred_after - self.deferred_before)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bridge:
    """What subscriptions were worth a month at two instants, and each kind of movement between."""

    opening: Money
    moved: dict[MovementKind, Money]
    closing: Money

    @property
    def unexplained(self) -> Money:
        """What the worth at the end differs by from what movements lead to."""
        return self.closing - self.opening - Money.total(self.moved.values(), self.opening.currency)


def recognition(
    lines: Iterable[InvoicedLine], booked: Money, start: datetime, end: datetime
) -> Recognition:
    """Sum up lines of one currency, those at least that were issued, or deferred, in [start, end).

    `booked` is what the entries of these days say. Refuses: CurrenciesDiffer.
    """
    lines = tuple(lines)
    currency = booked.currency

    def invoiced(kinds: frozenset[LineKind]) -> Money:
        issued = (line for line in lines if start <= line.issued_at < end)
        return Money.total((line.amount for line in issued if line.kind in kinds), currency)

    def total(amounts: Iterable[Money]) -> Money:
        return Money.total(amounts, currency)

    return Recognition(
        fees=invoiced(FEES),
        prorations=invoiced(PRORATIONS),
        usage=invoiced(USED),
        booked=booked,
        earned=total(line.earned(end) - line.earned(start) for line in lines),
        deferred_before=total(line.deferred(start) for line in lines),
        deferred_after=total(line.deferred(end) for line in lines),
    )


def nothing_moved(currency: Currency) -> dict[MovementKind, Money]:
    """No movement of any kind."""
    return {kind: Money.zero(currency) for kind in MovementKind}
