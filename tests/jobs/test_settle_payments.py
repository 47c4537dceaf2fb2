"""What was left behind is asked of the processor, never asked for, and settled once (GW-5)."""

import pytest

from jobs.settle_payments import settle_payments
from tests.hotel import Hotel, usd
from tests.paying import acted, charges, confirm, intents, pay, ready, run_job, shown
from tests.proofs import assert_books_are_right, told, trail
from tests.reopening import reopened
from tests.together import at_once

pytestmark = pytest.mark.req("GW-5", "JOB-1")

DUE = "UPDATE {s}.payment_intent_queue SET next_attempt_at = now()"
LONG_AGO = "UPDATE {s}.payment_intents SET confirmed_at = confirmed_at - interval '15 minutes'"


@pytest.fixture
def folio(hotel: Hotel) -> str:
    return hotel.open_folio()


def run(hotel: Hotel) -> None:
    hotel.rows(DUE)
    done = run_job(hotel, settle_payments)
    assert (done.failed, done.exit_code) == (0, 0)


def left_behind(hotel: Hotel, folio: str, card: str) -> str:
    """A payment of 50.00 that nobody has an answer of; its id."""
    answer = pay(hotel, folio, usd(5_000), card)
    assert answer.status_code == 200, answer.text
    intent: str = answer.json["paymentIntentId"]
    return intent


def test_finds_out_what_an_answer_that_was_lost_had_said(hotel: Hotel, folio: str) -> None:
    intent = left_behind(hotel, folio, "sandbox_lost")

    run(hotel)

    assert intents(hotel) == [["succeeded", True, False]]
    assert [each["actor"] for each in trail(hotel, "payment.succeeded")] == [
        "system:settle_payments"
    ]
    assert (shown(hotel, intent)["status"], len(charges(hotel))) == ("succeeded", 1)
    assert hotel.get(f"/folios/{folio}").json["balance"] == usd(-5_000)
    assert_books_are_right(hotel)


def test_never_asks_for_what_never_arrived_and_gives_it_up(hotel: Hotel, folio: str) -> None:
    """For a quarter of an hour it may be on its way; after that it has failed."""
    intent = left_behind(hotel, folio, "sandbox_unreachable")

    run(hotel)
    assert intents(hotel) == [["processing", False, True]]
    ((attempts, waits),) = hotel.rows(
        "SELECT attempts, next_attempt_at > now() FROM {s}.payment_intent_queue"
    )
    assert (attempts, waits) == (2, True)  # the confirmation itself was the first

    hotel.rows(LONG_AGO)
    run(hotel)

    found = shown(hotel, intent)
    assert (found["status"], found["failureCode"]) == ("failed", "never_arrived")
    assert (charges(hotel), told(hotel)[-1]) == ([], "payment.failed")
    assert intents(hotel) == [["failed", False, False]]
    assert_books_are_right(hotel)


def test_goes_on_waiting_for_a_guest_and_settles_what_they_did(hotel: Hotel, folio: str) -> None:
    intent = left_behind(hotel, folio, "sandbox_3ds")
    hotel.rows(LONG_AGO)

    run(hotel)
    assert intents(hotel) == [["requires_action", False, True]]
    acted(hotel, intent)
    run(hotel)

    assert intents(hotel) == [["succeeded", True, False]]
    assert_books_are_right(hotel)


@pytest.mark.req("GW-3")
def test_puts_money_on_its_folio_once_that_is_open_again(hotel: Hotel, folio: str) -> None:
    """The guest confirms after the folio was closed: 50.00 wait, and are a deposit in the end."""
    intent = left_behind(hotel, folio, "sandbox_3ds")
    hotel.charged(folio, cents=1_000)
    hotel.paid(folio, usd(1_100))
    assert hotel.post(f"/folios/{folio}/close").status_code == 200
    acted(hotel, intent)
    run(hotel)
    assert intents(hotel) == [["succeeded", False, True]]
    assert shown(hotel, intent)["paymentId"] is None
    run(hotel)
    assert intents(hotel) == [["succeeded", False, True]]

    reopened(hotel, folio)
    run(hotel)

    assert intents(hotel) == [["succeeded", True, False]]
    assert hotel.get(f"/folios/{folio}").json["balance"] == usd(-5_000)
    assert [each for each in told(hotel) if "intent.placed" in each] == ["payment_intent.placed"]
    assert len(charges(hotel)) == 1
    assert_books_are_right(hotel)


def test_two_runs_at_once_beside_a_confirmation_settle_it_once(hotel: Hotel, folio: str) -> None:
    intent, method = ready(hotel, folio, usd(5_000), "sandbox_lost")
    confirm(hotel, intent, method)
    hotel.rows(DUE)

    at_once(
        [
            lambda: run_job(hotel, settle_payments),
            lambda: run_job(hotel, settle_payments),
            lambda: confirm(hotel, intent),
        ]
    )

    assert intents(hotel) == [["succeeded", True, False]]
    assert (len(charges(hotel)), told(hotel).count("payment.succeeded")) == (1, 1)
    assert_books_are_right(hotel)
