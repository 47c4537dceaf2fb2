"""The nightly reconciliation: what the books say in one place is held against another one (CASH-9).

For a property and a business date that is over there is one reconciliation. Cash sessions that
were closed in it are held against the ledger, recorded card payments and refunds against the
processor's records, folio balances against their lines and against the guest ledger, and what the
ledger says is in each drawer against what moved in it. It reports; nothing is ever corrected by it:
a correction is somebody's decision, and has a rule and a reason of its own.

What was found is `matched`, or a `mismatch` with each difference. A person may answer for one: it
is `resolved`, and stays so while the findings are those that were answered for. A processor that
does not answer makes no mismatch: what it said last stands, and the date is looked at again by the
next run. Where it has never answered and nothing else was found either, the outcome is `unknown`:
to call that matched would be a guess.

No fact holds an amount. What is found in a drawer that still runs has none anywhere while it is
counted blind: what should be in it could be worked out from that (CASH-3).
"""

from collections.abc import Collection, Iterable
from dataclasses import field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import ClassVar, Final, NamedTuple

from common.domain.aggregate import Aggregate, Fact
from common.domain.canonical import digest
from common.domain.dataclass import dataclass
from common.domain.identifiers import PropertyId, ReconciliationId
from common.domain.money import Currency, Money
from common.domain.refusal import Conflict, Missing
from common.domain.settings import Settings

SETTLES_WITHIN: Final = timedelta(minutes=30)
"""How long a date is left alone when it is over: what was told in its last minute is in by then."""


class ReconciliationUnknown(Missing):
    code = "RECONCILIATION_UNKNOWN"
    title = "There is no such reconciliation"


class NothingToResolve(Conflict):
    code = "RECONCILIATION_NOTHING_TO_RESOLVE"
    title = "The reconciliation holds no difference that waits for an answer"


class ReconciliationStatus(StrEnum):
    """Where a reconciliation stands."""

    MATCHED = "matched"
    MISMATCH = "mismatch"
    RESOLVED = "resolved"
    UNKNOWN = "unknown"


class DifferenceKind(StrEnum):
    """What differs from what: in each pair what the books are held against comes first."""

    SESSION_EXPECTED = "session_expected"
    SESSION_COUNTED = "session_counted"
    SESSION_VARIANCE = "session_variance"
    PAYMENT_AMOUNT = "payment_amount"
    PAYMENT_NOT_CAPTURED = "payment_not_captured"
    PAYMENT_NOT_RECORDED = "payment_not_recorded"
    REFUND_AMOUNT = "refund_amount"
    REFUND_NOT_MADE = "refund_not_made"
    REFUND_NOT_RECORDED = "refund_not_recorded"
    FOLIO_LINES = "folio_lines"
    FOLIO_LEDGER = "folio_ledger"
    DRAWER_MOVEMENTS = "drawer_movements"


class _Cards(NamedTuple):
    """The three ways in which a kind of card record may differ."""

    amount: DifferenceKind
    not_there: DifferenceKind
    not_here: DifferenceKind


PAYMENTS: Final = _Cards(
    DifferenceKind.PAYMENT_AMOUNT,
    DifferenceKind.PAYMENT_NOT_CAPTURED,
    DifferenceKind.PAYMENT_NOT_RECORDED,
)
REFUNDS: Final = _Cards(
    DifferenceKind.REFUND_AMOUNT,
    DifferenceKind.REFUND_NOT_MADE,
    DifferenceKind.REFUND_NOT_RECORDED,
)
_OF_THE_PROCESSOR: Final = frozenset({*PAYMENTS, *REFUNDS})


