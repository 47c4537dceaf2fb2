"""What fails for a reason that nobody foresaw waits its turn, as what had no answer (JOB-1).

It stands first in its queue, being due the longest. Left there it would be asked for at each run,
in front of all that is well; put off it comes again, the later the more often it has failed, and
nothing of it is lost.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest

from jobs.collect_subscriptions import collect_subscriptions
from jobs.link_customers import link_customers
from jobs.render_invoice_backlog import render_invoice_backlog
from jobs.retry_refunds import retry_refunds
from jobs.settle_credit_purchases import settle_credit_purchases
from jobs.settle_payments import settle_payments
from jobs.settle_payouts import settle_payouts
from jobs.settle_subscription_payments import settle_subscription_payments
from tests.buying import ask, card, wanted
from tests.hotel import Hotel, usd
from tests.paying import pay, run_job
from tests.paying_out import asked, enabled, held
from tests.refunding import card_payment, refund
from tests.subscribing import subscribed

pytestmark = pytest.mark.req("JOB-1")
Clock = Callable[[str], None]


class Ails:
    """A power that breaks in a way that no adapter has a word for."""

    name = "ails"

    def __getattr__(self, name: str) -> Any:
        def broken(*_: Any, **__: Any) -> Any:
            raise ZeroDivisionError(name)

        return broken


@pytest.fixture
def ailing(hotel: Hotel) -> Iterator[Hotel]:
    """The hotel at an instance where nothing answers as it should."""
    powers = {"cards": Ails(), "gateway": Ails(), "keys": Ails()}
    house = hotel.house.beside(powers=powers)
    yield Hotel(house, hotel.tenant_id, hotel.property_id)
    house.close()


def _a_document(hotel: Hotel) -> None:
    hotel.closed_folio()


def _a_payment(hotel: Hotel) -> None:
    assert pay(hotel, hotel.open_folio(), usd(5_000), "sandbox_unreachable").status_code == 200


def _a_purchase(hotel: Hotel) -> None:
    assert ask(hotel, wanted(500, card(hotel, "sandbox_unreachable"))).status_code == 201


def _a_refund(hotel: Hotel) -> None:
    folio = hotel.open_folio()
    paid = card_payment(hotel, folio, usd(10_000), "sandbox_unreachable")
    assert refund(hotel, folio, paid, usd(4_000)).status_code == 201


def _a_payout(hotel: Hotel) -> None:
    enabled(hotel)
    held(hotel, 10_000)
    asked(hotel, 3_000)


def _a_charge(hotel: Hotel) -> None:
    subscribed(hotel, paymentMethodId=card(hotel))
    assert run_job(hotel, collect_subscriptions).done == 1


def _a_customer(hotel: Hotel) -> None:
    card(hotel)
    hotel.rows("UPDATE {s}.customers SET told_version = 0, next_attempt_at = '-infinity'")


LEFT_BEHIND: Final[dict[Any, Callable[[Hotel], None]]] = {
    render_invoice_backlog: _a_document,
    settle_payments: _a_payment,
    settle_credit_purchases: _a_purchase,
    retry_refunds: _a_refund,
    settle_payouts: _a_payout,
    settle_subscription_payments: _a_charge,
    link_customers: _a_customer,
}

QUEUES: Final = (
    "payment_intent_queue",
    "credit_purchase_queue",
    "refund_queue",
    "payout_queue",
    "customers",
)


def test_what_fails_is_put_off_and_done_when_all_is_well_again(
    hotel: Hotel, ailing: Hotel, clock: Clock
) -> None:
    """One item of each queue: it fails once and the run says so; the next run, a moment later, has
    nothing to do. It goes on for a day; but a day's silence makes nobody wait for another one:
    within 64 minutes of the last attempt, when all is well, each is done."""
    clock("2026-03-01T12:00:00+00:00")
    for leave in LEFT_BEHIND.values():
        leave(hotel)
    clock("2026-03-01T12:05:00+00:00")

    first = {job.__name__: run_job(ailing, job) for job in LEFT_BEHIND}
    again = {job.__name__: run_job(ailing, job) for job in LEFT_BEHIND}

    assert {name: (run.done, run.exit_code) for name, run in first.items()} == {
        job.__name__: (0, 1) for job in LEFT_BEHIND
    }
    assert all(run.failed >= 1 for run in first.values())
    assert {name: (run.due, run.exit_code) for name, run in again.items()} == {
        job.__name__: (0, 0) for job in LEFT_BEHIND
    }
    why = hotel.rows("SELECT DISTINCT last_error FROM {s}.render_queue")
    assert why == [["ZeroDivisionError"]]
    for queue in QUEUES:
        hotel.rows(f"UPDATE {{s}}.{queue} SET attempts = 40, next_attempt_at = '-infinity'")
    for job in LEFT_BEHIND:
        run_job(ailing, job)
    clock("2026-03-01T13:10:00+00:00")
    well = {job.__name__: run_job(hotel, job) for job in LEFT_BEHIND}
    assert all(run.done >= 1 and run.exit_code == 0 for run in well.values()), well
