"""What may become of a payment that the processor takes, state by state (GW-3, WH-4)."""

from dataclasses import replace
from datetime import timedelta
from itertools import product
from typing import Any

import pytest

from common.domain.identifiers import CustomerId, FolioId, PaymentIntentId
from common.domain.money import Currency, Money
from common.domain.payment_intent import PaymentIntent
from common.domain.processor_payment import GIVEN_UP_AFTER, MOVES, Heard, PaymentStatus
from common.domain.standing_payment import StandingPayment
from tests.domain.front_desk import KABUL, Desk
from tests.hotel import new_id

pytestmark = pytest.mark.req("GW-3", "WH-4")

S = PaymentStatus
STORED = (
    S.REQUIRES_PAYMENT_METHOD,
    S.PROCESSING,
    S.REQUIRES_ACTION,
    S.FAILED,
    S.CANCELED,
    S.SUCCEEDED,
)
PLACE = {status: place for place, status in enumerate(STORED)} | {S.CANCELED: 3}
TOLD = (S.REQUIRES_ACTION, S.FAILED, S.CANCELED, S.SUCCEEDED)
"""What the processor's events can say."""


@pytest.fixture
def desk() -> Desk:
    return Desk()


def intent_at(desk: Desk, status: PaymentStatus, **changed: Any) -> PaymentIntent:
    made = PaymentIntent(
        id=PaymentIntentId(new_id("pin")),
        property_id=KABUL,
        folio_id=FolioId(new_id("fol")),
        customer_id=CustomerId(new_id("cus")),
        amount=Money(50_000_000, Currency("USD")),
        created_at=desk.now,
        changed_at=desk.now,
        status=status,
        confirmed_at=desk.now,
    )
    return replace(made, **changed)


@pytest.mark.parametrize(("known", "told"), list(product(STORED, TOLD)))
def test_whatever_is_told_it_never_moves_back(
    desk: Desk, known: PaymentStatus, told: PaymentStatus
) -> None:
    """A later place is news, but for a payment that was canceled: nothing comes after that."""
    intent = intent_at(desk, known)
    heard = Heard(processor_payment_id="pi_1", status=told, failure_code="declined")

    is_news = intent.may_hear(heard)

    assert is_news == (PLACE[told] > PLACE[known] and known is not S.CANCELED)
    if is_news:
        intent.hear(heard, None, desk)
        assert intent.status is told
        assert (intent.failure_code is not None) == (told is S.FAILED)
    else:
        with pytest.raises(ValueError, match="does not go from"):
            intent.hear(heard, None, desk)


def test_every_state_says_where_it_goes() -> None:
    assert set(MOVES) == set(PaymentStatus)


@pytest.mark.parametrize(
    ("status", "minutes", "given_up"),
    [
        (S.PROCESSING, 14, False),
        (S.PROCESSING, 15, True),
        (S.REQUIRES_ACTION, 99, False),
        (S.SUCCEEDED, 99, False),
    ],
)
def test_is_given_up_only_when_nothing_can_be_under_way_any_more(
    desk: Desk, status: PaymentStatus, minutes: int, given_up: bool
) -> None:
    assert timedelta(minutes=15) == GIVEN_UP_AFTER
    asked_at = desk.now - timedelta(minutes=minutes)

    fact = intent_at(desk, status, confirmed_at=asked_at).give_up(desk)

    assert (fact is not None) == given_up


def test_what_the_processor_has_heard_of_is_never_given_up_or_taken_back(desk: Desk) -> None:
    asked_at = desk.now - timedelta(hours=1)
    intent = intent_at(desk, S.PROCESSING, confirmed_at=asked_at, processor_payment_id="pi_1")

    assert intent.give_up(desk) is None
    assert intent.take_back(desk) is None


def test_without_a_payment_on_its_folio_it_is_what_it_is(desk: Desk) -> None:
    intent = intent_at(desk, S.SUCCEEDED)

    standing = StandingPayment(intent=intent, payment=None, is_disputed=False)

    assert standing.status is S.SUCCEEDED
    assert intent.is_unplaced
    assert intent.waits
