"""A hotel with prepaid credits of every kind, and what must be noticed of them."""

from tests.hotel import Hotel, House
from tests.postgres.credit_trials import credits_of_every_kind
from tests.prepaying import held
from tests.trust.invariants.plant import plant

SUMS = "credits_are_what_moved_them"
NAMED = "an_entry_names_the_lots_that_it_moved"
KEPT = "no_credit_is_made_or_lost"
BOOKED = "credits_are_booked_as_they_moved"
GOES_ON = "a_lot_goes_on_as_its_grant"
EXPIRED = "what_has_expired_is_not_spent"
HOLD = "a_hold_is_what_its_entries_say"
BACK = "credits_are_taken_back_within_their_grant"
BILLS = "credits_that_paid_are_payments_of_folios"
DIGESTED = "an_account_of_credits_is_what_its_trail_digested"
STANDS = "an_aggregate_stands_where_its_trail_ended"
GUARDED = "what_may_happen_once_is_guarded"
MAIN = "WHERE name = 'main'"
SPENT = "(SELECT min(id) FROM credit_ledger_entries WHERE kind = 'spend')"
CLAWED = "(SELECT min(lot_id) FROM credit_claw_backs)"


def hotel_with_prepaid_credits(house: House) -> Hotel:
    """Two accounts, lots of two sources, a claw-back with a debt, holds in every state."""
    hotel = house.new_hotel()
    credits_of_every_kind(hotel)
    ended = held(hotel, 1)
    hotel.rows(
        "UPDATE {s}.credit_holds SET placed_at = placed_at - interval '2 hours',"
        " expires_at = now() - interval '1 hour' WHERE id = :id",
        id=ended,
    )
    held(hotel, 1)
    return hotel


PREPAID = (
    plant(
        SUMS,
        f"UPDATE credit_accounts SET balance_micro = balance_micro + 1 {MAIN}",
        also=(DIGESTED,),
    ),
    plant(SUMS, f"UPDATE credit_accounts SET debt_micro = debt_micro + 1 {MAIN}", also=(DIGESTED,)),
    plant(
        SUMS,
        "UPDATE credit_ledger_entries SET balance_micro = balance_micro + 1 WHERE sequence = 2",
    ),
    plant(
        SUMS,
        "UPDATE credit_ledger_entries SET sequence = 999 WHERE sequence = 3",
    ),
    plant(
        NAMED,
        "UPDATE credit_lots SET left_micro = left_micro + 1 WHERE left_micro > 0 AND id = root_id",
        also=(SUMS, KEPT),
    ),
    plant(
        NAMED,
        f"UPDATE credit_entry_lots SET amount_micro = amount_micro - 1 WHERE entry_id = {SPENT}",
        also=(KEPT,),
    ),
    plant(
        NAMED,
        "UPDATE credit_entry_lots SET lot_id = (SELECT id FROM credit_lots WHERE id <> root_id"
        f" LIMIT 1) WHERE entry_id = {SPENT}",
        also=(KEPT,),
    ),
    plant(
        KEPT,
        f"UPDATE credit_lots SET granted_micro = granted_micro + 1 WHERE id = {CLAWED}",
    ),
    plant(
        KEPT,
        "UPDATE credit_ledger_entries SET counterpart = account_id WHERE kind = 'transfer_in'",
    ),
    plant(BOOKED, f"DELETE FROM credit_book_entries WHERE entry_id = {SPENT}"),
    plant(
        BOOKED,
        "UPDATE credit_book_entries SET credit_account = 'expired' WHERE credit_account = 'spent'",
    ),
    plant(BOOKED, "UPDATE credit_book_entries SET amount_micro = amount_micro + 1 WHERE part = 1"),
    plant(
        GOES_ON,
        "UPDATE credit_lots SET expires_at = '2099-01-01T00:00:00Z' WHERE id <> root_id",
    ),
    plant(GOES_ON, f"UPDATE credit_lots SET source_key = 'gift' WHERE id = {CLAWED}"),
    plant(GOES_ON, f"UPDATE credit_lots SET priority = 0 WHERE id = {CLAWED}"),
    plant(
        EXPIRED,
        f"UPDATE credit_lots SET expires_at = granted_at - interval '1 second' WHERE id = {CLAWED}",
    ),
    plant(
        EXPIRED,
        f"UPDATE credit_book_entries SET credit_account = 'expired' WHERE entry_id = {SPENT}",
        f"UPDATE credit_ledger_entries SET kind = 'expire', metered_micro = 0 WHERE id = {SPENT}",
    ),
    plant(
        HOLD,
        "UPDATE credit_holds SET captured_micro = captured_micro + 1 WHERE status = 'captured'",
    ),
    plant(
        HOLD,
        "UPDATE credit_holds SET status = 'released', ended_at = now() WHERE status = 'open'",
    ),
    plant(
        HOLD,
        "UPDATE credit_holds SET expires_at = placed_at - interval '1 second'"
        " WHERE status = 'captured'",
    ),
    plant(BACK, "UPDATE credit_claw_backs SET taken_micro = 1 WHERE asked_micro = 10000000"),
    plant(BACK, "UPDATE credit_claw_backs SET debt_micro = 1 WHERE asked_micro = 10000000"),
    plant(BACK, "UPDATE credit_claw_backs SET asked_micro = asked_micro + 1"),
    plant(BACK, "UPDATE credit_claw_back_reversals SET returned_micro = 1"),
    plant(BACK, "UPDATE credit_claw_back_reversals SET cancelled_micro = 1"),
    plant(BILLS, "UPDATE credit_ledger_entries SET reference = 'pay_x' WHERE kind = 'redeem'"),
    plant(BILLS, "UPDATE credit_ledger_entries SET reference = 'rfd_x' WHERE kind = 'restore'"),
    plant(BILLS, "UPDATE payments SET credits_micro = 2 * credits_micro WHERE method = 'credits'"),
    plant(
        BOOKED,
        "UPDATE credit_book_entries SET credit_account = 'spent'"
        " WHERE credit_account = 'owed_to_house'",
    ),
    plant(DIGESTED, f"UPDATE credit_accounts SET name = 'another' {MAIN}"),
    plant(STANDS, f"UPDATE credit_accounts SET version = version + 1 {MAIN}"),
    plant(GUARDED, "ALTER TABLE credit_lots DROP CONSTRAINT credits_are_granted_once"),
    plant(GUARDED, "DROP INDEX credits_pay_once_and_come_back_once"),
    plant(
        "a_record_cannot_be_changed",
        "GRANT UPDATE ON credit_ledger_entries TO {role}",
    ),
)
