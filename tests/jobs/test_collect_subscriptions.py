"""What subscriptions owe is charged once, and dunned where it is declined (SUB-6, SUB-7, JOB-1)."""

from collections.abc import Callable

import pytest

from jobs.collect_subscriptions import collect_subscriptions
from jobs.settle_subscription_payments import settle_subscription_payments
from tests.buying import card
from tests.charging import (
    asked_of_the_processor,
    booked,
    charges,
    choose,
    collect,
    collection,
    debts,
    last_charge,
    status,
)
from tests.hotel import Hotel, House
from tests.metering import fates, price, priced, send_all, usage_lines, used
from tests.paying import acted, run_job
from tests.proofs import state, told
from tests.subscribing import act, change, invoices, run_cycle, subscribed
from tests.together import at_once
from tests.trust.books import broken

pytestmark = [pytest.mark.req("SUB-6", "JOB-1"), pytest.mark.usefixtures("noon")]
Clock = Callable[[str], None]
END = "2026-03-11T12:30:00+00:00"


def at(clock: Clock, hotel: Hotel, day: int, hour: str = "12:30") -> None:
    """Run the jobs on a day of March."""
    clock(f"2026-03-{day:02}T{hour}:00+00:00")
    collect(hotel)


def test_charges_an_invoice_once_and_books_it(hotel: Hotel) -> None:
    """Pro costs 29.00 a month."""
    subscribed(hotel, paymentMethodId=card(hotel))
    assert debts(hotel) == ["open"]

    at_once([lambda: run_job(hotel, collect_subscriptions)] * 2)
    at_once([lambda: run_job(hotel, settle_subscription_payments)] * 2)

    assert charges(hotel) == [[1, "succeeded", None, 2_900]]
    assert (debts(hotel), status(hotel)) == (["paid"], "active")
    assert booked(hotel) == [["processor_clearing", "receivable", 2_900]]
    assert collection(hotel)["nextAttemptAt"] is None
    assert told(hotel)[-2:] == ["subscription_payment.started", "subscription_payment.succeeded"]
    assert last_charge(hotel)[4:] == subscription_invoice(hotel)[4:]
    before = state(hotel)
    collect(hotel)
    assert state(hotel) == before
    assert broken(hotel) == []


def subscription_invoice(hotel: Hotel) -> str:
    """The id of the first invoice."""
    token = hotel.token("subscription.read")
    return str(hotel.get("/subscription-invoices", token=token).json["items"][0]["invoiceId"])


def test_pays_at_once_what_costs_nothing(hotel: Hotel) -> None:
    subscribed(hotel, "free", paymentMethodId=card(hotel))

    collect(hotel)

    assert (debts(hotel), charges(hotel)) == (["paid"], [])
    assert broken(hotel) == []


def test_charges_what_else_is_open_behind_the_oldest(hotel: Hotel, clock: Clock) -> None:
    """Pro for 29.00, and what Team costs more for the whole period, 70.00."""
    subscribed(hotel, paymentMethodId=card(hotel))
    assert change(hotel, plan="team").status_code == 200
    collect(hotel)
    assert debts(hotel) == ["paid", "open"]

    collect(hotel)

    assert debts(hotel) == ["paid", "paid"]
    assert [row[2:] for row in charges(hotel)] == [[None, row[3]] for row in invoices(hotel)]
    assert broken(hotel) == []


@pytest.mark.req("GW-5")
def test_a_lost_answer_is_asked_after_and_never_charged_again(hotel: Hotel, clock: Clock) -> None:
    subscribed(hotel, paymentMethodId=card(hotel, "sandbox_lost"))
    collect(hotel)
    assert charges(hotel) == [[1, "processing", None, 2_900]]
    clock("2026-03-01T12:05:00+00:00")

    at_once([lambda: run_job(hotel, settle_subscription_payments) for _ in range(2)])

    assert charges(hotel) == [[1, "succeeded", None, 2_900]]
    assert (debts(hotel), asked_of_the_processor(hotel)) == (["paid"], 1)
    assert broken(hotel) == []


@pytest.mark.req("GW-5")
def test_what_never_arrived_is_asked_for_again_under_the_same_id(
    hotel: Hotel, clock: Clock
) -> None:
    subscribed(hotel, paymentMethodId=card(hotel, "sandbox_unreachable"))
    collect(hotel)
    assert charges(hotel) == [[1, "processing", None, 2_900]]

    at(clock, hotel, 1, "12:05")

    assert (charges(hotel), debts(hotel)) == ([[1, "succeeded", None, 2_900]], ["paid"])


