"""A hotel whose dates were reconciled, and what must be noticed of that."""

from tests.hotel import Hotel, House
from tests.reconciling import Processor, never_told, old_mismatch, run
from tests.trust.invariants.plant import HASHED, TOLD, plant

FOUND = "a_reconciliation_says_what_it_found"
LEFT = "an_aggregate_stands_where_its_trail_ended"
SAID = "a_reconciliation_is_resolved_as_its_trail_says"
DIGESTED = "a_reconciliation_is_what_its_trail_digested"
RESOLVED, MISMATCH = "WHERE status = 'resolved'", "WHERE status = 'mismatch'"
SIGNED = "ALTER TABLE reconciliations DROP CONSTRAINT resolution_is_signed"
HELD = "ALTER TABLE reconciliations DROP CONSTRAINT mismatch_holds_its_differences"
KNOWN = "ALTER TABLE reconciliations DROP CONSTRAINT reconciliation_status_is_known"
ANSWERED = "ALTER TABLE reconciliations DROP CONSTRAINT answered_reconciliation_is_not_unknown"
ONCE = "ALTER TABLE reconciliations DROP CONSTRAINT day_is_reconciled_once"
IN_ORDER = "ALTER TABLE reconciliations DROP CONSTRAINT runs_of_a_reconciliation_follow_one_another"


def reconciled_hotel(house: House) -> Hotel:
    """See `reconciliations_of_every_state`."""
    hotel = house.new_hotel()
    reconciliations_of_every_state(hotel)
    return hotel


def reconciliations_of_every_state(hotel: Hotel) -> None:
    """A date is matched, one a mismatch, one resolved, and one is without the processor's word."""
    answer = hotel.post(
        f"/cash-reconciliations/{old_mismatch(hotel)}/resolve", {"reason": 'A "trial" of ours: ü'}
    )
    assert answer.status_code == 200, answer.text
    run(hotel, as_of=never_told(hotel, days=3))
    long_ago = never_told(hotel, days=5)
    run(hotel, as_of=long_ago.replace(day=1))
    silent = hotel.house.beside(powers={"gateway": Processor()})
    run(Hotel(silent, hotel.tenant_id, hotel.property_id), as_of=long_ago)
    silent.close()


RECONCILED = (
    plant(
        FOUND,
        KNOWN,
        HELD,
        f"UPDATE reconciliations SET status = 'seen' {MISMATCH}",
        also=(DIGESTED,),
    ),
    plant(
        FOUND,
        HELD,
        f"UPDATE reconciliations SET differences = '[]' {MISMATCH}",
        also=(DIGESTED,),
    ),
    plant(
        FOUND,
        ANSWERED,
        "UPDATE reconciliations SET processor_answered = true WHERE status = 'unknown'",
    ),
    plant(FOUND, SIGNED, f"UPDATE reconciliations SET resolved_at = NULL {RESOLVED}", also=(SAID,)),
    plant(
        FOUND,
        IN_ORDER,
        f"UPDATE reconciliations SET last_run_at = first_run_at - interval '1 day' {MISMATCH}",
    ),
    plant(
        FOUND,
        ONCE,
        "UPDATE reconciliations SET business_date = '2001-01-01' WHERE status <> 'matched'",
        also=(DIGESTED, "what_may_happen_once_is_guarded"),
    ),
    plant(LEFT, f"UPDATE reconciliations SET version = version + 1 {MISMATCH}"),
    plant(LEFT, f"UPDATE reconciliations SET trail = sha256('x') {MISMATCH}"),
    plant(
        LEFT, f"DELETE FROM reconciliations {RESOLVED}", also=("an_answer_speaks_of_what_there_is",)
    ),
    plant(
        SAID, f"UPDATE reconciliations SET resolved_at = resolved_at + interval '1 h' {RESOLVED}"
    ),
    plant(
        SAID,
        f"UPDATE reconciliations SET resolved_by = 'nobody' {RESOLVED}",
        also=(DIGESTED,),
    ),
    plant(
        SAID,
        "UPDATE audit_entries SET reason = 'Another one' WHERE action = 'reconciliation.resolved'",
        also=(HASHED,),
    ),
    plant(
        DIGESTED,
        "UPDATE reconciliations SET differences ="
        f" jsonb_set(differences, '{{{{0,expectedMicro}}}}', '1') {MISMATCH}",
    ),
    plant(
        DIGESTED,
        "UPDATE reconciliations SET differences ="
        f" jsonb_set(differences, '{{{{0,about}}}}', '\"psp_x\"') {MISMATCH}",
    ),
    plant(
        DIGESTED,
        f"UPDATE reconciliations SET differences = differences || (differences -> 0) {MISMATCH}",
    ),
    plant(
        TOLD,
        "DELETE FROM billing_central.outbox WHERE tenant_id = '{tenant}'"
        " AND event_type LIKE '%reconciliation.mismatch_found.v1'",
    ),
    plant("what_may_happen_once_is_guarded", ONCE),
)
