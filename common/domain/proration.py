"""What a period costs when its terms change on the way (SUB-5, BEY-5, BEY-8).

A period of N seconds costs each of its fees for the seconds that it was in force. That cost is a
fraction, and it is rounded once, as a whole, half away from zero (MON-3): what the invoices of a
period sum up to is always the rounded cost of the terms as they are then expected to stay. So a
change and its undoing within one second cost nothing, however often, and no chain of changes ends
below what the cheapest of its terms would have cost: the exact cost never does, and rounding keeps
the order of what it rounds.

Money of a period that went back is not credited again (WH-5): it counts for the time that is not
used first. So what a change leaves below what the period was billed with when the money went back
is kept until it comes to that, and only what is beyond is a credit. What the invoices come to is
still a function of the cost alone: there and back costs nothing here either.

Where time stands in a period is said by what is left of it. So a pause, which moves the end, moves
nothing here.
"""

from collections.abc import Iterable
from itertools import pairwise

from common.domain.dataclass import dataclass
from common.domain.money import Currency, Money, divided


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A fee in force from when `left_seconds` of the period were left, until the next segment."""

    left_seconds: int
    fee_micro: int


Segments = tuple[Segment, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenBack:
    """So much of a period's fees, without tax, went back by what `source` names, when the period
    was billed with so much."""

    source: str
    billed_micro: int
    net_micro: int


def with_fee(segments: Segments, left_seconds: int, fee: Money) -> Segments:
    """The segments, with a fee in force from now on. What changed in this second is forgotten."""
    before = tuple(each for each in segments if each.left_seconds > left_seconds)
    return (*before, Segment(left_seconds=left_seconds, fee_micro=fee.amount_micro))


def cost(segments: Segments, period_seconds: int, currency: Currency) -> Money:
    """What a period of so many seconds costs in whole minor units, if its last fee stays."""
    ends = [*segments, Segment(left_seconds=0, fee_micro=0)]
    exact = sum(
        one.fee_micro * (one.left_seconds - after.left_seconds) for one, after in pairwise(ends)
    )
    minor = currency.minor_unit_micro
    return Money(divided(exact, period_seconds * minor) * minor, currency)


def share(fee: Money, left_seconds: int, period_seconds: int) -> Money:
    """What a fee comes to for the rest of a period, in whole minor units."""
    return fee.times(left_seconds, period_seconds)


def kept(costs: Money, given_back: Iterable[GivenBack]) -> Money:
    """What the invoices of a period come to that costs so much: what went back is in it, as far as
    a change would credit it again."""
    micro = costs.amount_micro
    for each in given_back:
        if micro < each.billed_micro:
            micro = min(micro + each.net_micro, each.billed_micro)
    return Money(micro, costs.currency)
