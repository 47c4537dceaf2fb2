"""A processor that does not answer is left alone, by all instances alike (GW-4)."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from common.domain.circuit import FAILURES_MAX, PAUSE, PROBE, WINDOW, Circuit, CircuitState
from common.domain.processor_payment import Heard
from common.ports.answers import Answer, Succeeded, Unreachable
from common.ports.cards import GatewayUnavailable, NotThere, Order
from common.postgres.breakers import PostgresBreaker
from tests.hotel import Hotel, House, usd
from tests.paying import a_customer, add_card, cancel, charges, confirm, intents, ready
from tests.proofs import assert_books_are_right, assert_refused, told
from tests.refunding import card_payment, refund, standing

pytestmark = pytest.mark.req("GW-4")

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
OPENED = Circuit(opened_at=NOON)


@dataclass
class Processor:
    """Answers as it is told to, and counts who has asked."""

    answer: Answer = field(default_factory=Unreachable)
    asked: int = 0

    def refund(self, *_: object) -> Answer:
        self.asked += 1
        return self.answer

    def ask(self, *_: object) -> Answer:
        return self.refund()


@pytest.fixture
def processor() -> Processor:
    return Processor()


@pytest.fixture
def instances(house: House, hotel: Hotel, processor: Processor) -> Iterator[tuple[Hotel, Hotel]]:
    """The hotel, called at two instances that share nothing but the database."""
    both = [house.beside(powers={"sandbox": processor}, rate_limits=False) for _ in range(2)]
    yield replace(hotel, house=both[0]), replace(hotel, house=both[1])
    for each in both:
        each.close()
    house.sql(
        "UPDATE billing_central.circuit_breakers SET failures = 0, window_began_at = NULL,"
        " opened_at = NULL, probe_by = NULL, probe_until = NULL"
    )


def shown(hotel: Hotel) -> tuple[int, str]:
    answer = hotel.get("/health/ready", token=None)
    return answer.status_code, answer.json["circuitBreakers"]["gateway"]


def refunded(hotel: Hotel) -> str:
    """A refund is asked for; what it came to."""
    folio = hotel.open_folio()
    answer = refund(hotel, folio, card_payment(hotel, folio, usd(5_000)), usd(1_000))
    assert answer.status_code == 201, answer.text
    refund_id = answer.json["refund"]["refundId"]
    return str(dict(map(tuple, standing(hotel)))[refund_id])


def test_what_opens_on_one_instance_is_open_on_the_other_at_once(
    instances: tuple[Hotel, Hotel], processor: Processor
) -> None:
    """The other asks nobody, and its refund waits; the service is ready all the same."""
    one, other = instances
    for _ in range(FAILURES_MAX):
        assert refunded(one) == "pending"
    assert processor.asked == FAILURES_MAX
    processor.answer = Succeeded()

    assert refunded(other) == refunded(one) == "pending"

    assert processor.asked == FAILURES_MAX
    assert shown(one) == shown(other) == (200, "open")


def test_one_probe_of_one_instance_closes_it_for_both(
    instances: tuple[Hotel, Hotel], processor: Processor, clock: Callable[[str], None]
) -> None:
    """Eight callers at once after the pause: one of them is let through, and then everybody."""
    one, other = instances
    clock("2026-03-01T12:00:00Z")
    breakers = [
        PostgresBreaker(each.house.wiring.pools["main"], each.house.wiring.clock, "gateway")
        for each in instances
    ]
    for _ in range(FAILURES_MAX):
        breakers[0].heard("somebody", answered=False)
    clock("2026-03-01T12:00:31Z")
    assert shown(other) == (200, "half_open")
    let_through: list[str] = []
    start = threading.Barrier(8)

    def knocks(place: int) -> None:
        start.wait(30)
        if breakers[place % 2].admits(f"caller {place}"):
            let_through.append(f"caller {place}")

    threads = [threading.Thread(target=knocks, args=(place,)) for place in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(60)

    (probe,) = let_through
    breakers[1].heard(probe, answered=True)
    processor.answer = Succeeded()
    assert shown(one) == shown(other) == (200, "closed")
    assert refunded(one) == refunded(other) == "succeeded"


def test_a_refund_that_is_the_probe_closes_it_for_both(
    instances: tuple[Hotel, Hotel], processor: Processor, clock: Callable[[str], None]
) -> None:
    """Answers to calls that found it closed are not told; this one is."""
    one, other = instances
    clock("2026-03-01T12:00:00Z")
    for _ in range(FAILURES_MAX):
        assert refunded(one) == "pending"
    clock("2026-03-01T12:00:31Z")
    processor.answer = Succeeded()

    assert refunded(other) == "succeeded"

    assert shown(one) == shown(other) == (200, "closed")
    assert refunded(one) == "succeeded"


def test_a_restart_forgets_nothing(house: House, instances: tuple[Hotel, Hotel]) -> None:
    one, _ = instances
    for _ in range(FAILURES_MAX):
        refunded(one)
    fresh = house.beside(powers={"sandbox": Processor(Succeeded())}, rate_limits=False)

    assert refunded(replace(one, house=fresh)) == "pending"
    fresh.close()


def test_failures_far_apart_do_not_open_it() -> None:
    circuit = Circuit()
    for place in range(3 * FAILURES_MAX):
        circuit = circuit.heard("x", NOON + place * WINDOW, answered=False)

    assert circuit.state(NOON + 3 * FAILURES_MAX * WINDOW) is CircuitState.CLOSED


def test_a_probe_that_fails_opens_it_anew() -> None:
    probing = OPENED.admitting("probe", NOON + PAUSE)
    assert probing is not None

    failed = probing.heard("probe", NOON + PAUSE + SECOND, answered=False)

    assert failed == Circuit(opened_at=NOON + PAUSE + SECOND)
    assert failed.admitting("next", NOON + 2 * PAUSE) is None


def test_a_probe_that_is_never_heard_of_again_is_followed_by_another() -> None:
    probing = OPENED.admitting("dead", NOON + PAUSE)
    assert probing is not None

    assert probing.admitting("next", NOON + PAUSE + PROBE - SECOND) is None
    assert probing.admitting("next", NOON + PAUSE + PROBE) is not None


def test_a_late_answer_does_not_close_it() -> None:
    """A call that began before it opened comes back now; the probe alone is believed."""
    assert OPENED.heard("late", NOON + SECOND, answered=True) == OPENED
    assert OPENED.heard("late", NOON + SECOND, answered=False) == OPENED


@pytest.mark.req("GW-3")
def test_a_payment_is_refused_while_nobody_is_let_through_and_stands_as_before(
    hotel: Hotel, instances: tuple[Hotel, Hotel], processor: Processor
) -> None:
    """Nothing half done: it can be confirmed once the processor answers again."""
    folio = hotel.open_folio()
    intent, method = ready(hotel, folio, usd(5_000))
    one, _ = instances
    for _ in range(FAILURES_MAX):
        refunded(one)

    refused = confirm(one, intent, method)
    added = add_card(one, a_customer(hotel))

    for answer in (refused, added):
        assert_refused(answer, 503, "GATEWAY_UNAVAILABLE")
        assert answer.headers["Retry-After"] == "30"
    assert one.get(f"/payments/{intent}").json["status"] == "requires_payment_method"
    assert intents(hotel) == [["requires_payment_method", False, False]]
    assert told(hotel)[-2:] == ["payment_intent.confirmed", "payment_intent.taken_back"]
    assert charges(hotel) == []
    assert_books_are_right(hotel)


@pytest.mark.req("GW-3", "GW-5")
def test_a_payment_that_was_asked_for_before_does_not_stand_as_if_it_had_not(
    hotel: Hotel,
) -> None:
    """It was sent, and is not in the processor's list yet: the next one who asks is not let through
    behind that. It can be neither canceled nor paid in another way, as its money is taken."""

    class NotListedYet:
        def standing(self, _order: Order) -> NotThere:
            return NotThere()

        def pay(self, _order: Order) -> Heard:
            raise GatewayUnavailable()

    intent, method = ready(hotel, hotel.open_folio(), usd(5_000), "sandbox_lost")
    assert confirm(hotel, intent, method).json["status"] == "processing"
    house = hotel.house.beside(powers={"cards": NotListedYet()})

    again = confirm(replace(hotel, house=house), intent, method)
    house.close()

    assert (again.status_code, again.json["status"]) == (200, "processing")
    assert_refused(cancel(hotel, intent), 409, "PAYMENT_NOT_CANCELABLE")
    assert confirm(hotel, intent, method).json["status"] == "succeeded"
    assert intents(hotel) == [["succeeded", True, False]]
    assert_books_are_right(hotel)
