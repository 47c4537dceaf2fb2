"""Business dates at midnight, at the close hour, over changed clocks, around the globe (CASH-11).

Moments are written as UTC. Clock changes used: Berlin 2026-03-29 02:00 -> 03:00 (01:00 UTC) and
2026-10-25 03:00 -> 02:00 (01:00 UTC); Cairo 2026-04-24 00:00 -> 01:00 (2026-04-23 22:00 UTC);
St John's 2010-11-07 00:01 -> 2010-11-06 23:01 (02:31 UTC); Apia left out 2011-12-30.
"""

from datetime import UTC, date, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.domain.business_date import (
    TimeZoneUnknown,
    business_date,
    end_of_business_day,
    midnight_after,
    start_of_business_day,
)

pytestmark = pytest.mark.req("CASH-11")

BERLIN, CAIRO, KABUL, ST_JOHNS = "Europe/Berlin", "Africa/Cairo", "Asia/Kabul", "America/St_Johns"
PAGO_PAGO, KIRITIMATI, APIA = "Pacific/Pago_Pago", "Pacific/Kiritimati", "Pacific/Apia"
TICK = timedelta(microseconds=1)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("moment", "zone", "close", "expected"),
    [
        # Midnight, with the books closing at midnight.
        ("2026-01-14 22:59:59.999999", BERLIN, "00:00", "2026-01-14"),
        ("2026-01-14 23:00", BERLIN, "00:00", "2026-01-15"),
        # The close hour, 03:00: one in the morning is still the evening before.
        ("2026-01-14 23:00", BERLIN, "03:00", "2026-01-14"),
        ("2026-01-15 01:59:59.999999", BERLIN, "03:00", "2026-01-14"),
        ("2026-01-15 02:00", BERLIN, "03:00", "2026-01-15"),
        # Kabul is 4:30 ahead: 03:00 there is 22:30 UTC of the day before.
        ("2026-01-14 22:29:59", KABUL, "03:00", "2026-01-14"),
        ("2026-01-14 22:30", KABUL, "03:00", "2026-01-15"),
        # A year ends.
        ("2026-01-01 01:30", BERLIN, "03:00", "2025-12-31"),
        # UTC-11 and UTC+14, at one and the same moment: two calendar days apart.
        ("2026-06-01 10:30", PAGO_PAGO, "00:00", "2026-05-31"),
        ("2026-06-01 10:30", KIRITIMATI, "00:00", "2026-06-02"),
        ("2026-06-01 13:59", PAGO_PAGO, "03:00", "2026-05-31"),
        ("2026-06-01 14:00", PAGO_PAGO, "03:00", "2026-06-01"),
        ("2026-06-01 12:59", KIRITIMATI, "03:00", "2026-06-01"),
        ("2026-06-01 13:00", KIRITIMATI, "03:00", "2026-06-02"),
        # Clocks forward over a close hour of 02:30, which never comes: the jump opens the day.
        ("2026-03-29 00:59:59", BERLIN, "02:30", "2026-03-28"),
        ("2026-03-29 01:00", BERLIN, "02:30", "2026-03-29"),
        # Clocks back over it, which comes twice: the first opens the day, for good.
        ("2026-10-25 00:29:59", BERLIN, "02:30", "2026-10-24"),
        ("2026-10-25 00:30", BERLIN, "02:30", "2026-10-25"),
        ("2026-10-25 01:10", BERLIN, "02:30", "2026-10-25"),
        ("2026-10-25 01:40", BERLIN, "02:30", "2026-10-25"),
        # The close hour after the change is the wall clock's: 23 and 25 hours after yesterday's.
        ("2026-03-29 00:59", BERLIN, "03:00", "2026-03-28"),
        ("2026-03-29 01:00", BERLIN, "03:00", "2026-03-29"),
        ("2026-10-25 01:59", BERLIN, "03:00", "2026-10-24"),
        ("2026-10-25 02:00", BERLIN, "03:00", "2026-10-25"),
        # A midnight that never comes, and one that comes twice.
        ("2026-04-23 21:59", CAIRO, "00:00", "2026-04-23"),
        ("2026-04-23 22:00", CAIRO, "00:00", "2026-04-24"),
        ("2010-11-07 02:29:59", ST_JOHNS, "00:00", "2010-11-06"),
        ("2010-11-07 02:30", ST_JOHNS, "00:00", "2010-11-07"),
        ("2010-11-07 02:45", ST_JOHNS, "00:00", "2010-11-07"),
        # A whole day that never comes.
        ("2011-12-30 09:59", APIA, "00:00", "2011-12-29"),
        ("2011-12-30 10:00", APIA, "00:00", "2011-12-31"),
    ],
)
def test_a_moment_has_the_business_date_of_its_hotel(moment, zone, close, expected):
    day_close = time.fromisoformat(close)
    assert business_date(utc(moment), zone, day_close) == date.fromisoformat(expected)


