"""Random sequences of credits: issued - spent - expired - taken back - outstanding = 0, always.

Credits are granted, spent, held, captured, released, moved, expired, refunded in parts, owed, paid,
waived and given back, settle bills and come back of them, in any order, sensible or not, while time
passes. After every step each grant
adds up to the micro credit, nothing is below nothing, what was asked back is taken, owed, or has
expired unused, and nobody has won: by no order of buying, spending, being refunded and winning
disputes does a tenant get more than what it paid for, was given, owes, and was let off (BEY-7).
"""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.domain.identifiers import CreditLotId
from common.domain.prepaid_account import EntryKind
from common.domain.prepaid_book import book
from common.domain.prepaid_lot import CreditSource
from common.domain.refusal import Refusal
from tests.domain.credit_desk import HOUR, Credits

pytestmark = pytest.mark.req("CRD-1", "CRD-2", "CRD-5", "BEY-7")

PLACE = st.sampled_from(["main", "spa"])
AMOUNT = st.integers(1, 60)
PICK = st.integers(0, 5)
LASTS = st.sampled_from([None, HOUR, 3 * HOUR])
STEPS = st.one_of(
    st.tuples(st.just("grant"), AMOUNT, st.sampled_from(list(CreditSource)), LASTS, PLACE),
    st.tuples(st.just("grant"), AMOUNT, st.just(CreditSource.PURCHASE), LASTS, PLACE),
    st.tuples(st.just("deduct"), AMOUNT, PLACE),
    st.tuples(st.just("hold"), AMOUNT, st.sampled_from([HOUR / 2, 2 * HOUR]), PLACE),
    st.tuples(st.just("capture"), PICK, AMOUNT),
    st.tuples(st.just("release"), PICK),
    st.tuples(st.just("transfer"), AMOUNT, PLACE, PLACE),
    st.tuples(st.just("expire"), PLACE),
    st.tuples(st.just("claw_back"), PICK, AMOUNT),
    st.tuples(st.just("reverse"), PICK),
    st.tuples(st.just("waive"), AMOUNT, PLACE),
    st.tuples(st.just("redeem"), AMOUNT, PLACE),
    st.tuples(st.just("restore"), PICK, AMOUNT),
    st.tuples(st.just("passes"), st.sampled_from([HOUR / 4, HOUR, 2 * HOUR])),
)


class World:
    """The accounts, and which grants and holds were made."""

    def __init__(self) -> None:
        self.credits = Credits(free_monthly_micro=5)
        self.grants: list[CreditLotId] = []
        self.holds: list[Any] = []

    def does(self, what: str, *how: Any) -> None:
        """Do a step; what is refused changes nothing."""
        try:
            match what:
                case "grant":
                    self.grants.append(self.credits.grant(how[0], how[1].value, *how[2:]))
                case "hold":
                    self.holds.append(self.credits.hold(*how))
                case "capture" | "release":
                    if self.holds:
                        hold_id = self.holds[how[0] % len(self.holds)]
                        getattr(self.credits, what)(hold_id, *how[1:])
                case "claw_back":
                    if self.grants:
                        self.credits.claw_back(self.grants[how[0] % len(self.grants)], how[1])
                case "restore":
                    if self.credits.payments:
                        self.credits.restore(how[0] % len(self.credits.payments), how[1])
                case "reverse":
                    taken = range(len(self.credits.claw_backs))
                    if how[0] in set(taken) - self.credits.reversed:
                        self.credits.reverse(how[0])
                case _:
                    getattr(self.credits, what)(*how)
        except Refusal:
            pass


def each_grant_adds_up(world: World) -> None:
    credits = world.credits
    for root_id in world.grants:
        granted = credits.moved_of(root_id, EntryKind.GRANT)
        spent = credits.spent_of(root_id)
        expired = -credits.moved_of(root_id, EntryKind.EXPIRE)
        taken = sum(each.taken_micro for each in credits.standing(root_id))
        outstanding = sum(lot.left_micro for lot in credits.pieces(root_id))
        assert granted - spent - expired - taken - outstanding == 0
        asked = credits.standing(root_id)
        assert sum(each.asked_micro for each in asked) <= granted
        held = sum(lot.held_micro for lot in credits.pieces(root_id))
        used = credits.used_of(root_id)
        assert sum(each.debt_micro for each in asked) <= used + held + outstanding


def each_account_adds_up(world: World) -> None:
    credits = world.credits
    for at in credits.accounts.values():
        mine = [entry for entry in credits.entries if entry.account_id == at.id]
        assert [entry.sequence for entry in mine] == list(range(1, at.last_entry + 1))
        assert at.balance_micro == sum(entry.amount_micro for entry in mine)
        assert at.balance_micro == sum(lot.left_micro for lot in at.lots)
        assert at.held_micro == sum(lot.held_micro for lot in at.lots)
        assert at.held_micro == sum(share.held_micro for h in at.holds for share in h.shares)
        assert at.debt_micro == sum(entry.debt_micro for entry in mine)
        assert min(at.balance_micro, at.held_micro, at.debt_micro) >= 0
        assert all(0 <= lot.held_micro <= lot.left_micro for lot in at.lots)
        assert 0 <= at.available_micro(credits.now) <= at.balance_micro


