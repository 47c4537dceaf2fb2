"""What has expired is written down once, and warned of seven days and one day before (CRD-4)."""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from common.runtime.declaration import declaration_of
from common.runtime.job import Orders, Progress
from jobs.expire_credits import expire_credits
from tests.hotel import Hotel
from tests.prepaying import (
    available,
    balance,
    capture,
    deduct,
    entries,
    granted,
    held,
    lots,
    transfer,
)
from tests.proofs import assert_books_are_right, state, told, trail
from tests.together import at_once
from tests.trust.books import broken

pytestmark = pytest.mark.req("CRD-4", "JOB-1")

Clock = Callable[[str], None]


def run(hotel: Hotel) -> Progress:
    """What a run over this tenant came to."""
    declared: Any = declaration_of(expire_credits)  # type: ignore[arg-type] # a job's declaration
    orders = Orders(tenants=(hotel.tenant_id,))
    return hotel.house.wiring.job_shell.run(
        declared, orders, stop=threading.Event(), tell=lambda _: None
    )


def warnings(hotel: Hotel) -> list[tuple[int, int]]:
    """Of each warning: how many days before, and how many credits were left."""
    told = [event["data"] for event in hotel.events("credits.expiring")]
    return [(each["daysBefore"], each["leftMicro"] // 1_000_000) for each in told]


def test_writes_down_what_is_left_of_a_lot_at_its_end(hotel: Hotel, clock: Clock) -> None:
    """10 until noon, 4 spent in time: 6 are gone, and 3 without an end stay."""
    clock("2026-03-01T10:00:00+00:00")
    granted(hotel, 10, expiresAt="2026-03-01T12:00:00Z")
    granted(hotel, 3)
    deduct(hotel, 4)
    clock("2026-03-01T12:00:01+00:00")

    progress = run(hotel)

    assert (progress.exit_code, progress.done) == (0, 1)
    assert entries(hotel)[-1] == ["expire", -6, 0, 0]
    assert lots(hotel) == [["promotion", 0, 0], ["promotion", 3, 0]]
    assert (available(hotel), told(hotel)[-1]) == (3_000_000, "credits.expired")
    assert trail(hotel, "credits.expired")[0]["actor"] == "system:expire_credits"
    assert_books_are_right(hotel)
    assert broken(hotel) == []


def test_does_nothing_a_second_time_and_nothing_too_early(hotel: Hotel, clock: Clock) -> None:
    clock("2026-03-01T10:00:00+00:00")
    granted(hotel, 10, expiresAt="2026-03-20T12:00:00Z")
    before = state(hotel)
    assert run(hotel).done == 0
    assert state(hotel) == before

    clock("2026-03-20T12:00:01+00:00")
    assert run(hotel).done == 1
    after = state(hotel)

    assert run(hotel).done == 0
    assert state(hotel) == after


def test_two_runs_at_once_write_it_down_once(hotel: Hotel, clock: Clock) -> None:
    clock("2026-03-01T10:00:00+00:00")
    granted(hotel, 10, expiresAt="2026-03-01T12:00:00Z")
    transfer(hotel, 5, "spa")
    clock("2026-03-01T12:00:01+00:00")

    ran = at_once([lambda: run(hotel)] * 3)

    assert [progress.exit_code for progress in ran] == [0, 0, 0]
    assert [each[0] for each in entries(hotel)].count("expire") == 1
    assert entries(hotel, "spa")[-1] == ["expire", -5, 0, 0]
    assert broken(hotel) == []


def test_warns_seven_days_and_one_day_before_once_each(hotel: Hotel, clock: Clock) -> None:
    """Until the 20th: nothing on the 12th, a warning on the 13th and on the 19th, none again."""
    clock("2026-03-01T12:00:00+00:00")
    granted(hotel, 10, expiresAt="2026-03-20T12:00:00Z")
    seen = {}
    for day in (12, 13, 14, 18, 19):
        clock(f"2026-03-{day}T12:00:01+00:00")
        run(hotel)
        run(hotel)
        seen[day] = warnings(hotel)
        if day == 14:
            deduct(hotel, 4)

    assert seen == {
        12: [],
        13: [(7, 10)],
        14: [(7, 10)],
        18: [(7, 10)],
        19: [(7, 10), (1, 6)],
    }
    assert_books_are_right(hotel)
    assert broken(hotel) == []


def test_what_is_granted_for_a_day_is_warned_of_once(hotel: Hotel, clock: Clock) -> None:
    clock("2026-03-01T12:00:00+00:00")
    granted(hotel, 10, expiresAt="2026-03-02T10:00:00Z")

    run(hotel)
    run(hotel)

    assert warnings(hotel) == [(1, 10)]


def test_nobody_is_warned_of_what_has_been_spent(hotel: Hotel, clock: Clock) -> None:
    clock("2026-03-01T12:00:00+00:00")
    granted(hotel, 10, expiresAt="2026-03-02T10:00:00Z")
    deduct(hotel, 10)

    assert run(hotel).done == 0
    assert warnings(hotel) == []


def test_writes_down_a_hold_that_has_ended_by_itself(hotel: Hotel, clock: Clock) -> None:
    clock("2026-03-01T12:00:00+00:00")
    granted(hotel, 10)
    held(hotel, 6, lastsSeconds=60)
    clock("2026-03-01T12:01:02+00:00")

    assert run(hotel).done == 1

    assert entries(hotel)[-1] == ["release", 0, -6, 0]
    assert told(hotel)[-1] == "credits.released"
    assert broken(hotel) == []


def test_what_a_hold_holds_of_an_expired_lot_goes_when_the_hold_ends(
    hotel: Hotel, clock: Clock
) -> None:
    """10 until noon, 6 held until one: 4 are gone at noon, and at one what was not captured."""
    clock("2026-03-01T11:59:00+00:00")
    granted(hotel, 10, expiresAt="2026-03-01T12:00:00Z")
    hold_id = held(hotel, 6)
    clock("2026-03-01T12:00:01+00:00")
    run(hotel)
    assert entries(hotel)[-1] == ["expire", -4, 0, 0]
    assert (available(hotel), balance(hotel)["heldMicro"]) == (0, 6_000_000)

    assert capture(hotel, hold_id, 5).status_code == 200
    run(hotel)

    assert entries(hotel)[-1] == ["expire", -1, 0, 0]
    assert lots(hotel) == [["promotion", 0, 0]]
    assert broken(hotel) == []


def test_a_deduction_beside_the_job_spends_nothing_that_has_expired(
    hotel: Hotel, clock: Clock
) -> None:
    """5 have expired, 5 have not: of two who want 4 one gets them, whenever the job comes by."""
    clock("2026-03-01T10:00:00+00:00")
    granted(hotel, 5, expiresAt="2026-03-01T12:00:00Z")
    granted(hotel, 5)
    clock("2026-03-01T12:00:01+00:00")

    answers = at_once(
        [lambda: run(hotel).exit_code, *[lambda: deduct(hotel, 4).status_code for _ in "12"]]
    )

    assert (answers[0], sorted(answers[1:])) == (0, [201, 402])
    run(hotel)
    assert available(hotel) == 1_000_000
    assert broken(hotel) == []
