"""The books of a date that is over are held against one another, and what differs is found."""

import threading
from collections.abc import Callable
from datetime import date
from uuid import uuid4

import pytest

from tests.hotel import Hotel
from tests.proofs import assert_books_are_right, state, trail
from tests.reconciling import (
    DATE,
    MATCHED,
    OVER,
    PLANTS,
    BusyDay,
    Clock,
    Processor,
    about,
    amounts,
    captured,
    found,
    plant,
    run,
    unplant_line,
)
from tests.together import at_once

pytestmark = pytest.mark.req("CASH-9", "JOB-1")


def test_a_day_without_a_difference_is_matched(hotel: Hotel, day: BusyDay) -> None:
    """Payments and refunds by card, one till closed 1.00 short, another that still runs."""
    done = run(hotel)

    assert (done.due, done.done, done.failed, done.exit_code) == (1, 1, 0, 0)
    assert found(hotel) == MATCHED
    assert about(hotel) == ["reconciliation.recorded"]
    (entry,) = trail(hotel, "reconciliation.recorded")
    assert entry["actor"] == "system:reconcile_nightly"
    assert_books_are_right(hotel)


@pytest.mark.req("EVT-2", "AUD-1")
@pytest.mark.parametrize("name", PLANTS)
def test_finds_what_is_wrong_and_nothing_else(hotel: Hotel, day: BusyDay, name: str) -> None:
    expected = plant(day, name)
    entries = len(hotel.rows("SELECT source FROM {s}.ledger_entries"))

    done = run(hotel)

    assert (done.done, done.exit_code) == (1, 0)
    assert found(hotel) == ("mismatch", expected)
    assert about(hotel) == ["reconciliation.mismatch_found"]
    assert len(hotel.rows("SELECT source FROM {s}.ledger_entries")) == entries, "it never posts"


def test_finds_all_that_is_wrong_at_once(hotel: Hotel, day: BusyDay) -> None:
    expected = plant(day, *PLANTS)

    run(hotel)

    assert found(hotel) == ("mismatch", expected)
    (event,) = hotel.events("reconciliation.mismatch_found")
    counts = {each["kind"]: each["count"] for each in event["data"]["counts"]}
    assert counts == {kind: len([k for k, _ in expected if k == kind]) for kind, _ in expected}


def test_says_what_should_be_there_and_what_is(hotel: Hotel, day: BusyDay) -> None:
    """The drop was 10.00 and is written down as 9.00: by the movements 1.00 is left in the till.

    110.00 were recorded and 111.00 captured.
    """
    plant(day, "drawer_movements", "payment_amount")

    run(hotel)

    assert amounts(hotel) == {
        ("drawer_movements", "USD"): (100, 0),
        ("payment_amount", "USD"): (11_100, 11_000),
    }


@pytest.mark.req("CASH-3")
def test_what_is_found_in_a_drawer_that_runs_has_no_amount_anywhere(
    hotel: Hotel, day: BusyDay
) -> None:
    """It is counted blind: 200.00 are due in it, and neither that nor 199.00 is written down."""
    plant(day, "drawer_that_runs")

    run(hotel)

    assert amounts(hotel) == {("drawer_movements", "USD"): (None, None)}
    told_of = [*hotel.events("reconciliation.mismatch_found")]
    told_of += trail(hotel, "reconciliation.mismatch_found")
    assert not [each for each in told_of if day.running.session in str(each)]
    kept = str(told_of) + hotel.rows("SELECT r::text FROM {s}.reconciliations AS r")[0][0]
    assert "199000000" not in kept
    assert "200000000" not in kept


def test_finding_the_same_again_changes_nothing(hotel: Hotel, day: BusyDay, clock: Clock) -> None:
    """Only when it was looked at last is another moment."""
    plant(day, "folio_lines", "payment_not_captured")
    run(hotel)
    before = state(hotel, without=("reconciliations",))
    seen = hotel.rows("SELECT id, version, differences, first_run_at FROM {s}.reconciliations")

    clock("2026-03-02T05:00:00Z")
    done = run(hotel, as_of=DATE)

    assert (done.done, done.exit_code) == (1, 0)
    assert state(hotel, without=("reconciliations",)) == before
    again = hotel.rows("SELECT id, version, differences, first_run_at FROM {s}.reconciliations")
    assert again == seen
    ((gap,),) = hotel.rows("SELECT last_run_at > first_run_at FROM {s}.reconciliations")
    assert gap is True


def test_a_date_that_was_looked_at_is_due_no_more(hotel: Hotel, day: BusyDay) -> None:
    run(hotel)
    before = state(hotel)

    done = run(hotel)

    assert (done.due, done.done, done.exit_code) == (0, 0, 0)
    assert state(hotel) == before


def test_other_findings_move_a_mismatch(hotel: Hotel, day: BusyDay) -> None:
    """One more is told of as a mismatch; what is gone is written down, and then it is matched."""
    first = plant(day, "folio_lines")
    run(hotel)
    more = plant(day, "payment_not_captured")
    run(hotel, as_of=DATE)
    assert found(hotel) == ("mismatch", first | more)
    unplant_line(day)

    run(hotel, as_of=DATE)

    assert found(hotel) == ("mismatch", more)
    captured(hotel, 9_000, day.payments[2][1])
    run(hotel, as_of=DATE)
    assert found(hotel) == MATCHED
    kinds = ["mismatch_found", "mismatch_found", "recorded", "recorded"]
    assert about(hotel) == [f"reconciliation.{each}" for each in kinds]
    assert_books_are_right(hotel)


