"""What happens to a subscription while a charge of it is asked for leaves no debt that nobody asks
for, and suspends nobody who has left another card (SUB-6, SUB-7)."""

from collections.abc import Callable

import pytest

from jobs.collect_subscriptions import collect_subscriptions
from tests.buying import card
from tests.charging import (
    booked,
    charges,
    choose,
    collect,
    debts,
    last_charge,
    status,
    told_of,
)
from tests.hotel import Hotel
from tests.paying import run_job
from tests.proofs import told, trail
from tests.subscribing import act, shown, subscribed
from tests.trust.books import broken
from tests.webhooks import Webhook, event

pytestmark = [pytest.mark.req("SUB-6", "SUB-7"), pytest.mark.usefixtures("noon")]
Clock = Callable[[str], None]
TAKEN = ["processor_clearing", "receivable", 2_900]


def asked_for(hotel: Hotel) -> None:
    """A charge of 29.00 that is written down, and of which the bank will ask the tenant."""
    subscribed(hotel, paymentMethodId=card(hotel, "sandbox_3ds"))
    run_job(hotel, collect_subscriptions)
    assert charges(hotel) == [[1, "processing", None, 2_900]]


def test_another_card_is_charged_where_the_bank_asks_for_the_old_one(
    hotel: Hotel, clock: Clock
) -> None:
    """The card is changed while the processor is being asked: that the old one's bank then wants
    the tenant is no decline of the new one, which is charged."""
    asked_for(hotel)
    assert choose(hotel, card(hotel)).status_code == 200

    for minute in (1, 2, 3):
        clock(f"2026-03-01T12:0{minute}:00+00:00")
        collect(hotel)

    assert charges(hotel) == [[1, "canceled", None, 2_900], [2, "succeeded", None, 2_900]]
    assert (booked(hotel), debts(hotel), status(hotel)) == ([TAKEN], ["paid"], "active")
    assert told(hotel).count("subscription.past_due") == 0
    assert broken(hotel) == []


@pytest.mark.req("WH-4")
def test_a_bank_that_asks_for_us_while_the_processor_collects_is_called_off(
    hotel: Hotel, clock: Clock
) -> None:
    """The processor's own subscription is told of while ours is asked for: what then waits for the
    tenant would be paid beside theirs."""
    asked_for(hotel)
    charge, mine = last_charge(hotel), shown(hotel)["subscription"]["subscriptionId"]
    theirs = {
        "id": f"sub_at_the_processor_{hotel.tenant_id.hex}",
        "object": "subscription",
        "status": "active",
        "metadata": {"tenantId": str(hotel.tenant_id), "subscriptionId": mine},
    }
    for told_there in (
        event("customer.subscription.created", theirs),
        told_of(hotel, "payment_intent.requires_action", charge, 0),
    ):
        assert Webhook(hotel).send(told_there).json["outcome"] == "applied"

    assert charges(hotel) == [[1, "requires_action", None, 2_900]]
    assert len(trail(hotel, "subscription_payment.superseded")) == 1
    assert broken(hotel) == []


@pytest.mark.req("SUB-8")
def test_a_bank_that_asked_during_a_pause_is_not_waited_for_for_ever(
    hotel: Hotel, clock: Clock
) -> None:
    """It asks on the 1st, in the pause; resumed on the 5th, the days begin: 10 until the 15th."""
    asked_for(hotel)
    assert act(hotel, "pause").status_code == 200
    collect(hotel)
    assert charges(hotel) == [[1, "requires_action", None, 2_900]]
    clock("2026-03-03T12:00:00+00:00")
    collect(hotel)
    assert status(hotel) == "paused"
    clock("2026-03-05T12:00:00+00:00")
    assert act(hotel, "resume").status_code == 200

    collect(hotel)
    assert status(hotel) == "past_due"
    clock("2026-03-15T11:00:00+00:00")
    collect(hotel)
    assert status(hotel) == "past_due"
    clock("2026-03-15T13:00:00+00:00")
    collect(hotel)

    assert status(hotel) == "suspended"
    assert broken(hotel) == []


def test_what_a_suspended_tenant_owed_is_given_up_once_it_is_canceled(
    hotel: Hotel, clock: Clock
) -> None:
    """Its days were over: nobody will pay 29.00, and no books go on saying that somebody will."""
    subscribed(hotel, paymentMethodId=card(hotel, "sandbox_expired"))
    collect(hotel)
    clock("2026-03-11T12:30:00+00:00")
    collect(hotel)
    assert status(hotel) == "suspended"

    assert act(hotel, "cancel", at="now").status_code == 200
    collect(hotel)

    assert (status(hotel), debts(hotel)) == ("canceled", ["uncollectible"])
    assert booked(hotel) == [["bad_debt", "receivable", 2_900]]
    collect(hotel)
    assert broken(hotel) == []


def test_who_pays_behind_the_end_of_a_suspended_subscription_is_let_go(
    hotel: Hotel, clock: Clock
) -> None:
    """Canceled for 1 April and suspended on 11 March; paid on 20 April: it has ended, so that the
    house may subscribe again, and not a day of April is billed."""
    subscribed(hotel, paymentMethodId=card(hotel, "sandbox_expired"))
    collect(hotel)
    assert act(hotel, "cancel").status_code == 200
    clock("2026-03-11T12:30:00+00:00")
    collect(hotel)
    assert status(hotel) == "suspended"
    clock("2026-04-20T12:00:00+00:00")
    assert choose(hotel, card(hotel)).status_code == 200

    collect(hotel)

    assert (status(hotel), debts(hotel)) == ("canceled", ["paid"])
    assert shown(hotel)["subscription"]["canceledAt"][:10] == "2026-04-01"
    subscribed(hotel, "free")
    assert broken(hotel) == []
