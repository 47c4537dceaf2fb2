"""A hotel whose invoices of the platform were paid and refunded, and what must be noticed of it."""

from tests.buying import card
from tests.charging import collect
from tests.hotel import Hotel, House
from tests.platform_taxing import nobody_sells, settle_in, somebody_sells
from tests.postgres.platform_credit_trials import money_that_went_back
from tests.subscribing import subscribed
from tests.trust.invariants.plant import plant

WRITTEN = "a_platform_credit_note_is_as_it_was_written"
CREDITED = "what_was_refunded_of_an_invoice_is_credited"
BOOKED = "money_that_went_back_is_booked"
FOLLOWED = "credits_follow_the_money_of_their_invoice"
REFUNDED = "a_platform_refund_is_credited_when_it_was_made"
TWICE = "what_came_twice_goes_back_once"
CHARGES = "billing_central.subscription_payments"
GUARDED = "what_goes_back_once_is_guarded"
DIGESTED = "a_dispute_is_what_its_trail_digested"
BACK = "credits_are_taken_back_within_their_grant"
MINE = "tenant_id = '{tenant}'"
NOTES = "billing_central.platform_credit_notes"
ENTRIES = "billing_central.platform_reversal_entries"
INVOICES = "billing_central.subscription_invoices"


def hotel_whose_money_went_back(house: House) -> Hotel:
    """Pro in Paris, with tax; see `money_that_went_back`."""
    hotel = house.new_hotel()
    somebody_sells(house)
    settle_in(hotel, "FR")
    subscribed(hotel, paymentMethodId=card(hotel))
    collect(hotel)
    money_that_went_back(hotel)
    nobody_sells(house)
    return hotel


PLATFORM_CREDITS = (
    plant(WRITTEN, f"UPDATE {NOTES} SET payload = payload || ' ' WHERE {MINE}"),
    plant(
        WRITTEN,
        f"UPDATE {NOTES} SET tax_micro = tax_micro + 10000, net_micro = net_micro - 10000"
        f" WHERE {MINE}",
        also=(CREDITED, BOOKED),
    ),
    plant(CREDITED, f"UPDATE {INVOICES} SET refunded_micro = 1000000 WHERE {MINE}"),
    plant(BOOKED, f"DELETE FROM {ENTRIES} WHERE {MINE} AND debit_account = 'vat_payable:FR'"),
    plant(BOOKED, f"DELETE FROM {ENTRIES} WHERE {MINE} AND debit_account = 'dispute_fees'"),
    plant(
        BOOKED,
        f"UPDATE {ENTRIES} SET debit_account = 'processor_clearing' WHERE {MINE}"
        " AND debit_account = 'dispute_losses'",
    ),
    plant(BOOKED, f"UPDATE {INVOICES} SET withheld_micro = 0 WHERE {MINE}"),
    plant(
        DIGESTED,
        "UPDATE payment_disputes SET subscription_invoice_id = NULL WHERE status = 'won'",
        also=(BOOKED,),
    ),
    plant(
        FOLLOWED,
        "DELETE FROM credit_claw_backs WHERE source_key = 'refund:re_platform'",
        also=(BACK,),
    ),
    plant(
        REFUNDED,
        f"UPDATE billing_central.subscription_refunds SET status = 'succeeded',"
        f" settled_at = requested_at, next_attempt_at = NULL WHERE {MINE} AND status = 'pending'",
    ),
    plant(
        TWICE,
        f"UPDATE {INVOICES} SET paid_by = (SELECT id FROM {CHARGES} WHERE {MINE}"
        f" AND status = 'refunded' LIMIT 1) WHERE {MINE} AND paid_by IS NOT NULL",
        also=("a_paid_platform_invoice_was_taken",),
    ),
    plant(
        TWICE,
        f"UPDATE billing_central.subscription_refunds SET amount_micro = amount_micro - 10000"
        f" WHERE {MINE} AND surplus_id IS NOT NULL",
        also=(REFUNDED, BOOKED),
    ),
    plant(BOOKED, f"DELETE FROM {ENTRIES} WHERE {MINE} AND starts_with(source, 'surplus:')"),
    plant(
        TWICE,
        "UPDATE payment_disputes SET on_account_micro = on_account_micro - 10000"
        " WHERE surplus_id IS NOT NULL AND status = 'lost'",
        also=(BOOKED,),
    ),
    plant(
        TWICE,
        "UPDATE billing_central.subscription_refunds SET status = 'pending', failure_code = NULL,"
        f" settled_at = NULL, next_attempt_at = now() WHERE {MINE}"
        " AND failure_code = 'charge_disputed'",
        also=(REFUNDED, BOOKED),
    ),
    plant(
        BOOKED,
        f"UPDATE {ENTRIES} SET amount_micro = amount_micro + 1 WHERE {MINE}"
        " AND starts_with(source, 'surplus:') AND part = 2",
    ),
    plant(
        BOOKED,
        f"DELETE FROM {ENTRIES} WHERE {MINE} AND source = 'came_back:re_seventy'",
    ),
    plant(
        "what_came_back_was_given_back",
        "UPDATE billing_central.subscription_refunds SET amount_micro = amount_micro - 10000"
        f" WHERE {MINE} AND came_back_of = 're_seventy'",
        also=(REFUNDED, BOOKED),
    ),
    plant(
        GUARDED,
        "ALTER TABLE billing_central.subscription_refunds"
        " DROP CONSTRAINT platform_refund_comes_back_once",
    ),
    plant(
        GUARDED,
        "ALTER TABLE billing_central.subscription_refunds DROP CONSTRAINT surplus_goes_back_once",
    ),
    plant(
        "an_aggregate_stands_where_its_trail_ended",
        f"UPDATE billing_central.subscription_refunds SET version = version + 1 WHERE {MINE}",
    ),
    plant(
        GUARDED,
        f"ALTER TABLE {ENTRIES} DROP CONSTRAINT reversal_is_booked_once",
    ),
)
