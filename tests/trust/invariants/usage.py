"""A hotel that uses what is metered, and what must be noticed of that."""

from tests.hotel import Hotel, House
from tests.metering import fates, hours_ago, price, priced, send_all, used
from tests.subscribing import run_cycle
from tests.trust.faults.subscription_examples import overdue
from tests.trust.invariants.plant import plant

TOTALS = "totals_are_what_the_events_come_to"
VALUES = "distinct_values_are_those_of_the_events"
RECORDED = "a_usage_record_is_what_it_counted"
BILLED = "usage_is_billed_as_its_invoices_say"
CLOSED = "usage_of_a_period_that_is_over_is_closed"
WHOSE = "usage_is_of_the_subscription_that_there_was"
GUARDED = "what_is_counted_once_is_guarded"
MINE = "tenant_id = '{tenant}'"
TOKENS = f"{MINE} AND meter = 'ai_tokens' AND period_number = 1"


def hotel_that_uses(house: House) -> Hotel:
    """A period is over and billed; more of it came late, and something of the one that runs."""
    hotel = house.new_hotel()
    prices = [price("ai_tokens", 10_000), price("active_users", 1_000_000)]
    overdue(hotel, priced(hotel, *prices))
    before = hours_ago(24 * 20)
    users = [used("active_users", None, before, value=name) for name in ("karim", "zahra", "karim")]
    assert fates(send_all(hotel, *users, used("ai_tokens", 100, before))) == ["counted"] * 4
    assert run_cycle(hotel).done == 1
    late, now = used("ai_tokens", 7, before), hours_ago(0)
    more = [used("ai_tokens", 3, now), used("storage_mb", 9, now)]
    assert fates(send_all(hotel, late, *more)) == ["counted"] * 3
    return hotel


def _total(change: str) -> str:
    return f"UPDATE billing_central.usage_totals SET {change} WHERE {TOKENS}"


def _event(change: str) -> str:
    return f"UPDATE billing_central.usage_events SET {change} WHERE {TOKENS} AND quantity = 7"


USAGE = (
    plant(TOTALS, _total("quantity = quantity + 1")),
    plant(TOTALS, _total("events = events - 1")),
    plant(TOTALS, _event("quantity = 8"), also=(RECORDED,)),
    plant(TOTALS, _event("period_number = 2")),
    plant(RECORDED, _event("event_id = 'another'")),
    plant(RECORDED, f"UPDATE billing_central.usage_records SET events = 2 WHERE {MINE}"),
    plant(
        VALUES,
        f"DELETE FROM billing_central.usage_values WHERE {MINE} AND ctid = ("
        f" SELECT min(ctid) FROM billing_central.usage_values WHERE {MINE})",
    ),
    plant(BILLED, _total("billed_micro = billed_micro + 1")),
    plant(BILLED, _total("billed_quantity = quantity")),
    plant(CLOSED, f"UPDATE billing_central.usage_periods SET number = 2 WHERE {MINE}"),
    plant(WHOSE, _event("occurred_at = occurred_at - interval '1 year'"), also=(RECORDED,)),
    plant(WHOSE, f"UPDATE billing_central.subscriptions SET started_at = now() WHERE {MINE}"),
    plant(
        GUARDED,
        "ALTER TABLE billing_central.usage_events DROP CONSTRAINT usage_event_is_counted_once",
    ),
)
