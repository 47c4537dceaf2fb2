"""Money of a period's invoices that went back is not credited to the tenant again (WH-5, BEY-8).

A refund and a change of terms both give back what was billed for the rest of a period. Together
they never give back more than it came to. What went back, is promised or is asked for by a bank is
noted on the subscription whose period it is of, with what that was billed with then: a change
credits only what is beyond it (`common.domain.proration.kept`). Where it comes back (a refund
that fails, a dispute that is won) what a change did not credit is credited at once.

The other way round a refund that is asked for is at most what no credit has given. What the
processor has given back all the same, or a bank has got, takes the credit back, as far as it is
still there: by an invoice that the credit pays.
"""

from common.domain.dataclass import dataclass
from common.domain.money import Money
from common.domain.proration import GivenBack, cost, kept
from common.domain.subscription import Subscription, SubscriptionFact
from common.domain.subscription_invoice import (
    OF_A_PERIOD,
    USED,
    Bill,
    LineKind,
    Purpose,
    SubscriptionInvoice,
)
from common.domain.tax import PPM


@dataclass(frozen=True, kw_only=True)
class MoneyWentBack(SubscriptionFact):
    """Money that the current period was paid with goes back: no change credits it again."""

    name = "subscription.money_went_back"


@dataclass(frozen=True, kw_only=True)
class MoneyIsBack(SubscriptionFact):
    """It did not go, or came back: what a change has not credited for it is credited now."""

    name = "subscription.money_is_back"


@dataclass(frozen=True, kw_only=True)
class CreditTakenBack(SubscriptionFact):
    """The money of an invoice went back that was a credit already."""

    name = "subscription.credit_taken_back"


def went_back(
    subscription: Subscription,
    invoice: SubscriptionInvoice,
    source: str,
    before: Money,
    amount: Money,
) -> MoneyWentBack | None:
    """Note what of the current period's fees goes back by `source`, beside what of its invoice did
    `before`. None where that is noted, or the invoice is of another period, or of no fees."""
    bill, noted = invoice.bill, subscription.given_back
    is_current = bill.period_number == subscription.period_number
    if not is_current or bill.purpose not in OF_A_PERIOD or any(e.source == source for e in noted):
        return None
    net = _fees_in(bill, before + amount) - _fees_in(bill, before)
    if net.amount_micro <= 0:
        return None
    billed_micro = subscription.billed.amount_micro
    more = GivenBack(source=source, billed_micro=billed_micro, net_micro=net.amount_micro)
    subscription.given_back = (*noted, more)
    return subscription.told(MoneyWentBack)


def is_back(subscription: Subscription, source: str) -> MoneyIsBack | None:
    """What had gone back by `source` did not, or is back. None where none of it was noted."""
    left = tuple(each for each in subscription.given_back if each.source != source)
    if left == subscription.given_back:
        return None
    costs = cost(subscription.segments, subscription.period_seconds, subscription.currency)
    billed = kept(costs, left)
    credited = billed - subscription.billed
    subscription.given_back, subscription.billed = left, billed
    if credited.is_zero:
        return subscription.told(MoneyIsBack)
    line = subscription.terms.line(LineKind.GIVEN_BACK, subscription.period, credited)
    return subscription.told(MoneyIsBack, bill=subscription.bill(Purpose.CHANGE, (line,)))


def take_credit_back(
    subscription: Subscription, invoice: SubscriptionInvoice, beyond: Money
) -> CreditTakenBack | None:
    """Take back so much of the credit as went back `beyond` what was left of an invoice's period,
    and is still there; taxed as that invoice, and never more than the credit. None for nothing."""
    taken, taxed = min(beyond, subscription.credit), invoice.bill.taxed
    if taken.amount_micro <= 0:
        return None
    net = Money.of_minor_units(taken.minor_units * PPM // (PPM + taxed.rate_ppm), taken.currency)
    line = subscription.terms.line(LineKind.GIVEN_BACK, invoice.bill.period, net)
    bill = Bill.of(
        Purpose.TAKEN_BACK,
        invoice.bill.period_number,
        invoice.bill.period,
        (line,),
        subscription.credit,
        taxed,
    )
    return subscription.told(CreditTakenBack, bill=bill)


def _fees_in(bill: Bill, amount: Money) -> Money:
    """The share of a bill's fees, without tax, in so much of its total."""
    if bill.total.amount_micro <= 0:
        return bill.total.times(0)
    fees = Money.total(
        (line.amount for line in bill.lines if line.kind not in USED), amount.currency
    )
    return fees.times(min(amount, bill.total).amount_micro, bill.total.amount_micro)
