"""What the database refuses of plans, subscriptions and the platform's invoices; see `trials`."""

from typing import Final

from tests.hotel import Hotel
from tests.postgres.trials import Trial
from tests.subscribing import act, change, subscribed

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
PRO: Final = "plan = 'pro'"


def plan(constraint: str, **changes: object) -> Trial:
    return Trial(constraint, "plan_versions", {**NEW_PLAN, **changes}, PRO)


def subscription(constraint: str, **changes: object) -> Trial:
    return Trial(constraint, "subscriptions", {**NEW, **changes}, "status <> 'canceled'")


def invoice(constraint: str, **changes: object) -> Trial:
    return Trial(constraint, "subscription_invoices", {**NEW_INVOICE, **changes})


def entry(constraint: str, **changes: object) -> Trial:
    return Trial(constraint, "platform_entries", {**NEW_ENTRY, **changes})


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
    invoice("invoiced_subscription_exists", subscription_id="sub_none"),
    invoice("invoice_purpose_is_known", purpose="gift"),
    invoice("due_is_what_is_left_of_the_total", due_micro=10**12),
    Trial("platform_entry_is_booked_once", "platform_entries", {}),
    entry("booked_platform_invoice_exists", invoice_id="sin_none"),
    entry("platform_entry_is_positive", amount_micro=0),
    entry("platform_entry_names_two_accounts", debit_account="one", credit_account="one"),
]


def subscriptions_of_every_kind(hotel: Hotel) -> None:
    """One that was canceled, and one that runs and was changed."""
    subscribed(hotel, "team")
    assert act(hotel, "cancel", at="now").status_code == 200
    subscribed(hotel, "pro")
    assert change(hotel, plan="team").status_code == 200
