"""A subscription is charged, told of by the processor, renewed and suspended, at once."""

from jobs.retry_refunds import retry_refunds
from tests.billing_there import begun, paid_there, sent, surplus
from tests.buying import card
from tests.charging import (
    asked_of_the_processor,
    booked,
    choose,
    collect,
    debts,
    first_invoice,
    incidents_are_over,
    last_charge,
    refund_invoice,
    status,
    told_of,
)
from tests.hotel import Hotel
from tests.paying import acted, run_job
from tests.prepaying import available, granted, micro
from tests.proofs import told
from tests.subscribing import WHY, invoices, shown, subscribed
from tests.trust.faults.subscription_examples import overdue
from tests.trust.races.plays.credits import moves
from tests.trust.races.plays.playbill import race, statuses
from tests.trust.races.plays.purchases import runs, sends
from tests.trust.races.plays.subscriptions import asks, runs_the_cycle
from tests.trust.races.stage import Stage
from tests.webhooks import Webhook, disputed, event, refunded_there

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


@race
def a_set_off_beside_a_charge(stage: Stage) -> None:
    """Team is charged while it goes down to Pro, by the job and by an event, and nobody has asked
    before: whoever is first, what is taken beyond the credits is what is owed, and all is paid."""
    hotel = stage.hotel
    subscribed(hotel, "team", paymentMethodId=card(hotel))
    collect(hotel, settles=False)
    taken = told_of(hotel, "payment_intent.succeeded", last_charge(hotel), 9_900)
    stage.plays("job", runs(hotel, "settle_subscription_payments"))
    stage.plays("event", sends(taken, "evt_taken"))
    stage.plays("change", asks(hotel, "change", "PUT", plan="pro", reason=WHY))

    stage.play()

    given = -invoices(hotel)[1][2]
    assert (booked(hotel), debts(hotel)) == (
        [["processor_clearing", "receivable", 9_900]],
        ["paid", "paid"],
    )
    credit = shown(hotel)["subscription"]["credit"]["amountMicro"]
    assert (credit, status(hotel)) == (given * 10_000, "active")


@race
def a_refund_beside_a_dispute_and_a_refund_of_ours(stage: Stage) -> None:
    """Of 29.00 the half is given back at the processor, told of twice, all is disputed, and
    somebody of the platform gives 10.00 back: each counts once, and the credits once for all."""
    hotel = stage.hotel
    subscribed(hotel, paymentMethodId=card(hotel))
    collect(hotel)
    payment = f"sandbox_pi_{last_charge(hotel).removeprefix('pin_')}"
    assert refund_invoice(hotel, first_invoice(hotel), 1_000).status_code == 201
    half = refunded_there(payment, "re_half", 1_450)
    for name in ("refund", "refund again"):
        stage.plays(name, sends(half, "evt_half"))
    claim = disputed(payment, "dp_all", "needs_response", cents=2_900)
    stage.plays("dispute", sends(claim, "evt_all"))
    stage.plays("job", runs(hotel, "retry_refunds"))

    stage.play()
    assert run_job(hotel, retry_refunds).exit_code == 0

    ((refunded, withheld),) = hotel.house.sql(
        "SELECT refunded_micro / 10000, withheld_micro / 10000"
        " FROM billing_central.subscription_invoices WHERE tenant_id = :t",
        t=hotel.tenant_id,
    )
    assert (refunded, withheld, available(hotel)) == (2_450, 2_900, 0)
    assert told(hotel).count("platform_credit_note.issued") == 2


@race
def a_refund_fails_while_it_is_given_back_anew(stage: Stage) -> None:
    """14.50 of 29.00 went back, and come again: told twice while as much goes back anew. If that is
    heard first it is more that goes; else it is what came again, and nothing lies here."""
    hotel = stage.hotel
    subscribed(hotel, paymentMethodId=card(hotel))
    collect(hotel)
    payment = f"sandbox_pi_{last_charge(hotel).removeprefix('pin_')}"
    assert Webhook(hotel).send(refunded_there(payment, "re_half", 1_450)).status_code == 200
    failed = refunded_there(payment, "re_half", 1_450, "failed", "refund.failed")
    for place in range(2):
        stage.plays(f"failed {place}", sends(failed, f"evt_failed_{place}"))
    stage.plays("anew", sends(refunded_there(payment, "re_anew", 1_450), "evt_anew"))

    stage.play()

    notes = told(hotel).count("platform_credit_note.issued")
    lying = hotel.house.sql(
        "SELECT count(*) FROM billing_central.subscription_refunds"
        " WHERE tenant_id = :t AND came_back_of = 're_half' AND made_there IS NULL",
        t=hotel.tenant_id,
    )
    assert told(hotel).count("subscription_refund.came_back") == 1
    assert (notes, lying) in ((1, [[0]]), (2, [[1]]))


@race
def a_bank_asks_for_what_came_second_while_it_goes_back(stage: Stage) -> None:
    """29.00 came second and are promised; a bank asks for them and gets them while the job gives
    them back: they went and are lost as well, or went by the bank alone."""
    hotel = stage.hotel
    subscribed(hotel, paymentMethodId=card(hotel))
    collect(hotel)
    theirs = f"pi_second_{hotel.tenant_id.hex}"
    assert sent(hotel, paid_there(hotel, "in_second", theirs)) == "applied"
    for name in ("needs_response", "lost"):
        told_there = disputed(theirs, "dp_second", name, cents=2_900)
        stage.plays(name, sends(told_there, f"evt_{name}"))
    stage.plays("job", runs(hotel, "retry_refunds"))

    stage.play()
    assert run_job(hotel, retry_refunds).exit_code == 0

    ((stands, made_there),) = hotel.house.sql(
        "SELECT status, made_there FROM billing_central.subscription_refunds"
        " WHERE tenant_id = :t AND surplus_id IS NOT NULL",
        t=hotel.tenant_id,
    )
    losses = hotel.house.sql(
        "SELECT count(*) FROM billing_central.platform_reversal_entries"
        " WHERE tenant_id = :t AND debit_account = 'dispute_losses'",
        t=hotel.tenant_id,
    )
    assert (stands, losses) == ("succeeded", [[int(made_there is None)]])


