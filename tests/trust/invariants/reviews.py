"""A hotel where payments were weighed and looked at, and what must be noticed of that."""

from tests.hotel import Hotel, House
from tests.trust.invariants.plant import GUARDED, TOLD, plant
from tests.weighing import reviews_of_every_state

WEIGHED = "what_is_asked_for_was_weighed"
WAITS = "a_payment_waits_for_its_review"
ANOTHER = "a_review_is_decided_by_another_person"
SCORE = "a_score_is_the_sum_of_its_reasons"
ONCE = "a_payment_is_weighed_once_a_card"
DIGESTED = "a_review_is_what_its_trail_digested"
INTENT = "a_payment_intent_is_what_its_trail_digested"
QUEUED = "a_payment_that_is_under_way_waits"
LEFT = "an_aggregate_stands_where_its_trail_ended"
RECORD = "a_record_cannot_be_changed"
UNCHECKED = "ALTER TABLE {} DROP CONSTRAINT {}"
APPROVED, OPEN = "WHERE status = 'approved'", "WHERE status = 'open'"
OF_APPROVED = "id = (SELECT subject_id FROM reviews WHERE status = 'approved')"
LAST = "id = (SELECT max(id) FROM payment_intents WHERE status = 'succeeded')"
CHECKED = f"intent_id = (SELECT id FROM payment_intents WHERE {LAST}) AND stage = 'confirmed'"


def hotel_with_reviews(house: House) -> Hotel:
    """See `reviews_of_every_state`."""
    hotel = house.new_hotel()
    reviews_of_every_state(hotel)
    return hotel


REVIEWS = (
    plant(WEIGHED, f"DELETE FROM risk_checks WHERE {CHECKED}"),
    plant(WEIGHED, f"UPDATE risk_checks SET is_challenged = true WHERE {CHECKED}"),
    plant(WEIGHED, f"UPDATE risk_checks SET course = 'review' WHERE {CHECKED}"),
    plant(WEIGHED, f"UPDATE payment_intents SET is_challenged = true WHERE {LAST}"),
    plant(
        WAITS,
        f"UPDATE payment_intents SET review_id = NULL WHERE {OF_APPROVED}",
        also=(WEIGHED,),
    ),
    plant(
        WAITS,
        f"UPDATE reviews SET status = 'refused' {APPROVED}",
        also=(WEIGHED, DIGESTED),
    ),
    plant(
        WAITS,
        "UPDATE reviews SET status = 'approved' WHERE status = 'refused'",
        also=(DIGESTED,),
    ),
    plant(WAITS, f"UPDATE reviews SET property_id = '{{other}}' {OPEN}"),
    plant(
        WAITS,
        "UPDATE payment_intents SET status = 'processing', confirmed_at = now()"
        " WHERE review_id = (SELECT id FROM reviews WHERE status = 'open')",
        also=(WEIGHED, INTENT, QUEUED),
    ),
    plant(
        ANOTHER,
        UNCHECKED.format("reviews", "reviewer_is_another_person"),
        f"UPDATE reviews SET decided_by = 'maker' {APPROVED}",
        also=(DIGESTED,),
    ),
    plant(ANOTHER, f"UPDATE reviews SET requested_by = 'x' {OPEN}", also=(DIGESTED,)),
    plant(ANOTHER, f"UPDATE reviews SET prepared_by = 'x' {OPEN}", also=(DIGESTED,)),
    plant(
        ANOTHER,
        "UPDATE reviews SET decided_by = 'somebody' WHERE status = 'expired'",
        also=(DIGESTED,),
    ),
    plant(
        SCORE,
        f"UPDATE reviews SET score = 1 {OPEN}",
        also=(DIGESTED, ANOTHER),
    ),
    plant(SCORE, f"UPDATE risk_checks SET score = 1 WHERE {CHECKED}"),
    plant(
        ONCE,
        "DROP INDEX payment_is_weighed_once",
        "INSERT INTO risk_checks SELECT tenant_id, 'rkc_more', stage, intent_id, customer_id,"
        " payment_method_id, fingerprint, origin, amount_micro, currency, score, reasons, course,"
        f" is_challenged, actor, checked_at FROM risk_checks WHERE {CHECKED}",
        also=(GUARDED,),
    ),
    plant(ONCE, f"UPDATE risk_checks SET amount_micro = 1 WHERE {CHECKED}"),
    plant(DIGESTED, f"UPDATE reviews SET subject_kind = 'payout' {OPEN}", also=(WAITS,)),
    plant(LEFT, f"UPDATE reviews SET version = version + 1 {OPEN}"),
    plant(
        TOLD,
        "DELETE FROM billing_central.outbox WHERE tenant_id = '{tenant}'"
        " AND event_type LIKE '%review.decided.v1'",
    ),
    plant(GUARDED, "DROP INDEX one_open_review_per_subject"),
    plant(RECORD, "GRANT UPDATE (course) ON risk_checks TO {role}"),
)
