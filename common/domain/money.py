"""Money is a whole number of micro units in one currency; nothing here ever holds a float.

MON-1: a micro unit is 10^-6 of the currency, and an amount is inside +-(2^53 - 1), so that every
reader of JSON keeps it exactly.
MON-2: what is posted is whole minor units by ISO 4217; only unit prices and rates are finer.
MON-3: a fraction of money is rounded half away from zero, once, at the end; a split hands out what
is left over by largest remainder, so the parts are the whole.
MON-4: two currencies are never added or compared. Converting is `fx`'s, with a pinned snapshot.
"""

from collections.abc import Iterable, Sequence
from functools import total_ordering
from typing import Final, Self

from common.domain.currencies import MINOR_EXPONENTS
from common.domain.dataclass import dataclass
from common.domain.refusal import Unmet

MICRO_EXPONENT: Final = 6
MAX_AMOUNT_MICRO: Final = 2**53 - 1


class CurrencyUnknown(Unmet):
    code = "CURRENCY_UNKNOWN"
    title = "This is not an ISO 4217 currency with a minor unit"


class CurrenciesDiffer(Unmet):
    code = "CURRENCY_MISMATCH"
    title = "Two currencies cannot be added or compared"


class AmountNotInMinorUnits(Unmet):
    code = "AMOUNT_NOT_IN_MINOR_UNITS"
    title = "The amount is finer than the currency's minor unit"


class AmountNotPositive(Unmet):
    code = "AMOUNT_NOT_POSITIVE"
    title = "The amount is not more than zero"


class AmountOutOfRange(Unmet):
    code = "AMOUNT_OUT_OF_RANGE"
    title = "The amount is beyond what can be kept exactly"


class Currency(str):
    """An ISO 4217 code that has a minor unit. Refuses others: `CurrencyUnknown`."""

    __slots__ = ()

    def __new__(cls, code: str) -> Self:
        if code not in MINOR_EXPONENTS:
            raise CurrencyUnknown
        return super().__new__(cls, code)

    @property
    def minor_exponent(self) -> int:
        """Decimals of the minor unit by ISO 4217: JPY 0, USD 2, KWD 3."""
        return MINOR_EXPONENTS[self]

    @property
    def minor_unit_micro(self) -> int:
        """One minor unit in micro units: 10,000 for a US cent."""
        return int(10 ** (MICRO_EXPONENT - self.minor_exponent))


@total_ordering
@dataclass(frozen=True, slots=True)
class Money:
    """`amount_micro` millionths of `currency`; negative is owed the other way.

    Ordering refuses another currency with `CurrenciesDiffer`. Equality does not, so that money can
    stand in sets and in other dataclasses: zero dollars are simply not zero euros.
    """

    amount_micro: int
    currency: Currency

    def __post_init__(self) -> None:
        if type(self.amount_micro) is not int or type(self.currency) is not Currency:
            raise TypeError("money is an int (bool is none) and a Currency")
        if abs(self.amount_micro) > MAX_AMOUNT_MICRO:
            raise AmountOutOfRange(currency=self.currency)

    @classmethod
    def zero(cls, currency: Currency) -> Self:
        return cls(0, currency)

    @classmethod
    def of_minor_units(cls, units: int, currency: Currency) -> Self:
        """`units` whole minor units, as card processors count: 1250 is 12.50 USD."""
        return cls(units * currency.minor_unit_micro, currency)

    @classmethod
    def total(cls, amounts: Iterable["Money"], currency: Currency) -> "Money":
        """The sum in `currency`, zero for none. Refuses: `CurrenciesDiffer`, `AmountOutOfRange`."""
        return sum(amounts, start=cls.zero(currency))

    def __add__(self, other: "Money") -> "Money":
        return Money(self.amount_micro + self._same(other), self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money(self.amount_micro - self._same(other), self.currency)

    def __neg__(self) -> "Money":
        return Money(-self.amount_micro, self.currency)

    def __abs__(self) -> "Money":
        return Money(abs(self.amount_micro), self.currency)

    def __lt__(self, other: "Money") -> bool:
        return self.amount_micro < self._same(other)

    def _same(self, other: "Money") -> int:
        if other.currency != self.currency:
            raise CurrenciesDiffer(f"{self.currency} and {other.currency}")
        return other.amount_micro

    @property
    def is_zero(self) -> bool:
        return self.amount_micro == 0

    @property
    def minor_units(self) -> int:
        """The count of minor units. Refuses: `AmountNotInMinorUnits`."""
        return self.in_minor_units().amount_micro // self.currency.minor_unit_micro

    def in_minor_units(self) -> Self:
        """Itself, if it can be posted (MON-2). Refuses: `AmountNotInMinorUnits`."""
        if self.amount_micro % self.currency.minor_unit_micro:
            raise AmountNotInMinorUnits(
                f"{self.currency} has {self.currency.minor_exponent} decimals",
                currency=self.currency,
            )
        return self

    def rounded(self) -> "Money":
        """The nearest whole minor units, a half going away from zero (MON-3)."""
        return self.times(1, 1)

    def times(self, numerator: int, denominator: int = 1) -> "Money":
        """This by a fraction, rounded once to whole minor units, half away from zero (MON-3)."""
        minor = self.currency.minor_unit_micro
        units = divided(self.amount_micro * numerator, denominator * minor)
        return Money(units * minor, self.currency)

    def times_micro(self, numerator: int, denominator: int = 1) -> "Money":
        """As `times`, but to whole micro units: for unit prices, which may be finer."""
        return Money(divided(self.amount_micro * numerator, denominator), self.currency)

    def allocate(self, weights: Sequence[int]) -> list["Money"]:
        """Split by weight into whole minor units that sum to exactly this (MON-3).

        Each part gets its share rounded towards zero; the units left go to the largest remainders,
        earlier parts first among equals. A debt splits as the same credit does, the sign turned.
        Weights are not negative and not all zero (`ValueError`). Refuses: `AmountNotInMinorUnits`.
        """
        whole = sum(weights)
        if whole <= 0 or min(weights) < 0:
            raise ValueError("weights are not negative, and one is positive")
        sign = -1 if self.amount_micro < 0 else 1
        units = abs(self.minor_units)
        parts = [units * weight // whole for weight in weights]
        by_remainder = sorted(range(len(weights)), key=lambda i: -(units * weights[i] % whole))
        for i in by_remainder[: units - sum(parts)]:
            parts[i] += 1
        return [Money.of_minor_units(sign * part, self.currency) for part in parts]


def divided(numerator: int, denominator: int) -> int:
    """The nearest integer to a fraction, a half going away from zero; `denominator` is positive.

    The one place where this project rounds: MON-3's rule, and TAX-3's.
    """
    if denominator <= 0:
        raise ValueError("the denominator is positive")
    magnitude = (2 * abs(numerator) + denominator) // (2 * denominator)
    return -magnitude if numerator < 0 else magnitude
