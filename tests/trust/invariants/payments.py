"""A hotel that has taken payments at the processor, and what must be noticed of that."""

from tests.hotel import Hotel, House, usd
from tests.paying import acted, confirm, intents, ready
from tests.postgres.payment_trials import payments_of_every_state
from tests.trust.invariants.plant import GUARDED, TOLD, plant

TAKEN = "what_was_taken_is_one_payment"
WAITS = "a_payment_that_is_under_way_waits"
DIGESTED = "a_payment_intent_is_what_its_trail_digested"
OWN = "a_payment_is_taken_from_its_own_customer"
WEIGHED = "a_payment_is_weighed_once_a_card"
LISTED = "a_customer_of_the_processor_is_in_the_directory"
SEALED = "a_kept_method_can_be_opened_and_a_removed_one_cannot"
LEASED = "a_lease_is_of_a_payment_that_is_under_way"
BACK = "what_comes_beyond_the_debt_goes_back"
BESIDE = "a_payment_of_a_closed_folio_comes_and_goes_beside_it"
OTHERWISE = "what_goes_back_otherwise_goes_once"
BESIDE_DIGESTED = "a_payment_of_a_closed_folio_is_what_its_trail_digested"
LEFT = "an_aggregate_stands_where_its_trail_ended"
FIRST = "WHERE id = (SELECT min(id) FROM payment_intents WHERE status = '{}')"
SUCCEEDED, UNPLACED = "status = 'succeeded'", "status = 'succeeded' AND payment_id IS NULL"
UNCHECKED = "ALTER TABLE payment_intents DROP CONSTRAINT {}"


def hotel_with_payments(house: House) -> Hotel:
    """See `payments_of_every_state`; and money that came while its folio was closed."""
    hotel = house.new_hotel()
    payments_of_every_state(hotel)
    folio = hotel.open_folio()
    intent, method = ready(hotel, folio, usd(3_000), "sandbox_3ds")
    confirm(hotel, intent, method)
    assert hotel.post(f"/folios/{folio}/close").status_code == 200
    acted(hotel, intent)
    confirm(hotel, intent)
    assert ["succeeded", False, True] in intents(hotel)
    return hotel


