"""The date that a hotel's books carry, which is not the calendar's.

A bar bill at one in the morning belongs to the evening before: the business day ends at the
property's day-close hour, in the property's time zone (FOL-3, CASH-11). A business day is the time
from its own opening to the next day's, and it opens when the wall clock first shows the close hour
or later. From that one sentence follow the odd nights: where the clock goes forward over the close
hour, the day opens as the clock jumps; where it is put back over it, the day opens at the first
showing and stays open at the second. So business dates never run backwards.
"""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from common.domain.refusal import Unmet

_DAY = timedelta(days=1)
_TICK = timedelta(microseconds=1)


class TimeZoneUnknown(Unmet):
    code = "TIME_ZONE_UNKNOWN"
    title = "This is not a time zone of the IANA database"


def business_date(moment: datetime, zone: str, day_close: time) -> date:
    """The business date that `moment` (with a time zone, else `ValueError`) belongs to.

    `zone` is the property's IANA name, `day_close` its close hour by the wall clock. Refuses:
    `TimeZoneUnknown`.
    """
    if moment.tzinfo is None:
        raise ValueError("a moment has a time zone")
    today = moment.astimezone(zone_of(zone)).date()
    for day in (today + _DAY, today):
        if start_of_business_day(day, zone, day_close) <= moment:
            return day
    return today - _DAY


def start_of_business_day(day: date, zone: str, day_close: time) -> datetime:
    """The instant, in UTC, at which `day` opens: its clock first shows `day_close` or later."""
    property_zone, wall = zone_of(zone), datetime.combine(day, day_close)
    # PEP 495: the two readings agree on an ordinary night, run backwards where the hour comes twice
    # (the earlier counts), and lie around the jump where it never comes: then the jump is sought.
    before, at = (wall.replace(tzinfo=property_zone, fold=fold).astimezone(UTC) for fold in (1, 0))
    while at - before > _TICK:
        middle = before + (at - before) // 2
        if middle.astimezone(property_zone).replace(tzinfo=None) < wall:
            before = middle
        else:
            at = middle
    return at


def end_of_business_day(day: date, zone: str, day_close: time) -> datetime:
    """The instant, in UTC, at which `day` is over: it belongs to the next day already."""
    return start_of_business_day(day + _DAY, zone, day_close)


def midnight_after(moment: datetime, zone: str) -> datetime:
    """The instant, in UTC, of the property's next calendar midnight after `moment`.

    A setting for one day, such as `allowUntaxed` (TAX-2), ends here whatever the close hour is.
    """
    return end_of_business_day(business_date(moment, zone, time.min), zone, time.min)


def zone_of(name: str) -> ZoneInfo:
    """The time zone of an IANA name. Refuses: `TimeZoneUnknown`."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as unknown:
        raise TimeZoneUnknown(name) from unknown