@pytest.mark.req("SUB-2", "SUB-7")
def test_tries_again_on_the_days_agreed_and_suspends_at_their_end(
    hotel: Hotel, clock: Clock
) -> None:
    """Declined on 1 March: again on the 2nd, 4th, 6th and 8th; three days of grace, and on the 11th
    a last time. It is served until then."""
    subscribed(hotel, paymentMethodId=card(hotel, "sandbox_declined"))
    collect(hotel)
    assert charges(hotel) == [[1, "failed", "generic_decline", 2_900]]
    assert (status(hotel), collection(hotel)["wantsMethod"]) == ("past_due", False)
    planned = []
    for day in range(2, 11):
        planned.append(int(collection(hotel)["nextAttemptAt"][8:10]))
        at(clock, hotel, day)
        assert status(hotel) == "past_due"
    assert planned == [2, 4, 4, 6, 6, 8, 8, 11, 11]
    assert len(charges(hotel)) == 5

    at(clock, hotel, 11)

    assert (len(charges(hotel)), status(hotel), debts(hotel)) == (6, "suspended", ["open"])
    assert collection(hotel)["nextAttemptAt"] is None
    assert told(hotel).count("subscription.past_due") == 1
    assert told(hotel)[-2:] == ["subscription.payment_failed", "subscription.suspended"]
    at(clock, hotel, 20)
    assert len(charges(hotel)) == 6
    assert broken(hotel) == []


@pytest.mark.req("SUB-7")
def test_the_cap_ends_it_whatever_days_were_agreed(house: House, clock: Clock) -> None:
    """Retries on the 10th and the 20th day, a cap of 5: on 6 March it is over, and not before."""
    terms = {"retryDays": [10, 20], "graceDays": 3, "capDays": 5}
    hotel = house.new_hotel(dunning=terms)
    subscribed(hotel, paymentMethodId=card(hotel, "sandbox_declined"))
    collect(hotel)
    assert collection(hotel)["nextAttemptAt"][:10] == "2026-03-06"
    at(clock, hotel, 6, "11:00")
    assert status(hotel) == "past_due"

    at(clock, hotel, 6)

    assert (status(hotel), len(charges(hotel))) == ("suspended", 2)


@pytest.mark.req("SUB-7")
def test_a_hard_decline_asks_for_another_card_and_is_not_tried_again(
    hotel: Hotel, clock: Clock
) -> None:
    subscribed(hotel, paymentMethodId=card(hotel, "sandbox_expired"))
    collect(hotel)
    assert collection(hotel)["wantsMethod"] is True
    asks = hotel.events("subscription.payment_failed")[-1]["data"]
    assert (asks["wantsMethod"], asks["failureCode"]) == (True, "expired_card")
    assert asks["nextRetryAt"] == asks["endsAt"]
    for day in (2, 4, 8, 10):
        at(clock, hotel, day)
    assert (len(charges(hotel)), status(hotel)) == (1, "past_due")

    at(clock, hotel, 11)

    assert (len(charges(hotel)), status(hotel)) == (1, "suspended")
    assert broken(hotel) == []


@pytest.mark.req("SUB-7")
def test_asks_for_a_card_where_there_is_none(hotel: Hotel, clock: Clock) -> None:
    subscribed(hotel)
    collect(hotel)
    assert (status(hotel), charges(hotel)) == ("past_due", [])
    assert collection(hotel)["wantsMethod"] is True

    assert choose(hotel, card(hotel)).status_code == 200
    collect(hotel)

    assert (status(hotel), debts(hotel)) == ("active", ["paid"])
    assert told(hotel)[-2:] == ["subscription.payment_recovered", "subscription.reactivated"]
    assert broken(hotel) == []


@pytest.mark.req("SUB-7")
def test_another_card_restores_who_was_suspended(hotel: Hotel, clock: Clock) -> None:
    """Suspended on the 11th of the period to the 1st of April, and paid on the 20th: the period
    goes on."""
    subscribed(hotel, paymentMethodId=card(hotel, "sandbox_expired"))
    collect(hotel)
    at(clock, hotel, 11)
    assert status(hotel) == "suspended"
    clock("2026-03-20T12:00:00+00:00")
    assert choose(hotel, card(hotel)).status_code == 200

    collect(hotel)

    assert (status(hotel), debts(hotel)) == ("active", ["paid"])
    assert collection(hotel)["failures"] == 0
    clock("2026-04-02T12:00:00+00:00")
    assert run_cycle(hotel).done == 1
    collect(hotel)
    assert debts(hotel) == ["paid", "paid"]
    assert broken(hotel) == []


