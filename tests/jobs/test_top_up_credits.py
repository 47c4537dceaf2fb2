"""An account that is low is told so once and fills itself up, one purchase at a time (EVT-2)."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from jobs.settle_credit_purchases import settle_credit_purchases
from jobs.top_up_credits import top_up_credits
from tests.buying import asked_of_the_processor, card, fill_up, purchases
from tests.hotel import Hotel, new_id
from tests.paying import run_job
from tests.prepaying import available, deduct, granted, micro
from tests.proofs import assert_books_are_right, assert_refused, state, told
from tests.together import at_once
from tests.trust.books import broken

pytestmark = pytest.mark.req("EVT-2", "CRD-6")

Clock = Callable[[str], None]


@pytest.fixture(autouse=True)
def noon(clock: Clock) -> None:
    clock("2026-03-01T12:00:00+00:00")


def run(hotel: Hotel) -> None:
    """What the two jobs do in a minute."""
    for job in (top_up_credits, settle_credit_purchases):
        assert run_job(hotel, job).exit_code == 0


def top_up(hotel: Hotel) -> dict[str, Any]:
    """How the main account fills itself up, as it is shown."""
    document: dict[str, Any] = hotel.get("/credits/auto-top-up").json
    return document


def test_is_low_once_for_each_crossing_and_is_filled_up(hotel: Hotel) -> None:
    """120 there, below 100 is low: 30 and 10 spent are one crossing. 80 and 500 bought are 580."""
    granted(hotel, 120)
    assert fill_up(hotel, card(hotel)).status_code == 200

    deduct(hotel, 20)
    assert hotel.events("credits.low") == []
    deduct(hotel, 10)
    deduct(hotel, 10)

    (event,) = hotel.events("credits.low")
    assert event["data"]["availableMicro"] == micro(90)
    assert event["data"]["thresholdMicro"] == micro(100)
    run(hotel)
    assert (available(hotel), purchases(hotel)) == (micro(580), [["succeeded", 500, 500, False]])
    run(hotel)
    assert len(purchases(hotel)) == 1

    deduct(hotel, 500)
    assert len(hotel.events("credits.low")) == 2
    assert_books_are_right(hotel)
    assert broken(hotel) == []


@pytest.mark.req("GDPR-2")
def test_a_card_that_was_chosen_before_its_purpose_was_asked_fills_nothing_up(
    hotel: Hotel,
) -> None:
    granted(hotel, 50)
    method = card(hotel)
    fill_up(hotel, method)
    sql = "UPDATE {s}.payment_methods SET purpose = 'this_stay' WHERE id = :id RETURNING id"
    hotel.rows(sql, id=method)

    run(hotel)

    assert (available(hotel), purchases(hotel)) == (micro(50), [])
    (failed,) = hotel.events("auto_top_up.failed")
    assert failed["data"]["failureCode"] == "payment_method_for_stays"


def test_two_jobs_at_once_start_one_top_up(hotel: Hotel) -> None:
    granted(hotel, 50)
    fill_up(hotel, card(hotel))

    at_once([lambda: run_job(hotel, top_up_credits) for _ in range(4)])
    at_once([lambda: run_job(hotel, settle_credit_purchases) for _ in range(4)])

    assert (purchases(hotel), available(hotel)) == ([["succeeded", 500, 500, False]], micro(550))
    assert asked_of_the_processor(hotel) == 1
    assert broken(hotel) == []


def test_a_month_has_its_cap(hotel: Hotel, clock: Clock) -> None:
    """At most 1,000 in a month: two times 500, and the third with the next month."""
    granted(hotel, 50)
    fill_up(hotel, card(hotel))
    for _ in range(3):
        run(hotel)
        deduct(hotel, available(hotel) // micro(1))
        run(hotel)

    assert (len(purchases(hotel)), available(hotel)) == (2, 0)
    shown = top_up(hotel)
    assert datetime.fromisoformat(shown["nextAttemptAt"]) == datetime.fromisoformat(
        "2026-04-01T00:00:00+00:00"
    )
    assert hotel.events("auto_top_up.failed")[-1]["data"]["failureCode"] == "monthly_cap_reached"
    clock("2026-04-01T00:00:01+00:00")
    run(hotel)
    assert (len(purchases(hotel)), available(hotel)) == (3, micro(500))


def test_a_card_that_is_declined_is_tried_three_times_more(hotel: Hotel, clock: Clock) -> None:
    """At once, after 1, 6 and 24 hours; then it is told that it is not any more."""
    fill_up(hotel, card(hotel, "sandbox_declined"))
    tried = []
    for at in (
        "01T12:00:01",
        "01T12:59:00",
        "01T13:01:00",
        "01T18:59:00",
        "01T19:02:00",
        "02T19:03:00",
        "09T12:00:00",
    ):
        clock(f"2026-03-{at}+00:00")
        run(hotel)
        tried.append(len(purchases(hotel)))

    assert tried == [1, 1, 2, 2, 3, 4, 4]
    failures = [each["data"] for each in hotel.events("auto_top_up.failed")]
    assert [each["failures"] for each in failures] == [1, 2, 3, 4]
    assert failures[-1]["nextAttemptAt"] is None
    assert (available(hotel), top_up(hotel)["failures"]) == (0, 4)

    fill_up(hotel, card(hotel))
    run(hotel)
    assert (available(hotel), top_up(hotel)["failures"]) == (micro(500), 0)
    assert_books_are_right(hotel)


def test_what_is_switched_off_tells_and_buys_nothing(hotel: Hotel) -> None:
    granted(hotel, 120)
    fill_up(hotel, card(hotel), enabled=False)
    deduct(hotel, 30)

    run(hotel)

    assert (len(hotel.events("credits.low")), purchases(hotel)) == (1, [])


def test_a_lost_answer_of_a_top_up_is_not_charged_twice(hotel: Hotel, clock: Clock) -> None:
    fill_up(hotel, card(hotel, "sandbox_lost"))
    run(hotel)
    assert purchases(hotel) == [["processing", 500, 500, True]]
    clock("2026-03-01T12:10:00+00:00")

    run(hotel)

    assert (available(hotel), asked_of_the_processor(hotel)) == (micro(500), 1)
    assert broken(hotel) == []


@pytest.mark.req("API-4")
def test_is_set_once_and_refused_where_it_could_not_be_kept(hotel: Hotel) -> None:
    method = card(hotel)
    assert_refused(hotel.get("/credits/auto-top-up"), 404, "AUTO_TOP_UP_UNKNOWN")
    before = state(hotel)

    for changed, code in (
        ({"creditsMicro": micro(499)}, "CREDIT_PURCHASE_TOO_SMALL"),
        ({"monthlyCapMicro": micro(499)}, "MONTHLY_CAP_TOO_SMALL"),
        ({"thresholdMicro": micro(999_501)}, "CREDIT_BALANCE_LIMIT"),
    ):
        assert_refused(fill_up(hotel, method, **changed), 422, code)
    assert_refused(fill_up(hotel, new_id("pm")), 404, "PAYMENT_METHOD_UNKNOWN")
    assert_refused(fill_up(hotel, method, account="spa"), 404, "CREDIT_ACCOUNT_UNKNOWN")
    assert state(hotel) == before

    set_ = fill_up(hotel, method)
    assert (set_.status_code, set_.json) == (200, top_up(hotel))
    assert told(hotel)[-3:] == ["credits.watched", "credits.low", "auto_top_up.set"]
    answers = at_once([lambda: fill_up(hotel, method) for _ in range(3)])
    assert {each.status_code for each in answers} == {200}
    assert top_up(hotel)["version"] == 4
