"""The sandbox's processor: test cards by name, and nothing done is forgotten or done twice."""

from pathlib import Path

import pytest

from common.domain.identifiers import RefundId
from common.domain.money import Currency, Money
from common.local.files import write_once
from common.ports.gateway import Failed, Succeeded, Unknown
from common.sandbox.gateway import SandboxGateway

pytestmark = pytest.mark.req("GW-5")

REFUND = RefundId("rfd_01K9ZQ0M8Y" + "0" * 16)
TEN = Money(10_000_000, Currency("USD"))


def after_a_restart(folder: Path) -> SandboxGateway:
    return SandboxGateway(folder, write_once)


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
    assert after_a_restart(tmp_path).ask(REFUND) == became


def test_a_lost_answer_was_done_and_an_unreachable_one_was_not(tmp_path: Path) -> None:
    gateway = after_a_restart(tmp_path)
    other = RefundId("rfd_01K9ZQ0M8Y" + "1" * 16)
    gateway.refund(REFUND, "sandbox_lost_1", TEN)
    gateway.refund(other, "sandbox_unreachable_1", TEN)

    assert (gateway.ask(REFUND), gateway.ask(other)) == (Succeeded(), Unknown())


@pytest.mark.parametrize("payment", ["pi_1", "pi_2"])
def test_a_key_is_for_one_refund(tmp_path: Path, payment: str) -> None:
    gateway = after_a_restart(tmp_path)
    gateway.refund(REFUND, "pi_1", TEN)
    amount = TEN if payment == "pi_2" else Money(10_010_000, Currency("USD"))

    with pytest.raises(ValueError, match="another refund"):
        gateway.refund(REFUND, payment, amount)


def test_knows_nothing_of_what_it_was_not_asked_for(tmp_path: Path) -> None:
    assert after_a_restart(tmp_path).ask(REFUND) == Unknown()
