"""What was left behind of a purchase is settled: asked after, and never charged again (GW-5)."""

from collections.abc import Callable

import pytest

from jobs.settle_credit_purchases import settle_credit_purchases
from tests.buying import ask, asked_of_the_processor, card, purchases, shown, wanted
from tests.hotel import Hotel
from tests.paying import acted, run_job
from tests.prepaying import available
from tests.proofs import state, told
from tests.together import at_once
from tests.trust.books import broken

pytestmark = pytest.mark.req("GW-5", "JOB-1")

Clock = Callable[[str], None]


@pytest.fixture(autouse=True)
def noon(clock: Clock) -> None:
    clock("2026-03-01T12:00:00+00:00")


def test_a_lost_answer_is_asked_after_and_granted_once(hotel: Hotel, clock: Clock) -> None:
    body = wanted(500, card(hotel, "sandbox_lost"))
    assert ask(hotel, body).json["status"] == "processing"
    assert available(hotel) == 0
    clock("2026-03-01T12:05:00+00:00")

    runs = at_once([lambda: run_job(hotel, settle_credit_purchases) for _ in range(2)])

    assert [each.exit_code for each in runs] == [0, 0]
    assert purchases(hotel) == [["succeeded", 500, 500, False]]
    assert (available(hotel), asked_of_the_processor(hotel)) == (500_000_000, 1)
    before = state(hotel)
    assert run_job(hotel, settle_credit_purchases).due == 0
    assert state(hotel) == before
    assert broken(hotel) == []


def test_what_never_arrived_is_given_up_and_not_charged(hotel: Hotel, clock: Clock) -> None:
    body = wanted(500, card(hotel, "sandbox_unreachable"))
    assert ask(hotel, body).json["status"] == "processing"
    clock("2026-03-01T12:10:00+00:00")
    run_job(hotel, settle_credit_purchases)
    assert shown(hotel, body["id"])["status"] == "processing"
    clock("2026-03-01T12:16:00+00:00")

    run_job(hotel, settle_credit_purchases)

    found = shown(hotel, body["id"])
    assert (found["status"], found["failureCode"]) == ("failed", "never_arrived")
    assert (available(hotel), asked_of_the_processor(hotel)) == (0, 0)
    assert told(hotel)[-1] == "credit_purchase.failed"


def test_what_waits_for_its_buyer_goes_on_waiting(hotel: Hotel, clock: Clock) -> None:
    body = wanted(500, card(hotel, "sandbox_3ds"))
    ask(hotel, body)
    clock("2026-03-01T13:00:00+00:00")
    run_job(hotel, settle_credit_purchases)
    assert purchases(hotel) == [["requires_action", 500, 500, True]]
    acted(hotel, body["id"])
    clock("2026-03-02T13:00:00+00:00")

    run_job(hotel, settle_credit_purchases)

    assert (purchases(hotel)[0][0], available(hotel)) == ("succeeded", 500_000_000)