def test_is_left_alone_for_half_an_hour_after_it_is_over(hotel: Hotel, clock: Clock) -> None:
    """1 March ends at 22:30 UTC: what was told in its last minute is in by 23:00."""
    BusyDay.lived(hotel, clock)

    clock("2026-03-01T22:59:00Z")
    early = run(hotel)
    clock("2026-03-01T23:00:30Z")
    due = run(hotel)

    assert (early.due, due.due) == (0, 1)


def test_looks_at_every_date_since_anything_happened(hotel: Hotel, clock: Clock) -> None:
    """The job did not run for three nights: it makes up for them, the last one first."""
    BusyDay.lived(hotel, clock)
    clock("2026-03-04T01:00:00Z")

    done = run(hotel)

    assert done.done == 3
    dates = hotel.rows("SELECT business_date FROM {s}.reconciliations ORDER BY first_run_at")
    assert [each for (each,) in dates] == [date(2026, 3, 3), date(2026, 3, 2), date(2026, 3, 1)]


def test_a_house_in_which_nothing_ever_happened_has_no_dates(hotel: Hotel, clock: Clock) -> None:
    clock(OVER)

    assert run(hotel).due == 0


@pytest.mark.req("JOB-2")
def test_runs_for_a_past_date(hotel: Hotel, day: BusyDay, clock: Clock) -> None:
    """Ten days later what was wrong then is found under its date, and not under another one."""
    clock("2026-03-11T05:00:00Z")
    expected = plant(day, "payment_not_recorded")

    done = run(hotel, as_of=DATE)

    assert (done.done, done.exit_code) == (1, 0)
    assert found(hotel) == ("mismatch", expected)
    assert len(hotel.rows("SELECT id FROM {s}.reconciliations")) == 1


def test_a_date_that_is_not_over_is_not_looked_at(hotel: Hotel, clock: Clock) -> None:
    BusyDay.lived(hotel, clock)

    assert run(hotel, as_of=DATE).due == 0


def test_finds_what_is_due_and_does_nothing_when_it_is_only_asked(
    hotel: Hotel, day: BusyDay
) -> None:
    before = state(hotel)

    assert run(hotel, dry_run=True).due == 1
    assert state(hotel) == before


def test_each_house_has_its_own_dates(hotel: Hotel, clock: Clock) -> None:
    """At 23:30 UTC 1 March is over in Kabul; in Los Angeles it is afternoon."""
    second = Hotel(hotel.house, hotel.tenant_id, uuid4())
    (here,) = hotel.settings()["properties"]
    there = {**here, "id": str(second.property_id), "timeZone": "America/Los_Angeles"}
    hotel.write_settings(properties=[here, there])
    clock("2026-03-01T19:00:00Z")
    folios = [each.open_folio() for each in (hotel, second)]
    for each, folio in zip((hotel, second), folios, strict=True):
        each.charged(folio)
    second.rows("UPDATE {s}.folios SET balance_micro = 1 WHERE id = :id", id=folios[1])

    clock(OVER)
    first_run = run(hotel)
    clock("2026-03-02T12:00:00Z")
    run(hotel)

    assert first_run.done == 1
    assert found(hotel) == MATCHED
    kinds = {"folio_lines", "folio_ledger"}
    assert found(second) == ("mismatch", {(kind, folios[1]) for kind in kinds})
    assert_no_trace_of_another(hotel)


def assert_no_trace_of_another(hotel: Hotel) -> None:
    """Each date of each house has one row."""
    rows = hotel.rows(
        "SELECT count(*), count(DISTINCT (property_id, business_date)) FROM {s}.reconciliations"
    )
    assert rows[0][0] == rows[0][1]


@pytest.mark.req("TEN-2")
def test_another_tenant_is_not_touched(hotel: Hotel, day: BusyDay, clock: Clock) -> None:
    """The other hotel has the very same trouble, and the processor its captures beside ours."""
    other = hotel.house.new_hotel()
    twin = BusyDay.lived(other, clock)
    clock(OVER)
    plant(twin, *PLANTS)
    before = state(other)

    run(hotel)

    assert found(hotel) == MATCHED
    assert state(other) == before


def test_two_runs_at_once_write_one_row_and_tell_it_once(hotel: Hotel, day: BusyDay) -> None:
    """Both have found no row before either writes down what it found."""
    expected = plant(day, *PLANTS)
    table = f"{hotel.schema}.reconciliations"
    done = hotel.house.at_once_before_they_write(table, [lambda: run(hotel)] * 2)

    assert [each.exit_code for each in done] == [0, 0]
    assert [each.done for each in done] == [1, 1]
    assert found(hotel) == ("mismatch", expected)
    assert about(hotel) == ["reconciliation.mismatch_found"]
    assert len(trail(hotel, "reconciliation.mismatch_found")) == 1


def test_two_runs_of_a_past_date_at_once_move_it_once(
    hotel: Hotel, day: BusyDay, at: Callable[[Processor], Hotel]
) -> None:
    run(hotel)
    expected = plant(day, "folio_lines")
    both = threading.Barrier(2, timeout=20)
    here = at(Processor(meanwhile=both.wait))

    done = at_once([lambda: run(here, as_of=DATE)] * 2)

    assert [each.exit_code for each in done] == [0, 0]
    assert found(hotel) == ("mismatch", expected)
    assert about(hotel) == ["reconciliation.recorded", "reconciliation.mismatch_found"]
