"""Whatever the processor does, a payment ends in one right state, and is taken once or not at all.

The processor's own library speaks to a stand-in at the socket, whose list is what was taken: the
line is cut after the payment, before it, and for a while; it answers twice and out of order.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest

from common.stripe.cards import StripeCards
from jobs.settle_payments import settle_payments
from tests.adapters.stripe_cards_stand_in import CardsStandIn, cards_stand_in
from tests.adapters.stripe_stand_in import KEY
from tests.hotel import Hotel, House, usd
from tests.paying import confirm, intent_told, intents, ready, run_job, shown
from tests.proofs import assert_books_are_right, told
from tests.webhooks import Webhook

pytestmark = pytest.mark.req("GW-3", "GW-4", "GW-5", "WH-4")

DUE = "UPDATE {s}.payment_intent_queue SET next_attempt_at = now()"
CLOSED = """
UPDATE billing_central.circuit_breakers
SET failures = 0, window_began_at = NULL, opened_at = NULL, probe_by = NULL, probe_until = NULL
"""


@dataclass
class Line:
    """A hotel, and the processor that it has."""

    hotel: Hotel
    processor: CardsStandIn
    intent: str = ""
    method: str = ""

    def confirms(self) -> str:
        """A clerk has the payment taken; where it stands then."""
        answer = confirm(self.hotel, self.intent, self.method)
        assert answer.status_code == 200, answer.text
        status: str = answer.json["status"]
        return status

    def settles(self) -> str:
        """The job looks after it; where it stands then."""
        self.hotel.rows(DUE)
        run_job(self.hotel, settle_payments)
        status: str = shown(self.hotel, self.intent)["status"]
        return status

    def tells(self, kind: str, times: int = 1) -> None:
        """The processor tells of it, each time in an event of its own."""
        (made,) = self.listed()
        for _ in range(times):
            event = intent_told(self.hotel, self.intent, kind, id=made["id"])
            assert Webhook(self.hotel).send(event).status_code == 200

    def listed(self) -> list[dict[str, Any]]:
        """The payments of this customer, as the processor lists them to anybody with the key."""
        asked = urlencode({"customer": self.processor.customers[0]["id"]})
        with urlopen(f"{self.processor.address}/v1/payment_intents?{asked}", timeout=30) as answer:
            found: list[dict[str, Any]] = json.load(answer)["data"]
        return found


@pytest.fixture
def line(house: House, hotel: Hotel) -> Iterator[Line]:
    with cards_stand_in() as processor:
        cards = StripeCards(KEY, address=processor.address, retries_max=0)
        instance = house.beside(powers={"sandbox_cards": cards}, rate_limits=False)
        yield Line(replace(hotel, house=instance), processor)
        instance.close()
    house.sql(CLOSED)


def lost(line: Line) -> None:
    """It was taken, and nobody heard: the job asks."""
    assert line.confirms() == "processing"
    assert line.settles() == "succeeded"


def lost_and_confirmed_again(line: Line) -> None:
    """Nobody heard, and the clerk sends it again: what became of it is asked, and not for it."""
    assert line.confirms() == "processing"
    assert line.confirms() == "succeeded"


def lost_and_told(line: Line) -> None:
    """It was taken, and the event is there before anybody asks; the job comes late."""
    assert line.confirms() == "processing"
    line.tells("succeeded")
    assert line.settles() == "succeeded"


def never_arrived(line: Line) -> None:
    """It was never there: the job does not ask for it, and who confirms again does, once."""
    assert line.confirms() == "processing"
    assert line.settles() == "processing"
    assert line.confirms() == line.confirms() == "succeeded"


def dead_for_a_while(line: Line) -> None:
    """It was taken, and the processor dies: it is asked in vain, and answers once it is back."""
    assert line.confirms() == "processing"
    line.processor.is_down = True
    assert line.settles() == line.confirms() == "processing"
    line.processor.is_down = False
    assert line.settles() == line.confirms() == "succeeded"


def twice(line: Line) -> None:
    """The answer, its events, the job, and the answer again."""
    assert line.confirms() == "succeeded"
    line.tells("succeeded", times=2)
    assert line.settles() == line.confirms() == "succeeded"


def out_of_order(line: Line) -> None:
    """The last word is there first; what was true before it comes after it."""
    assert line.confirms() == "requires_action"
    line.processor.act(line.intent, confirms=True)
    for kind in ("succeeded", "requires_action", "payment_failed", "canceled", "succeeded"):
        line.tells(kind)
    assert line.settles() == line.confirms() == "succeeded"


def declined_unheard(line: Line) -> None:
    """The bank said no, and nobody heard: it has failed, and nothing was taken."""
    assert line.confirms() == "processing"
    assert line.settles() == "failed"
    line.tells("payment_failed")


STORIES: dict[Callable[[Line], None], str] = {
    lost: "sandbox_lost",
    lost_and_confirmed_again: "sandbox_lost",
    lost_and_told: "sandbox_lost",
    never_arrived: "sandbox_unreachable",
    dead_for_a_while: "sandbox_lost",
    twice: "sandbox_visa",
    out_of_order: "sandbox_3ds",
    declined_unheard: "sandbox_declined_sandbox_lost",
}


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
def test_a_payment_ends_in_one_right_state(line: Line, story: Callable[[Line], None]) -> None:
    """50.00 are on the folio and one payment of 50.00 is in the processor's list, or neither."""
    hotel, folio = line.hotel, line.hotel.open_folio()
    line.intent, line.method = ready(hotel, folio, usd(5_000), STORIES[story])

    story(line)

    is_taken = story is not declined_unheard
    taken = [each for each in line.listed() if each["status"] == "succeeded"]
    about = [(each["metadata"]["paymentIntentId"], each["amount_received"]) for each in taken]
    assert about == [(line.intent, 5_000)] * is_taken
    assert len(line.processor.payments) == 1
    assert intents(hotel) == [["succeeded" if is_taken else "failed", is_taken, False]]
    assert hotel.get(f"/folios/{folio}").json["balance"] == usd(-5_000 * is_taken)
    assert told(hotel).count("payment.succeeded") == told(hotel).count("payment.recorded")
    assert told(hotel).count("payment.succeeded") == int(is_taken)
    assert_books_are_right(hotel)