@dataclass(frozen=True, slots=True)
class BusinessDay:
    """A business date of a property."""

    property_id: PropertyId
    date: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A sum in one currency as it should be and as it is; `about` is the id of what has it.

    `is_hidden` where nobody may know either of them yet.
    """

    kind: DifferenceKind
    about: str
    currency: Currency
    expected_micro: int
    found_micro: int
    is_hidden: bool = False


@dataclass(frozen=True, slots=True)
class CardRecord:
    """A payment that was captured, or a refund that was made, by the id that both sides know."""

    id: str
    amount: Money


@dataclass(frozen=True, slots=True)
class CardRecords:
    """What one side holds of a date. Of ours, `open_ids` are refunds that may be made by now."""

    payments: tuple[CardRecord, ...] = ()
    refunds: tuple[CardRecord, ...] = ()
    open_ids: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What was found to differ, in one currency; without amounts while nobody may know them."""

    kind: DifferenceKind
    about: str
    currency: Currency
    expected_micro: int | None
    found_micro: int | None

    @property
    def is_of_the_processor(self) -> bool:
        """Whether it was found in what the processor said."""
        return self.kind in _OF_THE_PROCESSOR

    @property
    def place(self) -> tuple[str, str, str]:
        """Its place among the others, the same in every run."""
        return (self.kind, self.about, self.currency)

    def document(self) -> dict[str, object]:
        """How it is kept."""
        return {
            "kind": self.kind.value,
            "about": self.about,
            "currency": str(self.currency),
            "expectedMicro": self.expected_micro,
            "foundMicro": self.found_micro,
        }


@dataclass(frozen=True, kw_only=True)
class ReconciliationFact(Fact):
    """Something that happened to a reconciliation."""

    subject: "Reconciliation" = field(repr=False, compare=False)


@dataclass(frozen=True, kw_only=True)
class ReconciliationRecorded(ReconciliationFact):
    """A run found something else than the one before it, and no new mismatch."""

    name = "reconciliation.recorded"


@dataclass(frozen=True, kw_only=True)
class MismatchFound(ReconciliationFact):
    """A run found differences that nobody knew of, or that were answered for as others."""

    name = "reconciliation.mismatch_found"


@dataclass(frozen=True, kw_only=True)
class ReconciliationResolved(ReconciliationFact):
    """A person has answered for what was found."""

    name = "reconciliation.resolved"


@dataclass(kw_only=True)
class Reconciliation(Aggregate):
    """See the module. `processor_answered` says whether the processor did so at the last run.

    `last_run_at` is the moment at which the last run began to look.
    """

    kind: ClassVar[str] = "reconciliation"
    id: ReconciliationId
    property_id: PropertyId
    business_date: date
    first_run_at: datetime
    last_run_at: datetime
    status: ReconciliationStatus = ReconciliationStatus.UNKNOWN
    processor_answered: bool = False
    differences: tuple[Difference, ...] = ()
    resolved_by: str | None = None
    resolved_at: datetime | None = None
    reason: str | None = None

    @classmethod
    def begun(cls, id: ReconciliationId, day: BusinessDay, at: datetime) -> "Reconciliation":
        """The reconciliation of a date that was not looked at before."""
        return cls(
            id=id,
            property_id=day.property_id,
            business_date=day.date,
            first_run_at=at,
            last_run_at=at,
        )

    def state(self) -> dict[str, object]:
        """What the audit trail digests."""
        return {
            "id": self.id,
            "propertyId": str(self.property_id),
            "businessDate": self.business_date.isoformat(),
            "status": self.status,
            "differencesSha256": digest([each.document() for each in self.differences]).hex(),
            "resolvedBy": self.resolved_by,
            "reason": self.reason,
        }

    @property
    def counts(self) -> dict[str, int]:
        """How many differences of each kind there are, by kind."""
        kinds = [each.kind.value for each in self.differences]
        return {kind: kinds.count(kind) for kind in sorted(set(kinds))}

    def found(
        self, books: Iterable[Difference], cards: Iterable[Difference] | None, at: datetime
    ) -> ReconciliationFact | None:
        """Keep what a run found that began to look at `at`; None where that is nothing else.

        `cards` is None where the processor did not answer: what it said before stands. A run that
        began before the last one is late, and what it found is no longer so.
        """
        if at < self.last_run_at:
            return None
        before, were = self.status, self.differences
        self.last_run_at, self.processor_answered = at, cards is not None
        if cards is None:
            cards = [each for each in were if each.is_of_the_processor]
        found = tuple(sorted({*books, *cards}, key=lambda each: each.place))
        status = self._status_with(found)
        if (status, found) == (before, were) and self.version:
            return None
        self.status, self.differences = status, found
        if status is not ReconciliationStatus.RESOLVED:
            self.resolved_by = self.resolved_at = self.reason = None
        is_new = before is not status or not set(found) <= set(were)
        if status is ReconciliationStatus.MISMATCH and is_new:
            return MismatchFound(subject=self, sequence=self.next_sequence())
        return ReconciliationRecorded(subject=self, sequence=self.next_sequence())

    def _status_with(self, found: tuple[Difference, ...]) -> ReconciliationStatus:
        """What it is when this was found."""
        if found:
            is_answered_for = self.status is ReconciliationStatus.RESOLVED
            if is_answered_for and found == self.differences:
                return ReconciliationStatus.RESOLVED
            return ReconciliationStatus.MISMATCH
        if self.processor_answered or self.status is ReconciliationStatus.MATCHED:
            return ReconciliationStatus.MATCHED
        return ReconciliationStatus.UNKNOWN

    def resolve(self, by: str, reason: str, at: datetime) -> ReconciliationResolved:
        """Let a person answer for what was found; it stays written down as it is.

        Refuses: NothingToResolve.
        """
        if self.status is not ReconciliationStatus.MISMATCH:
            raise NothingToResolve(reconciliationId=self.id)
        self.status = ReconciliationStatus.RESOLVED
        self.resolved_by, self.resolved_at, self.reason = by, at, reason
        return ReconciliationResolved(subject=self, sequence=self.next_sequence(), reason=reason)


