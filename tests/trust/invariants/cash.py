"""A hotel with tills after a day, and what must be noticed of its drawers and its cash."""

from tests.hotel import Hotel, House, usd
from tests.till import Till
from tests.trust.invariants.plant import plant

EUROS = {"amountMicro": 50_000_000, "currency": "EUR"}
BOOKED = "cash_movements_are_booked_as_they_were_made"
LEFT = "an_aggregate_stands_where_its_trail_ended"
HELD = "a_count_is_held_against_the_ledger"
TWO = "a_drawer_is_closed_by_two_and_explained_by_a_third"
EMPTY = "a_closed_drawer_is_empty"
SIGNED = "a_signature_is_a_confirmation_that_was_used"
NAMED = "cash_lies_in_the_drawer_it_names"
PAID = "payments_are_booked_as_they_were_taken"
CLOSED = "status IN ('closed', 'acknowledged')"


def hotel_with_tills(house: House) -> Hotel:
    """A drawer that runs, one that waits, one that was right, and one that was short and explained.

    In dollars and euros, with cash paid in by guests, paid out for a taxi and dropped.
    """
    hotel = house.new_hotel()
    running = Till.opened(hotel, usd(10_000), EUROS, by="zahra")
    running.paid(1_000)
    running.move("drop", usd(5_000))
    right = Till.opened(hotel, usd(10_000))
    right.initiate(usd(10_000))
    right.close(usd(10_000))
    short = Till.opened(hotel, usd(10_000), EUROS)
    short.paid(3_000)
    short.move("paid_out", usd(700))
    short.initiate(usd(9_000), EUROS)
    short.close(usd(9_000), EUROS)
    assert short.acknowledge().status_code == 200
    waiting = Till.opened(hotel, usd(2_000))
    waiting.initiate(usd(2_100))
    return hotel


CASH = (
    plant(
        BOOKED,
        "UPDATE ledger_entries SET amount_micro = amount_micro + 10000"
        " WHERE debit_account = 'cash_paid_out'",
        also=(EMPTY, HELD),
    ),
    plant(
        BOOKED,
        "UPDATE ledger_entries SET debit_account = 'cash_safe'"
        " WHERE debit_account = 'cash_paid_out'",
    ),
    plant(
        BOOKED,
        "DELETE FROM cash_movements WHERE kind = 'drop'",
    ),
    plant(
        NAMED,
        "ALTER TABLE ledger_entries DROP CONSTRAINT cash_entry_names_its_session",
        "UPDATE ledger_entries SET cash_session_id = (SELECT id FROM cash_sessions"
        " WHERE status = 'pending_close')"
        " WHERE starts_with(source, 'pay_') AND debit_account LIKE 'cash:%' AND cash_session_id ="
        " (SELECT id FROM cash_sessions WHERE status = 'open')",
        also=(HELD,),
    ),
    plant(
        EMPTY,
        "UPDATE ledger_entries SET amount_micro = amount_micro + 1"
        " WHERE starts_with(source, 'cmv_') AND credit_account LIKE 'cash:%'"
        " AND debit_account = 'cash_safe' AND cash_session_id IN"
        f" (SELECT id FROM cash_sessions WHERE {CLOSED})",
        also=(BOOKED, HELD),
    ),
    plant(
        HELD,
        "UPDATE cash_sessions SET expected = jsonb_set(expected, '{{0,amountMicro}}', '1')"
        " WHERE status = 'pending_close'",
    ),
    plant(
        HELD,
        "UPDATE cash_sessions SET count = jsonb_set(count, '{{0,amountMicro}}', '95000000')"
        " WHERE status = 'acknowledged'",
    ),
    plant(
        TWO,
        "ALTER TABLE cash_sessions DROP CONSTRAINT drawer_is_closed_by_two_persons",
        "UPDATE cash_sessions SET co_signer = closed_by WHERE status = 'closed'",
        also=(SIGNED,),
    ),
    plant(
        TWO,
        "DROP INDEX one_open_session_per_drawer",
        "UPDATE cash_sessions SET drawer_id = (SELECT drawer_id FROM cash_sessions"
        " WHERE status = 'open') WHERE status = 'pending_close'",
        also=("what_may_happen_once_is_guarded",),
    ),
    plant(
        SIGNED,
        "DELETE FROM billing_central.step_up_uses WHERE actor = 'laila' AND tenant_id = '{tenant}'",
    ),
    plant(
        SIGNED,
        "UPDATE cash_sessions SET acknowledged_by = 'somebody' WHERE status = 'acknowledged'",
    ),
    plant(LEFT, "UPDATE cash_sessions SET version = version + 1 WHERE status = 'open'"),
    plant(
        LEFT,
        "DELETE FROM cash_drawers WHERE id = (SELECT drawer_id FROM cash_sessions"
        " WHERE status = 'open')",
    ),
    plant(
        PAID,
        "UPDATE ledger_entries SET debit_account = 'card_clearing', cash_session_id = NULL"
        " WHERE starts_with(source, 'pay_') AND cash_session_id ="
        " (SELECT id FROM cash_sessions WHERE status = 'open')",
    ),
)
