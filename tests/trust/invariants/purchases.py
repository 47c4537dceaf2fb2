"""A hotel that has bought credits, and what must be noticed of that."""

from tests.buying import bought, disputed, refunded
from tests.hotel import Hotel, House
from tests.postgres.purchase_trials import purchases_of_every_state
from tests.trust.invariants.plant import GUARDED, TOLD, plant
from tests.webhooks import Webhook

PAID = "a_paid_purchase_is_granted_and_booked_once"
BACKED = "credits_of_a_purchase_were_paid_for"
WAITS = "a_purchase_waits_while_it_is_under_way"
FOLLOW = "credits_follow_their_money_back"
CAPPED = "an_account_fills_itself_up_within_its_cap"
DIGESTED = "a_purchase_is_what_its_trail_digested"
LEFT = "an_aggregate_stands_where_its_trail_ended"
RECORD = "a_record_cannot_be_changed"
FIRST = "WHERE id = (SELECT min(id) FROM credit_purchases WHERE status = '{}')"
REFUND = "source LIKE 'refund:%'"
UNCHECKED = "ALTER TABLE credit_purchases DROP CONSTRAINT {}"


def hotel_with_purchases(house: House) -> Hotel:
    """See `purchases_of_every_state`; and one refunded in part, another disputed and won."""
    hotel = house.new_hotel()
    purchases_of_every_state(hotel)
    told = [refunded(bought(hotel, 500), 200)]
    purchase = bought(hotel, 600)
    told += [disputed(purchase, 600, "dp_1", status) for status in ("needs_response", "won")]
    for event in told:
        assert Webhook(hotel).send(event).json["outcome"] == "applied"
    return hotel


PURCHASES = (
    plant(PAID, "DELETE FROM credit_sale_entries WHERE source LIKE 'purchase:%'"),
    plant(
        PAID,
        "UPDATE credit_sale_entries SET amount_micro = amount_micro + 1 WHERE source = concat("
        "'purchase:', (SELECT min(id) FROM credit_purchases WHERE status = 'succeeded'))",
    ),
    plant(
        PAID,
        UNCHECKED.format("paid_purchase_names_its_charge"),
        f"UPDATE credit_purchases SET status = 'succeeded' {FIRST.format('requires_action')}",
        also=(DIGESTED, WAITS),
    ),
    plant(
        BACKED,
        f"UPDATE credit_purchases SET status = 'canceled' {FIRST.format('succeeded')}",
        also=(PAID, DIGESTED),
    ),
    plant(WAITS, "DELETE FROM credit_purchase_queue"),
    plant(
        WAITS,
        "INSERT INTO credit_purchase_queue SELECT tenant_id, id, 0, now(), now()"
        f" FROM credit_purchases {FIRST.format('succeeded')}",
    ),
    plant(FOLLOW, f"UPDATE credit_sale_entries SET amount_micro = 1000000 WHERE {REFUND}"),
    plant(FOLLOW, "UPDATE credit_sale_entries SET amount_micro = 10000 WHERE part = 1"),
    plant(
        CAPPED,
        "UPDATE credit_top_ups SET monthly_cap_micro = credits_micro, set_at = '-infinity'",
        "UPDATE credit_purchases SET credits_micro = credits_micro + 1 WHERE origin = 'top_up'",
        also=(DIGESTED,),
    ),
    plant(DIGESTED, f"UPDATE credit_purchases SET credits_micro = 1 {FIRST.format('failed')}"),
    plant(LEFT, f"UPDATE credit_purchases SET version = version + 1 {FIRST.format('failed')}"),
    plant(LEFT, "UPDATE credit_top_ups SET version = version + 1"),
    plant(
        TOLD,
        "DELETE FROM billing_central.outbox WHERE tenant_id = '{tenant}'"
        " AND event_type LIKE '%credit_purchase.failed.v1'",
    ),
    plant(RECORD, "GRANT UPDATE ON credit_sale_entries TO {role}"),
    plant(GUARDED, "ALTER TABLE credit_purchases DROP CONSTRAINT processor_payment_buys_once"),
    plant(GUARDED, "DROP INDEX one_top_up_at_a_time_per_account"),
    plant(GUARDED, "ALTER TABLE credit_top_ups DROP CONSTRAINT account_fills_itself_up_one_way"),
    plant(GUARDED, "ALTER TABLE credit_sale_entries DROP CONSTRAINT sale_is_booked_once"),
    plant(GUARDED, "ALTER TABLE credit_purchase_queue DROP CONSTRAINT purchase_waits_once"),
)
