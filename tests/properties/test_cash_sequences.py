"""Random lives of a drawer's session against a plain model (CASH-1 to CASH-8).

Every sequence opens a drawer and does up to 16 things to it in any order, sensible or not, by any
of four people, while hours pass. After each step the session stands where the model says, and its
account holds what the model says is due; a step that is refused, as the model says it must be, has
changed nothing; facts are numbered without a gap; and no drawer is ever closed by one person.
"""

import copy
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.domain import cash_close
from common.domain.aggregate import Fact
from common.domain.cash import CashSession, Confirmed
from common.domain.cash_count import Count, CurrencyCount, closing_sha256
from common.domain.cash_drawer import CashDrawer
from common.domain.cash_movement import MovementKind
from common.domain.identifiers import CashDrawerId, CashMovementId
from common.domain.ledger import Entry, cash_in, movement
from common.domain.money import Currency, Money
from common.domain.refusal import Refusal
from tests.domain.front_desk import KABUL, TENANT, TILL, Desk
from tests.properties import cash_model

PEOPLE = ("karim", "laila", "farid", "zarmina")
HAND = ("paid_in", "paid_out", "drop")
NO_SESSION = "NO_OPEN_CASH_SESSION"


def money(cents: dict[str, int]) -> tuple[Money, ...]:
    return tuple(Money.of_minor_units(each, Currency(code)) for code, each in cents.items())


def count_of(cents: dict[str, int]) -> Count:
    return Count(tuple(CurrencyCount(each) for each in money(cents)))


class Life:
    """A session, its part of the ledger, and its model, stepping together."""

    def __init__(self, opening: dict[str, int]) -> None:
        self.desk, self.hour = Desk(), 0
        drawer = CashDrawer.create(
            id=CashDrawerId("cdr_01K9ZQ0M8Y" + "0" * 16), property_id=KABUL, label="Till"
        ).subject
        opened = CashSession.open(drawer, count_of(opening), "karim", self.desk, TILL)
        self.session, self.entries = opened.subject, list(opened.entries)
        self.facts: list[Fact] = [opened]
        self.model = cash_model.opened(opening)

    @property
    def sums(self) -> dict[str, int]:
        """What the account says, in cents by currency."""
        account, sums = cash_in(TILL), Counter[str]()
        for entry in self.entries:
            sign = 1 if entry.debit == account else -1
            sums[entry.amount.currency] += sign * entry.amount.minor_units
        return dict(sums)

    def confirmed(self, who: str) -> Confirmed:
        token = f"{who}-{len(self.facts)}"
        return Confirmed(by=who, at=self.desk.now, token_id=token, assertion_hash="", method="totp")

    def do(self, command: Callable[[CashSession], Any], expected: str | None) -> str | None:
        """Run a command on a copy, and keep it unless it is refused, as a store does."""
        session, before = copy.copy(self.session), self.session.digest()
        told: Any = ()
        code = None
        try:
            told = command(session)
        except Refusal as refusal:
            code = refusal.code
        assert code == expected
        assert self.session.digest() == before
        for fact in told if isinstance(told, tuple) else (told,):
            self.facts.append(fact)
            self.entries += getattr(fact, "entries", ())
        self.session = self.session if code else session
        return code

    # what may happen

    def move(self, kind: str, code: str, cents: int) -> str | None:
        expected = cash_model.move(self.model, kind, code, cents)
        amount = Money.of_minor_units(cents, Currency(code))
        return self.do(
            lambda session: session.move(
                self.desk.new_id(CashMovementId), MovementKind(kind), amount, "Why", self.desk
            ),
            expected,
        )

    def pay(self, code: str, cents: int) -> str | None:
        """A guest's cash: the store looks for an open session, the folio makes the entry."""
        expected = cash_model.move(self.model, "pay", code, cents)
        if expected is None:
            amount = Money.of_minor_units(cents, Currency(code))
            day = self.session.today(self.desk)
            source = self.desk.new_id(CashMovementId)
            self.entries.append(movement(source, 0, cash_in(TILL), "guest_ledger", amount, day))
        assert (expected is None) == (self.session.status == "open")
        return expected

    def count(self, who: str, shift: int, counted: dict[str, int], *, anew: bool) -> str | None:
        number = self.session.counts + shift
        decide = cash_model.recount if anew else cash_model.count
        expected = decide(self.model, who, number, counted, self.hour)
        run = cash_close.recount_stuck if anew else cash_close.initiate_close
        due = money(self.sums)
        return self.do(
            lambda session: run(
                session, count_of(counted), number, due, self.confirmed(who), self.desk
            ),
            expected,
        )

    def close(self, who: str, slip: str) -> str | None:
        by, number = self.model["by"] or "karim", max(self.model["counts"], 1)
        counted = dict(self.model["count"] or {})
        match slip:
            case "amount":
                counted["USD"] = counted.get("USD", 0) + 1
            case "person":
                by = next(each for each in PEOPLE if each not in (by, who))
            case "number":
                number += 1
        sha256 = closing_sha256(TENANT, TILL, by, number, count_of(counted))
        expected = cash_model.close(self.model, who, (by, number, counted))
        return self.do(
            lambda session: cash_close.close(session, sha256, self.confirmed(who), self.desk),
            expected,
        )

    def send_back(self, shift: int) -> str | None:
        number = self.session.counts + shift
        expected = cash_model.send_back(self.model, number)
        return self.do(
            lambda session: cash_close.return_to_open(session, number, "Again"), expected
        )

    def acknowledge(self, who: str) -> str | None:
        expected = cash_model.acknowledge(self.model, who)
        return self.do(
            lambda session: cash_close.acknowledge(session, "Why", self.confirmed(who)), expected
        )

    def watch(self, hours: int) -> None:
        self.hour += hours
        self.desk.now += timedelta(hours=hours)
        session = copy.copy(self.session)
        stuck = cash_close.find_stuck(session, self.desk.now)
        assert (stuck is not None) == cash_model.alarm(self.model, self.hour)
        if stuck is not None:
            self.facts.append(stuck)
            self.session = session

    def check(self) -> None:
        """The session, its account and the model agree."""
        model, session = self.model, self.session
        assert session.status == model["status"]
        assert _not_nothing(self.sums) == _not_nothing(model["due"])
        assert session.counts == model["counts"]
        assert [fact.sequence for fact in self.facts] == list(range(1, len(self.facts) + 1))
        if session.co_signed:
            assert session.counted
            assert session.counted.confirmed.by != session.co_signed.by
            booked = {r.variance.currency: r.variance.minor_units for r in session.results}
            assert _not_nothing(booked) == _not_nothing(model["missing"])
            assert sum(abs(n) for n in booked.values()) == _over_and_short(self.entries)


