"""One suite for the processor's port, on the sandbox and on Stripe's own library (GW-4, GW-5).

Stripe's library speaks to a stand-in at the socket, so that its requests, its retries and its
errors are the real ones.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from ulid import ULID

from common.domain.identifiers import PropertyId, RefundId
from common.domain.money import Currency, Money
from common.domain.processor_units import from_processor, to_processor
from common.domain.reconciliation import CardRecord, CardRecords
from common.local.files import write_once
from common.ports.answers import Failed, Succeeded, Unknown, Unreachable
from common.ports.gateway import Gateway, Wanted
from common.sandbox.gateway import SandboxGateway
from common.stripe.gateway import StripeGateway
from tests.adapters.stripe_stand_in import KEY, StripeStandIn, stripe_stand_in

pytestmark = pytest.mark.req("GW-4", "GW-5")

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
TEN = Money(10_000_000, Currency("USD"))
TENANT, HOUSE = uuid4(), PropertyId(uuid4())


@dataclass
class Bench:
    """A processor under test, and how a guest's card is charged there."""

    gateway: Gateway
    stripe: StripeStandIn | None = None

    def capture(self, payment: str, cents: int = 1_000, house: Any = HOUSE) -> None:
        if self.stripe is not None:
            self.stripe.capture(payment, cents, str(TENANT), str(house))
        elif isinstance(self.gateway, SandboxGateway):
            self.gateway.capture(TENANT, house, payment, Money(cents * 10_000, TEN.currency))


@pytest.fixture(params=["sandbox", "stripe"])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    if request.param == "sandbox":
        yield Bench(SandboxGateway(tmp_path, write_once, lambda: NOON))
        return
    with stripe_stand_in() as stand_in:
        stand_in.now = int(NOON.timestamp())
        yield Bench(StripeGateway(KEY, address=stand_in.address, retries_max=0), stand_in)


@pytest.fixture
def stand_in() -> Iterator[StripeStandIn]:
    with stripe_stand_in() as running:
        running.now = int(NOON.timestamp())
        yield running


def a_refund() -> RefundId:
    return RefundId.of(str(ULID()))


def wanted(**changed: Any) -> Wanted:
    asked: dict[str, Any] = {
        "tenant_id": TENANT,
        "property_id": HOUSE,
        "since": NOON - timedelta(hours=1),
        "until": NOON + timedelta(hours=1),
        "payment_ids": [],
        "refund_ids": [],
    }
    return Wanted(**{**asked, **changed})


def test_a_refund_is_made_once_however_often_it_is_asked_for(bench: Bench) -> None:
    refund = a_refund()
    bench.capture("pi_1")

    answers = [bench.gateway.refund(refund, "pi_1", TEN) for _ in range(3)]

    assert answers == 3 * [Succeeded()]
    assert bench.gateway.ask(refund, "pi_1") == Succeeded()
    if bench.stripe is not None:
        assert len(bench.stripe.refunds) == 1


def test_a_key_that_was_used_for_something_else_is_refused(bench: Bench) -> None:
    refund = a_refund()
    bench.gateway.refund(refund, "pi_1", TEN)

    with pytest.raises(ValueError, match=f"{refund} was used for another refund"):
        bench.gateway.refund(refund, "pi_1", Money(1_000_000, TEN.currency))


def test_tells_by_which_payment_an_invoice_of_its_own_was_paid(bench: Bench) -> None:
    """One that was given up does not count; Stripe's two for one invoice are nobody's answer."""
    there = bench.stripe or bench.gateway
    assert isinstance(there, SandboxGateway | StripeStandIn)
    there.collect("in_1", "pi_1")
    if bench.stripe is not None:
        bench.stripe.collect("in_1", "pi_given_up", "canceled")
        for payment in ("pi_2", "pi_3"):
            bench.stripe.collect("in_2", payment)

    found = [bench.gateway.payment_of(invoice) for invoice in ("in_1", "in_2", "in_none")]

    assert found == ["pi_1", None, None]


def test_what_is_declined_has_failed_and_says_why(bench: Bench) -> None:
    refund = a_refund()

    assert bench.gateway.refund(refund, "sandbox_declined_1", TEN) == Failed("card_declined")
    assert bench.gateway.ask(refund, "sandbox_declined_1") == Failed("card_declined")


