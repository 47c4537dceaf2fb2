"""What credits are spent first, held, moved, expired and taken back; by hand, in micro credits."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from common.domain.identifiers import CreditLotId, TenantId
from common.domain.prepaid_account import (
    CreditBalanceLimit,
    CreditsOutOfRange,
    EntryKind,
    InsufficientCredits,
)
from common.domain.prepaid_grant import CreditGrant, GrantExpired, GrantKeyInvalid, grant_sha256
from common.domain.prepaid_hold import CaptureExceedsHold, HoldEnded
from common.domain.prepaid_lot import CreditSource, spread
from common.domain.prepaid_transfer import TransferToSameAccount
from tests.domain.credit_desk import HOUR, Credits
from tests.till import signed

pytestmark = pytest.mark.req("CRD-2")

DAY = timedelta(days=1)


def test_the_lot_that_expires_first_is_spent_first() -> None:
    """10 for three days, 10 for one, 10 for two: 25 take the second, the third, 5 of the first."""
    credits = Credits()
    for days in (3, 1, 2):
        credits.grant(10, lasts=days * DAY)

    credits.deduct(25)

    assert credits.left() == [5, 0, 0]


@pytest.mark.parametrize("lasts", [None, DAY], ids=["without an end", "until the same moment"])
def test_at_a_tie_a_gift_goes_before_what_was_paid_for(lasts: timedelta | None) -> None:
    """Bought, renewed, given back, given: spent the other way round."""
    credits = Credits()
    for source in ("purchase", "renewal", "refund", "promotion"):
        credits.grant(1, source, lasts)

    seen = []
    for _ in range(4):
        credits.deduct(1)
        seen.append(credits.left())

    assert seen == [[1, 1, 1, 0], [1, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0]]


def test_of_two_that_are_alike_the_one_that_was_granted_first() -> None:
    credits = Credits()
    credits.grant(3)
    credits.grant(3)

    entry = credits.deduct(4)

    assert credits.left() == [0, 2]
    assert [share.amount_micro for share in entry.shares] == [-3, -1]


@pytest.mark.req("CRD-4")
def test_a_lot_counts_until_its_moment_and_not_at_it() -> None:
    credits = Credits()
    credits.grant(10, lasts=HOUR)
    credits.passes(HOUR - timedelta(microseconds=1))
    assert credits.available() == 10

    credits.passes(timedelta(microseconds=1))

    assert credits.available() == 0
    with pytest.raises(InsufficientCredits) as refused:
        credits.deduct(1)
    assert refused.value.extra["availableMicro"] == 0


@pytest.mark.req("CRD-1")
def test_a_hold_holds_until_its_moment_and_not_at_it() -> None:
    credits = Credits()
    credits.grant(10)
    held = credits.hold(6, HOUR)
    credits.passes(HOUR - timedelta(microseconds=1))
    assert credits.available() == 4

    credits.passes(timedelta(microseconds=1))

    assert credits.available() == 10
    with pytest.raises(HoldEnded):
        credits.capture(held, 1)
    with pytest.raises(HoldEnded):
        credits.release(held)


@pytest.mark.req("CRD-1")
def test_what_is_captured_comes_out_of_what_was_held_and_of_nothing_else() -> None:
    """6 held of a gift of 4 and a purchase; another gift comes; 5 captured: 4 and 1, not of it."""
    credits = Credits()
    credits.grant(10, "purchase")
    credits.grant(4)
    held = credits.hold(6)
    credits.grant(7)

    entry = credits.capture(held, 5)

    assert credits.left() == [9, 0, 7]
    assert (entry.amount_micro, entry.held_micro) == (-5, -6)
    assert all(lot.held_micro == 0 for lot in credits.lots())


@pytest.mark.req("CRD-1")
def test_no_more_than_was_held_is_captured() -> None:
    credits = Credits()
    credits.grant(10)
    held = credits.hold(6)

    with pytest.raises(CaptureExceedsHold):
        credits.capture(held, 7)

    credits.capture(held, 6)
    with pytest.raises(HoldEnded):
        credits.capture(held, 1)


@pytest.mark.req("CRD-1")
def test_a_refused_deduction_leaves_everything_as_it_was() -> None:
    """Also the hold that was found to be over on the way."""
    credits = Credits()
    credits.grant(10)
    credits.hold(6, HOUR)
    credits.passes(HOUR)
    before = credits.account()

    with pytest.raises(InsufficientCredits):
        credits.deduct(11)

    assert credits.account() == before
    assert credits.account().digest() == before.digest()


@pytest.mark.req("CRD-1")
def test_lots_never_give_more_than_they_have() -> None:
    credits = Credits()
    credits.grant(10)

    with pytest.raises(ValueError, match="1 micro credits more"):
        spread(credits.lots(), 11, credits.now)


def test_a_transfer_there_and_back_is_as_if_nothing_had_been() -> None:
    """Two lots that expire at different times, moved together and back in two parts."""
    credits = Credits()
    credits.grant(10, lasts=DAY)
    credits.grant(10, "purchase")

    credits.transfer(15)
    assert (credits.left(), credits.left("spa")) == ([0, 5], [10, 5])
    credits.transfer(7, "spa", "main")
    credits.transfer(8, "spa", "main")

    assert (credits.left(), credits.left("spa")) == ([10, 10], [0, 0])
    with pytest.raises(TransferToSameAccount):
        credits.transfer(1, "main", "main")


@pytest.mark.req("CRD-6")
def test_limits_bind_gifts_and_transfers_to_the_last_micro_credit() -> None:
    credits = Credits(maximum_balance_micro=10)
    credits.grant(10)
    with pytest.raises(CreditBalanceLimit):
        credits.grant(1)
    credits.grant(5, "purchase")

    with pytest.raises(CreditBalanceLimit):
        credits.transfer(11)
    credits.transfer(10)


@pytest.mark.req("CRD-6")
def test_the_terms_that_nobody_changed_are_those_of_the_price_list() -> None:
    """100 a dollar, at least 500, at most a million in an account."""
    terms = Credits().desk.settings.credits

    assert terms.per_currency_unit == 100
    assert terms.minimum_purchase_micro == 500_000_000
    assert terms.maximum_balance_micro == 1_000_000_000_000
    assert (terms.free_monthly_micro, terms.unlimited) == (0, False)


def test_more_than_can_be_told_exactly_is_refused() -> None:
    credits = Credits()
    credits.grant(2**53 - 1, "purchase")

    with pytest.raises(CreditsOutOfRange):
        credits.grant(1, "purchase")


@pytest.mark.req("CRD-8")
def test_an_allowance_is_that_of_a_month_of_utc() -> None:
    """10 a month, 2 March: 7 and then 3 are free, 1 is not; from 1 April, 00:00 on, 10 are."""
    credits = Credits(free_monthly_micro=10)
    credits.grant(5)
    kinds = [credits.deduct(micro).kind for micro in (7, 3, 1)]
    credits.desk.now = datetime(2026, 3, 31, 23, 59, 59, tzinfo=UTC)
    kinds.append(credits.deduct(1).kind)
    credits.passes(timedelta(seconds=1))
    kinds.append(credits.deduct(10).kind)

    assert kinds == [
        EntryKind.USAGE,
        EntryKind.USAGE,
        EntryKind.SPEND,
        EntryKind.SPEND,
        EntryKind.USAGE,
    ]
    assert credits.available() == 3


@pytest.mark.req("CRD-8")
def test_an_unlimited_plan_needs_no_credits() -> None:
    credits = Credits(unlimited=True)

    credits.deduct(10**9)
    credits.capture(credits.hold(10**9), 7)

    assert [entry.metered_micro for entry in credits.entries] == [10**9, 0, 7]
    assert credits.account().balance_micro == 0


@pytest.mark.req("CRD-4")
@pytest.mark.parametrize(
    ("left", "expected"),
    [
        (timedelta(days=7, microseconds=1), []),
        (timedelta(days=7), [7]),
        (timedelta(days=1, microseconds=1), [7]),
        (timedelta(days=1), [1]),
        (timedelta(microseconds=1), [1]),
        (timedelta(0), []),
    ],
    ids=["too early", "seven days", "over a day", "a day", "at the last moment", "too late"],
)
def test_warns_in_time(left: timedelta, expected: list[int]) -> None:
    credits = Credits()
    credits.grant(10, lasts=30 * DAY)
    credits.passes(30 * DAY - left)

    assert [each.days_before for each in credits.warn()] == expected
    assert credits.warn() == []


@pytest.mark.req("CRD-3")
def test_what_a_grant_is_for_fits_its_source() -> None:
    lot = CreditLotId("clt_01K9ZQ0M8Y" + "0" * 16)
    made = {"id": lot, "credits_micro": 1, "reason": "so"}
    for source, key in (
        ("purchase", "purchase:"),
        ("purchase", "grant:1"),
        ("renewal", "renewal:sub"),
        ("promotion", "purchase:1"),
        ("refund", "trial:1"),
        ("purchase", "x purchase:1"),
    ):
        with pytest.raises(GrantKeyInvalid):
            CreditGrant(source=CreditSource(source), source_key=key, **made)  # type: ignore[arg-type]


@pytest.mark.req("CRD-4")
def test_what_has_expired_already_is_not_granted() -> None:
    with pytest.raises(GrantExpired):
        Credits().grant(1, lasts=timedelta(0))


@pytest.mark.req("SEC-4")
def test_what_is_confirmed_can_be_worked_out_from_the_rule_alone() -> None:
    tenant = TenantId(UUID("6f1d0f5e-3a52-4d5c-9b1e-2f7a8c0d4e61"))
    wanted = CreditGrant(
        id=CreditLotId("clt_01K9ZQ0M8Y" + "0" * 16),
        source=CreditSource.PURCHASE,
        source_key="purchase:pin_1",
        credits_micro=7,
        reason="is not confirmed",
    )

    assert grant_sha256(tenant, "main", wanted).hex() == signed(
        deed="credits.grant",
        tenant="6f1d0f5e-3a52-4d5c-9b1e-2f7a8c0d4e61",
        account="main",
        grant="clt_01K9ZQ0M8Y0000000000000000",
        source="purchase",
        sourceKey="purchase:pin_1",
        creditsMicro=7,
    )
