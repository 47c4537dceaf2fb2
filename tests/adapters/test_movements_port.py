"""What moved money at the processor, on the sandbox and on Stripe's own library (REC-1)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from ulid import ULID

from common.domain.identifiers import PayoutId, PropertyId, RefundId
from common.domain.money import Currency, Money
from common.domain.processor_reconciliation import Known, Movement, MovementKind, Span
from common.local.files import write_once
from common.ports.answers import Unknown, Unreachable
from common.ports.gateway import Gateway
from common.ports.movements import MovementPage, MovementsWanted
from common.ports.payouts import PendingPayout
from common.sandbox.gateway import SandboxGateway
from common.stripe.gateway import StripeGateway
from tests.adapters.stripe_stand_in import KEY, StripeStandIn, stripe_stand_in

pytestmark = pytest.mark.req("REC-1")

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = Span(NOON - timedelta(hours=1), NOON + timedelta(hours=1))
LATER = Span(NOON + timedelta(seconds=1), NOON + timedelta(hours=1))
TENANT, HOUSE = uuid4(), PropertyId(uuid4())


def money(cents: int) -> Money:
    return Money(cents * 10_000, Currency("USD"))


@dataclass
class Bench:
    """A processor under test, and what happens there without this house."""

    gateway: Gateway
    there: SandboxGateway | StripeStandIn

    def capture(self, payment: str, cents: int, tenant: object = TENANT) -> None:
        if isinstance(self.there, SandboxGateway):
            self.there.capture(tenant, HOUSE, payment, money(cents))  # type: ignore[arg-type] # a UUID
        else:
            self.there.capture(payment, cents, str(tenant), str(HOUSE))

    def refund_there(self, refund: str, payment: str, cents: int) -> None:
        if isinstance(self.there, SandboxGateway):
            self.there.refund_there(refund, payment, money(cents))
        else:
            self.there.refund_there(refund, payment, cents)

    def dispute(self, dispute: str, payment: str, cents: int) -> None:
        if isinstance(self.there, SandboxGateway):
            self.there.dispute(dispute, payment, money(cents))
        else:
            self.there.dispute(dispute, payment, cents)

    def pay_out_there(self, payout: str, account: str, cents: int) -> None:
        if isinstance(self.there, SandboxGateway):
            self.there.pay_out_there(payout, account, money(cents))
        else:
            self.there.pay_out_there(payout, account, cents)

    def listed(self, kind: MovementKind, span: Span = DAY) -> list[tuple[str, Money, str]]:
        """All pages of a kind: by what each is known, how much, and of which payment."""
        found, cursor = [], None
        while True:
            wanted = MovementsWanted(
                tenant_id=TENANT, kind=kind, span=span, cursor=cursor, account="acct_1"
            )
            page = self.gateway.movements(wanted)
            assert isinstance(page, MovementPage)
            found += [(each.known.id, each.amount, each.payment) for each in page.items]
            cursor = page.next_cursor
            if cursor is None:
                return found


@pytest.fixture(params=["sandbox", "stripe"])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    if request.param == "sandbox":
        sandbox = SandboxGateway(tmp_path, write_once, lambda: NOON)
        yield Bench(sandbox, sandbox)
        return
    with stripe_stand_in() as stand_in:
        stand_in.now, stand_in.page = int(NOON.timestamp()), 2
        stand_in.disconnected.add("acct_gone")
        yield Bench(StripeGateway(KEY, address=stand_in.address, retries_max=0), stand_in)


def test_lists_what_took_place_in_the_span_and_is_not_anothers(bench: Bench) -> None:
    ours = RefundId.of(str(ULID()))
    bench.capture("pi_1", 1_000)
    bench.capture("pi_2", 2_000, uuid4())
    bench.gateway.refund(ours, "pi_1", money(300))
    bench.gateway.refund(RefundId.of(str(ULID())), "sandbox_declined_1", money(300))
    bench.refund_there("re_x", "pi_1", 200)
    bench.dispute("dp_1", "pi_1", 900)

    assert bench.listed(MovementKind.PAYMENT) == [("pi_1", money(1_000), "pi_1")]
    assert sorted(bench.listed(MovementKind.REFUND)) == [
        ("re_x", money(200), "pi_1"),
        (str(ours), money(300), "pi_1"),
    ]
    assert bench.listed(MovementKind.DISPUTE) == [("dp_1", money(900), "pi_1")]
    assert [bench.listed(kind, LATER) for kind in MovementKind] == [[]] * len(MovementKind)


@pytest.mark.req("PO-1")
def test_payouts_are_those_that_have_left_the_account(bench: Bench) -> None:
    """Ours by our id, whoever is said to be the tenant, and the dashboard's by its own."""
    ours, declined, running, others = (
        PendingPayout(
            id=PayoutId.of(str(ULID())),
            tenant_id=uuid4(),
            processor_account_id=account,
            amount=money(700),
        )
        for account in ("acct_1", "sandbox_declined_1", "sandbox_transit_1", "acct_2")
    )
    for each in (ours, declined, running, others):
        bench.gateway.pay_out(each)
    for place in range(3):
        bench.pay_out_there(f"po_x{place}", "acct_1", 100)

    assert sorted(bench.listed(MovementKind.PAYOUT)) == sorted(
        [
            (str(ours.id), money(700), "acct_1"),
            *((f"po_x{place}", money(100), "acct_1") for place in range(3)),
        ]
    )
    for id, account, cents in (
        (str(ours.id), "acct_1", 700),
        ("po_x1", "acct_1", 100),
        (str(others.id), "acct_2", 700),
    ):
        found = bench.gateway.movement(Known(MovementKind.PAYOUT, id), account)
        assert isinstance(found, Movement)
        assert (found.known.id, found.amount, found.payment) == (id, money(cents), account)
    for id, account in (
        (str(others.id), "acct_1"),
        ("po_none", "acct_1"),
        (str(declined.id), "sandbox_declined_1"),
        ("po_none", "acct_gone"),
    ):
        assert bench.gateway.movement(Known(MovementKind.PAYOUT, id), account) is None
    gone = MovementsWanted(
        tenant_id=TENANT, kind=MovementKind.PAYOUT, span=DAY, account="acct_gone"
    )
    assert bench.gateway.movements(gone) == MovementPage(())


