"""What is told late of a subscription that has ended is on one final invoice (SUB-12)."""

from collections.abc import Callable

import pytest

from jobs.bill_late_usage import bill_late_usage
from tests.buying import card
from tests.charging import choose, collect, debts, incidents_are_over
from tests.hotel import Hotel, House
from tests.metering import fates, price, priced, send_all, totals, usage_lines, used
from tests.paying import run_job
from tests.proofs import state, told
from tests.subscribing import act, invoices, subscribed
from tests.together import at_once
from tests.trust.books import broken

pytestmark = pytest.mark.req("SUB-12", "JOB-1")
Clock = Callable[[str], None]
USED_AT = "2026-02-09T00:00:00Z"


@pytest.fixture
def ended(hotel: Hotel, clock: Clock, house: House) -> Hotel:
    """Subscribed on 31 January for 10.00; 3 users at 2.00 are billed with the end on 10 February,
    and a fourth is told of afterwards."""
    incidents_are_over(house)
    clock("2026-01-31T12:00:30+00:00")
    subscribed(hotel, priced(hotel, price("active_users", 2_000_000)), paymentMethodId=card(hotel))
    clock("2026-02-10T00:00:00+00:00")
    users = [used("active_users", None, USED_AT, value=name) for name in "abc"]
    assert fates(send_all(hotel, *users)) == ["counted"] * 3
    assert act(hotel, "cancel", at="now").status_code == 200
    clock("2026-03-10T00:00:00+00:00")
    late = used("active_users", None, USED_AT, value="d")
    assert fates(send_all(hotel, late)) == ["counted"]
    return hotel


def test_bills_it_once_when_nothing_more_can_come(ended: Hotel, clock: Clock) -> None:
    """34 days after the end: 2.00 for the fourth user, charged to the card as the rest."""
    clock("2026-03-15T23:30:00+00:00")
    before = state(ended)
    assert run_job(ended, bill_late_usage).exit_code == 0
    assert state(ended) == before
    clock("2026-03-16T00:01:00+00:00")

    at_once([lambda: run_job(ended, bill_late_usage) for _ in range(3)])

    billed = [["period", 1, 1_000, 1_000], ["usage", 1, 600, 600], ["late_usage", 1, 200, 200]]
    assert invoices(ended) == billed
    assert totals(ended) == [[1, "active_users", 4, 4, 4, 800]]
    assert told(ended).count("subscription_invoice.issued") == 3
    for _ in range(3):
        collect(ended)
    assert debts(ended) == ["paid"] * 3
    assert run_job(ended, bill_late_usage).exit_code == 0
    assert invoices(ended) == billed
    assert broken(ended) == []


def test_nothing_is_told_of_it_any_more_once_it_is_billed(ended: Hotel, clock: Clock) -> None:
    clock("2026-03-16T00:01:00+00:00")
    assert run_job(ended, bill_late_usage).exit_code == 0

    late = used("active_users", None, "2026-02-09T23:59:59Z", value="e")

    assert fates(send_all(ended, late)) == ["USAGE_TOO_OLD"]
    assert len(usage_lines(ended)) == 2
    assert broken(ended) == []


def test_it_is_charged_though_what_was_owed_before_was_given_up(
    hotel: Hotel, clock: Clock, house: House
) -> None:
    """10.00 for the period was declined and is given up; the tenant leaves another card meanwhile,
    and pays the 2.00 that are told of afterwards by it."""
    incidents_are_over(house)
    clock("2026-01-31T12:00:30+00:00")
    plan = priced(hotel, price("active_users", 2_000_000))
    subscribed(hotel, plan, paymentMethodId=card(hotel, "sandbox_expired"))
    collect(hotel)
    clock("2026-02-10T00:00:00+00:00")
    assert act(hotel, "cancel", at="now").status_code == 200
    clock("2026-02-11T00:00:00+00:00")
    collect(hotel)
    assert debts(hotel) == ["uncollectible"]
    assert fates(send_all(hotel, used("active_users", None, USED_AT, value="a"))) == ["counted"]
    assert choose(hotel, card(hotel)).status_code == 200
    collect(hotel)
    clock("2026-03-17T00:01:00+00:00")
    assert run_job(hotel, bill_late_usage).exit_code == 0

    collect(hotel)

    assert debts(hotel) == ["uncollectible", "paid"]
    assert broken(hotel) == []
