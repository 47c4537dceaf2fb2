"""The same usage in different orders makes the same invoices (SUB-12).

    python -m tests.trust usage --events 100000

So many events of four meters are told to each of two hotels: a fifth of them twice, a tenth only
after their period was billed, and to each hotel in an order of its own. Then both subscriptions
end, and what came late is on the last invoice. What every meter has to come to is worked out from
the events alone. `make test` plays it with two thousand.
"""

import random
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from tests.hotel import Hotel, House
from tests.metering import Event, fates, price, priced, send_all, usage_lines, used
from tests.subscribing import act, run_cycle, shown
from tests.trust.books import broken
from tests.trust.faults.subscription_examples import overdue

METERS = ("ai_requests", "ai_tokens", "storage_mb", "active_users")
CENT = 10_000
BATCH = 500


def play(house: House, events: int, seed: int) -> list[str]:
    """What was wrong, in sentences: nothing, if all is well."""
    drawn = random.Random(seed)
    hotels = [house.new_hotel() for _ in range(2)]
    plan = priced(hotels[0], *(price(meter, CENT) for meter in METERS))
    for hotel in hotels:
        overdue(hotel, plan)
    start = datetime.fromisoformat(shown(hotels[0])["subscription"]["period"]["start"])
    told = [_event(drawn, number, start) for number in range(events)]
    late = drawn.sample(told, events // 10)
    names = {event["eventId"] for event in late}
    in_time = [event for event in told if event["eventId"] not in names]
    for hotel in hotels:
        _tell(hotel, in_time, drawn)
        _cycle(hotel)
        _tell(hotel, late, drawn)
        assert act(hotel, "cancel", at="now").status_code == 200
    wrong = [f"seed {seed}: {each}" for hotel in hotels for each in broken(hotel)]
    lines = [usage_lines(hotel) for hotel in hotels]
    if lines[0] != lines[1]:
        wrong.append(f"seed {seed}: {lines[0]} and {lines[1]}")
    in_time_first = {row[2]: row[4] for row in lines[0] if row[1] == "usage"}
    if in_time_first != _quantities(in_time):
        wrong.append(f"seed {seed}: {lines[0]} is not what was used in time")
    late_then = {row[2]: row[4] for row in lines[0] if row[1] == "late_usage"}
    if {**in_time_first, **late_then} != (wanted := _quantities(told)):
        wrong.append(f"seed {seed}: {lines[0]} is not what was used")
    if (cents := sum(row[5] for row in lines[0])) != sum(wanted.values()):
        wrong.append(f"seed {seed}: {cents} cents are not a cent for each")
    return wrong


def tellings(events: int) -> int:
    """How many events are told in all: to two hotels, and a fifth of them once more."""
    late = events // 10
    return 2 * (events + late // 5 + (events - late) // 5)


def _event(drawn: random.Random, number: int, start: datetime) -> Event:
    meter = drawn.choice(METERS)
    at = start + timedelta(seconds=drawn.randrange(1, 20 * 86_400))
    name = f"evt-{number}"
    if meter == "ai_requests":
        return used(meter, None, at.isoformat(), name)
    if meter == "active_users":
        return used(meter, None, at.isoformat(), name, value=f"user-{drawn.randrange(400)}")
    return used(meter, drawn.randrange(5_000), at.isoformat(), name)


def _tell(hotel: Hotel, events: Sequence[Event], drawn: random.Random) -> None:
    """In an order that is drawn, a fifth of them twice."""
    order = [*events, *drawn.sample(events, len(events) // 5)]
    drawn.shuffle(order)
    for place in range(0, len(order), BATCH):
        said = fates(send_all(hotel, *order[place : place + BATCH]))
        assert set(said) <= {"counted", "duplicate"}, said


def _cycle(hotel: Hotel) -> None:
    progress = run_cycle(hotel)
    assert (progress.done, progress.exit_code) == (1, 0)


def _quantities(events: Sequence[Event]) -> dict[str, int]:
    """What each meter comes to, from the events alone."""
    of: dict[str, list[Any]] = defaultdict(list)
    for event in events:
        of[event["meter"]].append(event.get("quantity", event.get("value")))
    return {
        "ai_requests": len(of["ai_requests"]),
        "ai_tokens": sum(of["ai_tokens"]),
        "storage_mb": max(of["storage_mb"]),
        "active_users": len(set(of["active_users"])),
    }
