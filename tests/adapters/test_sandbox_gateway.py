"""The sandbox's processor: test cards by name, and nothing done is forgotten or done twice."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from common.domain.identifiers import PropertyId, RefundId
from common.domain.money import Currency, Money
from common.domain.reconciliation import CardRecord, CardRecords
from common.local.files import write_once
from common.ports.answers import Failed, Succeeded, Unknown
from common.ports.gateway import Wanted
from common.sandbox.gateway import SandboxGateway

pytestmark = pytest.mark.req("GW-5")

REFUND = RefundId("rfd_01K9ZQ0M8Y" + "0" * 16)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
TEN = Money(10_000_000, Currency("USD"))


def after_a_restart(folder: Path) -> SandboxGateway:
    return SandboxGateway(folder, write_once, lambda: NOON)


@pytest.mark.parametrize(
    ("payment", "answers", "became"),
    [
        ("pi_1", [Succeeded(), Succeeded()], Succeeded()),
        ("sandbox_declined_1", [Failed("card_declined")] * 2, Failed("card_declined")),
        ("sandbox_lost_1", [Unknown(), Succeeded()], Succeeded()),
        ("sandbox_unreachable_1", [Unknown(), Succeeded()], Succeeded()),
    ],
)
def test_the_same_key_is_answered_the_same_by_every_process(
    tmp_path: Path, payment: str, answers: list[object], became: object
) -> None:
    given = [after_a_restart(tmp_path).refund(REFUND, payment, TEN) for _ in answers]

    assert given == answers
    assert after_a_restart(tmp_path).ask(REFUND, "pi_1") == became


def test_a_lost_answer_was_done_and_an_unreachable_one_was_not(tmp_path: Path) -> None:
    gateway = after_a_restart(tmp_path)
    other = RefundId("rfd_01K9ZQ0M8Y" + "1" * 16)
    gateway.refund(REFUND, "sandbox_lost_1", TEN)
    gateway.refund(other, "sandbox_unreachable_1", TEN)

    assert (gateway.ask(REFUND, "pi_1"), gateway.ask(other, "pi_1")) == (Succeeded(), Unknown())


@pytest.mark.parametrize("payment", ["pi_1", "pi_2"])
def test_a_key_is_for_one_refund(tmp_path: Path, payment: str) -> None:
    gateway = after_a_restart(tmp_path)
    gateway.refund(REFUND, "pi_1", TEN)
    amount = TEN if payment == "pi_2" else Money(10_010_000, Currency("USD"))

    with pytest.raises(ValueError, match="another refund"):
        gateway.refund(REFUND, payment, amount)


def test_knows_nothing_of_what_it_was_not_asked_for(tmp_path: Path) -> None:
    assert after_a_restart(tmp_path).ask(REFUND, "pi_1") == Unknown()


TENANT, HOUSE = uuid4(), PropertyId(uuid4())


def wanted(**changes: Any) -> Wanted:
    asked = {
        "tenant_id": TENANT,
        "property_id": HOUSE,
        "since": NOON - timedelta(hours=1),
        "until": NOON + timedelta(hours=1),
        "payment_ids": (),
        "refund_ids": (),
    }
    return Wanted(**{**asked, **changes})


@pytest.mark.req("CASH-9")
def test_tells_what_was_captured_and_given_back_in_a_span_of_time(tmp_path: Path) -> None:
    """The end of a span is not in it."""
    processor = after_a_restart(tmp_path)
    processor.capture(TENANT, HOUSE, "pi/../1", TEN)
    processor.refund(REFUND, "pi/../1", TEN)
    both = CardRecords((CardRecord("pi/../1", TEN),), (CardRecord(REFUND, TEN),))

    told = after_a_restart(tmp_path)

    assert told.records(wanted()) == both
    assert told.records(wanted(since=NOON)) == both
    assert told.records(wanted(until=NOON)) == CardRecords()
    assert told.records(wanted(property_id=PropertyId(uuid4()))) == CardRecords()
    assert told.records(wanted(tenant_id=uuid4())) == CardRecords()


@pytest.mark.req("CASH-9")
def test_tells_what_has_one_of_the_ids_whenever_it_was(tmp_path: Path) -> None:
    processor = after_a_restart(tmp_path)
    processor.capture(TENANT, HOUSE, "pi_1", TEN)
    processor.refund(REFUND, "pi_1", TEN)
    later = {"since": NOON + timedelta(days=1), "until": NOON + timedelta(days=2)}

    found = processor.records(wanted(**later, payment_ids=["pi_1"], refund_ids=[REFUND]))
    strangers = processor.records(wanted(**later, payment_ids=["pi_1"], tenant_id=uuid4()))

    assert found == CardRecords((CardRecord("pi_1", TEN),), (CardRecord(REFUND, TEN),))
    assert strangers == CardRecords()


@pytest.mark.req("CASH-9")
def test_a_refund_that_was_refused_is_no_record(tmp_path: Path) -> None:
    processor = after_a_restart(tmp_path)
    processor.refund(REFUND, "sandbox_declined_1", TEN)

    assert processor.records(wanted(refund_ids=[REFUND])) == CardRecords()