def test_an_answer_that_is_lost_is_unknown_until_somebody_asks(bench: Bench) -> None:
    refund = a_refund()

    assert isinstance(bench.gateway.refund(refund, "sandbox_lost_1", TEN), Unknown)
    assert bench.gateway.ask(refund, "sandbox_lost_1") == Succeeded()


def test_a_request_that_never_arrived_is_made_by_the_next_one(bench: Bench) -> None:
    refund = a_refund()

    assert isinstance(bench.gateway.refund(refund, "sandbox_unreachable_1", TEN), Unknown)
    assert bench.gateway.ask(refund, "sandbox_unreachable_1") == Unknown()
    assert bench.gateway.refund(refund, "sandbox_unreachable_1", TEN) == Succeeded()


def test_tells_what_was_captured_and_given_back_at_a_property(bench: Bench) -> None:
    """Two payments here, one next door, and a refund of 10.00 out of the first."""
    refund = a_refund()
    bench.capture("pi_1", 3_000)
    bench.capture("pi_2", 500)
    bench.capture("pi_3", 700, PropertyId(uuid4()))
    bench.gateway.refund(refund, "pi_1", TEN)
    thirty, five = Money(30_000_000, TEN.currency), Money(5_000_000, TEN.currency)

    told = bench.gateway.records(wanted())

    assert told == CardRecords(
        payments=(CardRecord("pi_1", thirty), CardRecord("pi_2", five)),
        refunds=(CardRecord(str(refund), TEN),),
    )


def test_tells_of_our_own_ids_whenever_it_was(bench: Bench) -> None:
    refund = a_refund()
    bench.capture("pi_1", 3_000)
    bench.gateway.refund(refund, "pi_1", TEN)
    later = {"since": NOON + timedelta(hours=2), "until": NOON + timedelta(hours=3)}

    nothing = bench.gateway.records(wanted(**later))
    ours = bench.gateway.records(
        wanted(**later, payment_ids=["pi_1", "pi_none"], refund_ids=[str(refund)])
    )

    assert nothing == CardRecords()
    assert ours == CardRecords(
        payments=(CardRecord("pi_1", Money(30_000_000, TEN.currency)),),
        refunds=(CardRecord(str(refund), TEN),),
    )


@pytest.mark.parametrize("payment", ["pi_faulty_1", "pi_slow_down_1", "pi_unreachable_1"])
def test_silence_faults_and_slowness_are_no_answer(stand_in: StripeStandIn, payment: str) -> None:
    """What the breaker counts; the refund may have been made."""
    gateway = StripeGateway(KEY, address=stand_in.address, retries_max=0)

    assert gateway.refund(a_refund(), payment, TEN) == Unreachable()
    assert gateway.ask(a_refund(), "pi_unheard_1") == Unreachable()


def test_what_stripe_refuses_for_good_has_failed_by_its_code(stand_in: StripeStandIn) -> None:
    gateway = StripeGateway(KEY, address=stand_in.address, retries_max=0)

    assert gateway.refund(a_refund(), "pi_gone_1", TEN) == Failed("charge_already_refunded")


def test_nobody_there_is_unreachable() -> None:
    gateway = StripeGateway(KEY, address="http://127.0.0.1:1", retries_max=0)

    assert gateway.refund(a_refund(), "pi_1", TEN) == Unreachable()
    assert gateway.records(wanted()) == Unreachable()


def test_it_sends_again_under_the_same_key(stand_in: StripeStandIn) -> None:
    """The line is cut once, the library tries again by itself: one refund, one key, our id."""
    gateway, refund = StripeGateway(KEY, address=stand_in.address, retries_max=1), a_refund()

    assert gateway.refund(refund, "pi_unreachable_1", TEN) == Succeeded()

    assert stand_in.seen == 2 * [("POST", "/v1/refunds", str(refund))]
    assert len(stand_in.refunds) == 1


@pytest.mark.req("MON-2")
@pytest.mark.parametrize(
    ("micro", "currency", "units"),
    [
        (12_500_000, "USD", 1_250),
        (500_000_000, "JPY", 500),
        (1_250_000, "KWD", 1_250),
        (7_000_000, "ISK", 700),
        (7_000_000, "MGA", 7),
        (3_500_000, "AFN", 350),
    ],
)
def test_amounts_are_counted_as_the_processor_counts(micro: int, currency: str, units: int) -> None:
    amount = Money(micro, Currency(currency))

    assert to_processor(amount) == units
    assert from_processor(units, currency.lower()) == amount
