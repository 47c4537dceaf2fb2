"""What an attempt to pay is found to be: points of named reasons, and the strongest course."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from common.domain.fx import FxSnapshot
from common.domain.identifiers import CustomerId, PaymentIntentId, StoredMethodId
from common.domain.money import MAX_AMOUNT_MICRO, Currency, Money
from common.domain.risk import (
    ADVICE,
    Attempt,
    Course,
    Past,
    PaymentRefused,
    RiskRule,
    RiskTerms,
    Stage,
    Subject,
    Weighed,
    weigh,
)

pytestmark = pytest.mark.req("FRD-1")

ULID = "01K9ZQ0M8Y0000000000000000"
USD, EUR, AFN = (Currency(code) for code in ("USD", "EUR", "AFN"))
RATE = FxSnapshot(EUR, USD, "1.10", "test", datetime(2026, 1, 1, tzinfo=UTC))
ATTEMPT = Attempt(
    stage=Stage.CONFIRMED,
    intent_id=PaymentIntentId(f"pin_{ULID}"),
    customer_id=CustomerId(f"cus_{ULID}"),
    amount=Money(10_000_000, USD),
    method_id=StoredMethodId(f"pm_{ULID}"),
    fingerprint="fp_1",
)
CARD = RiskRule(
    name="card", subject=Subject.CARD, window=timedelta(hours=1), count_max=2, points=30
)
BUYER = replace(CARD, name="buyer", subject=Subject.BUYER, points=25)
TWICE = Past(2)
SUM = replace(CARD, name="sum", count_max=None, sum_max=Money(50_000_000, USD))


def found(
    *rules: RiskRule, past: Past = TWICE, advised_ppm: int | None = None, **terms: int
) -> Weighed:
    """What an attempt is found to be whose every subject has this past."""
    return weigh(
        RiskTerms(rules=rules, **terms),
        ATTEMPT,
        {rule.name: past for rule in rules},
        advised_ppm,
        (RATE,),
    )


def test_the_last_usual_attempt_passes_and_the_next_does_not() -> None:
    """Two an hour: the second has one before it, the third two."""
    assert found(CARD, past=Past(1)) == Weighed(score=0, reasons=(), course=Course.PASS)
    third = found(CARD)
    assert (third.score, third.course) == (30, Course.PASS)
    ((name, counted, limit),) = ((r.name, r.found, r.limit) for r in third.reasons)
    assert (name, counted, limit) == ("card", 3, 2)


def test_points_add_up_to_a_challenge_and_to_a_review() -> None:
    """30 + 25 are 55: a challenge from 40, no review until 80, and one from 55."""
    assert found(CARD, BUYER).course is Course.CHALLENGE
    looked_at = found(CARD, BUYER, review_at=55)
    assert (looked_at.score, looked_at.course, looked_at.is_challenged) == (55, Course.REVIEW, True)
    assert found(replace(CARD, points=90), BUYER).score == 100


@pytest.mark.parametrize("course", list(Course))
def test_a_rules_own_course_holds_whatever_its_points(course: Course) -> None:
    assert found(replace(CARD, points=0, course=course), BUYER).course is course


def test_a_review_by_rule_asks_the_bank_only_from_the_score_of_a_challenge() -> None:
    by_rule = replace(CARD, course=Course.REVIEW)
    assert not found(by_rule).is_challenged
    assert found(by_rule, challenge_at=30).is_challenged


@pytest.mark.parametrize(
    ("ppm", "score", "course"),
    [(9_999, 0, Course.PASS), (400_000, 40, Course.CHALLENGE), (1_000_000, 100, Course.REVIEW)],
)
def test_the_ai_alone_leads_to_a_person_at_most(ppm: int, score: int, course: Course) -> None:
    advised = found(CARD, past=Past(), advised_ppm=ppm)
    assert (advised.score, advised.course) == (score, course)
    assert all(reason.name == ADVICE for reason in advised.reasons)


def test_the_ai_lowers_nothing() -> None:
    refusing = replace(CARD, course=Course.REFUSE)
    for ppm in (None, 0, 500_000, 1_000_000):
        assert found(refusing, advised_ppm=ppm).course is Course.REFUSE
        assert found(refusing, advised_ppm=ppm).score >= 30


def test_a_sum_is_counted_in_the_limits_currency() -> None:
    """10.00 USD now and 36.36 EUR at 1.10 = 40.00 USD (39.996) are 50.00; a cent more is not."""
    assert found(SUM, past=Past(1, (Money(36_360_000, EUR),))).score == 0
    over = found(SUM, past=Past(2, (Money(36_360_000, EUR), Money(10_000, USD))))
    assert [(reason.found, reason.limit) for reason in over.reasons] == [(50_010_000, 50_000_000)]


@pytest.mark.parametrize("money", [Money(1, AFN), Money(MAX_AMOUNT_MICRO, EUR)])
def test_what_cannot_be_converted_is_for_a_person_and_refuses_nobody(money: Money) -> None:
    refusing = replace(SUM, course=Course.REFUSE)
    unsure = found(refusing, past=Past(1, (money,)))
    assert (unsure.course, unsure.reasons[0].found) == (Course.REVIEW, None)
    assert found(SUM, past=Past(1, (money,))).course is Course.PASS


def test_sums_beyond_what_is_kept_exactly_are_sums() -> None:
    over = found(SUM, past=Past(9, (Money(MAX_AMOUNT_MICRO, USD),)))
    assert over.reasons[0].found == MAX_AMOUNT_MICRO + 10_000_000


def test_no_card_is_asked_before_there_is_one() -> None:
    made = replace(ATTEMPT, stage=Stage.MADE, method_id=None, fingerprint=None)
    past = {"card": Past(9), "buyer": Past(9)}
    terms = RiskTerms(rules=(CARD, BUYER))
    assert [r.name for r in weigh(terms, made, past, None, ()).reasons] == ["buyer"]
    assert [made.value_of(subject) for subject in Subject] == [made.customer_id, "", None, None]


def test_a_refusal_tells_nothing() -> None:
    refused = PaymentRefused(ATTEMPT, found(replace(CARD, course=Course.REFUSE)))
    assert (refused.detail, refused.extra) == ("", {})
    assert "card" not in str(refused)
