"""A count that waits for six hours alarms once, and is solved by two supervisors (CASH-8)."""

import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from common.runtime.declaration import declaration_of
from common.runtime.job import Orders, Progress
from functions.cash.recount_stuck_session import recount_stuck_session
from jobs.watch_stuck_sessions import watch_stuck_sessions
from tests.hotel import Hotel, new_id, usd
from tests.proofs import assert_books_are_right, assert_refused, state, trail
from tests.till import OPERATE, Till, by_pieces, counted
from tests.together import at_once

CROOKED = [{"amount": usd(100), "denominations": [{"valueMicro": 500_000, "pieces": 1}]}]
NINE, THREE, FIVE = (f"2026-03-02T{time}:00+00:00" for time in ("09:00", "15:01", "17:00"))
REFUSALS: list[tuple[str, int, dict[str, Any]]] = [
    ("CASH_SESSION_UNKNOWN", 404, {}),
    ("CASH_SESSION_NOT_PENDING", 409, {}),
    ("CASH_SESSION_NOT_STUCK", 409, {}),
    ("CASH_SAME_PERSON", 403, {"by": "karim"}),
    ("CASH_COUNT_DIFFERS", 409, {"number": 1}),
    ("CASH_COUNT_DIFFERS", 409, {"number": 3}),
    ("CASH_COUNT_INVALID", 422, {"count": CROOKED, "token": "any"}),
]
Clock = Callable[[str], None]


@pytest.fixture
def till(hotel: Hotel, clock: Clock) -> Till:
    """A count of 95.00 that waits since nine; 100.00 are due."""
    clock(NINE)
    opened = Till.opened(hotel, usd(10_000))
    assert opened.initiate(usd(9_500)).status_code == 200
    return opened


def watch(hotel: Hotel, **orders: Any) -> Progress:
    """Run the job for one hotel, as its schedule does for all."""
    return hotel.house.wiring.job_shell.run(
        declaration_of(watch_stuck_sessions),  # type: ignore[arg-type] # a job's declaration
        Orders(tenants=(hotel.tenant_id,), **orders),
        stop=threading.Event(),
        tell=lambda progress: None,
    )


@pytest.mark.req("CASH-8", "JOB-1", "EVT-2")
def test_the_alarm_is_raised_once_after_six_hours(till: Till, clock: Clock) -> None:
    early = watch(till.hotel)
    clock(THREE)

    dry = watch(till.hotel, dry_run=True)
    first = watch(till.hotel)
    again = watch(till.hotel)

    assert (early.done, dry.due, dry.done, first.done, again.due) == (0, 1, 0, 1, 0)
    assert {each.exit_code for each in (early, dry, first, again)} == {0}
    (event,) = till.hotel.events("cash_drawer.stuck")
    assert event["data"]["cashSessionId"] == till.session
    assert event["data"]["pendingSince"][:10] == "2026-03-02"
    (entry,) = trail(till.hotel, "cash_drawer.stuck")
    assert entry["actor"] == "system:watch_stuck_sessions"
    assert_books_are_right(till.hotel)


@pytest.mark.req("CASH-8", "JOB-1")
def test_two_watchers_at_once_raise_one_alarm(till: Till, clock: Clock) -> None:
    clock(THREE)

    runs = at_once([partial(watch, till.hotel) for _ in range(4)])

    assert {run.exit_code for run in runs} == {0}
    assert len(till.hotel.events("cash_drawer.stuck")) == 1


@pytest.mark.req("CASH-8")
def test_a_count_that_was_confirmed_or_sent_back_in_time_raises_none(
    hotel: Hotel, till: Till, clock: Clock
) -> None:
    other = Till.opened(hotel, usd(10_000))
    other.initiate(usd(10_000))
    other.close(usd(10_000))
    till.send_back()
    clock(FIVE)

    assert watch(hotel).due == 0


@pytest.mark.req("CASH-8")
def test_another_count_that_waits_too_long_raises_another_alarm(till: Till, clock: Clock) -> None:
    clock(THREE)
    watch(till.hotel)
    till.send_back()
    till.initiate(usd(9_500), number=2)
    clock("2026-03-02T21:03:00+00:00")

    assert watch(till.hotel).done == 1
    assert len(till.hotel.events("cash_drawer.stuck")) == 2