def the_book_balances(world: World) -> None:
    sums: dict[str, int] = {}
    for entry in world.credits.entries:
        for booked in book(entry):
            sums[booked.debit] = sums.get(booked.debit, 0) - booked.amount_micro
            sums[booked.credit] = sums.get(booked.credit, 0) + booked.amount_micro
    assert sum(sums.values()) == 0
    for at in world.credits.accounts.values():
        assert sums.get(f"outstanding:{at.id}", 0) == at.balance_micro
        assert sums.get(f"debt:{at.id}", 0) == -at.debt_micro


def what_was_asked_back_is_accounted_for(world: World) -> None:
    """Taken, or owed; what is missing of it has expired unused, and no more than that: what expired
    as it came back was used, and goes on in another lot."""
    credits = world.credits
    for root_id in world.grants:
        asked = credits.standing(root_id)
        missing = sum(e.asked_micro - e.taken_micro - e.debt_micro for e in asked)
        went_on = credits.used_of(root_id) - credits.spent_of(root_id)
        gone = -credits.moved_of(root_id, EntryKind.EXPIRE) - went_on
        waiting = sum(
            lot.left_micro - lot.held_micro
            for lot in credits.pieces(root_id)
            if lot.is_expired(credits.now)
        )
        assert 0 <= missing <= gone + waiting + _owed_before(credits, root_id)


def nobody_has_won(world: World) -> None:
    """What was spent and can be spent is at most what was granted, less what was asked back, and
    what is owed for or was let off."""
    credits = world.credits
    every = [lot for at in credits.accounts.values() for lot in at.lots]
    gone = sum(x.left_micro - x.held_micro for x in every if x.is_expired(credits.now))
    has = sum(lot.left_micro for lot in every) - gone
    kinds = (EntryKind.SPEND, EntryKind.CAPTURE, EntryKind.REDEEM, EntryKind.RESTORE)
    spent = -sum(entry.amount_micro for entry in credits.entries if entry.kind in kinds)
    granted = sum(e.amount_micro for e in credits.entries if e.kind is EntryKind.GRANT)
    asked = sum(c.asked_micro for root_id in world.grants for c in credits.standing(root_id))
    owed = sum(at.debt_micro for at in credits.accounts.values())
    waived = -sum(e.debt_micro for e in credits.entries if e.kind is EntryKind.DEBT_WAIVED)

    assert spent + has <= granted - asked + owed + waived


def _owed_before(credits: Credits, root_id: CreditLotId) -> int:
    """What was promised to a hold when it was asked back, was owed for it, and came back."""
    owed = sum(each.debt_micro for each in credits.standing(root_id))
    spent = credits.spent_of(root_id)
    return max(owed - spent, 0)


@settings(max_examples=300)
@given(st.lists(STEPS, min_size=5, max_size=40))
def test_nothing_is_made_or_lost_in_any_order(steps: list[tuple[Any, ...]]) -> None:
    world = World()
    for step in steps:
        world.does(*step)
        each_grant_adds_up(world)
        each_account_adds_up(world)
        the_book_balances(world)
        what_was_asked_back_is_accounted_for(world)
        nobody_has_won(world)


@pytest.mark.req("CRD-2", "CRD-4")
@settings(max_examples=200)
@given(
    st.lists(st.tuples(AMOUNT, st.sampled_from(list(CreditSource)), LASTS), max_size=8),
    st.lists(AMOUNT, max_size=6),
    st.sampled_from([timedelta(0), 2 * HOUR]),
)
def test_no_lot_is_taken_from_while_one_before_it_has_some(
    grants: list[tuple[Any, ...]], amounts: list[int], later: timedelta
) -> None:
    """The turn is written here anew: by expiry, then gifts first, then as they were granted."""
    credits = Credits(maximum_balance_micro=10**9)
    for micro, source, lasts in grants:
        credits.grant(micro, source.value, lasts)
    credits.passes(later)
    turn = ["promotion", "refund", "renewal", "purchase"]
    live = [lot for lot in credits.lots() if lot.expires_at is None or lot.expires_at > credits.now]
    line = sorted(
        live,
        key=lambda lot: (
            lot.expires_at is None,
            lot.expires_at and lot.expires_at.timestamp(),
            turn.index(lot.source.value),
            lot.id,
        ),
    )
    left = [(lot.id, lot.left_micro) for lot in line]
    for amount in amounts:
        there = sum(micro for _, micro in left)
        if amount > there:
            assert credits.available() == there
            continue
        credits.deduct(amount)
        for place, (lot_id, micro) in enumerate(left):
            left[place] = lot_id, micro - min(micro, amount)
            amount -= min(micro, amount)
    now = {lot.id: lot.left_micro for lot in credits.lots()}
    assert {lot_id: now[lot_id] for lot_id, _ in left} == dict(left)
