"""Dates of the solar year, which Afghanistan counts by: 1 Hamal 1404 began on 21 March 2025.

What a document says of a day is the payload's day, which is Gregorian. In Dari and Pashto both are
printed wherever there is room, the solar one first: the reader lives by it, and the auditor of
another country by the other. In the narrow columns of tables the solar day stands alone; its year
cannot be taken for one of the other calendar. The months have the names of Afghanistan, not Iran's.
"""

from collections.abc import Mapping
from datetime import date

from common.documents import dari, pashto

MONTHS: Mapping[str, tuple[str, ...]] = {"fa": dari.SOLAR_MONTHS, "ps": pashto.SOLAR_MONTHS}


def is_used_in(language: str) -> bool:
    """Whether readers of a language (its first subtag) count by the solar year."""
    return language in MONTHS


def short(day: date) -> str:
    """`1404/12/10`."""
    year, month, of_month = _solar(day)
    return f"{year}/{month:02}/{of_month:02}"


def in_full(day: date, language: str) -> str:
    """`10 حوت 1404`. Raises KeyError for a language without such months."""
    year, month, of_month = _solar(day)
    return f"{of_month} {MONTHS[language][month - 1]} {year}"


def _solar(day: date) -> tuple[int, int, int]:
    from persiantools.jdatetime import JalaliDate

    solar = JalaliDate(day)  # type: ignore[no-untyped-call]  # the library has none
    return solar.year, solar.month, solar.day