def test_the_same_moment_told_in_another_zone_has_the_same_business_date():
    moment = utc("2026-01-15 01:30")
    for told_in in (ZoneInfo("Asia/Tokyo"), timezone(timedelta(hours=-9))):
        assert business_date(moment.astimezone(told_in), BERLIN, time(3)) == date(2026, 1, 14)


@pytest.mark.parametrize(
    ("day", "zone", "close", "opens", "closes"),
    [
        ("2026-01-15", BERLIN, "03:00", "2026-01-15 02:00", "2026-01-16 02:00"),
        ("2026-03-28", BERLIN, "02:30", "2026-03-28 01:30", "2026-03-29 01:00"),
        ("2026-10-24", BERLIN, "02:30", "2026-10-24 00:30", "2026-10-25 00:30"),
        ("2026-10-25", BERLIN, "00:00", "2026-10-24 22:00", "2026-10-25 23:00"),
    ],
)
def test_a_business_day_runs_from_opening_to_opening(day, zone, close, opens, closes):
    """Berlin is UTC+1 in winter, UTC+2 in summer; 2026-10-25 has 25 hours."""
    asked = (date.fromisoformat(day), zone, time.fromisoformat(close))
    assert start_of_business_day(*asked) == utc(opens)
    assert end_of_business_day(*asked) == utc(closes)


@pytest.mark.req("TAX-2")
@pytest.mark.parametrize(
    ("moment", "zone", "midnight"),
    [
        ("2026-01-15 12:00", BERLIN, "2026-01-15 23:00"),
        ("2026-01-15 23:00", BERLIN, "2026-01-16 23:00"),
        ("2026-03-29 00:30", BERLIN, "2026-03-29 22:00"),
        ("2026-04-23 12:00", CAIRO, "2026-04-23 22:00"),
        ("2026-06-01 10:30", PAGO_PAGO, "2026-06-01 11:00"),
        ("2026-06-01 10:30", KIRITIMATI, "2026-06-02 10:00"),
        ("2011-12-30 09:59", APIA, "2011-12-30 10:00"),
    ],
)
def test_a_setting_for_the_day_ends_at_the_hotels_midnight(moment, zone, midnight):
    assert midnight_after(utc(moment), zone) == utc(midnight)
    assert midnight_after(utc(moment), zone).tzinfo is UTC


@given(
    st.dates(date(2000, 1, 2), date(2037, 12, 30)),
    st.sampled_from([BERLIN, CAIRO, KABUL, PAGO_PAGO, KIRITIMATI, "Australia/Lord_Howe"]),
    st.integers(0, 24 * 60 - 1).map(lambda minutes: time(minutes // 60, minutes % 60)),
)
def test_every_moment_is_in_exactly_one_business_day(day, zone, close):
    opens = start_of_business_day(day, zone, close)
    closes = end_of_business_day(day, zone, close)
    assert timedelta(hours=22) <= closes - opens <= timedelta(hours=26)
    assert business_date(opens, zone, close) == business_date(closes - TICK, zone, close) == day
    assert business_date(opens - TICK, zone, close) == day - timedelta(days=1)


@pytest.mark.parametrize("zone", ["", "Europe", "Europe/Atlantis", "../etc/passwd", "a\0b"])
def test_a_zone_that_is_none_is_refused(zone):
    with pytest.raises(TimeZoneUnknown) as refused:
        business_date(utc("2026-01-15 12:00"), zone, time(3))
    assert refused.value.code == "TIME_ZONE_UNKNOWN"


def test_a_moment_without_a_zone_is_a_mistake():
    with pytest.raises(ValueError):
        business_date(utc("2026-01-15 12:00").replace(tzinfo=None), BERLIN, time(3))