PAYMENTS = (
    plant(
        TAKEN,
        f"UPDATE payment_intents SET processor_payment_id = 'pi_other' WHERE {SUCCEEDED}"
        " AND id = (SELECT min(id) FROM payment_intents WHERE payment_id IS NOT NULL)",
        also=(DIGESTED,),
    ),
    plant(
        TAKEN,
        UNCHECKED.format("payment_is_of_one_intent"),
        UNCHECKED.format("only_what_succeeded_is_a_payment"),
        f"UPDATE payment_intents SET payment_id = (SELECT min(payment_id) FROM payment_intents)"
        f" WHERE {UNPLACED}",
        also=(DIGESTED, GUARDED, WAITS),
    ),
    plant(
        TAKEN,
        UNCHECKED.format("processor_payment_is_of_one_intent"),
        "UPDATE payment_intents SET processor_payment_id = (SELECT min(processor_payment_id)"
        " FROM payment_intents WHERE payment_id IS NOT NULL) WHERE status = 'failed'",
        also=(DIGESTED, GUARDED),
    ),
    plant(WAITS, "DELETE FROM payment_intent_queue"),
    plant(
        WAITS,
        f"INSERT INTO payment_intent_queue SELECT tenant_id, id, 0, now(), now()"
        f" FROM payment_intents {FIRST.format('failed')}",
    ),
    plant(
        DIGESTED,
        f"UPDATE payment_intents SET amount_micro = 1 {FIRST.format('succeeded')}",
        also=(WEIGHED,),
    ),
    plant(
        DIGESTED,
        f"UPDATE payment_intents SET status = 'canceled' {FIRST.format('requires_action')}",
        also=(WAITS,),
    ),
    plant(
        OWN,
        "UPDATE payment_intents SET customer_id = (SELECT max(id) FROM customers)"
        f" {FIRST.format('failed')}",
        also=(WEIGHED,),
    ),
    plant(OWN, f"UPDATE payment_intents SET property_id = '{{other}}' {FIRST.format('failed')}"),
    plant(
        LISTED,
        "DELETE FROM billing_central.processor_customers WHERE tenant_id = '{tenant}'",
    ),
    plant(
        LISTED,
        "INSERT INTO billing_central.processor_customers VALUES ('cus_more', '{tenant}', now())",
    ),
    plant(
        SEALED,
        "UPDATE payment_methods SET sealed_token = '\\x00' WHERE removed_at IS NULL",
    ),
    plant(
        SEALED,
        "UPDATE payment_methods SET sealed_token = NULL, removed_at = now()"
        " WHERE id = (SELECT min(id) FROM payment_methods)",
    ),
    plant(LEFT, "UPDATE customers SET version = version + 1"),
    plant(LEFT, "UPDATE payment_methods SET version = version + 1"),
    plant(LEFT, f"UPDATE payment_intents SET version = version + 1 {FIRST.format('failed')}"),
    plant(
        TOLD,
        "DELETE FROM billing_central.outbox WHERE tenant_id = '{tenant}'"
        " AND event_type LIKE '%payment.failed.v1'",
    ),
    plant(
        LEASED,
        f"UPDATE collection_leases SET intent_id = id FROM payment_intents"
        f" {FIRST.format('failed')}",
    ),
    plant(LEASED, "UPDATE collection_leases SET amount_micro = amount_micro + 1"),
    plant(LEASED, "UPDATE collection_leases SET expires_at = expires_at + interval '1 day'"),
    plant(
        BACK,
        "UPDATE payment_intents SET allow_credit = false WHERE id ="
        " (SELECT min(id) FROM payment_intents WHERE payment_id IS NOT NULL)",
        also=(DIGESTED,),
    ),
    plant(BESIDE, "DELETE FROM ledger_entries WHERE debit_account = 'payments_to_return'"),
    plant(
        BESIDE,
        "UPDATE ledger_entries SET amount_micro = amount_micro + 1"
        " WHERE credit_account = 'payments_to_return' AND part = 4",
    ),
    plant(
        BESIDE,
        "UPDATE returned_payments SET status = 'failed', failure_code = 'gone'"
        " WHERE status = 'returned' AND gone_micro = 0",
        also=(BESIDE_DIGESTED,),
    ),
    plant(
        BESIDE,
        "UPDATE returned_payments SET processor_payment_id = 'pi_else' WHERE status = 'placed'",
        also=(BESIDE_DIGESTED,),
    ),
    plant(
        BESIDE,
        "UPDATE payment_intents SET returned_id = (SELECT min(id) FROM returned_payments)"
        f" {FIRST.format('succeeded')}",
        also=(DIGESTED,),
    ),
    plant(
        BESIDE_DIGESTED,
        "UPDATE returned_payments SET failure_code = 'another' WHERE status = 'failed'",
    ),
    plant(OTHERWISE, "DELETE FROM returned_parts WHERE kind = 'refunded_there'", also=(BESIDE,)),
    plant(
        OTHERWISE,
        "UPDATE returned_parts SET cause = 'dp_other' WHERE kind = 'lost'",
    ),
    plant(
        OTHERWISE,
        "UPDATE payment_disputes SET status = 'won' WHERE status = 'needs_response'"
        " AND returned_id IS NOT NULL",
        also=("a_dispute_is_what_its_trail_digested", "disputes_are_booked_as_they_stand"),
    ),
    plant(
        BESIDE,
        "DELETE FROM ledger_entries WHERE part = 5 AND debit_account = 'card_clearing'"
        " AND source IN (SELECT unnest(called_off) FROM returned_payments)",
    ),
    plant(
        "a_dispute_is_what_its_trail_digested",
        "UPDATE payment_disputes SET returned_id = (SELECT id FROM returned_payments"
        " WHERE status = 'placed') WHERE status = 'won' AND returned_id IS NOT NULL",
    ),
    plant(GUARDED, "ALTER TABLE returned_parts DROP CONSTRAINT part_goes_back_once"),
    plant(LEFT, "UPDATE returned_payments SET version = version + 1 WHERE status = 'pending'"),
    plant(GUARDED, "ALTER TABLE returned_payments DROP CONSTRAINT payment_is_sent_back_once"),
    plant(GUARDED, "ALTER TABLE returned_payments DROP CONSTRAINT return_is_one_refund"),
    plant(
        GUARDED,
        "ALTER TABLE collection_leases DROP CONSTRAINT one_collection_of_a_debt_at_a_time",
    ),
    plant(GUARDED, "ALTER TABLE collection_leases DROP CONSTRAINT payment_holds_one_lease"),
    plant(GUARDED, "ALTER TABLE customers DROP CONSTRAINT one_customer_per_email"),
    plant(GUARDED, "ALTER TABLE customers DROP CONSTRAINT processor_customer_is_of_one_customer"),
    plant(GUARDED, "ALTER TABLE payment_methods DROP CONSTRAINT payment_method_is_kept_once"),
    plant(GUARDED, "ALTER TABLE payment_intent_queue DROP CONSTRAINT intent_waits_once"),
)
