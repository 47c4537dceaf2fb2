"""What the database refuses of plans, subscriptions and the platform's invoices; see `trials`."""

from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from tests.buying import card
from tests.hotel import Hotel
from tests.metering import fates, hours_ago, send_all, used
from tests.platform_taxing import publish, settle_in
from tests.postgres.trials import Trial
from tests.subscribing import act, change, put_into, run_cycle, subscribed
from tests.trialing import tried

NEW_PLAN: Final = {"id": "plv_x", "plan": "x"}
NEW: Final = {"id": "sub_x", "status": "canceled", "canceled_at": "2026-03-01", "due_at": None}
NEW_INVOICE: Final = {
    "id": "sin_x",
    "number": "x",
    "series_number": 999_999,
    "purpose": "change",
    "paid_at": None,
    "paid_by": None,
}
NEW_ENTRY: Final = {"part": 9}
NEW_TRIAL: Final = {"subscription_id": "sub_x", "tenant_id": str(UUID(int=7))}
NEW_MARK: Final = {"subscription_id": "sub_x"}
ONCE_EACH: Final = ("account", "mailbox", "device", "card")
TAX_RULES: Final = "platform_tax_rules"
PRO: Final = "plan = 'pro'"


def plan(constraint: str, **changes: object) -> Trial:
    return Trial(constraint, "plan_versions", {**NEW_PLAN, **changes}, PRO)


def subscription(constraint: str, **changes: object) -> Trial:
    return Trial(constraint, "subscriptions", {**NEW, **changes}, "status <> 'canceled'")


def invoice(constraint: str, **changes: object) -> Trial:
    return Trial(constraint, "subscription_invoices", {**NEW_INVOICE, **changes})


def entry(constraint: str, **changes: object) -> Trial:
    return Trial(constraint, "platform_entries", {**NEW_ENTRY, **changes})


def closed(constraint: str, **changes: object) -> Trial:
    return Trial(constraint, "usage_periods", {"number": 99, **changes})


def recorded(constraint: str, **changes: object) -> Trial:
    return Trial(constraint, "usage_records", {"id": "use_x", **changes})


def event(constraint: str, **changes: object) -> Trial:
    return Trial(constraint, "usage_events", {"event_id": "x", **changes})


def total(constraint: str, **changes: object) -> Trial:
    return Trial(constraint, "usage_totals", {"period_number": 99, **changes})


def trial(constraint: str, **changes: object) -> Trial:
    return Trial(constraint, "trials", {**NEW_TRIAL, **changes})


def moved(constraint: str, **changes: object) -> Trial:
    return Trial(constraint, "revenue_movements", {"number": 99, **changes}, "kind = 'churn'")


def mark(constraint: str, **changes: object) -> Trial:
    return Trial(constraint, "trial_marks", {**NEW_MARK, **changes})


