"""When a job is due, in cron's five words: minute, hour, day of month, month, day of week (UTC).

Cloud Scheduler reads the same words in a deployment. Where both days are given, either is enough,
as in cron since its first version.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final, Self

from common.domain.dataclass import dataclass

RANGES: Final = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
YEARS_MAX: Final = 8  # 29 February comes round within this, over a century's end as well
_PART: Final = re.compile(r"(?:\*|(?P<first>\d+)(?:-(?P<last>\d+))?)(?:/(?P<step>[1-9]\d*))?")


class ScheduleUnreadable(ValueError):
    """These are not cron's words, or they name no moment."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """The moments of a schedule."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    either_day: bool

    @classmethod
    def of(cls, words: str) -> Self:
        """Read `0 3 * * 1-5`, `*/5 * * * *` ... Raises ScheduleUnreadable."""
        parts = words.split()
        if len(parts) != len(RANGES):
            raise ScheduleUnreadable(f"{words!r} has not five words")
        fields = [
            frozenset(_values(part, low, high))
            for part, (low, high) in zip(parts, RANGES, strict=True)
        ]
        minutes, hours, days, months, weekdays = fields
        return cls(
            minutes,
            hours,
            days,
            months,
            frozenset(day % 7 for day in weekdays),
            either_day=parts[2] != "*" and parts[4] != "*",
        )

    def next_after(self, moment: datetime) -> datetime:
        """The first moment after another one. Raises ScheduleUnreadable when there is none."""
        start = moment.astimezone(UTC).replace(second=0, microsecond=0) + timedelta(minutes=1)
        for offset in range(366 * YEARS_MAX):
            day = (start + timedelta(days=offset)).replace(hour=0, minute=0)
            if self._names(day):
                for hour in sorted(self.hours):
                    for minute in sorted(self.minutes):
                        found = day.replace(hour=hour, minute=minute)
                        if found >= start:
                            return found
        raise ScheduleUnreadable("there is no such day")

    def _names(self, day: datetime) -> bool:
        in_month = day.day in self.days
        in_week = day.isoweekday() % 7 in self.weekdays
        right_day = (in_month or in_week) if self.either_day else (in_month and in_week)
        return day.month in self.months and right_day


def _values(text: str, low: int, high: int) -> Iterator[int]:
    for part in text.split(","):
        found = _PART.fullmatch(part)
        if found is None:
            raise ScheduleUnreadable(f"{part!r} is no part of a schedule")
        first = low if found["first"] is None else int(found["first"])
        last = int(found["last"]) if found["last"] else first
        if found["first"] is None or (found["step"] and not found["last"]):
            last = high
        if not low <= first <= last <= high:
            raise ScheduleUnreadable(f"{part!r} lies outside {low} to {high}")
        yield from range(first, last + 1, int(found["step"] or 1))
