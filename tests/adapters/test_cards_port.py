"""One suite for the processor's other face, on the sandbox and on Stripe's own library.

Stripe's library speaks to a stand-in at the socket, so that its requests, its retries and its
errors are the real ones.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from ulid import ULID

from common.domain.identifiers import CustomerId, FolioId, PaymentIntentId, PropertyId
from common.domain.money import Currency, Money
from common.domain.processor_payment import Heard, PaymentStatus
from common.domain.stored_method import MethodDetails, MethodKind
from common.local.files import write_once
from common.ports.answers import Failed, Succeeded, Unknown, Unreachable
from common.ports.cards import Cards, Linked, NotThere, Order, Person
from common.sandbox.cards import SandboxCards
from common.sandbox.gateway import SandboxGateway
from common.stripe.cards import StripeCards
from tests.adapters.stripe_cards_stand_in import CardsStandIn, cards_stand_in
from tests.adapters.stripe_stand_in import KEY
from tests.paying import a_token

pytestmark = pytest.mark.req("GW-1", "GW-3", "GW-4", "GW-5")

TEN = Money(10_000_000, Currency("USD"))
TENANT, HOUSE = uuid4(), PropertyId(uuid4())


@dataclass
class Bench:
    """A processor under test, and how its guests act."""

    cards: Cards
    act: Callable[..., None]
    stripe: CardsStandIn | None = None

    def customer(self) -> str:
        linked = self.cards.link(a_person())
        assert isinstance(linked, Linked)
        return linked.processor_customer_id

    def order(self, card: str = "sandbox_visa") -> Order:
        """10.00 from a card that behaves so, which its customer has left."""
        customer, token = self.customer(), a_token(card)
        assert isinstance(self.cards.attach(token, customer), MethodDetails)
        return Order(
            id=PaymentIntentId.of(str(ULID())),
            tenant_id=TENANT,
            property_id=HOUSE,
            folio_id=FolioId.of(str(ULID())),
            amount=TEN,
            processor_customer_id=customer,
            token=token,
        )


@pytest.fixture(params=["sandbox", "stripe"])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    if request.param == "sandbox":
        terminal = SandboxGateway(tmp_path, write_once, lambda: datetime.now(UTC))
        cards = SandboxCards(tmp_path, write_once, terminal)
        yield Bench(cards, cards.act)
        return
    with cards_stand_in() as stand_in:
        stripe = StripeCards(KEY, address=stand_in.address, retries_max=0)
        yield Bench(stripe, stand_in.act, stand_in)


def a_person() -> Person:
    return Person(
        id=CustomerId.of(str(ULID())),
        tenant_id=TENANT,
        email=f"{uuid4().hex}@guest.example",
        name="Zarmina Ahmadi",
        phone=None,
        details_version=1,
        processor_customer_id=None,
    )


def heard_of(answer: object) -> Heard:
    assert isinstance(answer, Heard), answer
    return answer


def test_a_customer_is_made_once_and_then_changed(bench: Bench) -> None:
    person = a_person()

    first, again = bench.cards.link(person), bench.cards.link(person)

    assert isinstance(first, Linked)
    assert again == first
    assert bench.cards.link(a_person()) != first
    known = first.processor_customer_id
    changed = replace(person, name="Z. Ahmadi", details_version=2, processor_customer_id=known)
    assert bench.cards.link(changed) == first
    if bench.stripe is not None:
        assert bench.stripe.customers[0]["name"] == "Z. Ahmadi"
        assert len(bench.stripe.customers) == 2


@pytest.mark.req("GW-2")
def test_a_method_is_given_to_one_customer_and_says_what_it_is(bench: Bench) -> None:
    mine, yours, token = bench.customer(), bench.customer(), a_token()

    details = bench.cards.attach(token, mine)

    assert isinstance(details, MethodDetails)
    assert (details.kind, details.brand, details.last_four) == (MethodKind.CARD, "visa", "4242")
    assert (details.expiry_month, details.expiry_year) == (12, 2034)
    assert bench.cards.attach(token, mine) == details
    assert bench.cards.attach(token, yours) == Failed("payment_method_of_another_customer")
    assert bench.cards.attach(a_token("sandbox_unknown"), mine) == Failed("resource_missing")
    bank = bench.cards.attach(a_token("sandbox_bank"), mine)
    assert isinstance(bank, MethodDetails)
    assert (bank.kind, bank.last_four, bank.expiry_month) == (MethodKind.BANK_ACCOUNT, "6789", None)


@pytest.mark.req("GW-2")
def test_a_method_that_was_taken_away_is_not_charged(bench: Bench) -> None:
    order = bench.order()

    assert bench.cards.detach(order.token) == bench.cards.detach(order.token) == Succeeded()

    heard = heard_of(bench.cards.pay(order))
    assert (heard.status, heard.failure_code) == (PaymentStatus.FAILED, "payment_method_detached")


def test_a_payment_is_taken_once_however_often_it_is_asked_for(bench: Bench) -> None:
    order = bench.order()

    assert isinstance(bench.cards.standing(order), NotThere)
    answers = [heard_of(bench.cards.pay(order)) for _ in range(3)]

    assert answers[0].status is PaymentStatus.SUCCEEDED
    assert answers[0].received == TEN
    assert answers == 3 * [bench.cards.standing(order)]
    assert bench.cards.next_action(order) is None
    if bench.stripe is not None:
        assert len(bench.stripe.payments) == 1
        assert bench.stripe.payments[0]["metadata"]["tenantId"] == str(TENANT)
        assert {key for way, path, key, _ in bench.stripe.seen if path.endswith("intents")} == {
            order.id,
            None,
        }


def test_the_same_id_for_another_method_takes_nothing_more(bench: Bench) -> None:
    order, other = bench.order(), bench.order()
    bench.cards.pay(order)

    assert bench.cards.pay(replace(order, token=other.token)) == Unknown()
    if bench.stripe is not None:
        assert len(bench.stripe.payments) == 1


@pytest.mark.parametrize(
    ("card", "code"),
    [
        ("sandbox_declined", "generic_decline"),
        ("sandbox_insufficient_funds", "insufficient_funds"),
        ("sandbox_expired", "expired_card"),
        ("sandbox_fraud", "fraudulent"),
    ],
)
def test_what_a_bank_declines_has_failed_and_says_why(bench: Bench, card: str, code: str) -> None:
    order = bench.order(card)

    heard = heard_of(bench.cards.pay(order))

    assert (heard.status, heard.failure_code, heard.received) == (PaymentStatus.FAILED, code, None)
    assert heard.processor_payment_id is not None
    assert bench.cards.standing(order) == heard
    assert bench.cards.pay(order) == heard


def test_a_payment_that_waits_for_its_guest_is_canceled_once(bench: Bench) -> None:
    order = bench.order("sandbox_3ds")
    bench.cards.pay(order)

    canceled = heard_of(bench.cards.cancel(order))

    assert canceled.status is PaymentStatus.CANCELED
    assert heard_of(bench.cards.cancel(order)) == canceled
    assert heard_of(bench.cards.standing(order)) == canceled
    assert isinstance(bench.cards.cancel(bench.order()), NotThere)
    if bench.stripe is not None:
        asked = [(path, key) for how, path, key, _ in bench.stripe.seen if "cancel" in path]
        path = f"/v1/payment_intents/{canceled.processor_payment_id}/cancel"
        assert asked == [(path, f"{order.id}:cancel")]


def test_a_guest_who_was_faster_than_its_cancellation_has_paid(bench: Bench) -> None:
    order = bench.order("sandbox_3ds")
    bench.cards.pay(order)
    bench.act(order.id, confirms=True)

    assert heard_of(bench.cards.cancel(order)).status is PaymentStatus.SUCCEEDED
    assert heard_of(bench.cards.standing(order)).status is PaymentStatus.SUCCEEDED


def test_what_stripe_cannot_cancel_any_more_is_answered_as_it_stands() -> None:
    """The guest confirms between the look and the cancellation."""
    with cards_stand_in() as stand_in:
        bench = Bench(StripeCards(KEY, address=stand_in.address), stand_in.act, stand_in)
        order = bench.order("sandbox_3ds")
        bench.cards.pay(order)
        stand_in.confirms_before_canceling = order.id

        assert heard_of(bench.cards.cancel(order)).status is PaymentStatus.SUCCEEDED


@pytest.mark.parametrize("confirms", [True, False])
def test_a_challenge_waits_for_the_guest(bench: Bench, confirms: bool) -> None:
    order = bench.order("sandbox_3ds")

    assert heard_of(bench.cards.pay(order)).status is PaymentStatus.REQUIRES_ACTION
    action = bench.cards.next_action(order)
    assert action is not None
    assert "_secret_" in (action.client_secret or "")
    assert "_secret_" not in repr(action)
    bench.act(order.id, confirms=confirms)

    after = heard_of(bench.cards.standing(order))
    assert after.status is (PaymentStatus.SUCCEEDED if confirms else PaymentStatus.FAILED)
    if not confirms:
        assert after.failure_code == "payment_intent_authentication_failure"


def test_an_answer_that_is_lost_is_unknown_until_somebody_asks(bench: Bench) -> None:
    order = bench.order("sandbox_lost")

    assert isinstance(bench.cards.pay(order), Unknown)
    assert heard_of(bench.cards.standing(order)).status is PaymentStatus.SUCCEEDED


def test_a_request_that_never_arrived_is_made_by_the_next_one(bench: Bench) -> None:
    order = bench.order("sandbox_unreachable")

    assert isinstance(bench.cards.pay(order), Unknown)
    assert isinstance(bench.cards.standing(order), NotThere)
    assert heard_of(bench.cards.pay(order)).status is PaymentStatus.SUCCEEDED


def test_silence_and_faults_are_no_answer() -> None:
    """What the breaker counts; the payment may have been taken."""
    nobody = StripeCards(KEY, address="http://127.0.0.1:1", retries_max=0)
    with cards_stand_in() as stand_in:
        bench = Bench(StripeCards(KEY, address=stand_in.address, retries_max=0), stand_in.act)
        order = replace(bench.order(), token=a_token("sandbox_faulty"))

        assert bench.cards.pay(order) == Unreachable()
        for answer in (nobody.pay(order), nobody.standing(order), nobody.link(a_person())):
            assert answer == Unreachable()
        assert nobody.next_action(order) is None


def test_stripe_is_asked_for_a_challenge_where_one_is_wanted() -> None:
    with cards_stand_in() as stand_in:
        bench = Bench(StripeCards(KEY, address=stand_in.address, retries_max=0), stand_in.act)
        bench.cards.pay(replace(bench.order(), challenge=True))

        form = stand_in.seen[-1][3]
        assert form["payment_method_options[card][request_three_d_secure]"] == "any"
        assert form["automatic_payment_methods[allow_redirects]"] == "never"
