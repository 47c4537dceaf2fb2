"""Whether a payment is taken as it is asked for, challenged, looked at by a person, or refused.

What is counted are attempts to pay: by one buyer, by one card (its fingerprint at the processor),
from one address, and in the whole house, each over a window of time, by number or by sum. A rule
says how many are usual, and is data: a tenant's settings hold the rules (FRD-1). More than usual is
a reason with points; the points make a score from 0 to 100. A rule may have its own course, and the
score has two: at one threshold the bank is asked for 3-D Secure, at the other a person is.

The platform's AI advises. Its word is one more reason, so it lowers nothing; points lead to a
challenge or to a person and never to a refusal, so it refuses nobody. Where it says nothing, there
is no such reason, and the rules stand as they are.

Who is refused is not told why: the reasons are for the house. A sum is held against its limit in
the limit's currency, by the tenant's rates of the day. What cannot be converted cannot be shown to
be usual: a person looks at it, and nobody is refused for want of a rate.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from enum import StrEnum
from typing import Final

from common.domain.dataclass import dataclass
from common.domain.fx import FxSnapshot
from common.domain.identifiers import CustomerId, PaymentIntentId, StoredMethodId
from common.domain.money import AmountOutOfRange, Currency, Money
from common.domain.refusal import Forbidden

SCORE_MAX: Final = 100
CHALLENGE_AT: Final = 40
REVIEW_AT: Final = 80
ADVICE: Final = "advised_by_ai"
PPM_PER_POINT: Final = 10_000


class Subject(StrEnum):
    """What attempts are counted by."""

    BUYER = "buyer"
    TENANT = "tenant"
    CARD = "card"
    ADDRESS = "address"


class Stage(StrEnum):
    """When a payment is weighed: as it is made, without a card, and as it is confirmed, with one.

    Each stage counts its own attempts, so that a payment does not count twice.
    """

    MADE = "made"
    CONFIRMED = "confirmed"


class Course(StrEnum):
    """What is done with a payment, in the order of their strength."""

    PASS = "pass"  # noqa: S105 - it lets a payment pass, and opens nothing
    CHALLENGE = "challenge"
    REVIEW = "review"
    REFUSE = "refuse"


_STRENGTH: Final = {course: place for place, course in enumerate(Course)}


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskRule:
    """At most `count_max` attempts, or `sum_max` in all, are usual of a subject in a window.

    Exactly one of the two is given, and this attempt is among them. What is more has `points`, and
    the rule's own `course`. An `exact` rule lets attempts of one subject wait for one another, so
    that two at once cannot both be the last one.
    """

    name: str
    subject: Subject
    window: timedelta
    count_max: int | None = None
    sum_max: Money | None = None
    points: int
    course: Course = Course.PASS
    exact: bool = False


USUAL_RULES: Final = (
    RiskRule(
        name="card_used_too_often",
        subject=Subject.CARD,
        window=timedelta(hours=1),
        count_max=20,
        points=60,
        course=Course.REFUSE,
        exact=True,
    ),
    RiskRule(
        name="card_used_often",
        subject=Subject.CARD,
        window=timedelta(hours=1),
        count_max=8,
        points=40,
    ),
    RiskRule(
        name="buyer_pays_often",
        subject=Subject.BUYER,
        window=timedelta(hours=24),
        count_max=20,
        points=30,
    ),
    RiskRule(
        name="address_pays_often",
        subject=Subject.ADDRESS,
        window=timedelta(hours=1),
        count_max=240,
        points=30,
    ),
    RiskRule(
        name="house_takes_many",
        subject=Subject.TENANT,
        window=timedelta(hours=1),
        count_max=2_000,
        points=20,
    ),
)
"""Counted and not summed, as sums depend on the house. A desk pays for all of its guests from one
address, so that alone suspects nobody of much."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskTerms:
    """The rules in force, and the scores from which a bank or a person is asked."""

    challenge_at: int = CHALLENGE_AT
    review_at: int = REVIEW_AT
    rules: tuple[RiskRule, ...] = USUAL_RULES

    def at(self, stage: Stage) -> tuple[RiskRule, ...]:
        """The rules that a stage can ask: before it is confirmed, no card is known."""
        return tuple(
            rule for rule in self.rules if stage is Stage.CONFIRMED or rule.subject != Subject.CARD
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """An attempt to pay. `origins` are the caller's address as HMACs under keys of the tenant: the
    first is kept, and by each of them it may have been known before.

    `intent_id` is None of one that was refused as it was made: it never came to be.
    """

    stage: Stage
    intent_id: PaymentIntentId | None
    customer_id: CustomerId
    amount: Money
    method_id: StoredMethodId | None = None
    fingerprint: str | None = None
    origins: tuple[bytes, ...] = ()

    def value_of(self, subject: Subject) -> str | None:
        """Who or what a subject is of this attempt; None where it is not known. An address may
        have several names, with spaces between, always in one order."""
        match subject:
            case Subject.BUYER:
                return self.customer_id
            case Subject.TENANT:
                return ""
            case Subject.CARD:
                return self.fingerprint
            case Subject.ADDRESS:
                return " ".join(sorted(each.hex() for each in self.origins)) or None


@dataclass(frozen=True, slots=True)
class Past:
    """The attempts of a subject in a rule's window before this one: how many, and their sums."""

    count: int = 0
    sums: tuple[Money, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why a payment has points. Found and the limit are attempts, or micro units of `currency`.

    `found` is None of a sum that could not be converted. The AI's word is a share in ppm.
    """

    name: str
    points: int
    found: int | None
    limit: int | None = None
    currency: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """What a payment was found to be: the sum of its reasons' points, at most 100, and its course.

    `is_challenged` says that the bank is asked, also where a person is asked first.
    """

    score: int
    reasons: tuple[Reason, ...]
    course: Course
    is_challenged: bool = False


class PaymentRefused(Forbidden):
    """No word of why leaves the house: `attempt` and `weighed` are for those who look at it."""

    code = "PAYMENT_REFUSED"
    title = "This payment cannot be taken: it takes another way to pay"

    def __init__(
        self, attempt: Attempt | None = None, weighed: Weighed | None = None, detail: str = ""
    ) -> None:
        super().__init__(detail)
        self.attempt = attempt
        self.weighed = weighed


def weigh(
    terms: RiskTerms,
    attempt: Attempt,
    past: Mapping[str, Past],
    advised_ppm: int | None,
    rates: Sequence[FxSnapshot],
) -> Weighed:
    """Hold an attempt against the rules; `past` is by their names, without this attempt.

    `advised_ppm` is how sure the AI is that something is wrong with it, None where it says nothing.
    """
    reasons: list[Reason] = []
    courses = {Course.PASS}
    for rule in terms.at(attempt.stage):
        if rule.name not in past:
            continue
        reason = _broken(rule, attempt.amount, past[rule.name], rates)
        if reason is not None:
            reasons.append(reason)
            is_sure = reason.found is not None or rule.course is not Course.REFUSE
            courses.add(rule.course if is_sure else Course.REVIEW)
    if advised_ppm and (points := min(advised_ppm // PPM_PER_POINT, SCORE_MAX)) > 0:
        reasons.append(Reason(name=ADVICE, points=points, found=advised_ppm))
    score = min(sum(reason.points for reason in reasons), SCORE_MAX)
    if score >= terms.challenge_at:
        courses.add(Course.CHALLENGE)
    if score >= terms.review_at:
        courses.add(Course.REVIEW)
    return Weighed(
        score=score,
        reasons=tuple(reasons),
        course=max(courses, key=_STRENGTH.__getitem__),
        is_challenged=Course.CHALLENGE in courses,
    )


def _broken(
    rule: RiskRule, amount: Money, past: Past, rates: Sequence[FxSnapshot]
) -> Reason | None:
    """Why this attempt is more than a rule has for usual; None where it is not."""
    if rule.count_max is not None:
        found = past.count + 1
        if found <= rule.count_max:
            return None
        return Reason(name=rule.name, points=rule.points, found=found, limit=rule.count_max)
    if rule.sum_max is None:
        raise ValueError(f"{rule.name} limits nothing")
    limit = rule.sum_max
    total = _total((amount, *past.sums), limit.currency, rates)
    if total is not None and total <= limit.amount_micro:
        return None
    return Reason(
        name=rule.name,
        points=rule.points,
        found=total,
        limit=limit.amount_micro,
        currency=str(limit.currency),
    )


def _total(amounts: Sequence[Money], currency: Currency, rates: Sequence[FxSnapshot]) -> int | None:
    """Amounts in micro units of one currency; None where one of them cannot be converted."""
    worths = [_worth_micro(money, currency, rates) for money in amounts]
    known = [worth for worth in worths if worth is not None]
    return sum(known) if len(known) == len(worths) else None


def _worth_micro(money: Money, currency: Currency, rates: Sequence[FxSnapshot]) -> int | None:
    if money.currency == currency:
        return money.amount_micro
    for rate in rates:
        if {rate.base, rate.quote} == {money.currency, currency}:
            with suppress(AmountOutOfRange):
                return rate.convert(money).amount_micro
    return None
