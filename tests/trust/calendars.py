"""Periods tile in every zone of the world, from an anchor on any day (SUB-3, BEY-14).

    python -m tests.trust calendars

Of every zone that IANA knows, with anchors on the 1st to the 31st, ten years of months and of
years: no instant is in two periods or in none, and each period ends on the anchor's day, or on the
last of a month that has no such day. `make test` plays a day and an hour of each zone.
"""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from itertools import islice, pairwise
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

from common.domain.period import Interval, Period, periods
from tests.trust.tally import Tally

ZONES: Final = sorted(available_timezones())
DAYS: Final = range(1, 32)
YEARS: Final = 10
FIRST_YEAR: Final = 2026
SHORTEST_MONTH, LONGEST_MONTH = timedelta(days=27), timedelta(days=32)
HOURS: Final = 24


def run() -> Tally:
    """Every zone with every day; the hour goes round, so that each is an anchor's somewhere."""
    started = time.monotonic()
    tally = Tally("calendars")
    tiles = 0
    for place, zone in enumerate(ZONES):
        for day in DAYS:
            months, years = calendars(zone, day, (place + day) % HOURS)
            tally.violations += [*wrong(months, zone, day), *wrong(years, zone, day)]
            tally.violations += astray(months, zone, day)
            tiles += len(months) + len(years)
    tally.figures = {
        "zones": f"{len(ZONES):,}",
        "anchors": f"{len(ZONES) * len(DAYS):,}",
        "periods": f"{tiles:,}",
    }
    tally.seconds = time.monotonic() - started
    return tally


def calendars(zone: str, day: int, hour: int) -> tuple[list[Period], list[Period]]:
    """Ten years of months and of years, from an anchor in January by the zone's wall clock."""
    anchor = datetime(FIRST_YEAR, 1, day, hour, 17, 3, tzinfo=ZoneInfo(zone)).astimezone(UTC)

    def each(interval: Interval) -> list[Period]:
        told = periods(anchor, anchor, 0, interval, zone)
        return list(islice(told, YEARS * 12 // interval.months))

    return each(Interval.MONTH), each(Interval.YEAR)


def wrong(tiles: list[Period], zone: str, day: int) -> Iterator[str]:
    """Where periods overlap, leave a hole, or end on another day than the anchor's."""
    for one, after in pairwise(tiles):
        if one.end != after.start:
            yield f"{zone}, day {day}: {one} is followed by {after}"
    for tile in tiles:
        days_kept = [_kept(reading, day) for reading in _readings(tile.end, zone)]
        if tile.start >= tile.end or not any(days_kept):
            yield f"{zone}, day {day}: {tile} ends on {tile.end.astimezone(ZoneInfo(zone))}"


def _kept(local: datetime, day: int) -> bool:
    """Whether this is the anchor's day, or the last one of a month without it."""
    return local.day == day or (local.day < day and (local + timedelta(days=1)).day == 1)


def _readings(end: datetime, zone: str) -> Iterator[datetime]:
    """What the wall clock shows then; after a jump also what it would show without it.

    Greenland's clocks jump late in the evening: a quarter past eleven of that day does not come,
    and is read with the offset from before, which is early on the next day.
    """
    local = end.astimezone(ZoneInfo(zone))
    yield local
    offset = (end - timedelta(hours=1)).astimezone(ZoneInfo(zone)).utcoffset()
    if offset != local.utcoffset():
        yield end.astimezone(timezone(offset or timedelta()))


def astray(months: list[Period], zone: str, day: int) -> Iterator[str]:
    """Months that are no month."""
    for tile in months:
        if not SHORTEST_MONTH <= tile.end - tile.start <= LONGEST_MONTH:
            yield f"{zone}, day {day}: {tile} is no month"