def last_ended(settings: Settings, now: datetime) -> dict[PropertyId, date]:
    """The last business date of each property that is over, and has had time to settle."""
    return {
        house.id: house.business_date(now - SETTLES_WITHIN) - timedelta(days=1)
        for house in settings.properties.values()
    }


def has_ended(settings: Settings, day: BusinessDay, now: datetime) -> bool:
    """Whether a date of a property is over. Refuses: PropertyUnknown."""
    return settings.property(day.property_id).business_date(now) > day.date


def differences_of(figures: Iterable[Figure]) -> list[Difference]:
    """The figures that are not what they should be."""
    return [
        Difference(
            kind=each.kind,
            about=each.about,
            currency=each.currency,
            expected_micro=None if each.is_hidden else each.expected_micro,
            found_micro=None if each.is_hidden else each.found_micro,
        )
        for each in figures
        if each.expected_micro != each.found_micro
    ]


def card_differences(
    ours: CardRecords, theirs: CardRecords, known: Collection[str]
) -> list[Difference]:
    """Hold our card payments and refunds of a date against the processor's records.

    `ours` is what we held before the processor was asked: whatever is in it must be there. `known`
    are ids that our books have under any date: a record of theirs that is in neither is ours to
    explain. A refund that waits for the processor's word may be made by now, or not.
    """
    return [
        *_compared(PAYMENTS, ours.payments, theirs.payments, known, ours.open_ids),
        *_compared(REFUNDS, ours.refunds, theirs.refunds, known, ours.open_ids),
    ]


def _compared(
    kinds: _Cards,
    ours: Iterable[CardRecord],
    theirs: Iterable[CardRecord],
    known: Collection[str],
    open_ids: Collection[str],
) -> Iterable[Difference]:
    there = {each.id: each.amount for each in theirs}
    here = {each.id: each.amount for each in ours}
    for id, amount in here.items():
        made = there.get(id)
        if made is None and id not in open_ids:
            yield _difference(kinds.not_there, id, amount.currency, 0, amount.amount_micro)
        elif made is not None and made.currency != amount.currency:
            yield _difference(kinds.amount, id, made.currency, made.amount_micro, 0)
            yield _difference(kinds.amount, id, amount.currency, 0, amount.amount_micro)
        elif made is not None and made != amount:
            micro = made.amount_micro, amount.amount_micro
            yield _difference(kinds.amount, id, amount.currency, *micro)
    for id, made in there.items():
        if id not in here and id not in known:
            yield _difference(kinds.not_here, id, made.currency, made.amount_micro, 0)


def _difference(
    kind: DifferenceKind, about: str, currency: Currency, expected_micro: int, found_micro: int
) -> Difference:
    return Difference(
        kind=kind,
        about=about,
        currency=currency,
        expected_micro=expected_micro,
        found_micro=found_micro,
    )