@race
def a_dispute_is_won_while_credits_move_and_are_taken(stage: Stage) -> None:
    """All of 29.00 was disputed, and its credits were taken. The bank lets it go while others move
    to the spa's account and back: they come back, and nobody waits for one who waits for them."""
    hotel = stage.hotel
    subscribed(hotel, paymentMethodId=card(hotel))
    collect(hotel)
    payment = f"sandbox_pi_{last_charge(hotel).removeprefix('pin_')}"
    claim = disputed(payment, "dp_all", "needs_response", cents=2_900)
    assert Webhook(hotel).send(claim).json["outcome"] == "applied"
    granted(hotel, 50)
    granted(hotel, 50, account="spa")
    won = disputed(payment, "dp_all", "won", "closed", cents=2_900)
    stage.plays("bank", sends(won, "evt_won"))
    stage.plays("mover", moves(20, "main", "spa", "there"))
    stage.plays("mover back", moves(20, "spa", "main", "back"))

    answers = stage.play()

    assert statuses(answers[1:]) == {201: 2}
    assert (available(hotel), available(hotel, "spa")) == (micro(1_050), micro(50))


@race
def a_renewal_that_is_told_of_beside_the_cycle(stage: Stage) -> None:
    """The processor tells of the renewal by an invoice, twice, while the cycle runs and what is
    open is collected: one period, one payment by the processor's word, and nothing asked for."""
    hotel = stage.hotel
    overdue(hotel)
    assert choose(hotel, card(hotel)).status_code == 200
    mine = shown(hotel)["subscription"]["subscriptionId"]
    about = {
        "id": "in_renewed",
        "object": "invoice",
        "amount_paid": 2_900,
        "currency": "usd",
        "payment_intent": "pi_theirs",
        "subscription": "sub_theirs",
        "metadata": {"tenantId": str(hotel.tenant_id), "subscriptionId": mine},
    }
    for name in ("event", "event again"):
        stage.plays(name, sends(event("invoice.paid", about), "evt_renewed"))
    stage.plays("cycle", runs_the_cycle)
    stage.plays("collects", runs(hotel, "collect_subscriptions"))

    stage.play()
    collect(hotel)

    assert sorted(debts(hotel)) == ["open", "paid"]
    assert asked_of_the_processor(hotel) == 0
    assert booked(hotel) == [["processor_clearing", "receivable", 2_900]]
    assert [row[:2] for row in invoices(hotel)] == [["period", 1], ["period", 2]]
    assert available(hotel) == 2_000_000_000


@race
def another_card_beside_the_bank(stage: Stage) -> None:
    """Another card is chosen while the tenant confirms the first charge: it is paid once."""
    hotel = stage.hotel
    charge = started(hotel, "sandbox_3ds")
    collect(hotel)
    assert choose(hotel, card(hotel)).status_code == 200
    acted(hotel, charge)
    stage.plays("job", runs(hotel, "settle_subscription_payments"))
    taken = told_of(hotel, "payment_intent.succeeded", charge, 2_900)
    stage.plays("event", sends(taken, "evt_acted"))
    stage.plays("collects", runs(hotel, "collect_subscriptions"))

    stage.play()

    charged_once(hotel)


@race
def another_card_while_the_bank_is_asked(stage: Stage) -> None:
    """Another card is chosen while the processor is asked for the first, whose bank wants the
    tenant: whoever is first, the first is called off and the other one pays, once."""
    hotel = stage.hotel
    incidents_are_over(hotel.house)
    started(hotel, "sandbox_3ds")
    method = card(hotel)
    stage.plays("staff", lambda at: choose(at, method))
    stage.plays("job", runs(hotel, "settle_subscription_payments"))
    stage.plays("collects", runs(hotel, "collect_subscriptions"))

    stage.play()

    for _ in range(3):
        hotel.house.sql(DUE)
        collect(hotel)
    charged_once(hotel)


@race
def both_collect_one_invoice(stage: Stage) -> None:
    """Our collector charges 29.00 while the processor's own billing takes them as well, and tells
    of it twice; what comes back of that is asked for, beside it: one pays, and the other goes back.
    """
    hotel = stage.hotel
    started(hotel)
    theirs = paid_there(hotel, "in_theirs", f"pi_{hotel.tenant_id.hex}", since=begun(hotel))
    for name in ("event", "event again"):
        stage.plays(name, sends(theirs, f"evt_{name.replace(' ', '_')}"))
    stage.plays("settles", runs(hotel, "settle_subscription_payments"))
    stage.plays("gives back", runs(hotel, "retry_refunds"))

    stage.play()
    for _ in range(2):
        hotel.house.sql(DUE)
        collect(hotel)
        assert run_job(hotel, retry_refunds).exit_code == 0

    assert (debts(hotel), status(hotel)) == (["paid"], "active")
    assert booked(hotel) == [["processor_clearing", "receivable", 2_900]]
    taken = 1 + asked_of_the_processor(hotel)
    assert [row[:2] for row in surplus(hotel)] == [["succeeded", 2_900]] * (taken - 1)
