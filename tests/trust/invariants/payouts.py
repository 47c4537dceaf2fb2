"""A hotel that pays its money out, and what must be noticed of that."""

from tests.hotel import Hotel, House
from tests.paying_out import payouts_of_every_state
from tests.trust.invariants.plant import GUARDED, TOLD, plant

BOOKED = "payouts_are_booked_as_they_stand"
DECIDED = "a_large_payout_is_decided_by_another_person"
LISTED = "a_payout_account_is_in_the_directory"
WAITS = "a_payout_is_settled_or_waits"
DIGESTED = "a_payout_is_what_its_trail_digested"
LEFT = "an_aggregate_stands_where_its_trail_ended"
ANOTHER = "ALTER TABLE payouts DROP CONSTRAINT payout_is_approved_by_another_person"
LARGE = "ALTER TABLE payouts DROP CONSTRAINT large_payout_waits_for_approval"
SMALL = "WHERE NOT needs_approval AND status = 'paid'"
APPROVED = "WHERE needs_approval AND status = 'paid'"


def hotel_with_payouts(house: House) -> Hotel:
    """See `payouts_of_every_state`."""
    hotel = house.new_hotel()
    payouts_of_every_state(hotel)
    return hotel


PAYOUTS = (
    plant(
        BOOKED,
        "DELETE FROM ledger_entries WHERE starts_with(source, 'pyo_') AND part = 2"
        " AND credit_account = 'bank_clearing'",
    ),
    plant(
        BOOKED,
        "UPDATE ledger_entries SET debit_account = 'card_clearing'"
        " WHERE debit_account = 'bank_clearing' AND starts_with(source, 'pyo_')",
    ),
    plant(BOOKED, "DELETE FROM ledger_entries WHERE debit_account = 'payouts_in_transit'"),
    plant(
        DECIDED,
        ANOTHER,
        f"UPDATE payouts SET requested_by = decided_by {APPROVED}",
        also=(DIGESTED,),
    ),
    plant(DECIDED, LARGE, f"UPDATE payouts SET needs_approval = true {SMALL}"),
    plant(DECIDED, f"UPDATE payouts SET assertion_hash = 'another' {APPROVED}"),
    plant(WAITS, "DELETE FROM payout_queue"),
    plant(
        LISTED,
        "UPDATE billing_central.processor_accounts SET processor_account_id = 'acct_of_nobody'"
        " WHERE tenant_id = '{tenant}'",
    ),
    plant(
        LISTED,
        "UPDATE billing_central.processor_accounts SET proven_at = NULL"
        " WHERE tenant_id = '{tenant}'",
    ),
    plant(DIGESTED, f"UPDATE payouts SET processor_account_id = 'acct_mine' {SMALL}"),
    plant(DIGESTED, "UPDATE payout_accounts SET is_enabled = false"),
    plant(LEFT, f"UPDATE payouts SET version = version + 1 {SMALL}"),
    plant(LEFT, "UPDATE payout_accounts SET version = version + 1"),
    plant(
        TOLD,
        "DELETE FROM billing_central.outbox WHERE tenant_id = '{tenant}'"
        " AND event_type LIKE '%payout.rejected.v1'",
    ),
    plant(GUARDED, "ALTER TABLE payouts DROP CONSTRAINT payout_is_decided_on_its_own"),
    plant(GUARDED, "ALTER TABLE payout_accounts DROP CONSTRAINT one_payout_account_per_tenant"),
    plant(GUARDED, "ALTER TABLE payout_queue DROP CONSTRAINT payout_waits_once"),
)
