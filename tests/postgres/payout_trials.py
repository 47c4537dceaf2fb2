"""What the database refuses of payouts; see `trials`."""

from typing import Final

from tests.postgres.trials import Trial

NEW: Final = {"id": "pyo_x", "step_up_token_id": None}
SIGNED: Final = {"id": "pyo_x", "step_up_token_id": "another"}
PAID, WAITING = "status = 'paid'", "status = 'awaiting_approval'"
REJECTED, FAILED = "status = 'rejected'", "status = 'failed'"
APPROVED: Final = "status = 'paid' AND needs_approval"
SMALL: Final = "status = 'paid' AND NOT needs_approval"


def paid_out(constraint: str, which: str = SMALL, **changes: object) -> Trial:
    """A copy of a payout that nobody decided on."""
    return Trial(constraint, "payouts", {"id": "pyo_x", **changes}, which)


def decided(constraint: str, which: str = APPROVED, **changes: object) -> Trial:
    """A copy of a payout that somebody decided on, by another signature."""
    return Trial(constraint, "payouts", {**SIGNED, **changes}, which)


PAYOUTS: Final = [
    Trial("payout_accounts_pkey", "payout_accounts", {}),
    Trial("one_payout_account_per_tenant", "payout_accounts", {"id": "pac_x"}),
    Trial("payout_account_names_the_processors", "payout_accounts", {"processor_account_id": ""}),
    Trial("enabled_account_was_told_of", "payout_accounts", {"told_at": None}),
    Trial("payouts_pkey", "payouts", {}, SMALL),
    paid_out("payout_is_positive", amount_micro=0),
    paid_out("payout_status_is_known", status="lost", paid_at=None),
    Trial("payout_is_decided_on_its_own", "payouts", {"id": "pyo_x"}, APPROVED),
    decided("payout_is_approved_by_another_person", requested_by="laila", decided_by="laila"),
    decided("decision_on_a_payout_is_signed", assertion_hash=None),
    paid_out("large_payout_waits_for_approval", needs_approval=True),
    paid_out("small_payout_is_known_to_be_small", usd_micro=None),
    decided("rejected_payout_says_why", REJECTED, reason=None),
    paid_out("failed_payout_says_why", FAILED, failure_code=None),
    paid_out("paid_payout_says_when", paid_at=None),
    Trial("payout_waits_once", "payout_queue", {}),
    Trial("waiting_payout_exists", "payout_queue", {"payout_id": "pyo_none"}),
]
