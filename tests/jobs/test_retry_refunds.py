"""What was promised to a guest and left behind is asked of the processor, and settled once."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from common.domain.identifiers import RefundId
from common.domain.money import Money
from common.ports.answers import Answer, Failed, Succeeded, Unknown
from common.runtime.declaration import declaration_of
from common.runtime.job import Orders
from jobs.retry_refunds import retry_refunds
from tests.hotel import Hotel, usd
from tests.proofs import assert_books_are_right, state, told, trail
from tests.refunding import card_payment, refund, standing
from tests.together import at_once

pytestmark = pytest.mark.req("REF-1", "JOB-1")

DUE = "UPDATE {s}.refund_queue SET next_attempt_at = now()"
WAITING = "SELECT attempts, next_attempt_at > now() FROM {s}.refund_queue"


@dataclass
class Processor:
    """A processor that knows what it is told to know, and notes what it is asked for."""

    knows: Answer = field(default_factory=Unknown)
    answers: Answer = field(default_factory=Succeeded)
    meanwhile: Callable[[], Any] = lambda: None
    asked: list[str] = field(default_factory=list)

    def refund(self, refund_id: RefundId, processor_payment_id: str, amount: Money) -> Answer:
        self.asked.append(f"make {refund_id}")
        self.meanwhile()
        return self.answers

    def ask(self, refund_id: RefundId, processor_payment_id: str) -> Answer:
        self.asked.append(f"what became of {refund_id}")
        return self.knows


@pytest.fixture
def at(hotel: Hotel) -> Iterator[Callable[[Processor], Hotel]]:
    """The hotel at an instance that has this processor."""
    begun: list[Hotel] = []

    def beside(processor: Processor) -> Hotel:
        house = hotel.house.beside(powers={"gateway": processor})
        begun.append(Hotel(house, hotel.tenant_id, hotel.property_id))
        return begun[-1]

    yield beside
    for each in begun:
        each.house.close()


def run(hotel: Hotel) -> Any:
    """Run the job for this hotel."""
    return hotel.house.wiring.job_shell.run(
        declaration_of(retry_refunds),  # type: ignore[arg-type]
        Orders(tenants=(hotel.tenant_id,)),
        stop=threading.Event(),
        tell=lambda _: None,
    )


def left_behind(hotel: Hotel, processor: str = "sandbox_unreachable", cents: int = 4_000) -> str:
    """A refund of a card's 100.00 that is pending, and due; its id."""
    folio = hotel.open_folio()
    answer = refund(hotel, folio, card_payment(hotel, folio, usd(10_000), processor), usd(cents))
    assert answer.status_code == 201, answer.text
    hotel.rows(DUE)
    refund_id: str = answer.json["refund"]["refundId"]
    assert dict(standing(hotel))[refund_id] == "pending"
    return refund_id


def made(hotel: Hotel) -> list[str]:
    """The refunds that the sandbox's processor has made, or refused."""
    folder = Path(hotel.house.wiring.settings.local_folder) / "processor"
    ours = {refund_id for refund_id, _ in standing(hotel)}
    return sorted(file.stem for file in folder.glob("*.json") if file.stem in ours)


def test_asks_for_what_never_reached_the_processor(hotel: Hotel) -> None:
    refund_id = left_behind(hotel)
    assert made(hotel) == []

    done = run(hotel)

    assert (done.done, done.failed, done.exit_code) == (1, 0, 0)
    assert made(hotel) == [refund_id]
    assert standing(hotel) == [[refund_id, "succeeded"]]
    assert hotel.rows("SELECT count(*) FROM {s}.refund_queue") == [[0]]
    assert [each["actor"] for each in trail(hotel, "refund.settled")] == ["system:retry_refunds"]
    assert_books_are_right(hotel)


def test_finds_out_what_an_answer_that_was_lost_had_said(hotel: Hotel) -> None:
    """The processor made the refund; nobody heard of it. It is not asked to make it again."""
    refund_id = left_behind(hotel, "sandbox_lost")
    assert made(hotel) == [refund_id]

    run(hotel)

    assert made(hotel) == [refund_id]
    assert standing(hotel) == [[refund_id, "succeeded"]]
    assert told(hotel)[-1] == "refund.settled"
    assert_books_are_right(hotel)


