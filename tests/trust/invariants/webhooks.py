"""A hotel that has heard from the processor, and what must be noticed of that."""

from tests.hotel import Hotel, House
from tests.postgres.webhook_trials import webhooks_of_every_outcome
from tests.trust.invariants.plant import GUARDED, TOLD, plant

ONCE = "an_event_of_the_processor_takes_effect_once"
KEPT = "an_event_of_the_processor_is_kept_with_what_became_of_it"
SAID = "what_an_event_said_lies_beside_it"
FORGOTTEN = "what_a_quarantined_event_said_is_forgotten"
LISTED = "a_card_payment_is_in_the_directory"
LEFT = "an_aggregate_stands_where_its_trail_ended"
DIGESTED = "a_dispute_is_what_its_trail_digested"
CLAIMED = "disputes_are_booked_as_they_stand"
LATE = "a_late_refund_waits_beside_its_folio"
LATE_DIGESTED = "a_late_refund_is_what_its_trail_digested"
UNCONFIRMED = "only_a_cancellation_refunds_without_a_confirmation"
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
    plant(SAID, "UPDATE webhook_events SET payload = '{{}}' WHERE type LIKE '%dispute%'"),
    plant(SAID, "UPDATE webhook_bodies SET received_at = received_at + interval '1 day'"),
    plant(
        FORGOTTEN,
        "INSERT INTO billing_central.dead_letters VALUES ('dlq_old', 'take_stripe_event',"
        " 'evt_old', 'why', '{{}}', now() - interval '92 days')",
    ),
    plant(GUARDED, "ALTER TABLE webhook_bodies DROP CONSTRAINT webhook_body_is_kept_once"),
    plant(
        LISTED,
        "DELETE FROM billing_central.card_payments WHERE tenant_id = '{tenant}' AND recorded_at ="
        " (SELECT max(recorded_at) FROM billing_central.card_payments"
        " WHERE tenant_id = '{tenant}')",
    ),
    plant(DIGESTED, f"UPDATE payment_disputes SET status = 'won' {LOST}", also=(CLAIMED,)),
    plant(DIGESTED, f"UPDATE payment_disputes SET amount_micro = 1 {OPEN}"),
    plant(DIGESTED, f"UPDATE payment_disputes SET fee_micro = 1 {LOST}", also=(CLAIMED,)),
    plant(CLAIMED, f"UPDATE payment_disputes SET is_withheld = false {LOST}"),
    plant(
        CLAIMED,
        "UPDATE ledger_entries SET debit_account = 'card_clearing'"
        " WHERE debit_account = 'dispute_losses'",
    ),
    plant(CLAIMED, "DELETE FROM ledger_entries WHERE debit_account = 'dispute_fees'"),
    plant(LATE, "DELETE FROM ledger_entries WHERE debit_account = 'refunds_to_settle'"),
    plant(
        LATE,
        "UPDATE late_refunds SET settled_at = NULL WHERE failure_code IS NULL",
        also=(LATE_DIGESTED,),
    ),
    plant(
        LATE,
        "DELETE FROM ledger_entries WHERE starts_with(source, 'rfd_') AND part = 6",
    ),
    plant(
        LATE_DIGESTED,
        "UPDATE late_refunds SET failure_code = 'another' WHERE failure_code IS NOT NULL",
    ),
    plant(
        LATE,
        "UPDATE refunds SET processor_refund_id = 're_another'"
        " WHERE id IN (SELECT id FROM late_refunds)",
    ),
    plant(
        LATE_DIGESTED,
        "UPDATE late_refunds SET folio_id = (SELECT min(id) FROM folios) WHERE settled_at IS NULL",
    ),
    plant(LEFT, "UPDATE late_refunds SET version = version + 1 WHERE settled_at IS NULL"),
    plant(
        UNCONFIRMED,
        "UPDATE refunds SET processor_refund_id = NULL WHERE processor_refund_id IS NOT NULL"
        " AND id NOT IN (SELECT id FROM late_refunds)",
    ),
    plant(GUARDED, "DROP INDEX processors_refund_is_recorded_once"),
    plant(GUARDED, "ALTER TABLE late_refunds DROP CONSTRAINT late_refund_is_recorded_once"),
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