@pytest.mark.req("SUB-7", "SUB-12")
def test_who_is_restored_after_the_period_pays_what_was_used_in_it(
    hotel: Hotel, clock: Clock
) -> None:
    """10.00 a month, and three requests at 0.50 before the suspension. Another card pays in April:
    a period begins that day, and its invoice is 10.00 and 1.50."""
    plan = priced(hotel, price("ai_requests", 500_000))
    subscribed(hotel, plan, paymentMethodId=card(hotel, "sandbox_expired"))
    collect(hotel)
    clock("2026-03-06T12:00:00+00:00")
    sent = send_all(hotel, *(used("ai_requests", None, "2026-03-05T00:00:00Z") for _ in range(3)))
    assert fates(sent) == ["counted"] * 3
    at(clock, hotel, 11)
    assert status(hotel) == "suspended"
    clock("2026-04-20T12:00:00+00:00")
    assert choose(hotel, card(hotel)).status_code == 200

    collect(hotel)
    collect(hotel)

    assert usage_lines(hotel) == [[2, "usage", "ai_requests", 1, 3, 150]]
    assert invoices(hotel) == [["period", 1, 1_000, 1_000], ["period", 2, 1_150, 1_150]]
    assert (status(hotel), debts(hotel)) == ("active", ["paid", "paid"])
    assert broken(hotel) == []


@pytest.mark.req("SUB-7")
def test_staff_who_reactivate_begin_the_days_anew(hotel: Hotel, clock: Clock) -> None:
    subscribed(hotel, paymentMethodId=card(hotel, "sandbox_declined"))
    collect(hotel)
    at(clock, hotel, 11)
    assert status(hotel) == "suspended"

    assert act(hotel, "reactivate").status_code == 200
    collect(hotel)

    assert status(hotel) == "past_due"
    assert collection(hotel)["endsAt"][:10] == "2026-03-21"
    assert broken(hotel) == []


def test_a_bank_that_asks_the_tenant_is_waited_for(hotel: Hotel, clock: Clock) -> None:
    """3-D Secure, with nobody there: they are told, and confirm it two days later."""
    subscribed(hotel, paymentMethodId=card(hotel, "sandbox_3ds"))
    collect(hotel)
    assert charges(hotel) == [[1, "requires_action", None, 2_900]]
    assert (status(hotel), collection(hotel)["wantsMethod"]) == ("past_due", True)
    at(clock, hotel, 2)
    acted(hotel, last_charge(hotel))

    at(clock, hotel, 3)

    assert (status(hotel), debts(hotel), len(charges(hotel))) == ("active", ["paid"], 1)
    assert broken(hotel) == []


@pytest.mark.req("SUB-7")
def test_a_bank_that_is_never_answered_is_not_waited_for_for_ever(
    hotel: Hotel, clock: Clock
) -> None:
    subscribed(hotel, paymentMethodId=card(hotel, "sandbox_3ds"))
    collect(hotel)
    at(clock, hotel, 10)
    assert status(hotel) == "past_due"

    at(clock, hotel, 11)

    assert (status(hotel), len(charges(hotel))) == ("suspended", 1)
    acted(hotel, last_charge(hotel))
    at(clock, hotel, 12)
    assert (status(hotel), debts(hotel)) == ("active", ["paid"])
    assert broken(hotel) == []


@pytest.mark.req("SUB-8")
def test_charges_nothing_while_it_is_paused(hotel: Hotel, clock: Clock) -> None:
    subscribed(hotel, paymentMethodId=card(hotel))
    act(hotel, "pause")
    collect(hotel)
    at(clock, hotel, 5)
    assert charges(hotel) == []
    act(hotel, "resume")

    at(clock, hotel, 6)

    assert debts(hotel) == ["paid"]
    assert broken(hotel) == []


def test_gives_up_what_nobody_pays_of_one_that_was_canceled(hotel: Hotel, clock: Clock) -> None:
    subscribed(hotel, paymentMethodId=card(hotel, "sandbox_expired"))
    collect(hotel)
    act(hotel, "cancel", at="now")

    at(clock, hotel, 11)

    assert (debts(hotel), status(hotel)) == (["uncollectible"], "canceled")
    assert booked(hotel) == [["bad_debt", "receivable", 2_900]]
    collect(hotel)
    assert broken(hotel) == []
