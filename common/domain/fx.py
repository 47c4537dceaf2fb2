"""Converting money by a pinned rate, never by today's (MON-5).

A folio pins its snapshots once and honours them for its whole life, so that a guest who pays in
another currency is told the same figure on every day of the stay. The rate is kept as the decimal
text that its source gave and is used as an exact ratio. A conversion rounds once, half away from
zero, to the minor unit of the currency it arrives in; what that rounding costs is a residual, which
can be shown and is never lost in silence.
"""

import re
from datetime import datetime

from common.domain.dataclass import dataclass
from common.domain.money import CurrenciesDiffer, Currency, Money, divided
from common.domain.refusal import Unmet

_RATE = re.compile(r"[0-9]{1,12}(\.[0-9]{1,12})?")


class FxRateMissing(Unmet):
    code = "FX_RATE_MISSING"
    title = "No rate between these currencies is pinned"


class FxRateInvalid(Unmet):
    code = "FX_RATE_INVALID"
    title = "The rate is not a positive decimal with at most 12 places between two currencies"


@dataclass(frozen=True, slots=True)
class FxSnapshot:
    """One unit of `base` is `rate` units of `quote`, said `source` at `taken_at`.

    `rate` is a positive decimal text of at most 12 digits before and 12 after the point. Refuses:
    `FxRateInvalid`. A `taken_at` without a time zone is a `ValueError`.
    """

    base: Currency
    quote: Currency
    rate: str
    source: str
    taken_at: datetime

    def __post_init__(self) -> None:
        if self.base == self.quote or not _RATE.fullmatch(self.rate) or not self.ratio[0]:
            raise FxRateInvalid(f"{self.base}/{self.quote} {self.rate}")
        if self.taken_at.tzinfo is None:
            raise ValueError("taken_at has a time zone")

    @property
    def ratio(self) -> tuple[int, int]:
        """The rate as numerator and denominator, exactly: "1.10" is (110, 100)."""
        whole, _, places = self.rate.partition(".")
        return int(whole + places), int(10 ** len(places))

    def convert(self, money: Money) -> Money:
        """`money` in the pair's other currency, in whole minor units of it.

        Refuses a currency outside the pair: `FxRateMissing`.
        """
        numerator, denominator = self.ratio
        if money.currency == self.base:
            return _converted(money, numerator, denominator, self.quote)
        if money.currency == self.quote:
            return _converted(money, denominator, numerator, self.base)
        raise FxRateMissing(f"{money.currency} is not in {self.base}/{self.quote}")

    def residual(self, money: Money) -> Money:
        """What converting `money` there and back leaves of it, in its own currency.

        Positive where the guest would lose it, negative where the house would: always
        `money == there and back + residual`.
        """
        return money - self.convert(self.convert(money))


@dataclass(frozen=True, slots=True)
class FxRates:
    """The snapshots that one folio has pinned: each currency once, all quoted in the folio's own.

    Two quotes in one set are `CurrenciesDiffer`, the same base twice is `FxRateInvalid`.
    """

    snapshots: tuple[FxSnapshot, ...] = ()

    def __post_init__(self) -> None:
        if len({snapshot.quote for snapshot in self.snapshots}) > 1:
            raise CurrenciesDiffer("a folio's rates are all quoted in its own currency")
        if len({snapshot.base for snapshot in self.snapshots}) < len(self.snapshots):
            raise FxRateInvalid("a currency has two rates")

    def convert(self, money: Money, to: Currency) -> Money:
        """`money` in `to`; unchanged where it is in `to` already.

        Two foreign currencies have no pinned rate between them. Refuses: `FxRateMissing`.
        """
        if money.currency == to:
            return money
        for snapshot in self.snapshots:
            if {snapshot.base, snapshot.quote} == {money.currency, to}:
                return snapshot.convert(money)
        raise FxRateMissing(f"{money.currency} to {to}")


def _converted(money: Money, numerator: int, denominator: int, to: Currency) -> Money:
    minor_unit_micro = to.minor_unit_micro
    units = divided(money.amount_micro * numerator, denominator * minor_unit_micro)
    return Money.of_minor_units(units, to)
