"""What is told late of a subscription that has ended is on one final invoice (SUB-12)."""

from collections.abc import Callable

import pytest

from jobs.bill_late_usage import bill_late_usage
from tests.buying import card
from tests.charging import choose, collect, debts, incidents_are_over
from tests.hotel import Hotel, House
from tests.metering import Event, fates, price, priced, send_all, totals, usage_lines, used
from tests.paying import run_job
from tests.proofs import state, told
from tests.subscribing import act, invoices, run_cycle, subscribed
from tests.together import at_once
from tests.trialing import tried
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
    """34 days and some minutes after the end, when no one who told of it in time is waiting: 2.00
    for the fourth user, charged to the card as the rest."""
    clock("2026-03-16T00:04:00+00:00")
    before = state(ended)
    assert run_job(ended, bill_late_usage).exit_code == 0
    assert state(ended) == before
    clock("2026-03-16T00:06:00+00:00")

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
    clock("2026-03-16T00:06:00+00:00")
    assert run_job(ended, bill_late_usage).exit_code == 0

    late = used("active_users", None, "2026-02-09T23:59:59Z", value="e")

    assert fates(send_all(ended, late)) == ["USAGE_TOO_OLD"]
    assert len(usage_lines(ended)) == 2
    assert broken(ended) == []


def test_who_has_subscribed_anew_still_owes_what_was_used_before(
    hotel: Hotel, clock: Clock, house: House
) -> None:
    """10.00 from 31 January to 10 February with three users at 2.00, and on 12 February another
    plan, at 3.00 a user. On 20 February both are told of at once: d and a again of the first one,
    a and d of the second, and what was used on the 11th of neither."""
    incidents_are_over(house)
    clock("2026-01-31T12:00:30+00:00")
    method = card(hotel)
    subscribed(hotel, priced(hotel, price("active_users", 2_000_000)), paymentMethodId=method)
    clock("2026-02-10T00:00:00+00:00")
    assert fates(send_all(hotel, *users(USED_AT, "abc"))) == ["counted"] * 3
    assert act(hotel, "cancel", at="now").status_code == 200
    clock("2026-02-12T00:00:00+00:00")
    subscribed(hotel, priced(hotel, price("active_users", 3_000_000)), paymentMethodId=method)
    clock("2026-02-20T00:00:00+00:00")
    late, new = users(USED_AT, "da"), users("2026-02-12T00:00:00Z", "ad")
    between = users("2026-02-11T00:00:00Z", "e") + users("2026-02-10T00:00:00Z", "e")

    answer = send_all(hotel, *new, *late, *between)

    assert fates(answer) == ["counted"] * 4 + ["USAGE_OUTSIDE_SUBSCRIPTION"] * 2
    assert len(answer.json["usageRecordIds"]) == 2
    assert answer.json["usageRecordId"] == answer.json["usageRecordIds"][0]
    assert fates(send_all(hotel, *late)) == ["duplicate"] * 2
    assert told(hotel).count("usage.recorded") == 3
    clock("2026-03-16T00:06:00+00:00")
    assert run_cycle(hotel).done == 1
    assert run_job(hotel, bill_late_usage).exit_code == 0
    assert usage_lines(hotel) == [
        [1, "usage", "active_users", 1, 3, 600],
        [2, "usage", "active_users", 1, 2, 600],
        [1, "usage", "active_users", 1, 4, 200],
    ]
    for _ in range(6):
        collect(hotel)
    assert debts(hotel) == ["paid"] * 5
    assert broken(hotel) == []


def users(at: str, names: str) -> list[Event]:
    """An event of each of these users."""
    return [used("active_users", None, at, value=name) for name in names]


def test_what_was_used_behind_a_trial_that_is_not_followed_waits_for_no_invoice(
    hotel: Hotel, clock: Clock
) -> None:
    """The trial ends on 15 March, which the cycle finds an hour later. What was told in between
    would have been of the first period, and there is none."""
    clock("2026-03-01T00:00:00+00:00")
    tried(hotel, plan=priced(hotel, price("active_users", 2_000_000)))
    clock("2026-03-15T00:40:00+00:00")
    told_between = used("active_users", None, "2026-03-15T00:30:00Z", value="a")
    assert fates(send_all(hotel, told_between)) == ["counted"]
    assert totals(hotel) == [[1, "active_users", 1, 1, 0, 0]]
    clock("2026-03-15T01:00:00+00:00")
    assert run_cycle(hotel).done == 1
    clock("2026-04-20T00:00:00+00:00")

    progress = run_job(hotel, bill_late_usage)

    assert (progress.done, progress.exit_code) == (0, 0)
    assert invoices(hotel) == []
    assert broken(hotel) == []


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
