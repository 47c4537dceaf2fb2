"""The periods of a subscription: they keep their anchor, and they tile (SUB-3, BEY-14).

A subscription that began on the 31st is billed on the last day of a shorter month and on the 31st
of the next one: each end is counted from the anchor, never from the end before it. The day and the
hour are those of the tenant's wall clock. A period is half-open, [start, end): each end is the
start of the next one, so that no second is in two periods and none is in no period.

Everything is counted in whole seconds. What happens within one second happens at once, so that who
changes a plan and changes it back is where they were.
"""

from calendar import monthrange
from collections.abc import Iterator
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from common.domain.business_date import zone_of
from common.domain.dataclass import dataclass
from common.domain.refusal import Unmet

MONTHS_PER_YEAR: Final = 12
YEAR_MAX: Final = 9_000


class CalendarTooLong(Unmet):
    code = "CALENDAR_TOO_LONG"
    title = "The calendar ends before these years do"


class Interval(StrEnum):
    """How long a period is."""

    MONTH = "month"
    YEAR = "year"

    @property
    def months(self) -> int:
        return MONTHS_PER_YEAR if self is Interval.YEAR else 1


@dataclass(frozen=True, slots=True)
class Period:
    """From `start` until just before `end`, both in UTC."""

    start: datetime
    end: datetime

    @property
    def seconds(self) -> int:
        return seconds_between(self.start, self.end)


def second_of(moment: datetime) -> datetime:
    """The whole second that a moment lies in."""
    return moment.astimezone(UTC).replace(microsecond=0)


def seconds_between(start: datetime, end: datetime) -> int:
    """Whole seconds from one instant to a later one; negative the other way round."""
    between = end - start
    return between.days * 86_400 + between.seconds


def boundary(anchor: datetime, months: int, zone: str) -> datetime:
    """The instant, in UTC, so many months after the anchor, by the wall clock of `zone`.

    A month without the anchor's day ends on its last one. An hour that the clock skips is read with
    the offset from before the jump; of an hour that comes twice, the first counts (PEP 495).
    Refuses: TimeZoneUnknown, CalendarTooLong.
    """
    local = anchor.astimezone(zone_of(zone))
    year, month = divmod(local.year * MONTHS_PER_YEAR + local.month - 1 + months, MONTHS_PER_YEAR)
    if year > YEAR_MAX:
        raise CalendarTooLong()
    day = min(local.day, monthrange(year, month + 1)[1])
    wall = local.replace(year=year, month=month + 1, day=day, fold=0)
    return wall.astimezone(UTC)


def periods(
    start: datetime, anchor: datetime, months: int, interval: Interval, zone: str
) -> Iterator[Period]:
    """The periods from `start` on, which lies `months` after the anchor, one after the other.

    Refuses: TimeZoneUnknown, CalendarTooLong.
    """
    while True:
        months += interval.months
        end = boundary(anchor, months, zone)
        yield Period(start, end)
        start = end
