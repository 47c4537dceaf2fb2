"""Amounts as the card processor counts them: whole units of its own table of decimals.

It is ISO 4217's but for three currencies: the processor counts Malagasy ariary whole, and Icelandic
krónur and Ugandan shillings in hundredths although neither has any (its documentation, "Special
cases"). Of dinars with three decimals it wants the last one to be nought.
"""

from typing import Final

from common.domain.money import AmountNotInMinorUnits, Currency, Money

_EXPONENTS: Final = {"MGA": 0, "ISK": 2, "UGX": 2}
_MICRO: Final = 6


def takes_whole_minor_units(currency: Currency) -> bool:
    """Whether the processor takes each amount that can be posted in a currency: of three decimals
    it does not take the last one, and of the ariary none."""
    return currency.minor_exponent < 3 and _unit_micro(currency) <= currency.minor_unit_micro


def from_processor(units: int, currency: str) -> Money:
    """What so many of the processor's units are. Refuses: CurrencyUnknown, AmountOutOfRange."""
    known = Currency(currency.upper())
    return Money(units * _unit_micro(known), known)


def to_processor(amount: Money) -> int:
    """How many units an amount is. Refuses: AmountNotInMinorUnits."""
    units, rest = divmod(amount.amount_micro, _unit_micro(amount.currency))
    if rest:
        raise AmountNotInMinorUnits(f"The processor does not count {amount.currency} as finely.")
    return units


def _unit_micro(currency: Currency) -> int:
    exponent = _EXPONENTS.get(str(currency), currency.minor_exponent)
    return int(10 ** (_MICRO - exponent))