@pytest.mark.req("CASH-8", "CASH-4", "BEY-1", "SEC-4", "AUD-1")
def test_two_supervisors_close_it_by_a_count_of_their_own(till: Till, clock: Clock) -> None:
    """Karim has gone home. Farid counts 98.00 in twenties and twos, Laila confirms: 2.00 short."""
    clock(FIVE)
    count = [by_pieces("USD", (2_000, 4), (200, 9))]

    counted_anew = till.recount(count=count, by="farid")
    refused = till.close(count=count, number=2, closed_by="farid", by="farid")
    closed = till.close(count=count, number=2, closed_by="farid", by="laila")

    assert counted_anew.status_code == 200, counted_anew.text
    assert (counted_anew.json["closedBy"], counted_anew.json["results"]) == ("farid", None)
    assert_refused(refused, 403, "CASH_SAME_PERSON")
    assert closed.status_code == 200, closed.text
    assert closed.json["results"][0]["variance"] == usd(-200)
    (row,) = till.hotel.rows("SELECT closed_by, co_signer, counts FROM {s}.cash_sessions")
    assert row == ["farid", "laila", 2]
    signed_counts = trail(till.hotel, "cash_drawer.close_initiated")
    assert [each["actor"] for each in signed_counts] == ["karim", "farid"]
    assert_books_are_right(till.hotel)


@pytest.mark.req("CASH-8", "API-3")
@pytest.mark.parametrize(("code", "status", "given"), REFUSALS)
def test_refuses_another_count_and_changes_nothing(
    till: Till, clock: Clock, code: str, status: int, given: dict[str, Any]
) -> None:
    clock("2026-03-02T14:58:00+00:00" if code == "CASH_SESSION_NOT_STUCK" else FIVE)
    if code == "CASH_SESSION_NOT_PENDING":
        assert till.close(usd(9_500)).status_code == 200
    if code == "CASH_SESSION_UNKNOWN":
        till.session = new_id("cds")
    before = state(till.hotel, without=("audit_entries",))

    answer = till.recount(usd(9_800), **{"by": "farid", **given})

    assert_refused(answer, status, code)
    assert state(till.hotel, without=("audit_entries",)) == before
    if code in ("CASH_SAME_PERSON", "CASH_SESSION_NOT_STUCK"):
        (entry,) = trail(till.hotel, "security.attempt_refused")
        assert entry["reason"] == f"MELMASTOON.BILLING.{code}"


@pytest.mark.req("API-3")
def test_every_refusal_that_is_declared_is_tried() -> None:
    declared = {refusal.code for refusal in declaration_of(recount_stuck_session).refusals}

    assert declared == {code for code, _, _ in REFUSALS}


@pytest.mark.req("CASH-8", "SEC-2")
def test_counting_anew_is_a_supervisors_right(till: Till, clock: Clock) -> None:
    clock(FIVE)
    context = till.context(counted(usd(9_800)), number=2, by="omid")
    body = {
        "countNumber": 2,
        "count": counted(usd(9_800)),
        "stepUpToken": till.hotel.confirmation("omid", OPERATE, context),
    }

    answer = till.hotel.post(
        till.path("/recount"), body, token=till.hotel.token(OPERATE, sub="omid")
    )

    assert_refused(answer, 403, "MELMASTOON.IAM.SCOPE_MISSING")


@pytest.mark.req("CASH-8", "CASH-4")
def test_a_confirmation_of_the_old_count_closes_nothing_any_more(till: Till, clock: Clock) -> None:
    clock(FIVE)
    old = till.hotel.confirmation(
        "laila", "billing.cash_drawer.close", till.context(counted(usd(9_500)))
    )
    till.recount(usd(9_800), by="farid")

    answer = till.close(usd(9_500), token=old)

    assert_refused(answer, 409, "CASH_COUNT_DIFFERS")


@pytest.mark.req("CASH-8", "API-4")
def test_of_two_supervisors_who_count_at_once_one_does_and_is_answered_again(
    till: Till, clock: Clock
) -> None:
    clock(FIVE)
    people = ["farid", "omid", "zarmina"]

    answers = at_once(
        [partial(till.recount, usd(9_800), by=who, key=f"key-{who}") for who in people]
    )

    assert sorted(answer.status_code for answer in answers) == [200, 409, 409]
    ((who, first),) = [(w, a) for w, a in zip(people, answers, strict=True) if a.status_code == 200]
    again = till.recount(usd(9_800), by=who, key=f"key-{who}")
    assert again.data == first.data
    assert_books_are_right(till.hotel)
