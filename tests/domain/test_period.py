"""Periods keep their anchor and tile, in every zone (SUB-3, BEY-14)."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from common.domain.period import CalendarTooLong, Interval, Period, boundary, periods, second_of
from tests.trust.calendars import ZONES, astray, calendars, wrong

pytestmark = pytest.mark.req("SUB-3", "BEY-14")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("anchor", "months", "zone", "end"),
    [
        ("2026-01-31T00:00:00Z", 1, "UTC", "2026-02-28T00:00:00Z"),
        ("2026-01-31T00:00:00Z", 2, "UTC", "2026-03-31T00:00:00Z"),
        ("2024-01-31T00:00:00Z", 1, "UTC", "2024-02-29T00:00:00Z"),
        ("2024-02-29T00:00:00Z", 12, "UTC", "2025-02-28T00:00:00Z"),
        ("2024-02-29T00:00:00Z", 48, "UTC", "2028-02-29T00:00:00Z"),
        # 31 January, one in the morning in Kabul, is the 30th in Greenwich
        ("2026-01-30T20:30:00Z", 1, "Asia/Kabul", "2026-02-27T20:30:00Z"),
        # noon in Berlin: summer time begins on 29 March
        ("2026-03-01T11:00:00Z", 1, "Europe/Berlin", "2026-04-01T10:00:00Z"),
        # half past two does not come on 29 March: it is read with the offset before
        ("2026-02-28T01:30:00Z", 0, "Europe/Berlin", "2026-02-28T01:30:00Z"),
        ("2026-01-29T01:30:00Z", 2, "Europe/Berlin", "2026-03-29T01:30:00Z"),
        # half past two comes twice on 25 October: the first counts
        ("2026-09-25T00:30:00Z", 1, "Europe/Berlin", "2026-10-25T00:30:00Z"),
        # Samoa had no 30 December 2011
        ("2011-11-30T22:00:00Z", 1, "Pacific/Apia", "2011-12-30T22:00:00Z"),
    ],
)
def test_an_end_is_counted_from_the_anchor(anchor: str, months: int, zone: str, end: str) -> None:
    assert boundary(at(anchor), months, zone) == at(end)


@pytest.mark.parametrize("share", range(4))
def test_periods_tile_in_every_zone_for_ten_years(share: int) -> None:
    """Anchors on the 1st to the 31st, at odd hours: no hole, no overlap, and the day kept.

    Here each zone with one day and hour of its own, a quarter of the zones at a time; all of them
    with all days is `make trust`'s, or `python -m tests.trust calendars`.
    """
    for place, zone in enumerate(ZONES[share::4]):
        day = (place * 4 + share) % 31 + 1
        months, years = calendars(zone, day, place % 24)
        assert (len(months), len(years)) == (120, 10)
        assert [*wrong(months, zone, day), *astray(months, zone, day)] == []
        assert [*wrong(years, zone, day)] == []


def test_a_hole_and_a_lost_day_would_be_seen() -> None:
    """The check itself: periods that are a second apart, and one that ends on another day."""
    month = Period(at("2026-03-01T00:00:00Z"), at("2026-03-28T00:00:00Z"))
    after = Period(month.end + timedelta(seconds=1), at("2026-04-28T00:00:00Z"))
    assert len([*wrong([month, after], "UTC", 28)]) == 1
    assert len([*wrong([month], "UTC", 27)]) == 1
    assert len([*astray([Period(month.start, at("2026-03-20T00:00:00Z"))], "UTC", 20)]) == 1


def test_a_year_after_months_goes_on_from_the_same_anchor() -> None:
    """The month to 28 February, then a year that ends on 28 February, then 31 March again."""
    anchor = at("2026-01-31T12:00:00Z")
    months = periods(anchor, anchor, 0, Interval.MONTH, "UTC")
    assert next(months) == Period(anchor, at("2026-02-28T12:00:00Z"))

    year = next(periods(at("2026-02-28T12:00:00Z"), anchor, 1, Interval.YEAR, "UTC"))

    assert year.end == at("2027-02-28T12:00:00Z")
    after = next(periods(year.end, anchor, 13, Interval.MONTH, "UTC"))
    assert after.end == at("2027-03-31T12:00:00Z")


def test_the_calendar_has_an_end_and_seconds_are_whole() -> None:
    with pytest.raises(CalendarTooLong):
        boundary(at("8999-12-31T00:00:00Z"), 12 * 3, "UTC")
    moment = datetime(2026, 1, 1, 0, 0, 0, 999_999, tzinfo=ZoneInfo("Asia/Kabul"))
    assert second_of(moment) == at("2025-12-31T19:30:00Z")
