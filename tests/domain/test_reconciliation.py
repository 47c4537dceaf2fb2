"""What differs, and what a reconciliation is then: worked out from figures, without any books."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from common.domain.identifiers import PropertyId, ReconciliationId
from common.domain.money import Currency, Money
from common.domain.reconciliation import (
    BusinessDay,
    CardRecord,
    CardRecords,
    Difference,
    DifferenceKind,
    Figure,
    MismatchFound,
    NothingToResolve,
    Reconciliation,
    ReconciliationFact,
    ReconciliationRecorded,
    ReconciliationResolved,
    card_differences,
    differences_of,
)

pytestmark = pytest.mark.req("CASH-9")

USD, EUR = Currency("USD"), Currency("EUR")
HOUSE = PropertyId(UUID("5b0c9d3e-1f72-4a86-b3d5-6e8f2a7c4910"))
FIRST = datetime(2026, 3, 2, 0, 20, tzinfo=UTC)
ID = ReconciliationId("rec_01K9ZQ0M8Y" + "0" * 16)


def begun() -> Reconciliation:
    return Reconciliation.begun(ID, BusinessDay(HOUSE, date(2026, 3, 1)), FIRST)


def difference(about: str, kind: str = "folio_lines", found: int = 1) -> Difference:
    return Difference(
        kind=DifferenceKind(kind),
        about=about,
        currency=USD,
        expected_micro=0,
        found_micro=found,
    )


def figure(expected: int, found: int, *, is_hidden: bool = False) -> Figure:
    return Figure(
        kind=DifferenceKind.DRAWER_MOVEMENTS,
        about="cds_1",
        currency=USD,
        expected_micro=expected,
        found_micro=found,
        is_hidden=is_hidden,
    )


def record(id: str, dollars: int, currency: Currency = USD) -> CardRecord:
    return CardRecord(id, Money(dollars * 1_000_000, currency))


A, B = difference("fol_a"), difference("fol_b")
CARD = difference("psp_1", "payment_not_captured")


def runs(*each: tuple[list[Difference], list[Difference] | None]) -> tuple[Reconciliation, str]:
    """Let one run follow another; the status, and which facts were told by what they are."""
    reconciliation, told = begun(), ""
    for hours, (books, cards) in enumerate(each):
        fact = reconciliation.found(books, cards, FIRST + timedelta(hours=hours))
        told += _letter(fact)
    return reconciliation, told


def _letter(fact: ReconciliationFact | None) -> str:
    return {MismatchFound: "M", ReconciliationRecorded: "r", type(None): "."}[type(fact)]


@pytest.mark.parametrize(
    ("each", "status", "told"),
    [
        ([([], [])], "matched", "r"),
        ([([], None)], "unknown", "r"),
        ([([A], [])], "mismatch", "M"),
        ([([A], None)], "mismatch", "M"),
        ([([], [CARD])], "mismatch", "M"),
        ([([], []), ([], [])], "matched", "r."),
        ([([A], []), ([A], [])], "mismatch", "M."),
        ([([A], []), ([B], [])], "mismatch", "MM"),
        ([([A], []), ([A, B], [])], "mismatch", "MM"),
        ([([A, B], []), ([A], [])], "mismatch", "Mr"),
        ([([A], []), ([], [])], "matched", "Mr"),
        ([([], []), ([A], [])], "mismatch", "rM"),
        ([([], []), ([], None)], "matched", "r."),
        ([([], None), ([], None)], "unknown", "r."),
        ([([], None), ([], [])], "matched", "rr"),
        ([([], [CARD]), ([], None)], "mismatch", "M."),
        ([([], [CARD]), ([A], None)], "mismatch", "MM"),
        ([([A], None), ([], None)], "unknown", "Mr"),
    ],
)
def test_one_run_follows_another(
    each: list[tuple[list[Difference], list[Difference] | None]], status: str, told: str
) -> None:
    reconciliation, heard = runs(*each)

    assert (reconciliation.status, heard) == (status, told)
    assert reconciliation.version == len(told.replace(".", ""))


def test_what_the_processor_said_last_stands_while_it_is_silent() -> None:
    reconciliation, _ = runs(([A], [CARD]), ([B], None))

    assert set(reconciliation.differences) == {B, CARD}
    assert reconciliation.processor_answered is False


def test_what_was_answered_for_stays_so_until_something_else_is_found() -> None:
    reconciliation, _ = runs(([A], []))
    resolved = reconciliation.resolve("laila", "Known since May", FIRST)
    assert isinstance(resolved, ReconciliationResolved)
    assert resolved.reason == "Known since May"

    assert reconciliation.found([A], [], FIRST) is None
    assert reconciliation.status == "resolved"

    assert isinstance(reconciliation.found([A, B], [], FIRST), MismatchFound)
    assert reconciliation.status == "mismatch"
    assert (reconciliation.resolved_by, reconciliation.reason) == (None, None)


def test_less_than_was_answered_for_is_a_mismatch_again() -> None:
    reconciliation, _ = runs(([A, B], []))
    reconciliation.resolve("laila", "Known since May", FIRST)

    assert isinstance(reconciliation.found([A], [], FIRST), MismatchFound)


def test_the_same_difference_of_another_amount_is_another_one() -> None:
    reconciliation, _ = runs(([A], []))
    reconciliation.resolve("laila", "Known since May", FIRST)

    fact = reconciliation.found([difference("fol_a", found=2)], [], FIRST)

    assert isinstance(fact, MismatchFound)


@pytest.mark.parametrize("cards", [[], None])
def test_refuses_to_answer_for_nothing(cards: list[Difference] | None) -> None:
    reconciliation, _ = runs(([], cards))

    with pytest.raises(NothingToResolve):
        reconciliation.resolve("laila", "Nothing is wrong", FIRST)


def test_is_answered_for_once() -> None:
    reconciliation, _ = runs(([A], []))
    reconciliation.resolve("laila", "Known since May", FIRST)

    with pytest.raises(NothingToResolve):
        reconciliation.resolve("farid", "I say so too", FIRST)


def test_a_late_run_changes_nothing() -> None:
    reconciliation, _ = runs(([A], []), ([A], []))

    assert reconciliation.found([], [], FIRST + timedelta(minutes=59)) is None
    assert reconciliation.differences == (A,)


def test_the_order_in_which_things_are_found_does_not_matter() -> None:
    reconciliation, told = runs(([B, A], [CARD]), ([A, B], [CARD]))

    assert told == "M."
    assert reconciliation.counts == {"folio_lines": 2, "payment_not_captured": 1}


def test_its_state_tells_one_finding_from_another() -> None:
    assert runs(([A], []))[0].digest() != runs(([B], []))[0].digest()


def test_figures_that_agree_are_no_differences() -> None:
    assert differences_of([figure(5, 5), figure(0, 0)]) == []


def test_a_figure_that_nobody_may_know_differs_without_amounts() -> None:
    (seen,) = differences_of([figure(5, 4)])
    (hidden,) = differences_of([figure(5, 4, is_hidden=True)])

    assert (seen.expected_micro, seen.found_micro) == (5, 4)
    assert (hidden.expected_micro, hidden.found_micro) == (None, None)


CARDS: list[tuple[CardRecords, CardRecords, set[str], list[tuple[str, str, int, int]]]] = [
    (CardRecords((record("p", 5),)), CardRecords((record("p", 5),)), set(), []),
    (
        CardRecords((record("p", 5),)),
        CardRecords((record("p", 6),)),
        set(),
        [("payment_amount", "USD", 6, 5)],
    ),
    (
        CardRecords((record("p", 5),)),
        CardRecords((record("p", 5, EUR),)),
        set(),
        [("payment_amount", "EUR", 5, 0), ("payment_amount", "USD", 0, 5)],
    ),
    (CardRecords((record("p", 5),)), CardRecords(), set(), [("payment_not_captured", "USD", 0, 5)]),
    (CardRecords(), CardRecords((record("p", 5),)), set(), [("payment_not_recorded", "USD", 5, 0)]),
    (CardRecords(), CardRecords((record("p", 5),)), {"p"}, []),
    (
        CardRecords((), (record("r", 5),)),
        CardRecords(),
        set(),
        [("refund_not_made", "USD", 0, 5)],
    ),
    (CardRecords((), (record("r", 5),), frozenset({"r"})), CardRecords(), set(), []),
    (
        CardRecords((), (record("r", 5),), frozenset({"r"})),
        CardRecords((), (record("r", 4),)),
        set(),
        [("refund_amount", "USD", 4, 5)],
    ),
    (
        CardRecords(),
        CardRecords((), (record("r", 5),)),
        set(),
        [("refund_not_recorded", "USD", 5, 0)],
    ),
]


@pytest.mark.req("REC-1")
@pytest.mark.parametrize(("ours", "theirs", "known", "expected"), CARDS)
def test_card_records_of_both_sides_are_matched_by_id_amount_and_currency(
    ours: CardRecords,
    theirs: CardRecords,
    known: set[str],
    expected: list[tuple[str, str, int, int]],
) -> None:
    found = card_differences(ours, theirs, known)

    assert [
        (
            each.kind.value,
            str(each.currency),
            (each.expected_micro or 0) // 1_000_000,
            (each.found_micro or 0) // 1_000_000,
        )
        for each in found
    ] == expected
