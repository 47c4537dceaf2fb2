"""Taking in events: one effect however often they come, and nothing is lost that could be cured."""

import threading
from dataclasses import replace
from typing import Any

import pytest

from common.ports.transaction import Transaction
from common.ports.transactions import DatabaseUnavailable
from common.postgres.connection import Connection, Statement
from common.postgres.dead_letters import DeadLetters
from common.postgres.pool import Pool
from common.postgres.sessions import connector
from common.runtime.declaration import EventDeclaration
from common.runtime.system import SystemActor
from tests.functions.pushing import GuestUnknown, Post, Praised, event, on_guest_praised, wrapped
from tests.hotel import Hotel, usd

pytestmark = pytest.mark.req("EVT-5")


@pytest.fixture
def post(hotel: Hotel) -> Post:
    return Post(hotel).named()


def test_takes_an_event_in_with_its_inbox_row(post: Post, hotel: Hotel) -> None:
    told = event(hotel)

    answer = post.push(told)

    assert answer.status_code == 204
    assert post.effects() == 1
    assert hotel.rows("SELECT consumer, event_id FROM {s}.inbox") == [
        [post.consumer.name, f"/reviews#{told['id']}"]
    ]


def test_acts_as_the_system_at_every_property(hotel: Hotel) -> None:
    seen: list[Any] = []
    post = Post(hotel, lambda praised, tx: seen.append(tx.actor)).named()

    post.push(event(hotel))

    (actor,) = seen
    assert isinstance(actor, SystemActor)
    assert actor.sub == f"system:{post.consumer.name}"
    assert actor.tenant_id == hotel.tenant_id
    assert actor.holds(hotel.property_id)
    assert not actor.may("billing.folio.write")


def test_ten_deliveries_have_one_effect(post: Post, hotel: Hotel) -> None:
    told = event(hotel)

    assert {post.push(told).status_code for _ in range(10)} == {204}
    assert post.effects() == 1


def test_sixteen_deliveries_at_once_have_one_effect(post: Post, hotel: Hotel) -> None:
    """Each is told that it is done, or to come again; whoever comes again is told that it is."""
    told = event(hotel)

    statuses = post.send_at_once([wrapped(told) for _ in range(16)])

    assert set(statuses) <= {204, 503}
    assert 204 in statuses
    assert post.push(told).status_code == 204
    assert post.effects() == 1
    assert post.letters() == []


def test_a_delivery_while_the_first_is_at_work_comes_again(hotel: Hotel) -> None:
    at_work, go_on = threading.Event(), threading.Event()

    def slowly(praised: Praised, tx: Transaction) -> None:
        at_work.set()
        go_on.wait(30)
        on_guest_praised(praised, tx)

    post, told = Post(hotel, slowly).named(), event(hotel)
    first = threading.Thread(target=post.push, args=(told,))
    first.start()
    at_work.wait(30)

    meanwhile = post.push(told)
    go_on.set()
    first.join(30)

    assert (meanwhile.status_code, meanwhile.headers["Retry-After"]) == (503, "1")
    assert post.push(told).status_code == 204
    assert post.effects() == 1
    assert post.letters() == []


def test_the_same_id_of_another_source_is_another_event(post: Post, hotel: Hotel) -> None:
    post.push(event(hotel, id="1", source="/bar"))
    post.push(event(hotel, id="1", source="/spa"))

    assert post.effects() == 2


def test_two_consumers_take_the_same_event_each(hotel: Hotel) -> None:
    told, first, second = event(hotel), Post(hotel).named(), Post(hotel).named()

    assert [first.push(told).status_code, second.push(told).status_code] == [204, 204]
    assert first.effects() == 2


def test_the_inbox_remembers_when_the_answers_are_forgotten(post: Post, hotel: Hotel) -> None:
    """Day 31: the stored answer is gone. The event is done already, acknowledged, not a letter."""
    told = event(hotel)
    post.push(told)
    post.forget_answers()

    assert post.push(told).status_code == 204
    assert post.effects() == 1
    assert post.letters() == []


def test_a_late_duplicate_that_the_rules_would_refuse_is_done_already(hotel: Hotel) -> None:
    """What an event has done is often the reason why it would be refused the second time."""

    def only_once(praised: Praised, tx: Transaction) -> None:
        if tx.incidents.take(praised.guest).version:
            raise GuestUnknown()
        on_guest_praised(praised, tx)

    post, told = Post(hotel, only_once).named(), event(hotel)
    post.push(told)
    post.forget_answers()

    assert post.push(told).status_code == 204
    assert post.letters() == []
    assert post.push(event(hotel)).status_code == 204  # another one is refused
    assert len(post.letters()) == 1


def test_events_in_the_wrong_order_each_have_their_effect(post: Post, hotel: Hotel) -> None:
    first, second = event(hotel), event(hotel)

    for told in (second, first, second):
        post.push(told)

    assert post.effects() == 2


