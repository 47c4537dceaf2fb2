"""Stripe's adapters against localstripe, a stand-in that others wrote, as far as it is faithful.

What it says of customers, payment methods and refunds is somebody else's reading of Stripe's
documents, and so checks ours. It knows no idempotency keys, no automatic payment methods, no
disputes and no connected accounts, and lists no payments of a customer: those stand in the suites
of the ports, on a stand-in of our own. It runs in a process of its own, on loopback, and keeps
nothing.
"""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace

import pytest
from stripe import StripeClient
from ulid import ULID

from common.domain.identifiers import RefundId
from common.domain.money import Currency, Money
from common.domain.stored_method import MethodKind
from common.ports.answers import Failed, Succeeded, Unknown
from common.ports.cards import Linked
from common.stripe.cards import StripeCards
from common.stripe.gateway import StripeGateway
from tests.adapters.test_cards_port import a_person

pytestmark = pytest.mark.req("GW-1", "GW-2", "GW-4")

KEY = "sk_test_of_nobody"
VISA = "4242424242424242"
SERVER = """
import socket
from aiohttp import web
from localstripe import resources, server
resources.Store.dump_to_disk = lambda store: None
listens = socket.create_server(("127.0.0.1", 0))
print(listens.getsockname()[1], flush=True)
web.run_app(server.app, sock=listens, print=None)
"""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Where it listens."""
    command = [sys.executable, "-c", SERVER]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        yield f"http://127.0.0.1:{int(running.stdout.readline())}"
        running.terminate()


@pytest.fixture
def cards(address: str) -> StripeCards:
    return StripeCards(KEY, address=address, retries_max=0)


@pytest.fixture
def gateway(address: str) -> StripeGateway:
    return StripeGateway(KEY, address=address, retries_max=0)


@pytest.fixture
def there(address: str) -> StripeClient:
    """What a guest's browser and a dashboard do there."""
    return StripeClient(KEY, base_addresses={"api": address})


def a_method(there: StripeClient, number: str = VISA) -> str:
    card = {"number": number, "exp_month": 12, "exp_year": 2099, "cvc": "123"}
    made = there.v1.payment_methods.create({"type": "card", "card": card})  # type: ignore[typeddict-item]
    return str(made.id)


def linked(cards: StripeCards) -> str:
    answer = cards.link(a_person())
    assert isinstance(answer, Linked)
    return answer.processor_customer_id


def test_a_customer_is_found_again_by_our_id_and_changed(
    cards: StripeCards, there: StripeClient
) -> None:
    person = a_person()

    first, again = cards.link(person), cards.link(person)

    assert isinstance(first, Linked)
    assert again == first
    known = first.processor_customer_id
    cards.link(replace(person, name="Z. Ahmadi", details_version=2, processor_customer_id=known))
    kept = there.v1.customers.retrieve(known)
    assert (kept.name, kept.email) == ("Z. Ahmadi", person.email)
    assert cards.link(a_person()) != first


def test_a_method_says_what_it_is_and_is_taken_away(
    cards: StripeCards, there: StripeClient
) -> None:
    customer, method = linked(cards), a_method(there)

    details = cards.attach(method, customer)

    assert not isinstance(details, Failed | Unknown)
    assert (details.kind, details.brand, details.last_four) == (MethodKind.CARD, "visa", "4242")
    assert (details.expiry_month, details.expiry_year) == (12, 2099)
    assert cards.attach(method, customer) == details
    assert there.v1.payment_methods.retrieve(method).customer == customer
    assert [cards.detach(method), cards.detach(method)] == [Succeeded(), Succeeded()]
    assert there.v1.payment_methods.retrieve(method).customer is None


def test_what_is_unknown_there_is_refused(cards: StripeCards, there: StripeClient) -> None:
    assert isinstance(cards.attach("pm_of_nobody", linked(cards)), Failed)
    assert isinstance(cards.attach(a_method(there), "cus_of_nobody"), Failed)


def test_a_part_of_a_payment_goes_back_and_is_found_by_its_id(
    gateway: StripeGateway, cards: StripeCards, there: StripeClient
) -> None:
    customer, method = linked(cards), a_method(there)
    cards.attach(method, customer)
    taken = there.v1.payment_intents.create(
        {
            "amount": 1_000,
            "currency": "usd",
            "customer": customer,
            "payment_method": method,
            "confirm": True,
        }
    )
    refund, other = RefundId.of(str(ULID())), RefundId.of(str(ULID()))

    assert gateway.refund(refund, taken.id, Money(4_000_000, Currency("USD"))) == Succeeded()

    assert gateway.ask(refund, taken.id) == Succeeded()
    assert gateway.ask(other, taken.id) == Unknown()
    (made,) = there.v1.refunds.list({"payment_intent": taken.id}).data
    assert (made.amount, made.currency, made.status) == (400, "usd", "succeeded")
