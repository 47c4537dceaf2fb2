"""A hotel that has subscribed, and what must be noticed of what it was billed."""

from tests.hotel import Hotel, House
from tests.platform_taxing import nobody_sells, settle_in, somebody_sells
from tests.subscribing import act, change, subscribed
from tests.trialing import tried
from tests.trust.invariants.plant import plant

ONCE = "a_period_is_invoiced_once_and_in_order"
COSTS = "a_period_costs_what_its_terms_cost"
WRITTEN = "a_platform_invoice_is_as_it_was_written"
TAXED = "a_platform_invoice_bears_the_tax_that_it_says"
BOOKED = "a_platform_invoice_is_booked"
SET_OFF = "what_a_credit_pays_is_set_off_once"
DIGESTED = "a_subscription_is_what_its_trail_digested"
GUARDED = "what_the_platform_does_once_is_guarded"
TRIAL = "a_trial_is_in_front_of_the_first_period"
WORTH = "a_subscription_is_worth_what_its_movements_come_to"
NEW = "a_tenant_is_new_before_it_comes_back"
REVENUE = "revenue_that_moves_once_is_guarded"
STANDS = "an_aggregate_stands_where_its_trail_ended"
MINE = "tenant_id = '{tenant}'"
STANDING = f"{MINE} AND status <> 'canceled'"
INVOICES = "billing_central.subscription_invoices"
REVERSALS = "billing_central.platform_reversal_entries"
MOVEMENTS = "billing_central.revenue_movements"
FIRST = f"{MINE} AND purpose = 'period'"


def hotel_that_subscribes(house: House) -> Hotel:
    """A trial that was canceled; then Team, changed to Pro at once and to a year later: a credit
    pays a part of what is open. It stands in Paris, and is billed with tax; afterwards nobody
    sells any more."""
    hotel = house.new_hotel()
    somebody_sells(house)
    settle_in(hotel, "FR")
    tried(hotel)
    assert act(hotel, "cancel", at="now").status_code == 200
    subscribed(hotel, "team")
    assert change(hotel, plan="pro", interval="year").status_code == 200
    nobody_sells(house)
    return hotel


def _tried(change: str) -> str:
    """The trial that came before: it ended with nothing, and was followed by what stands."""
    return f"UPDATE billing_central.trials SET {change} WHERE {MINE}"


def _set(change: str) -> str:
    return f"UPDATE billing_central.subscriptions SET {change} WHERE {STANDING}"


SUBSCRIPTIONS = (
    plant(ONCE, f"UPDATE {INVOICES} SET period_number = 7 WHERE {FIRST}", also=(COSTS,)),
    plant(ONCE, _set("period_number = period_number + 1"), also=(COSTS, DIGESTED)),
    plant(COSTS, _set("billed_micro = billed_micro + 10000"), also=(DIGESTED,)),
    plant(COSTS, _set("credit_micro = credit_micro + 1"), also=(DIGESTED,)),
    plant(
        SET_OFF,
        f"UPDATE {INVOICES} SET set_off_micro = set_off_micro - 10000"
        f" WHERE {MINE} AND set_off_micro > 0",
        also=(COSTS,),
    ),
    plant(SET_OFF, f"UPDATE {REVERSALS} SET credit_account = 'bad_debt' WHERE {MINE}"),
    plant(
        SET_OFF,
        f"UPDATE {INVOICES} SET set_off_micro = 0 WHERE {MINE}",
        f"INSERT INTO {REVERSALS} SELECT tenant_id, 'set_off_back:pin_x', part, invoice_id,"
        f" credit_account, debit_account, currency, amount_micro, occurred_at FROM {REVERSALS}"
        f" WHERE {MINE}",
        also=(COSTS,),
    ),
    plant(
        COSTS,
        _set("given_back = '[[\"refund:re_1\", 99000000, 1000000]]'"),
        also=(DIGESTED,),
    ),
    plant(WRITTEN, f"UPDATE {INVOICES} SET payload = payload || ' ' WHERE {FIRST}"),
    plant(
        WRITTEN,
        f"UPDATE {INVOICES} SET total_micro = total_micro + 1, due_micro = due_micro + 1"
        f" WHERE {FIRST}",
        also=(COSTS, BOOKED),
    ),
    plant(
        TAXED,
        f"UPDATE {INVOICES} SET taxed_as = jsonb_set(taxed_as, '{{{{ratePpm}}}}', '190000')"
        f" WHERE {MINE} AND purpose = 'change'",
    ),
    plant(
        TAXED,
        "UPDATE billing_central.platform_entries SET credit_account = 'vat_payable:DE'"
        f" WHERE {MINE} AND credit_account = 'vat_payable:FR'",
    ),
    plant(
        TAXED,
        f"UPDATE {INVOICES} SET taxed_as = jsonb_set(taxed_as, '{{{{rulesNumber}}}}', '7')"
        f" WHERE {MINE} AND purpose = 'change'",
    ),
    plant(
        TAXED,
        f"UPDATE {INVOICES} SET taxed_as = jsonb_set(taxed_as, '{{{{seller}}}}', 'null')"
        f" WHERE {MINE}",
        "INSERT INTO billing_central.platform_tax_rules"
        " VALUES ('ptr_x', 1, '{{}}', false, '[]', '2020-01-01', '2020-01-01')",
    ),
    plant(
        GUARDED,
        "ALTER TABLE billing_central.platform_tax_rules"
        " DROP CONSTRAINT platform_tax_rules_are_consecutive",
    ),
    plant(
        BOOKED,
        f"DELETE FROM billing_central.platform_entries WHERE {MINE}"
        " AND debit_account = 'receivable'",
        also=(TAXED,),
    ),
    plant(DIGESTED, _set("time_zone = 'Asia/Kabul'")),
    plant(DIGESTED, _set("next_seats = 5")),
    plant(TRIAL, _tried("ends_at = ends_at + interval '1 day'")),
    plant(
        TRIAL,
        _set("status = 'trialing', due_at = period_end"),
        also=(DIGESTED, WORTH),
    ),
    plant(TRIAL, f"DELETE FROM billing_central.trial_marks WHERE {MINE} AND kind = 'device'"),
    plant(
        TRIAL,
        "INSERT INTO billing_central.trial_keys VALUES (2, '')",
        f"UPDATE billing_central.trial_marks SET key_version = 2 WHERE {MINE}",
    ),
    plant(GUARDED, "DROP INDEX billing_central.one_trial_per_account"),
    plant(GUARDED, "DROP INDEX billing_central.one_trial_per_card"),
    plant(STANDS, _set("version = version + 1")),
    plant(GUARDED, "DROP INDEX billing_central.period_is_invoiced_once"),
    plant(GUARDED, "DROP INDEX billing_central.one_subscription_per_tenant"),
    plant(WORTH, f"DELETE FROM {MOVEMENTS} WHERE {MINE} AND kind = 'contraction'"),
    plant(WORTH, f"UPDATE {MOVEMENTS} SET number = number + 1 WHERE {MINE} AND number > 1"),
    plant(
        WORTH,
        f"UPDATE {MOVEMENTS} SET worth_micro = worth_micro + 1 WHERE {MINE} AND number = 2",
    ),
    plant(NEW, f"UPDATE {MOVEMENTS} SET kind = 'reactivation' WHERE {MINE} AND kind = 'new'"),
    plant(REVENUE, "DROP INDEX billing_central.tenant_is_new_once"),
)
