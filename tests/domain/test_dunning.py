"""The days of dunning, by hand (SUB-7)."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.domain.charge_ids import charge_id
from common.domain.dunning import HARD, Dunning, DunningTerms, Held, Step
from common.domain.identifiers import SubscriptionInvoiceId

pytestmark = pytest.mark.req("SUB-7")
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
TERMS = DunningTerms()
DAY = timedelta(days=1)
FREE = Held()
ON = Held(why="platform_incident")


def test_lasts_from_the_last_retry_through_the_grace_and_never_beyond_the_cap() -> None:
    """7 + 3 = 10 days; 13 + 3 is 16, of which the cap leaves 14; without retries the grace."""
    assert TERMS.lasts == 10 * DAY
    assert DunningTerms(retry_days=(13,)).lasts == 14 * DAY
    assert DunningTerms(retry_days=()).lasts == 3 * DAY


def test_a_run_that_comes_late_goes_on_with_the_next_day() -> None:
    """Declined again four and a half days later: not on the days that have passed, but the 5th."""
    late = Dunning().failed("generic_decline", NOON).failed("generic_decline", NOON + 4.5 * DAY)
    assert late.next_at(TERMS, NOON + 4.5 * DAY) == NOON + 5 * DAY
    assert (late.failing_since, late.failures) == (NOON, 2)


@given(st.integers(0, 40 * 86_400), st.sampled_from(["generic_decline", *sorted(HARD)]))
def test_the_next_time_is_never_in_the_past(seconds: int, code: str) -> None:
    now = NOON + timedelta(seconds=seconds)
    dunning = Dunning().failed("generic_decline", NOON).failed(code, now)
    at = dunning.next_at(TERMS, now)
    assert at is None or now < at <= NOON + 10 * DAY
    assert (at is None) == (now >= NOON + 10 * DAY)


@pytest.mark.parametrize(
    ("code", "days", "held", "step"),
    [
        ("generic_decline", 9, FREE, Step.CHARGE),
        ("generic_decline", 10, FREE, Step.CHARGE),
        ("generic_decline", 10, ON, Step.HOLD),
        ("lost_card", 9, FREE, Step.WAIT),
        ("lost_card", 10, FREE, Step.END),
        ("lost_card", 10, ON, Step.HOLD),
        ("lost_card", 10, Held(ended_at=NOON + DAY), Step.CHARGE),
        ("lost_card", 10, Held(ended_at=NOON - DAY), Step.END),
    ],
)
def test_what_is_done_when(code: str, days: int, held: Held, step: Step) -> None:
    assert Dunning().failed(code, NOON).step(TERMS, held, NOON + days * DAY) is step


def test_whoever_was_held_is_charged_before_the_end() -> None:
    held = Dunning().failed("lost_card", NOON).held()
    assert held.step(TERMS, FREE, NOON + 11 * DAY) is Step.CHARGE
    after = held.failed("lost_card", NOON + 11 * DAY)
    assert after.after_failure(TERMS, FREE, NOON + 11 * DAY) is Step.END
    assert after.after_failure(TERMS, ON, NOON + 11 * DAY) is Step.HOLD


@pytest.mark.req("SUB-6")
def test_the_first_charge_of_an_invoice_has_its_id_and_each_trial_its_own() -> None:
    """In base 32 Z is followed by a carry: ...0Z and one more is ...10."""
    invoice = SubscriptionInvoiceId("sin_01K9ZQ0M8Y000000000000000Y")
    assert charge_id(invoice, 1) == "pin_01K9ZQ0M8Y000000000000000Y"
    assert charge_id(invoice, 2) == "pin_01K9ZQ0M8Y000000000000000Z"
    assert charge_id(invoice, 3) == "pin_01K9ZQ0M8Y0000000000000010"