def _not_nothing(sums: Mapping[Any, int]) -> dict[str, int]:
    """A currency of which there is nothing may be named or not."""
    return {str(currency): units for currency, units in sums.items() if units}


def _over_and_short(entries: list[Entry]) -> int:
    return sum(e.amount.minor_units for e in entries if "cash_over_short" in (e.debit, e.credit))


CODES = st.sampled_from(["USD", "EUR"])
CENTS = st.integers(1, 50_000)
WHO = st.sampled_from(PEOPLE)
SHIFT = st.sampled_from([1, 1, 1, 0, 2])
COUNTED = st.dictionaries(CODES, st.integers(0, 60_000))
SLIP = st.sampled_from(["", "", "", "amount", "person", "number"])
STEPS = st.one_of(
    st.tuples(st.just("move"), st.sampled_from(HAND), CODES, CENTS),
    st.tuples(st.just("pay"), CODES, CENTS),
    st.tuples(st.just("count"), WHO, SHIFT, COUNTED),
    st.tuples(st.just("count"), WHO, SHIFT, COUNTED),
    st.tuples(st.just("recount"), WHO, SHIFT, COUNTED),
    st.tuples(st.just("close"), WHO, SLIP),
    st.tuples(st.just("close"), WHO, SLIP),
    st.tuples(st.just("send_back"), st.sampled_from([0, 0, 0, 1])),
    st.tuples(st.just("acknowledge"), WHO),
    st.tuples(st.just("watch"), st.integers(0, 7)),
)


def step(life: Life, kind: str, *given: Any) -> str | None:
    match kind:
        case "count" | "recount":
            return life.count(*given, anew=kind == "recount")
        case _:
            done: str | None = getattr(life, kind)(*given)
            return done


@pytest.mark.req("CASH-1", "CASH-2", "CASH-4", "CASH-5", "CASH-8", "REL-3")
def test_every_life_of_a_drawer_agrees_with_the_model() -> None:
    met: Counter[str] = Counter()

    @settings(max_examples=2_000)
    @given(COUNTED, st.lists(STEPS, min_size=4, max_size=16))
    def live(opening: dict[str, int], steps: list[tuple[Any, ...]]) -> None:
        life = Life(opening)
        life.check()
        for kind, *given_ in steps:
            met[step(life, kind, *given_) or f"{kind} done"] += 1
            life.check()
        met[life.session.status.value] += 1

    live()

    refusals = {
        NO_SESSION, "CASH_SESSION_NOT_OPEN", "CASH_SESSION_NOT_PENDING", "CASH_SESSION_NOT_STUCK",
        "CASH_SAME_PERSON", "CASH_COUNT_DIFFERS", "CASH_NOTHING_TO_ACKNOWLEDGE",
    }  # fmt: skip
    done = {f"{kind} done" for kind in ("move", "pay", "count", "recount", "close", "send_back",
            "acknowledge", "watch")}  # fmt: skip
    ends = {"open", "pending_close", "closed", "acknowledged"}
    assert met.keys() >= refusals | done | ends, "something was never tried"
