"""What subscriptions are worth a month, and how that moves (ANA-1).

A subscription is worth a month what its fee comes to for one: the fee, or a twelfth of the year's,
rounded once to whole micro units, half away from zero. It is worth that while its periods follow
one another, though a charge of it is declined (active, past due). A trial is worth nothing yet. One
that is paused or suspended is worth nothing while it is: nothing is billed of it, and nobody knows
whether it goes on. One that is canceled to the end of a period is worth its fee until it has ended.

What the worth of a subscription moves by is written down with the change that moves it, as a
difference between two worths: so movements add up, between any two instants, and what was so on a
day of the past is the sum of what was written down by then. There are five kinds:

    new           the tenant has never been worth anything before
    reactivation  it has, and then was worth nothing: after a pause, a suspension, an end
    expansion     more than before
    contraction   less than before
    churn         nothing any more
"""

from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from common.domain.dataclass import dataclass
from common.domain.identifiers import SubscriptionId
from common.domain.money import Money
from common.domain.period import Interval


class MovementKind(StrEnum):
    """See the module."""

    NEW = "new"
    EXPANSION = "expansion"
    CONTRACTION = "contraction"
    CHURN = "churn"
    REACTIVATION = "reactivation"


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """What was written down of a subscription so far: its worth in micro units of its currency, in
    how many movements, up to which period; and whether its tenant was ever worth anything."""

    worth_micro: int = 0
    movements: int = 0
    period_number: int = 0
    has_paid: bool = False


UNCOUNTED: Final = Counted()


@dataclass(frozen=True, slots=True, kw_only=True)
class RevenueMovement:
    """A step of a subscription's worth; `number` counts its steps from one. `worth` is what it is
    worth from `occurred_at` on; it was written down at `recorded_at`."""

    subscription_id: SubscriptionId
    number: int
    kind: MovementKind
    change: Money
    worth: Money
    occurred_at: datetime
    recorded_at: datetime


def monthly_worth(fee: Money, interval: Interval) -> Money:
    """What a fee of a period comes to for a month, in whole micro units."""
    return fee.times_micro(1, interval.months)


def kind_of(before: Counted, worth_micro: int) -> MovementKind | None:
    """What kind of movement leads from what was written down to this worth; None for none."""
    was = before.worth_micro
    if worth_micro == was:
        return None
    if not worth_micro:
        return MovementKind.CHURN
    if not was:
        return MovementKind.REACTIVATION if before.has_paid else MovementKind.NEW
    return MovementKind.EXPANSION if worth_micro > was else MovementKind.CONTRACTION


def movement(
    before: Counted,
    subscription_id: SubscriptionId,
    worth: Money,
    occurred_at: datetime,
    recorded_at: datetime,
) -> RevenueMovement | None:
    """The step from what was written down to what it is worth now; None where that is the same."""
    kind = kind_of(before, worth.amount_micro)
    if kind is None:
        return None
    return RevenueMovement(
        subscription_id=subscription_id,
        number=before.movements + 1,
        kind=kind,
        change=worth - Money(before.worth_micro, worth.currency),
        worth=worth,
        occurred_at=occurred_at,
        recorded_at=recorded_at,
    )


def after(before: Counted, moved: RevenueMovement | None, period_number: int) -> Counted:
    """What is written down once a step is, or once it is known that there was none."""
    if moved is None:
        return replace(before, period_number=period_number)
    return Counted(
        worth_micro=moved.worth.amount_micro,
        movements=moved.number,
        period_number=period_number,
        has_paid=True,
    )
