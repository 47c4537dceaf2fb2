"""A hotel that has heard from the processor, and what must be noticed of that."""

from tests.hotel import Hotel, House
from tests.postgres.webhook_trials import webhooks_of_every_outcome
from tests.trust.invariants.plant import GUARDED, TOLD, plant

ONCE = "an_event_of_the_processor_takes_effect_once"
KEPT = "an_event_of_the_processor_is_kept_with_what_became_of_it"
LISTED = "a_card_payment_is_in_the_directory"
LEFT = "an_aggregate_stands_where_its_trail_ended"
DIGESTED = "a_dispute_is_what_its_trail_digested"
LOST, OPEN = "WHERE status = 'lost'", "WHERE status <> 'lost'"


def hotel_with_webhooks(house: House) -> Hotel:
    """See `webhooks_of_every_outcome`."""
    hotel = house.new_hotel()
    webhooks_of_every_outcome(hotel)
    return hotel


WEBHOOKS = (
    plant(
        ONCE,
        "DROP INDEX webhook_takes_effect_once",
        "UPDATE webhook_attempts SET outcome = 'applied' WHERE outcome = 'repeated'",
        also=(GUARDED,),
    ),
    plant(KEPT, "DELETE FROM webhook_attempts WHERE outcome = 'refused'"),
    plant(KEPT, "DELETE FROM webhook_events WHERE type = 'payment_intent.succeeded'"),
    plant(
        KEPT,
        "DELETE FROM webhook_attempts WHERE outcome = 'applied' AND event_id IN"
        " (SELECT event_id FROM webhook_attempts WHERE outcome = 'repeated')",
    ),
    plant(
        LISTED,
        "DELETE FROM billing_central.card_payments WHERE tenant_id = '{tenant}' AND recorded_at ="
        " (SELECT max(recorded_at) FROM billing_central.card_payments"
        " WHERE tenant_id = '{tenant}')",
    ),
    plant(DIGESTED, f"UPDATE payment_disputes SET status = 'won' {LOST}"),
    plant(DIGESTED, f"UPDATE payment_disputes SET amount_micro = 1 {OPEN}"),
    plant(LEFT, f"UPDATE payment_disputes SET version = version + 1 {LOST}"),
    plant(LEFT, f"DELETE FROM payment_disputes {OPEN}"),
    plant(
        TOLD,
        "DELETE FROM billing_central.outbox WHERE tenant_id = '{tenant}'"
        " AND event_type LIKE '%dispute.recorded.v1'"
        " AND strpos(event, 'lost') > 0",
    ),
    plant(GUARDED, "ALTER TABLE webhook_events DROP CONSTRAINT webhook_is_numbered_once"),
    plant(GUARDED, "ALTER TABLE payment_disputes DROP CONSTRAINT dispute_is_recorded_once"),
    plant(GUARDED, "DROP INDEX webhook_takes_effect_once"),
)