def test_reads_all_pages(bench: Bench) -> None:
    """A page of the sandbox holds a hundred, one of this Stripe two."""
    for place in range(105):
        bench.capture(f"pi_{place:03}", 100 + place)

    found = bench.listed(MovementKind.PAYMENT)

    assert sorted(id for id, _, _ in found) == [f"pi_{place:03}" for place in range(105)]


def test_finds_one_by_its_id_whenever_it_was(bench: Bench) -> None:
    ours = RefundId.of(str(ULID()))
    bench.capture("pi_1", 1_000)
    bench.gateway.refund(ours, "pi_1", money(300))
    bench.refund_there("re_x", "pi_1", 200)
    bench.dispute("dp_1", "pi_1", 900)

    for kind, id, cents in (
        (MovementKind.PAYMENT, "pi_1", 1_000),
        (MovementKind.REFUND, str(ours), 300),
        (MovementKind.REFUND, "re_x", 200),
        (MovementKind.DISPUTE, "dp_1", 900),
    ):
        found = bench.gateway.movement(Known(kind, id), "pi_1")
        assert isinstance(found, Movement)
        assert (found.known, found.amount) == (Known(kind, id), money(cents))
    for kind, id in (
        (MovementKind.PAYMENT, "pi_none"),
        (MovementKind.REFUND, str(RefundId.of(str(ULID())))),
        (MovementKind.REFUND, "re_none"),
        (MovementKind.DISPUTE, "dp_none"),
    ):
        assert bench.gateway.movement(Known(kind, id), "pi_1") is None


@pytest.mark.req("GW-4")
def test_a_processor_that_is_not_there_tells_nothing() -> None:
    gateway = StripeGateway(KEY, address="http://127.0.0.1:9", retries_max=0)
    wanted = MovementsWanted(tenant_id=TENANT, kind=MovementKind.PAYMENT, span=DAY)

    assert isinstance(gateway.movements(wanted), Unreachable)
    assert isinstance(gateway.movement(Known(MovementKind.DISPUTE, "dp_1"), "pi_1"), Unknown)
