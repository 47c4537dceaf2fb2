"""A refund that was made fails afterwards: the house has the money again, once (WH-4, REF-1)."""

from typing import Any

import pytest

from tests.hotel import Hotel, usd
from tests.proofs import assert_books_are_right, state, told
from tests.refunding import card_payment, refund
from tests.reopening import closes, reopened
from tests.together import at_once
from tests.webhooks import Webhook, paid_cents, refund_told, refunded_there

from .test_done_at_the_processor import closed_folio, ledger, paid_by_card, processors_id, tell

pytestmark = pytest.mark.req("WH-4", "WH-5", "REF-1")

KEPT_ASIDE = ("webhook_events", "webhook_bodies", "webhook_attempts")
FAILED = ("failed", "refund.failed")


def ours(hotel: Hotel, folio: str, payment: str, cents: int) -> tuple[str, str]:
    """A refund of ours that the processor has made: its id, and the processor's payment."""
    answer = refund(hotel, folio, payment, usd(cents))
    assert answer.status_code == 201, answer.text
    return answer.json["refund"]["refundId"], processors_id(hotel, payment)


def refunds(hotel: Hotel, folio: str) -> list[tuple[Any, ...]]:
    """Status, why, and whether it came back, of each refund that the folio shows."""
    return [
        (each["status"], each["failureCode"], each["cameBackAt"] is not None)
        for each in hotel.get(f"/folios/{folio}").json["refunds"]
    ]


def test_of_an_open_folio_it_is_taken_back_and_can_be_given_back_anew(hotel: Hotel) -> None:
    """40.00 of 100.00 went back and came again, told twice at once: 100.00 are left, and all of
    them can be asked for. That it was made is no news any more."""
    folio = hotel.open_folio()
    payment = card_payment(hotel, folio, usd(10_000))
    refund_id, theirs = ours(hotel, folio, payment, 4_000)
    sent = [refund_told(theirs, refund_id, 4_000, *FAILED) for _ in range(2)]

    answers = at_once([lambda each=each: Webhook(hotel).send(each) for each in sent])  # type: ignore[misc]

    assert {each.json["outcome"] for each in answers} == {"applied"}
    assert refunds(hotel, folio) == [("failed", "lost_or_stolen_card", True)]
    shown = hotel.get(f"/folios/{folio}").json
    lines = [(line["type"], line["amount"]) for line in shown["lines"][1:]]
    assert lines == [("refund", usd(4_000)), ("refund_reversal", usd(-4_000))]
    assert (shown["balance"], ledger(hotel)) == (usd(-10_000), {"card_clearing": 10_000})
    assert told(hotel).count("refund.came_back") == 1
    before = state(hotel, without=KEPT_ASIDE)
    tell(hotel, refund_told(theirs, refund_id, 4_000))
    assert state(hotel, without=KEPT_ASIDE) == before
    assert refund(hotel, folio, payment, usd(10_000)).status_code == 201
    assert_books_are_right(hotel)


def test_one_that_was_made_there_is_taken_back_as_ours(hotel: Hotel) -> None:
    """30.00 of 50.00 went back at the dashboard and came again; one that nobody has heard of, and
    the same word once more, change nothing."""
    folio, payment = paid_by_card(hotel)
    tell(hotel, refunded_there(payment, "re_1", 3_000))

    tell(hotel, refunded_there(payment, "re_1", 3_000, *FAILED))

    assert refunds(hotel, folio) == [("failed", "lost_or_stolen_card", True)]
    assert (paid_cents(hotel, folio), ledger(hotel)) == (5_000, {"card_clearing": 5_000})
    before = state(hotel, without=KEPT_ASIDE)
    tell(hotel, refunded_there(payment, "re_1", 3_000, *FAILED))
    tell(hotel, refunded_there(payment, "re_2", 1_000, *FAILED))
    tell(hotel, refunded_there(payment, "re_1", 3_000))
    assert state(hotel, without=KEPT_ASIDE) == before
    assert_books_are_right(hotel)


def test_of_a_closed_folio_it_waits_beside_that_until_it_is_opened_again(hotel: Hotel) -> None:
    """110.00 and 30.00 too much were paid; the 30.00 went back, the folio was closed, and they come
    again: owed beside it, they are to the guest's credit when a person opens it."""
    folio = hotel.open_folio()
    hotel.charged(folio)
    payment = card_payment(hotel, folio, usd(14_000))
    refund_id, theirs = ours(hotel, folio, payment, 3_000)
    closes(hotel, folio)

    tell(hotel, refund_told(theirs, refund_id, 3_000, *FAILED))

    assert ledger(hotel) == {"card_clearing": 14_000, "refunds_to_settle": -3_000}
    assert refunds(hotel, folio) == [("failed", "lost_or_stolen_card", True)]
    assert hotel.get(f"/folios/{folio}").json["balance"] == usd(0)
    assert hotel.events("refund.came_back")[0]["data"]["lines"] == []
    assert_books_are_right(hotel)
    reopened(hotel, folio)

    assert ledger(hotel) == {"card_clearing": 14_000}
    assert hotel.get(f"/folios/{folio}").json["balance"] == usd(-3_000)
    assert told(hotel)[-1] == "refund.came_back_placed"
    assert refund(hotel, folio, payment, usd(3_000)).status_code == 201
    closes(hotel, folio)
    assert_books_are_right(hotel)


def test_what_was_given_back_anew_there_meanwhile_finds_its_money_on_the_folio(
    hotel: Hotel,
) -> None:
    """Both are of one closed folio: all of 110.00 came again and went back there by another refund.
    Opened, the first is taken back before the second is written."""
    folio, payment = closed_folio(hotel)
    reopened(hotel, folio)
    tell(hotel, refunded_there(payment, "re_1", 11_000))
    hotel.paid(folio, usd(11_000))
    closes(hotel, folio)
    tell(hotel, refunded_there(payment, "re_1", 11_000, *FAILED))
    tell(hotel, refunded_there(payment, "re_2", 11_000))
    assert ledger(hotel) == {}

    reopened(hotel, folio)

    assert [status for status, *_ in refunds(hotel, folio)] == ["failed", "succeeded"]
    assert (hotel.get(f"/folios/{folio}").json["balance"], ledger(hotel)) == (usd(0), {})
    assert_books_are_right(hotel)


def test_one_that_fails_while_it_waits_never_reaches_its_folio(hotel: Hotel) -> None:
    """30.00 went back there after the close and came again: nothing is owed or written, and an old
    word about it does not bring it back."""
    folio, payment = closed_folio(hotel)
    tell(hotel, refunded_there(payment, "re_1", 3_000))

    for _ in range(2):
        tell(hotel, refunded_there(payment, "re_1", 3_000, *FAILED))

    assert ledger(hotel) == {"card_clearing": 11_000}
    assert told(hotel)[-1] == "late_refund.failed"
    assert_books_are_right(hotel)
    reopened(hotel, folio)
    tell(hotel, refunded_there(payment, "re_1", 3_000))
    assert refunds(hotel, folio) == []
    assert (paid_cents(hotel, folio), ledger(hotel)) == (11_000 - 11_000, {"card_clearing": 11_000})
    assert_books_are_right(hotel)
