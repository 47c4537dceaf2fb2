"""What the database refuses of reviews and of what attempts to pay were found to be."""

from typing import Any, Final

from tests.postgres.trials import Trial

NEW: Final = {"id": "rvw_x", "subject_id": "pin_x"}
CHECK: Final = {"id": "rkc_x", "intent_id": None, "stage": "made", "course": "refuse"}
OPEN, APPROVED, EXPIRED = "status = 'open'", "status = 'approved'", "status = 'expired'"
CONFIRMED, REFUSED = (
    "stage = 'confirmed' AND course <> 'refuse'",
    "stage = 'made' AND course = 'refuse'",
)


def review(constraint: str, which: str, **changes: Any) -> Trial:
    """A copy of a review of something else."""
    return Trial(constraint, "reviews", {**NEW, **changes}, which)


def check(constraint: str, which: str = REFUSED, **changes: Any) -> Trial:
    """A copy of a check."""
    return Trial(constraint, "risk_checks", {"id": "rkc_x", **changes}, which)


REVIEWS: Final = [
    Trial("reviews_pkey", "reviews", {"subject_id": "pin_x"}, OPEN),
    Trial("one_open_review_per_subject", "reviews", {"id": "rvw_x"}, OPEN),
    review("review_subject_is_known", OPEN, subject_kind="whim"),
    review("review_status_is_known", APPROVED, status="lost"),
    review("review_score_is_of_a_hundred", OPEN, score=101),
    review("review_is_about_something", OPEN, amount_micro=0),
    review("review_is_decided_as_a_whole", APPROVED, reason=None),
    review("reviewer_is_another_person", APPROVED, prepared_by="reviewer"),
    review("review_is_decided_in_time", EXPIRED, status="approved"),
    check("payment_is_weighed_once", CONFIRMED),
    Trial("risk_checks_pkey", "risk_checks", {}, REFUSED),
    check("checked_intent_exists", CONFIRMED, intent_id="pin_none"),
    check("checked_buyer_is_a_customer", customer_id="cus_none"),
    check("checked_method_is_kept", CONFIRMED, payment_method_id="pm_none"),
    check("check_is_about_something", amount_micro=0),
    check("check_stage_is_known", stage="asleep"),
    check("check_course_is_known", CONFIRMED, course="scold", payment_method_id=None, stage="made"),
    check("check_score_is_of_a_hundred", score=101),
    check("check_of_a_card_names_it", CONFIRMED, payment_method_id=None),
    check("only_what_was_refused_as_it_was_made_has_no_intent", course="pass"),
    check("origin_is_an_hmac", origin="\\x7f000001"),
    Trial(
        "intent_waits_for_a_review_of_this_house",
        "payment_intents",
        {"id": "pin_x", "review_id": "rvw_none"},
        "status = 'requires_payment_method' AND review_id IS NOT NULL",
    ),
    Trial(
        "intent_that_names_its_method_is_asked_for_or_waits",
        "payment_intents",
        {"id": "pin_x", "review_id": None},
        "status = 'requires_payment_method' AND review_id IS NOT NULL",
    ),
]
