"""Payouts at the processor, on the sandbox and on Stripe's own library (PO-1, GW-4, GW-5)."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from ulid import ULID

from common.domain.identifiers import PayoutId
from common.domain.money import Currency, Money
from common.local.files import write_once
from common.ports.answers import Failed, Succeeded, Unknown, Unreachable
from common.ports.gateway import Gateway
from common.ports.payouts import PendingPayout
from common.sandbox.gateway import SandboxGateway
from common.stripe.gateway import StripeGateway
from tests.adapters.stripe_stand_in import KEY, stripe_stand_in

pytestmark = pytest.mark.req("PO-1", "GW-4", "GW-5")

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
TEN = Money(10_000_000, Currency("USD"))


@pytest.fixture(params=["sandbox", "stripe"])
def gateway(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Gateway]:
    if request.param == "sandbox":
        yield SandboxGateway(tmp_path, write_once, lambda: NOON)
        return
    with stripe_stand_in() as stand_in:
        stand_in.now = int(NOON.timestamp())
        yield StripeGateway(KEY, address=stand_in.address, retries_max=0)


def a_payout(account: str) -> PendingPayout:
    return PendingPayout(
        id=PayoutId.of(str(ULID())), tenant_id=uuid4(), processor_account_id=account, amount=TEN
    )


def test_a_payout_is_made_once_however_often_it_is_asked_for(gateway: Gateway) -> None:
    wanted = a_payout("acct_1")
    assert gateway.ask_payout(wanted) is None

    assert [gateway.pay_out(wanted) for _ in range(3)] == 3 * [Succeeded()]

    assert gateway.ask_payout(wanted) == Succeeded()
    assert gateway.ask_payout(a_payout("acct_1")) is None
    with pytest.raises(ValueError, match=f"{wanted.id} was used for another payout"):
        gateway.pay_out(replace(wanted, amount=Money(1_000_000, TEN.currency)))


def test_what_became_of_it_is_told(gateway: Gateway) -> None:
    declined, under_way, lost = (
        a_payout(f"sandbox_{kind}_1") for kind in ("declined", "transit", "lost")
    )

    assert gateway.pay_out(declined) == Failed("account_closed")
    assert gateway.ask_payout(declined) == Failed("account_closed")
    assert gateway.pay_out(under_way) == gateway.ask_payout(under_way) == Unknown()
    assert isinstance(gateway.pay_out(lost), Unknown)
    assert gateway.ask_payout(lost) == Succeeded()


def test_an_account_that_is_ours_no_more_is_paid_nothing_and_says_nothing() -> None:
    """What was asked for before may have been paid, so nobody calls it failed."""
    with stripe_stand_in() as stand_in:
        gateway, paid = (
            StripeGateway(KEY, address=stand_in.address, retries_max=0),
            a_payout("acct_1"),
        )
        assert gateway.pay_out(paid) == Succeeded()
        stand_in.disconnected.add("acct_1")

        assert gateway.pay_out(a_payout("acct_1")) == Failed("account_invalid")
        assert gateway.ask_payout(paid) == Unknown()


def test_a_processor_that_is_not_there_tells_nothing() -> None:
    gateway = StripeGateway(KEY, address="http://127.0.0.1:9", retries_max=0)

    assert isinstance(gateway.pay_out(a_payout("acct_1")), Unreachable)
    assert isinstance(gateway.ask_payout(a_payout("acct_1")), Unreachable)
