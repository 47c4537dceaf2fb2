"""A bank asks for money that came second for an invoice and goes back by itself: it goes back by
the bank or by us, and not by both (WH-5, BEY-4). Pro is 29.00 a month."""

from typing import Any

import pytest

from tests.billing_there import paid_there, sent, surplus
from tests.charging import booked, debts
from tests.hotel import Hotel
from tests.proofs import state, told
from tests.together import at_once
from tests.trust.books import broken
from tests.webhooks import disputed, refund_told, refunded_there

from .test_paid_twice import CAME, ONCE, WENT, moved, of, paid_here, returned

pytestmark = [pytest.mark.req("WH-5", "WH-4", "BEY-4"), pytest.mark.usefixtures("noon")]
KEPT_ASIDE = ("webhook_events", "webhook_bodies", "webhook_attempts")


def came_second(hotel: Hotel) -> str:
    """Ours has paid, and theirs came second: the processor's payment of that."""
    paid_here(hotel)
    theirs = of(hotel, "pi_theirs")
    assert sent(hotel, paid_there(hotel, "in_march", theirs)) == "applied"
    assert surplus(hotel) == [["pending", 2_900, theirs]]
    return theirs


def claim(hotel: Hotel, payment: str, status: str, cents: int = 2_900, **more: Any) -> None:
    assert sent(hotel, disputed(payment, of(hotel, "dp"), status, cents=cents, **more)) == "applied"


def accounts(hotel: Hotel) -> dict[str, int]:
    """What went over each account for what came second, debits less credits, in cents."""
    sums: dict[str, int] = {}
    for debit, credit, cents in moved(hotel):
        sums[debit] = sums.get(debit, 0) + cents
        sums[credit] = sums.get(credit, 0) - cents
    return {account: cents for account, cents in sums.items() if cents}


def refund_of(hotel: Hotel) -> str:
    ((found,),) = hotel.house.sql(
        "SELECT id FROM billing_central.subscription_refunds"
        " WHERE tenant_id = :t AND surplus_id IS NOT NULL",
        t=hotel.tenant_id,
    )
    return str(found)


def test_lost_before_it_was_made_it_has_gone_back_by_the_bank(hotel: Hotel) -> None:
    """29.00 are promised when the bank asks, told twice at once: the job makes nothing. Lost, they
    are gone, 15.00 of fee besides, and nothing is lost twice."""
    theirs = came_second(hotel)
    opened = [disputed(theirs, of(hotel, "dp"), "needs_response", fee=1_500, cents=2_900)] * 2
    opened = [{**each, "id": f"{each['id']}_{place}"} for place, each in enumerate(opened)]

    at_once([lambda each=each: sent(hotel, each) for each in opened])  # type: ignore[misc]
    returned(hotel)

    assert surplus(hotel) == [["failed", 2_900, theirs]]
    assert accounts(hotel) == {
        "disputed_funds": 2_900,
        "payments_to_return": -2_900,
        "processor_clearing": -1_500,
        "dispute_fees": 1_500,
    }
    assert broken(hotel) == []
    claim(hotel, theirs, "lost", fee=1_500)
    before = state(hotel, without=KEPT_ASIDE)
    claim(hotel, theirs, "lost", fee=1_500)
    returned(hotel)

    assert state(hotel, without=KEPT_ASIDE) == before
    assert surplus(hotel) == [["succeeded", 2_900, theirs]]
    assert accounts(hotel) == {"processor_clearing": -1_500, "dispute_fees": 1_500}
    (last,) = hotel.events("subscription_surplus.disputed")[-1:]
    assert (last["data"]["status"], last["data"]["notGone"]["amountMicro"]) == ("lost", 29_000_000)
    assert (debts(hotel), booked(hotel)) == (["paid"], [ONCE])
    assert broken(hotel) == []


def test_won_before_it_was_made_it_goes_back_by_us(hotel: Hotel) -> None:
    """Called off and promised again, under its own id: 29.00 go back, and once."""
    theirs = came_second(hotel)
    claim(hotel, theirs, "needs_response")

    claim(hotel, theirs, "won")

    assert surplus(hotel) == [["pending", 2_900, theirs]]
    returned(hotel)
    assert surplus(hotel) == [["succeeded", 2_900, theirs]]
    assert accounts(hotel) == {}
    assert told(hotel).count("subscription_refund.requested") == 2
    assert broken(hotel) == []


def test_lost_after_it_was_made_it_is_lost_twice(hotel: Hotel) -> None:
    """29.00 went back before the bank asked: it gets them as well, and they are a loss."""
    theirs = came_second(hotel)
    returned(hotel)
    claim(hotel, theirs, "needs_response")
    assert accounts(hotel) == {"disputed_funds": 2_900, "processor_clearing": -2_900}

    claim(hotel, theirs, "lost")

    assert surplus(hotel) == [["succeeded", 2_900, theirs]]
    assert accounts(hotel) == {"dispute_losses": 2_900, "processor_clearing": -2_900}
    assert broken(hotel) == []


def test_one_that_was_made_when_it_was_called_off_counts(hotel: Hotel) -> None:
    """The bank asks while the refund is on its way, which was made: then it is lost twice."""
    theirs = came_second(hotel)
    claim(hotel, theirs, "needs_response")

    for _ in range(2):
        assert sent(hotel, refund_told(theirs, refund_of(hotel), 2_900)) == "applied"

    assert surplus(hotel) == [["succeeded", 2_900, theirs]]
    assert moved(hotel)[-1] == WENT
    claim(hotel, theirs, "lost")
    assert accounts(hotel) == {"dispute_losses": 2_900, "processor_clearing": -2_900}
    assert broken(hotel) == []


def test_what_lies_here_goes_by_a_claim_and_what_a_bank_adds_is_lost(hotel: Hotel) -> None:
    """The card is gone, and 29.00 lie here; a bank gets 31.00: 2.00 are lost. Nobody gives it back
    at the processor after that."""
    paid_here(hotel)
    theirs = of(hotel, "sandbox_declined_theirs")
    assert sent(hotel, paid_there(hotel, "in_march", theirs)) == "applied"
    returned(hotel)

    claim(hotel, theirs, "lost", cents=3_100)

    assert [status for status, *_ in surplus(hotel)] == ["succeeded"]
    assert accounts(hotel) == {"dispute_losses": 200, "processor_clearing": -200}
    assert sent(hotel, refunded_there(theirs, of(hotel, "re_more"), 2_900)) == "refused"
    assert broken(hotel) == []


def test_an_inquiry_and_a_claim_about_a_part_move_nothing(hotel: Hotel) -> None:
    """A part that a bank has could not be told from what goes back: a person looks."""
    theirs = came_second(hotel)
    part = disputed(theirs, of(hotel, "dp_part"), "needs_response", cents=1_000)

    assert sent(hotel, part) == "refused"
    claim(hotel, theirs, "warning_needs_response")

    assert (surplus(hotel), moved(hotel)) == ([["pending", 2_900, theirs]], [CAME, WENT])
    returned(hotel)
    assert [status for status, *_ in surplus(hotel)] == ["succeeded"]
    assert broken(hotel) == []
