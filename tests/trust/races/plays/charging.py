"""A subscription is charged, told of by the processor, renewed and suspended, at once."""

from tests.buying import card
from tests.charging import (
    asked_of_the_processor,
    booked,
    choose,
    collect,
    debts,
    incidents_are_over,
    last_charge,
    status,
    told_of,
)
from tests.hotel import Hotel
from tests.proofs import told
from tests.subscribing import invoices, subscribed
from tests.trust.faults.subscription_examples import overdue
from tests.trust.races.plays.playbill import race, statuses
from tests.trust.races.plays.purchases import runs, sends
from tests.trust.races.plays.subscriptions import runs_the_cycle
from tests.trust.races.stage import Stage

DUE = (
    "UPDATE billing_central.subscription_payments SET next_attempt_at = '2020-01-01'"
    " WHERE next_attempt_at IS NOT NULL"
)
AGO = (
    "UPDATE billing_central.subscription_collections SET next_at = '2020-01-01',"
    " failing_since = failing_since - interval '11 days' WHERE tenant_id = :t"
)


def charged_once(hotel: Hotel) -> None:
    """29.00 were taken once, at the latest when the next minute's jobs have run, as a job that was
    cut off leaves its item to that."""
    hotel.house.sql(DUE)
    collect(hotel)
    assert (debts(hotel), status(hotel)) == (["paid"], "active")
    assert booked(hotel) == [["processor_clearing", "receivable", 2_900]]
    assert told(hotel).count("subscription_payment.succeeded") == 1


def started(hotel: Hotel, kind: str = "sandbox_visa") -> str:
    """A charge that nobody has asked for yet."""
    subscribed(hotel, paymentMethodId=card(hotel, kind))
    collect(hotel, settles=False)
    return last_charge(hotel)


@race
def two_collectors(stage: Stage) -> None:
    """Each writes down what is due, and asks for it: it is charged once."""
    hotel = stage.hotel
    subscribed(hotel, paymentMethodId=card(hotel))
    for name in ("one", "other"):
        stage.plays(f"{name} collects", runs(hotel, "collect_subscriptions"))
        stage.plays(f"{name} settles", runs(hotel, "settle_subscription_payments"))

    stage.play()

    charged_once(hotel)
    assert asked_of_the_processor(hotel) == 1


@race
def a_webhook_beside_a_collector(stage: Stage) -> None:
    """The processor tells of it while the job asks, twice."""
    hotel = stage.hotel
    charge = started(hotel)
    taken = told_of(hotel, "payment_intent.succeeded", charge, 2_900)
    for name in ("event", "event again"):
        stage.plays(name, sends(taken, "evt_charged"))
    stage.plays("job", runs(hotel, "settle_subscription_payments"))

    stage.play()

    charged_once(hotel)


@race
def a_payment_beside_a_suspension(stage: Stage) -> None:
    """The time of an expired card is over, and its charge is said to be taken after all: whoever is
    first, it is paid and served."""
    hotel = stage.hotel
    incidents_are_over(hotel.house)
    charge = started(hotel, "sandbox_expired")
    collect(hotel)
    hotel.house.sql(AGO, t=hotel.tenant_id)
    late = told_of(hotel, "payment_intent.succeeded", charge, 2_900)
    stage.plays("job", runs(hotel, "collect_subscriptions"))
    stage.plays("event", sends(late, "evt_late"))

    stage.play()

    charged_once(hotel)


@race
def a_cycle_beside_a_collection(stage: Stage) -> None:
    """The period is over while it is charged: both invoices are there, and each is charged once."""
    hotel = stage.hotel
    overdue(hotel)
    assert choose(hotel, card(hotel)).status_code == 200
    stage.plays("cycle", runs_the_cycle)
    stage.plays("collects", runs(hotel, "collect_subscriptions"))
    stage.plays("settles", runs(hotel, "settle_subscription_payments"))

    answers = stage.play()

    assert set(statuses(answers)) <= {200}
    for _ in range(3):
        hotel.house.sql(DUE)
        collect(hotel)
    assert len(invoices(hotel)) == 2
    assert debts(hotel) == ["paid", "paid"]
    assert asked_of_the_processor(hotel) == 2
