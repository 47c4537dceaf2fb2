"""Numbers of documents that a database has forgotten, and that guests have in hand.

A database that is taken back to a point in time knows nothing of what was issued after it. The
documents are still in their bucket: no number of theirs may be given again (INV-2), so each series
goes on behind the last of them, and every number in between is written down as lost.
"""

import re
from collections.abc import Iterable, Mapping

from common.domain.dataclass import dataclass

SeriesKey = tuple[str, str, int]
"""Jurisdiction, kind of document, year; year 0 never restarts."""


class NumberOfNoSeries(Exception):
    """The number names no jurisdiction that the tenant has a house in; the message is the number.

    An operator hears of it, and no caller: so it is no refusal.
    """


@dataclass(frozen=True, slots=True)
class Seen:
    """A document that was found: its kind, and what it says of itself."""

    document_type: str
    number: str
    payload_sha256: bytes


@dataclass(frozen=True, slots=True)
class LostNumber:
    """A number that was given, and whose document's row is gone; the hash where it was found."""

    series: SeriesKey
    series_number: int
    number: str
    payload_sha256: bytes | None


def lost_numbers(
    last: Mapping[SeriesKey, int], seen: Iterable[Seen], jurisdictions: Iterable[str]
) -> list[LostNumber]:
    """All numbers behind the last ones up to the highest that was seen, series by series.

    `last` is what each series has come to; one that is not there has given no number. Raises
    NumberOfNoSeries.
    """
    known = set(jurisdictions)
    found: dict[SeriesKey, dict[int, Seen]] = {}
    for each in seen:
        series, number = _place(each, known)
        if number > last.get(series, 0):
            found.setdefault(series, {})[number] = each
    return [
        _lost(series, number, there)
        for series, there in sorted(found.items())
        for number in range(last.get(series, 0) + 1, max(there) + 1)
    ]


def _place(seen: Seen, jurisdictions: set[str]) -> tuple[SeriesKey, int]:
    """Which place of which series a number is: `INV-AF-KBL-2026-000001`."""
    for jurisdiction in sorted(jurisdictions, key=len, reverse=True):
        ending = rf"-{re.escape(jurisdiction)}(?:-(?P<year>\d{{4}}))?-(?P<place>\d{{6,}})"
        found = re.search(ending + r"\Z", seen.number)
        if found is not None:
            series = (jurisdiction, seen.document_type, int(found["year"] or 0))
            return series, int(found["place"])
    raise NumberOfNoSeries(seen.number)


def _lost(series: SeriesKey, number: int, there: Mapping[int, Seen]) -> LostNumber:
    if number in there:
        return LostNumber(series, number, there[number].number, there[number].payload_sha256)
    before, _, _ = there[max(there)].number.rpartition("-")
    return LostNumber(series, number, f"{before}-{number:06d}", None)
