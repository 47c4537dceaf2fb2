"""Numbers, dates and names of currencies as a language writes them (Unicode CLDR, by babel).

A page never rounds. An amount shows at least the decimals of ISO 4217 and as many more as the
payload has, so what is printed is what was signed, and printed lines add up to printed totals.
CLDR's own number of decimals is not asked: it gives the afghani and the Iraqi dinar none. Figures
have the digits of the language, and each stands in an isolate on a page from right to left. Dari
and Pashto read days of the solar year (`solar_hijri`).
"""

import re
from copy import copy
from datetime import UTC, date, datetime
from decimal import Decimal

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_datetime
from babel.numbers import NumberPattern, get_currency_name

from common.documents import solar_hijri
from common.documents.joining import LATIN_DIGITS, Script
from common.documents.legible import isolated, visible
from common.documents.vocabulary import LanguageUnknown, Words
from common.documents.words import words_in
from common.domain.dataclass import dataclass
from common.domain.money import Currency

# What CLDR counts in, for the numbering systems of our languages.
_DIGITS = {"arab": "٠١٢٣٤٥٦٧٨٩", "arabext": "۰۱۲۳۴۵۶۷۸۹"}
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

    @property
    def script(self) -> Script:
        """How a page in this language is drawn."""
        return Script(_DIGITS.get(self.locale.default_numbering_system, LATIN_DIGITS))

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
        """A date, in the short way that cannot be misread: `Mar 1, 2026`, or `۱۴۰۴/۱۲/۱۰`."""
        if solar_hijri.is_used_in(self.locale.language):
            return self.text(self._counted(solar_hijri.short(day)))
        return self.text(self._gregorian(day))

    def long_day(self, day: date) -> str:
        """A date in full: `March 1, 2026`, or `۱۰ حوت ۱۴۰۴ (۱ مارچ ۲۰۲۶)`."""
        written = self._counted(visible(format_date(day, "long", locale=self.locale)))
        if solar_hijri.is_used_in(self.locale.language):
            solar = self._counted(solar_hijri.in_full(day, self.locale.language))
            written = f"{solar} ({written})"
        return self.text(written)

    def days(self, first: date, last: date) -> str:
        """From one date to another, in both calendars where there are two, neither broken."""
        if not solar_hijri.is_used_in(self.locale.language):
            return f"{self.day(first)} – {self.day(last)}"
        return " – ".join(self.long_day(day).replace(" ", "\u00a0") for day in (first, last))

    def moment(self, moment: datetime) -> str:
        """An instant in UTC, to the second; from right to left by a clock of 24 hours."""
        at = moment.astimezone(UTC)
        if self.words.direction == "rtl":
            clock = self._counted(f"{at:%H:%M:%S}")
            return self.text(f"{self._gregorian(at.date())}، {clock} UTC")
        written = format_datetime(at, "medium", locale=self.locale)
        return self.text(f"{visible(written)} UTC")

    def currency(self, currency: Currency) -> str:
        """`US Dollar (USD)`."""
        return self.text(f"{get_currency_name(currency, locale=self.locale)} ({currency})")

    def territory(self, code: str) -> str:
        """`Afghanistan` for `AF`; the code itself where it has no name."""
        return str(self.locale.territories.get(code, code))

    def _gregorian(self, day: date) -> str:
        """In the medium way; but from right to left in full: 01/03/2026 is read in two orders."""
        width = "long" if self.words.direction == "rtl" else "medium"
        return self._counted(visible(format_date(day, width, locale=self.locale)))

    def _written(self, pattern: NumberPattern, number: Decimal, least_decimals: int) -> str:
        exact = copy(pattern)
        exact.frac_prec = (least_decimals, least_decimals)
        written = exact.apply(
            number,
            self.locale,
            decimal_quantization=False,
            numbering_system=self.locale.default_numbering_system,
        )
        return self.text(self._counted(visible(written)))

    def _counted(self, written: str) -> str:
        """The language's digits and percent sign for those of ASCII, which babel leaves alone."""
        digits = self.script.digits
        percent = "%" if digits == LATIN_DIGITS else "٪"
        return written.translate(str.maketrans(f"{LATIN_DIGITS}%", f"{digits}{percent}"))


def _whole(millionths: int) -> Decimal:
    return Decimal(millionths).scaleb(-6)
