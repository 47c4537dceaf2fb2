"""A hotel whose subscription was charged, and what must be noticed of that."""

from tests.hotel import Hotel, House
from tests.postgres.charging_trials import charges_of_every_state
from tests.subscribing import change, subscribed
from tests.trust.invariants.plant import plant

TAKEN = "a_paid_platform_invoice_was_taken"
OF_ITS_INVOICE = "a_charge_is_of_its_invoice"
DUNNED = "who_is_dunned_is_not_forgotten"
DIGESTED = "a_charge_is_what_its_trail_digested"
GUARDED = "what_is_charged_once_is_guarded"
STANDS = "an_aggregate_stands_where_its_trail_ended"
MINE = "tenant_id = '{tenant}'"
CHARGES = "billing_central.subscription_payments"
COLLECTIONS = "billing_central.subscription_collections"
ENTRIES = "billing_central.platform_entries"
INVOICES = "billing_central.subscription_invoices"


def hotel_that_is_charged(house: House) -> Hotel:
    """Of Pro and a change to Team: a charge was declined, one taken, and one is under way."""
    hotel = house.new_hotel()
    subscribed(hotel)
    assert change(hotel, plan="team").status_code == 200
    charges_of_every_state(hotel)
    return hotel


CHARGED = (
    plant(TAKEN, f"DELETE FROM {ENTRIES} WHERE {MINE} AND part = 50"),
    plant(
        TAKEN, f"UPDATE {ENTRIES} SET amount_micro = amount_micro + 1 WHERE {MINE} AND part = 50"
    ),
    plant(TAKEN, f"UPDATE {INVOICES} SET paid_at = NULL, paid_by = NULL WHERE {MINE}"),
    plant(
        TAKEN,
        f"UPDATE {CHARGES} SET status = 'canceled' WHERE {MINE} AND status = 'succeeded'"
        " AND processor_invoice_id IS NULL",
        also=(DIGESTED,),
    ),
    plant(
        OF_ITS_INVOICE,
        f"UPDATE {CHARGES} SET amount_micro = amount_micro + 1 WHERE {MINE}"
        " AND status = 'processing'",
        also=(DIGESTED,),
    ),
    plant(
        OF_ITS_INVOICE,
        f"UPDATE {CHARGES} SET trial = 9 WHERE {MINE} AND status = 'succeeded'",
        also=(DIGESTED,),
    ),
    plant(
        DUNNED,
        f"UPDATE billing_central.subscriptions SET status = 'past_due' WHERE {MINE}",
        also=("a_subscription_is_what_its_trail_digested",),
    ),
    plant(
        DUNNED,
        f"UPDATE {CHARGES} SET status = 'canceled', next_attempt_at = NULL WHERE {MINE}"
        " AND status = 'processing'",
        f"UPDATE {COLLECTIONS} SET failures = 1, failing_since = now(), failed_at = now(),"
        f" next_at = NULL WHERE {MINE}",
        also=(DIGESTED,),
    ),
    plant(
        DUNNED,
        "UPDATE billing_central.subscriptions SET status = 'canceled', canceled_at = period_start,"
        f" due_at = NULL WHERE {MINE}",
        f"UPDATE {CHARGES} SET status = 'canceled', next_attempt_at = NULL WHERE {MINE}"
        " AND status = 'processing'",
        f"UPDATE {COLLECTIONS} SET failures = 1, failing_since = now(), failed_at = now(),"
        f" next_at = NULL WHERE {MINE}",
        f"UPDATE {INVOICES} SET paid_at = NULL, paid_by = NULL WHERE {MINE}",
        also=(
            *(DIGESTED, TAKEN, "a_subscription_is_what_its_trail_digested"),
            "a_subscription_is_worth_what_its_movements_come_to",
        ),
    ),
    plant(DIGESTED, f"UPDATE {CHARGES} SET failure_code = 'x' WHERE {MINE} AND status = 'failed'"),
    plant(STANDS, f"UPDATE {COLLECTIONS} SET version = version + 1 WHERE {MINE}"),
    plant(GUARDED, "DROP INDEX billing_central.invoice_is_paid_once"),
    plant(
        GUARDED,
        "ALTER TABLE billing_central.subscription_payments"
        " DROP CONSTRAINT processors_invoice_pays_once",
    ),
    plant(GUARDED, "DROP INDEX billing_central.one_charge_of_a_subscription_at_a_time"),
)