def test_asks_what_became_of_it_before_it_asks_for_it(
    hotel: Hotel, at: Callable[[Processor], Hotel]
) -> None:
    """A processor forgets its keys: what it knows of is never asked for again."""
    refund_id = left_behind(hotel)
    processor = Processor(knows=Failed("card_expired"))

    run(at(processor))

    assert processor.asked == [f"what became of {refund_id}"]
    assert standing(hotel) == [[refund_id, "failed"]]
    assert_books_are_right(hotel)


def test_a_processor_that_says_nothing_is_asked_less_and_less_often(
    hotel: Hotel, at: Callable[[Processor], Hotel]
) -> None:
    refund_id = left_behind(hotel)
    here = at(Processor(answers=Unknown()))
    waited = []
    for _ in range(3):
        hotel.rows(DUE)
        run(here)
        minutes = "SELECT round(extract(epoch FROM next_attempt_at - now()) / 60) FROM {s}."
        waited.append(int(hotel.rows(minutes + "refund_queue")[0][0]))

    assert waited == [2, 4, 8]
    assert standing(hotel) == [[refund_id, "pending"]]
    assert told(hotel)[-1] == "refund.recorded"
    assert_books_are_right(hotel)


def test_leaves_what_is_not_due_to_whoever_recorded_it(hotel: Hotel) -> None:
    left_behind(hotel)
    hotel.rows("UPDATE {s}.refund_queue SET next_attempt_at = now() + interval '30 seconds'")
    before = state(hotel)

    done = run(hotel)

    assert (done.done, done.exit_code) == (0, 0)
    assert state(hotel) == before
    assert made(hotel) == []


def test_one_that_breaks_keeps_no_other_waiting(
    hotel: Hotel, at: Callable[[Processor], Hotel]
) -> None:
    """Of two refunds the processor's client breaks at one; it waits, and the run says so."""
    first, second = left_behind(hotel), left_behind(hotel)

    class Breaking(Processor):
        def ask(self, refund_id: RefundId, processor_payment_id: str) -> Answer:
            if refund_id == first:
                raise ConnectionError("The processor is gone")
            return Unknown()

    done = run(at(Breaking()))

    assert (done.done, done.failed) == (1, 1)
    assert done.exit_code != 0
    assert dict(standing(hotel)) == {first: "pending", second: "succeeded"}
    assert_books_are_right(hotel)


def test_two_runs_at_once_settle_it_once(hotel: Hotel, at: Callable[[Processor], Hotel]) -> None:
    """Both are at the processor, under the same id, before either writes down its answer."""
    refund_id = left_behind(hotel)
    both = threading.Barrier(2, timeout=20)
    processor = Processor(meanwhile=both.wait)
    here = at(processor)

    done = at_once([lambda: run(here)] * 2)

    assert [each.exit_code for each in done] == [0, 0]
    assert processor.asked.count(f"make {refund_id}") == 2
    assert standing(hotel) == [[refund_id, "succeeded"]]
    assert told(hotel).count("refund.settled") == 1
    assert_books_are_right(hotel)


def test_the_processors_own_word_that_comes_meanwhile_stays(
    hotel: Hotel, at: Callable[[Processor], Hotel]
) -> None:
    """While the job asks, an event says that the refund failed: so it did, whatever is answered."""
    refund_id = left_behind(hotel)
    ((folio,),) = hotel.rows("SELECT folio_id FROM {s}.refunds")
    event = {"refundId": refund_id, "folioId": folio, "failureCode": "card_expired"}
    here = at(Processor(meanwhile=lambda: hotel.deliver("on_refund_failed", event)))

    done = run(here)

    assert (done.failed, done.exit_code) == (0, 0)
    assert standing(hotel) == [[refund_id, "failed"]]
    assert told(hotel).count("refund.settled") == 1
    assert_books_are_right(hotel)
