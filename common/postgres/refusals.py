"""What a violated constraint means to the business, in one place.

The database refuses by the name of a rule; the caller hears the refusal that the rule stands for.
Some violations mean that somebody else was faster at the very same thing: then the command is run
again and finds what the other has done.
"""

from common.ports.transactions import DatabaseUnavailable, TryAgain
from common.postgres.connection import STALE, ServerRefused

_SOMEBODY_WAS_FASTER = frozenset(
    {
        "one_folio_per_reservation_and_window",
        "audit_entries_are_consecutive",
        "settings_versions_are_consecutive",
        "one_series_per_jurisdiction_type_and_year",
        "command_is_answered_once",
        "copies_are_numbered",
        "credits_of_a_line_follow_one_another",
        "day_ends_once",
        "day_is_looked_at_once",
        "invoice_is_signed_once",
        "certificate_is_kept_once",
        "key_version_has_one_certificate_of_its_own",
        "refund_is_settled_once",
        "refund_fails_once",
        "signal_is_raised_once",
        "signal_about_a_thing_is_raised_once",
        "day_is_reconciled_once",
        "credits_are_granted_once",
        "credits_are_taken_back_once",
        "claw_back_is_reversed_once",
        "expiry_is_warned_of_once",
        "webhook_is_kept_once",
        "webhook_takes_effect_once",
        "dispute_is_recorded_once",
        "processors_refund_is_recorded_once",
        "late_refund_is_recorded_once",
        "payment_is_sent_back_once",
        "part_goes_back_once",
        "company_money_is_taken_back_once",
        "difference_is_found_once",
        "plan_versions_are_consecutive",
        "platform_tax_rules_are_consecutive",
        "one_subscription_per_tenant",
        "period_is_invoiced_once",
        "late_usage_is_invoiced_once",
        "marks_are_under_a_key_that_is_kept",
        "usage_event_is_counted_once",
        "usage_value_is_counted_once",
        "usage_period_is_closed_once",
        "platform_refund_is_credited_once",
        "platform_refund_comes_back_once",
        "reversal_is_booked_once",
        "one_charge_of_a_subscription_at_a_time",
        "invoice_is_paid_once",
        "processors_invoice_pays_once",
        "processors_subscription_collects_one",
        "invoice_is_tried_once_a_trial",
        "subscription_is_collected_one_way",
        "subscription_payments_pkey",
        "credit_purchases_pkey",
        "one_top_up_at_a_time_per_account",
        "account_fills_itself_up_one_way",
        "sale_is_booked_once",
        "payment_is_weighed_once",
        "one_open_review_per_subject",
        "one_payout_account_per_tenant",
        "payout_waits_once",
    }
)
_SERIALIZATION_FAILURE, _DEADLOCK = "40001", "40P01"
# A lock or an answer that took too long, a server without room, a standby that cannot write.
_OUT_OF_BREATH = frozenset({"55P03", "57014", "53000", "53100", "53200", "53400", "25006"})


def translated(refused: ServerRefused) -> Exception:
    """The refusal, or the wish to be run again, that a server's error stands for."""
    if refused.sqlstate in {_SERIALIZATION_FAILURE, _DEADLOCK, *STALE}:
        return TryAgain(refused.sqlstate)
    if refused.sqlstate in _OUT_OF_BREATH:
        return DatabaseUnavailable(refused.sqlstate)
    if refused.constraint in _SOMEBODY_WAS_FASTER:
        return TryAgain(refused.constraint)
    from common.postgres.guarded import REFUSALS

    refusal = REFUSALS.get(refused.constraint)
    return refusal() if refusal else refused