SUBSCRIPTIONS: Final = [
    Trial("plan_versions_pkey", "plan_versions", {"plan": "x"}, PRO),
    Trial("plan_versions_are_consecutive", "plan_versions", {"id": "plv_x"}, PRO),
    plan("plan_version_is_numbered_from_one", number=0),
    plan("plan_fees_are_given_together", year_micro=None),
    plan("plan_fees_are_not_negative", month_micro=-1),
    Trial(
        "subscriptions_pkey",
        "subscriptions",
        {name: NEW[name] for name in ("status", "canceled_at", "due_at")},
        "status <> 'canceled'",
    ),
    Trial("one_subscription_per_tenant", "subscriptions", {"id": "sub_x"}, "status <> 'canceled'"),
    subscription("subscribed_plan_exists", version_id="plv_none"),
    subscription(
        "next_plan_exists",
        next_version_id="plv_none",
        next_seats=1,
        next_interval="month",
        next_fee_micro=0,
    ),
    subscription("subscription_status_is_known", status="lost", canceled_at=None),
    subscription("subscription_interval_is_known", interval="week"),
    subscription("next_terms_are_whole", next_seats=None, next_interval="year", next_fee_micro=1),
    subscription("period_has_an_end_behind_it", period_seconds=0),
    subscription("subscription_owes_nobody_less_than_nothing", credit_micro=-1),
    subscription("paused_and_canceled_say_since_when", canceled_at=None),
    subscription("due_is_what_runs", due_at="2026-03-01"),
    Trial("subscription_series_pkey", "subscription_series", {}),
    Trial(
        "subscription_invoices_pkey",
        "subscription_invoices",
        {name: NEW_INVOICE[name] for name in ("number", "series_number", "purpose")},
    ),
    Trial(
        "platform_number_is_given_once",
        "subscription_invoices",
        {"id": "sin_x", "number": "x", "purpose": "change"},
    ),
    Trial(
        "printed_platform_number_is_given_once",
        "subscription_invoices",
        {"id": "sin_x", "series_number": 999_999, "purpose": "change"},
    ),
    Trial(
        "period_is_invoiced_once",
        "subscription_invoices",
        {"id": "sin_x", "number": "x", "series_number": 999_999},
        "purpose = 'period'",
    ),
    Trial(
        "late_usage_is_invoiced_once",
        "subscription_invoices",
        {"id": "sin_x", "number": "x", "series_number": 999_999},
        "purpose = 'late_usage'",
    ),
    invoice("invoiced_subscription_exists", subscription_id="sub_none"),
    invoice("invoice_purpose_is_known", purpose="gift"),
    invoice("due_is_what_is_left_of_the_total", due_micro=10**12),
    Trial("platform_entry_is_booked_once", "platform_entries", {}),
    entry("booked_platform_invoice_exists", invoice_id="sin_none"),
    entry("platform_entry_is_positive", amount_micro=0),
    entry("platform_entry_names_two_accounts", debit_account="one", credit_account="one"),
    plan("usage_prices_are_a_list", usage_prices={"ai_tokens": 1}),
    plan("trial_takes_some_days", trial_days=0),
    Trial("usage_meters_pkey", "usage_meters", {}),
    Trial("meter_aggregation_is_known", "usage_meters", {"name": "x", "aggregation": "mean"}),
    Trial("usage_period_is_closed_once", "usage_periods", {}),
    closed("closed_period_is_of_a_subscription", subscription_id="sub_none"),
    closed("closed_period_had_a_plan", version_id="plv_none"),
    closed("closed_period_has_an_end_behind_it", ended_at="2020-01-01"),
    Trial("usage_records_pkey", "usage_records", {}),
    recorded("recorded_usage_is_of_a_subscription", subscription_id="sub_none"),
    recorded("usage_record_has_events", events=501),
    Trial("usage_event_is_counted_once", "usage_events", {}),
    event("counted_usage_is_of_a_meter", meter="steps"),
    event("counted_usage_is_recorded", record_id="use_none"),
    event("counted_usage_is_not_negative", quantity=-1),
    Trial("usage_value_is_counted_once", "usage_values", {}),
    Trial("seen_value_is_recorded", "usage_values", {"period_number": 99, "record_id": "use_none"}),
    Trial("usage_is_totalled_once", "usage_totals", {}),
    total("totalled_usage_is_of_a_subscription", subscription_id="sub_none"),
    total("totalled_usage_is_of_a_meter", meter="steps"),
    total("no_more_usage_is_billed_than_there_was", billed_quantity=10**9),
    Trial("trials_pkey", "trials", {}),
    Trial("one_trial_per_tenant", "trials", {"subscription_id": "sub_x"}),
    trial("trialed_subscription_exists"),
    trial("trial_is_told_of_before_it_ends", ends_at="2020-01-01"),
    Trial("worth_moves_one_step_at_a_time", "revenue_movements", {}, "kind = 'churn'"),
    Trial("tenant_is_new_once", "revenue_movements", {"number": 99}, "kind = 'new'"),
    moved("moved_subscription_exists", subscription_id="sub_none"),
    moved("worth_moves_as_its_kind", worth_micro=1),
    moved("worth_moved_before_it_was_recorded", occurred_at="2099-01-01"),
    Trial("trial_has_one_mark_of_a_kind", "trial_marks", {"mark": "\\x" + 32 * "00"}),
    Trial("platform_tax_rules_pkey", TAX_RULES, {"number": 9_999}),
    Trial("platform_tax_rules_are_consecutive", TAX_RULES, {"id": "ptr_x"}),
    Trial("platform_tax_rules_are_numbered_from_one", TAX_RULES, {"id": "ptr_x", "number": 0}),
    Trial(
        "platform_tax_rules_look_ahead",
        TAX_RULES,
        {"id": "ptr_x", "number": 9_999, "in_force_from": "2020-01-01"},
    ),
    Trial("declared_once_a_country_and_rate", "one_stop_shop_totals", {}),
    Trial("quarter_is_one_of_four", "one_stop_shop_totals", {"quarter": 5}),
    Trial(
        "invoice_with_tax_says_whose",
        "subscription_invoices",
        {**NEW_INVOICE, "taxed_as": None},
        "tax_micro > 0",
    ),
    mark("marked_trial_exists", mark="\\x" + 32 * "00"),
    mark("mark_kind_is_known", kind="name"),
    Trial(
        "marks_are_under_a_key_that_is_kept",
        "trial_marks",
        {"key_version": 99, "mark": "\\x" + 32 * "00"},
    ),
    Trial("trial_keys_pkey", "trial_keys", {}),
    Trial("trial_key_is_numbered_from_one", "trial_keys", {"version": 0}),
    Trial("trial_key_is_proven_by_an_hmac", "trial_keys", {"version": 99, "proof": "\\x00"}),
    Trial("trial_key_stays_what_it_was", "trial_keys", {"version": 99, "proof": None}),
    mark("mark_is_an_hmac", mark="\\x00"),
    *(
        Trial(f"one_trial_per_{what}", "trial_marks", NEW_MARK, f"kind = '{kind}'")
        for what, kind in zip(ONCE_EACH, ("account", "email", "device", "card"), strict=True)
    ),
]


def subscriptions_of_every_kind(hotel: Hotel) -> None:
    """A trial, one that was canceled, and one that runs and was changed; a period with usage is
    over. The hotel stands in Paris, and what it is billed bears tax."""
    assert publish(hotel).status_code == 201
    settle_in(hotel, "FR")
    tried(hotel, paymentMethodId=card(hotel))
    assert act(hotel, "cancel", at="now").status_code == 200
    subscribed(hotel, "team")
    assert act(hotel, "cancel", at="now").status_code == 200
    subscribed(hotel, "pro")
    assert change(hotel, plan="team").status_code == 200
    at = hours_ago(0)
    users = used("active_users", None, at, value="karim")
    assert fates(send_all(hotel, users, used("ai_tokens", 5, at))) == ["counted"] * 2
    over = datetime.now(UTC)
    put_into(hotel, period_end=over, due_at=over)
    assert run_cycle(hotel).done == 1
    hotel.house.sql(
        "UPDATE billing_central.subscription_invoices SET purpose = 'late_usage'"
        " WHERE tenant_id = :t AND purpose = 'change'",
        t=hotel.tenant_id,
    )