def test_what_the_business_refuses_is_a_dead_letter(hotel: Hotel) -> None:
    def refuse(praised: Praised, tx: Transaction) -> None:
        on_guest_praised(praised, tx)
        raise GuestUnknown("Nobody of this name stays here.")

    post, told = Post(hotel, refuse).named(), event(hotel)

    answers = [post.send(wrapped(told, messageId="m-1")) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [204, 204]
    assert post.effects() == 0
    assert hotel.rows("SELECT count(*) FROM {s}.inbox") == [[0]]
    ((reason, _),) = post.letters()
    assert reason == "MELMASTOON.BILLING.GUEST_UNKNOWN: Nobody of this name stays here."


@pytest.mark.req("OPS-3")
def test_what_is_refused_while_the_database_only_reads_comes_again(hotel: Hotel) -> None:
    """A restored database may lack what the event is about, and keeps no letter: no error of ours,
    which somebody would be woken up for."""

    def refuse(_praised: Praised, _tx: Transaction) -> None:
        raise GuestUnknown()

    def reading() -> Connection:
        session = connector(hotel.house.wiring.settings.databases["main"], timeout_seconds=30)()
        session.run([Statement("SET default_transaction_read_only = on")])
        return session

    letters = DeadLetters(Pool(reading, size=1), hotel.house.wiring.clock)
    instance = hotel.house.beside(powers={"dead_letters": letters})
    post = Post(replace(hotel, house=instance), refuse).named()

    assert post.push(event(hotel)).status_code == 503
    assert post.letters() == []
    instance.close()


def test_an_event_for_a_tenant_that_is_not_there_yet_comes_again(post: Post, hotel: Hotel) -> None:
    told = event(hotel, tenantid="7f1b0c9e-0000-4000-8000-00000000dead")

    assert post.push(told).status_code == 503
    assert post.letters() == []


def test_a_bug_lets_the_event_come_again_and_says_nothing_of_it(hotel: Hotel) -> None:
    fixed: list[bool] = []

    def fail_at_first(praised: Praised, tx: Transaction) -> None:
        on_guest_praised(praised, tx)
        if not fixed:
            raise ZeroDivisionError(praised.guest)

    post, told = Post(hotel, fail_at_first).named(), event(hotel)

    answer = post.push(told)
    assert answer.status_code == 500
    assert "layla" not in answer.text
    assert (post.effects(), post.letters()) == (0, [])

    fixed.append(True)
    assert post.push(told).status_code == 204
    assert post.effects() == 1


def test_a_database_that_is_away_lets_the_event_come_again(hotel: Hotel) -> None:
    def away(praised: Praised, tx: Transaction) -> None:
        raise DatabaseUnavailable("every connection is in use")

    post = Post(hotel, away).named()

    assert post.push(event(hotel)).status_code == 503
    assert post.letters() == []


def test_performs_between_two_transactions_and_records_once(hotel: Hotel) -> None:
    performed: list[str] = []

    def find(praised: Praised, tx: Transaction) -> str | None:
        return praised.guest

    def perform(guest: str, powers: object) -> Praised:
        performed.append(guest)
        return Praised(guest=guest)

    post, told = Post(hotel, find).named(), event(hotel)
    post.options = {"perform": perform, "record": on_guest_praised}

    assert [post.push(told).status_code for _ in range(3)] == [204, 204, 204]
    assert performed == ["layla"]
    assert post.effects() == 1


def test_performs_while_no_transaction_is_open(hotel: Hotel) -> None:
    """What is asked outside may take its time; no lock and no connection waits for it."""
    pool = hotel.house.wiring.pools["main"]
    in_use: list[int] = []

    def perform(guest: str, powers: object) -> Praised:
        in_use.append(hotel.house.wiring.settings.pool_size - pool._slots._value)
        return Praised(guest=guest)

    post = Post(hotel, lambda praised, tx: praised.guest).named()
    post.options = {"perform": perform, "record": on_guest_praised}

    assert post.push(event(hotel)).status_code == 204
    assert in_use == [0]


def test_a_consumer_without_transaction_is_given_the_powers(hotel: Hotel) -> None:
    given: list[Any] = []
    post = Post(hotel, lambda praised, powers: given.append(powers)).named()
    post.options = {"without_transaction": True}

    assert post.push(event(hotel)).status_code == 204
    assert given == [hotel.house.wiring]


@pytest.mark.req("EVT-3", "PAY-1")
def test_a_captured_payment_that_comes_five_times_is_on_the_folio_once(hotel: Hotel) -> None:
    """A folio at 0.00 takes a capture of 40.00: it stands at -40.00 and not at -200.00."""
    from functions.events.on_payment_captured import on_payment_captured

    folio = hotel.open_folio()
    consumer: EventDeclaration = on_payment_captured.declaration  # type: ignore[attr-defined] # a function bears its declaration
    post = Post(hotel, consumer.use_case, {"event_type": consumer.event_type})
    data = {"paymentId": "pi_1", "folioId": folio, "amount": usd(4_000), "brand": "unknown to us"}
    told = event(hotel, type=consumer.event_type, data=data)

    assert {post.push(told).status_code for _ in range(5)} == {204}
    assert hotel.get(f"/folios/{folio}").json["balance"] == usd(-4_000)


@pytest.mark.req("EVT-1")
def test_one_trace_runs_through_the_event(hotel: Hotel) -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    post = Post(hotel).named()

    answer = post.push(event(hotel, traceparent=f"00-{trace}-00f067aa0ba902b7-01"))

    assert answer.headers["traceresponse"].split("-")[1] == trace
    assert hotel.rows("SELECT trace_id FROM {s}.audit_entries WHERE aggregate_id = 'layla'") == [
        [trace]
    ]
