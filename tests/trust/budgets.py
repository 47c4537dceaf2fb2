"""How many round trips to the database each thing that changes something may take (PERF-1).

Counted is the longest of its transactions. A function that declares no phase has but one; what one
with phases takes in all is in `PHASED`. Whoever adds a function says here how often it asks: a
command that moves money three or four times. More is said with its reason.
"""

from typing import Final

from common.runtime.declaration import Declaration, HttpDeclaration


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


THREE: Final = _names(
    """
    open_folio post_charge post_charge_batch post_adjustment void_charge backfill_taxes
    transfer_lines transfer_deposit
    create_drawer change_drawer open_session post_movement initiate_close close_session
    return_to_open recount_stuck_session acknowledge_discrepancy resolve_reconciliation
    own_processor_difference resolve_processor_difference review_signal
    send_invoice send_credit_note
    open_company_account change_company_account record_company_payment set_off_credit_note
    allocate_credit reverse_allocation write_off_receivable
    grant_credits deduct_credits hold_credits capture_credits release_credits transfer_credits
    claw_back_credits waive_credit_debt reverse_claw_back
    publish_platform_tax_rules cancel_subscription pause_subscription resume_subscription
    choose_payment_method choose_own_payment_method record_usage record_usage_batch
    declare_platform_incident end_platform_incident
    connect_payout_account request_payout approve_payout reject_payout
    on_payment_captured on_refund_succeeded on_refund_failed on_tenant_created
    on_tenant_settings_updated on_tenant_tax_rules_updated
    link_customers rewrap_data_keys settle_payouts watch_stuck_sessions reconcile_nightly
    forget_webhook_bodies forget_quarantined_webhooks forget_answers forget_published_events
    drain_outbox check_books
    """
)
FOUR: Final = _names(
    """
    record_payment close_folio reopen_folio issue_credit_note void_invoice refund_payment
    regenerate_invoice on_credit_note_issued on_invoice_generated on_charge_posted
    on_reservation_confirmed on_reservation_checked_in on_reservation_canceled on_signal_raised
    create_plan publish_plan_version create_subscription change_subscription
    reactivate_subscription cycle_subscription refund_subscription_invoice start_trial
    create_customer change_customer add_payment_method remove_payment_method
    create_payment_intent confirm_payment cancel_payment take_stripe_event
    retry_refunds render_invoice_backlog detect_cash_patterns expire_credits reconcile_credits
    cycle_subscriptions bill_late_usage remind_trials collect_subscriptions
    settle_subscription_payments settle_payments settle_credit_purchases expire_reviews
    top_up_credits
    """
)
LONGER: Final[dict[str, tuple[int, str]]] = {
    "replay_webhook": (5, "reads what was told, and of more than is owed, what else was paid"),
    "decide_review": (5, "the review says which payment waits, and that which method"),
    "purchase_credits": (6, "its account opens with the first purchase, which is looked for first"),
    "set_auto_top_up": (5, "its account may open with it; no money moves"),
    "run_night_audit": (5, "ends a day: its sums are read where nobody is left to be charged"),
    "reconcile_processor": (5, "reads what is held against the processor, page by page"),
}
"""What takes more than four, and why."""
PHASED: Final[dict[str, tuple[int, str]]] = {
    "add_payment_method": (7, "reads for whom, has the processor keep the card, writes it"),
    "remove_payment_method": (7, "reads which, has the processor forget it, writes that"),
    "confirm_payment": (8, "commits that it asks, asks, writes what was said"),
    "cancel_payment": (7, "reads what, asks, writes what was said"),
    "decide_review": (8, "commits that it asks, asks, writes what was said"),
    "purchase_credits": (10, "commits that it asks, asks, writes what was said"),
    "start_trial": (7, "reads the plan, reckons the marks of who asks, writes"),
    "regenerate_invoice": (8, "reads what to draw, draws and seals it, writes where it is"),
    "on_invoice_generated": (8, "reads what to draw, draws and seals it, writes where it is"),
    "on_credit_note_issued": (8, "reads what to draw, draws and seals it, writes where it is"),
    "on_tenant_settings_updated": (5, "reads, checks the logo, writes"),
    "take_stripe_event": (5, "looks up whose the payment is that is told of"),
    "refund_payment": (10, "commits the promise, asks, writes what was said"),
    "create_customer": (10, "commits, has the processor know them, writes by what name"),
    "change_customer": (10, "commits, has the processor know it, writes that"),
}
"""What takes more than one transaction: round trips of all of them, and what lies between."""


def budget(name: str) -> int:
    """How many round trips a transaction of this takes at most."""
    return LONGER[name][0] if name in LONGER else 4 if name in FOUR else 3


def is_one_transaction(declaration: Declaration) -> bool:
    """Whether nothing lies between two transactions."""
    phases = ("perform", "record", "afterwards", "streams", "signed_by")
    return not any(getattr(declaration, phase, None) for phase in phases)


def moves_money_at_once(declaration: Declaration) -> bool:
    """Whether it is a command that moves money by the database alone."""
    moves = isinstance(declaration, HttpDeclaration) and declaration.moves_money
    return moves and is_one_transaction(declaration)
