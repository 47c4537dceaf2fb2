"""Odd patterns of cash, by nothing but counting: what a manager may want to look at (CASH-10).

Three patterns, each per person and over the thirty days before a business date:

    variance_trend       the drawers that somebody counts come short again and again: the mean of
                         the variances is below nothing by more than two standard errors
    frequent_paid_outs   somebody pays out of the drawer more often than the others do, session for
                         session, by more than three standard deviations of such counts (Poisson)
    quick_refunds        somebody gives cash back within an hour of taking it, more often than the
                         others do, payment for payment, by as much

It is reckoned in integers, so that the same figures always give the same answer. A pattern says
nothing about anybody: it is pointed out, and a person looks (AI-1).
"""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

from common.domain.dataclass import dataclass

WINDOW: Final = timedelta(days=30)
QUICK: Final = timedelta(hours=1)
SESSIONS_MIN: Final = 5
COUNT_MIN: Final = 5
SCORE_MAX: Final = 1_000_000


class Pattern(StrEnum):
    """What was found to be odd."""

    VARIANCE_TREND = "variance_trend"
    FREQUENT_PAID_OUTS = "frequent_paid_outs"
    QUICK_REFUNDS = "quick_refunds"


class Suspicion(StrEnum):
    """What the platform's orchestrator points out about a folio, a payment or a refund; and what
    the processor warns of, as the card's issuer does."""

    FOLIO_ANOMALY = "folio_anomaly"
    PAYMENT_RISK = "payment_risk"
    REFUND_FRAUD = "refund_fraud"
    EARLY_FRAUD_WARNING = "early_fraud_warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class ActorFigures:
    """What somebody's cash came to within the window, at one property.

    `variances` are those of the sessions that were closed, in micro units of the property's
    currency; `paid_outs` and `quick_refunds` are counts, beside the `sessions` and the cash
    `payments` that they are among.
    """

    actor: str
    variances: tuple[int, ...] = ()
    sessions: int = 0
    paid_outs: int = 0
    payments: int = 0
    quick_refunds: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A pattern of a person, or something about a folio, a payment or a refund: its `subject`.

    `score_ppm` is how sure: 0 to 1,000,000; `figures` are the reason.
    """

    pattern: Pattern | Suspicion
    actor: str | None = None
    score_ppm: int
    figures: dict[str, int]
    subject: str | None = None


def first_day(on: date) -> date:
    """The first business date of the window that ends with a date."""
    return on - WINDOW + timedelta(days=1)


def find_patterns(everybody: Sequence[ActorFigures]) -> list[Finding]:
    """All patterns of all persons, in the order of their names."""
    found: list[Finding] = []
    for one in sorted(everybody, key=lambda each: each.actor):
        others = [each for each in everybody if each.actor != one.actor]
        found += _variance_trend(one)
        found += _more_than_others(
            Pattern.FREQUENT_PAID_OUTS,
            one.actor,
            (one.paid_outs, one.sessions),
            [(each.paid_outs, each.sessions) for each in others],
        )
        found += _more_than_others(
            Pattern.QUICK_REFUNDS,
            one.actor,
            (one.quick_refunds, one.payments),
            [(each.quick_refunds, each.payments) for each in others],
        )
    return found


def _variance_trend(one: ActorFigures) -> Iterable[Finding]:
    """The mean is below nothing by more than two standard errors.

    Multiplied out: of n values with the sum S and the sum of squares Q, S**2 * (n - 1) is more than
    4 * (n * Q - S**2).
    """
    count, total = len(one.variances), sum(one.variances)
    if count < SESSIONS_MIN or total >= 0:
        return
    spread = count * sum(each * each for each in one.variances) - total * total
    evidence = total * total * (count - 1)
    if evidence <= 4 * spread:
        return
    yield Finding(
        pattern=Pattern.VARIANCE_TREND,
        actor=one.actor,
        score_ppm=_score(evidence, spread),
        figures={"sessions": count, "shortMicro": -total},
    )


def _more_than_others(
    pattern: Pattern, actor: str, own: tuple[int, int], others: Sequence[tuple[int, int]]
) -> Iterable[Finding]:
    """A count is more than is expected, by more than three square roots of that.

    Expected is what the others' rate makes of one's own occasions; where nobody else has had any,
    one on each occasion is taken for usual.
    """
    count, occasions = own
    if count < COUNT_MIN:
        return
    counts, among = sum(each for each, _ in others), sum(each for _, each in others)
    rate, per = (max(counts, 1), among) if among else (1, 1)
    # Multiplied by `per`: over = count - expected, and over**2 > 9 * expected.
    over, expected = count * per - rate * occasions, rate * occasions
    if over <= 0 or over * over <= 9 * expected * per:
        return
    yield Finding(
        pattern=pattern,
        actor=actor,
        score_ppm=_score(over * over, 9 * expected * per // 4),
        figures={"count": count, "among": occasions, "othersCount": counts, "othersAmong": among},
    )


def _score(evidence: int, spread: int) -> int:
    """From 500,000 at the threshold, where the evidence is four times the spread, towards all."""
    return SCORE_MAX * evidence // (evidence + 4 * spread)
