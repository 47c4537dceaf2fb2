"""Numbers, dates and names of currencies as a language writes them (Unicode CLDR, by babel).

A page never rounds. An amount shows at least the decimals of ISO 4217 and as many more as the
payload has, so what is printed is what was signed, and printed lines add up to printed totals.
CLDR's own number of decimals is not asked: it gives the afghani and the Iraqi dinar none.
"""

import re
from copy import copy
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_datetime
from babel.numbers import NumberPattern, get_currency_name

from common.documents.legible import isolated, visible
from common.documents.words import LanguageUnknown, Words, words_in
from common.domain.money import Currency

# Between the sign of the currency and a digit, where CLDR sets a space once the sign is letters.
_TOUCHING_DIGITS = re.compile(r"(?<=¤)(?=\d)|(?<=\d)(?=¤)")


@dataclass(frozen=True)
class Localised:
    """One language: its words, and how it writes figures."""

    language: str
    words: Words
    locale: Locale

    @classmethod
    def into(cls, language: str) -> "Localised":
        """The language of a BCP 47 tag. Refuses: `LanguageUnknown`."""
        try:
            return cls(language, words_in(language), Locale.parse(language, sep="-"))
        except (ValueError, UnknownLocaleError) as unknown:
            raise LanguageUnknown(f"CLDR knows no language {language!r}") from unknown

    def text(self, text: str) -> str:
        """Somebody's own text, kept from turning its neighbours."""
        return isolated(text, self.words.direction)

    def amount(self, amount_micro: int, currency: Currency) -> str:
        """Micro units as a bare number: `1,234.50`."""
        pattern = self.locale.decimal_formats[None]
        return self._written(pattern, _whole(amount_micro), currency.minor_exponent)

    def money(self, amount_micro: int, currency: Currency) -> str:
        """Micro units with the code of their currency, where the language puts it."""
        pattern = self.locale.currency_formats["standard"]
        written = self._written(pattern, _whole(amount_micro), currency.minor_exponent)
        return _TOUCHING_DIGITS.sub("\u00a0", written).replace("¤", currency)

    def number(self, number: Decimal) -> str:
        """A quantity or a rate of exchange, with the digits that it has."""
        return self._written(self.locale.decimal_formats[None], number, 0)

    def percentage(self, rate_ppm: int) -> str:
        """Parts per million as a percentage: 72500 is `7.25%`."""
        return self._written(self.locale.percent_formats[None], _whole(rate_ppm), 0)

    def day(self, day: date) -> str:
        """A date, in the short way that cannot be misread: `Mar 1, 2026`."""
        return self.text(visible(format_date(day, "medium", locale=self.locale)))

    def long_day(self, day: date) -> str:
        """A date in full: `March 1, 2026`."""
        return self.text(visible(format_date(day, "long", locale=self.locale)))

    def moment(self, moment: datetime) -> str:
        """An instant in UTC, to the second."""
        written = format_datetime(moment.astimezone(UTC), "medium", locale=self.locale)
        return self.text(f"{visible(written)} UTC")

    def currency(self, currency: Currency) -> str:
        """`US Dollar (USD)`."""
        return self.text(f"{get_currency_name(currency, locale=self.locale)} ({currency})")

    def territory(self, code: str) -> str:
        """`Afghanistan` for `AF`; the code itself where it has no name."""
        return str(self.locale.territories.get(code, code))

    def _written(self, pattern: NumberPattern, number: Decimal, least_decimals: int) -> str:
        exact = copy(pattern)
        exact.frac_prec = (least_decimals, least_decimals)
        return self.text(visible(exact.apply(number, self.locale, decimal_quantization=False)))


def _whole(millionths: int) -> Decimal:
    return Decimal(millionths).scaleb(-6)
