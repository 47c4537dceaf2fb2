"""A hotel whose books differ from the processor's, and what must be noticed of that."""

from tests.hotel import Hotel, House
from tests.postgres.difference_trials import differences_of_every_state
from tests.trust.invariants.plant import GUARDED, TOLD, plant

STANDS = "a_difference_is_open_or_answered_for"
DIGESTED = "a_difference_is_what_its_trail_digested"
LEFT = "an_aggregate_stands_where_its_trail_ended"
OPEN, RESOLVED = "WHERE status = 'open'", "WHERE status = 'resolved'"
ONCE = "ALTER TABLE processor_differences DROP CONSTRAINT difference_is_found_once"
DIFFERS = "ALTER TABLE processor_differences DROP CONSTRAINT difference_differs"


def hotel_with_differences(house: House) -> Hotel:
    """See `differences_of_every_state`."""
    hotel = house.new_hotel()
    differences_of_every_state(hotel)
    return hotel


DIFFERENCES = (
    plant(
        STANDS,
        DIFFERS,
        f"UPDATE processor_differences SET found_micro = expected_micro {OPEN}",
        also=(DIGESTED,),
    ),
    plant(
        STANDS, f"UPDATE processor_differences SET resolved_at = now() + interval '1 s' {RESOLVED}"
    ),
    plant(
        STANDS,
        ONCE,
        "UPDATE processor_differences SET about = 'psp_same'",
        also=(DIGESTED, GUARDED),
    ),
    plant(DIGESTED, f"UPDATE processor_differences SET owner = 'nobody' {OPEN}"),
    plant(LEFT, f"UPDATE processor_differences SET version = version + 1 {OPEN}"),
    plant(LEFT, f"DELETE FROM processor_differences {OPEN}"),
    plant(
        TOLD,
        "DELETE FROM billing_central.outbox WHERE tenant_id = '{tenant}'"
        " AND event_type LIKE '%mismatch_resolved.v1'",
    ),
    plant(GUARDED, ONCE),
)
