"""The reconciliation with the processor: every movement on either side has its other half (REC-1).

Every payment that succeeded, every refund that was made, every dispute, every payout that has left:
what the processor has of a span of time and what the books have of it are matched by id, amount and
currency. What differs is a
row that stays until somebody has answered for it, or until a later look finds that it is gone: a
webhook that was late heals what it missed. A row has an owner, and since when it is open.

The spans of two looks overlap, and a movement is looked for by its id wherever its clock has put
it; so the close of an hour makes no difference. What moved in the last half hour is left alone, and
so is what still waits for the processor's word: money on its way is no difference.

A refund of a closed folio that waits for a person to open that again is listed here, too: the two
sides agree on it, and the folio does not know of it yet.

It reports, and corrects nothing.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import ClassVar, Final, NamedTuple
from uuid import UUID

from common.domain.aggregate import Aggregate, Fact
from common.domain.dataclass import dataclass
from common.domain.identifiers import ProcessorDifferenceId, PropertyId
from common.domain.money import Currency, Money
from common.domain.refusal import Conflict, Missing

LEFT_ALONE: Final = timedelta(minutes=30)
HOURLY_SPAN: Final = timedelta(hours=6)
NIGHTLY_SPAN: Final = timedelta(days=4)
"""Longer than the processor goes on sending a webhook that nobody took."""
NIGHTLY_HOUR: Final = 2
FINANCE: Final = "finance"
"""Who owns a difference that nobody has taken over."""


class ProcessorDifferenceUnknown(Missing):
    code = "PROCESSOR_DIFFERENCE_UNKNOWN"
    title = "There is no such difference with the processor"


class ProcessorDifferenceNotOpen(Conflict):
    code = "PROCESSOR_DIFFERENCE_NOT_OPEN"
    title = "The difference is answered for, or has gone by itself"


class MovementKind(StrEnum):
    """What moves money at the processor."""

    PAYMENT = "payment"
    REFUND = "refund"
    DISPUTE = "dispute"
    PAYOUT = "payout"


class Discrepancy(StrEnum):
    """In which way the books and the processor differ."""

    PAYMENT_AMOUNT = "payment_amount"
    PAYMENT_NOT_CAPTURED = "payment_not_captured"
    PAYMENT_NOT_RECORDED = "payment_not_recorded"
    REFUND_AMOUNT = "refund_amount"
    REFUND_NOT_MADE = "refund_not_made"
    REFUND_NOT_RECORDED = "refund_not_recorded"
    REFUND_TO_SETTLE = "refund_to_settle"
    DISPUTE_AMOUNT = "dispute_amount"
    DISPUTE_NOT_OPENED = "dispute_not_opened"
    DISPUTE_NOT_RECORDED = "dispute_not_recorded"
    PAYOUT_AMOUNT = "payout_amount"
    PAYOUT_NOT_MADE = "payout_not_made"
    PAYOUT_NOT_RECORDED = "payout_not_recorded"


class _Ways(NamedTuple):
    """The three ways in which a kind of movement may differ."""

    amount: Discrepancy
    not_there: Discrepancy
    not_here: Discrepancy


_WAYS: Final = {
    MovementKind.PAYMENT: _Ways(
        Discrepancy.PAYMENT_AMOUNT,
        Discrepancy.PAYMENT_NOT_CAPTURED,
        Discrepancy.PAYMENT_NOT_RECORDED,
    ),
    MovementKind.REFUND: _Ways(
        Discrepancy.REFUND_AMOUNT, Discrepancy.REFUND_NOT_MADE, Discrepancy.REFUND_NOT_RECORDED
    ),
    MovementKind.DISPUTE: _Ways(
        Discrepancy.DISPUTE_AMOUNT,
        Discrepancy.DISPUTE_NOT_OPENED,
        Discrepancy.DISPUTE_NOT_RECORDED,
    ),
    MovementKind.PAYOUT: _Ways(
        Discrepancy.PAYOUT_AMOUNT, Discrepancy.PAYOUT_NOT_MADE, Discrepancy.PAYOUT_NOT_RECORDED
    ),
}
KIND_OF: Final = {way: kind for kind, ways in _WAYS.items() for way in ways} | {
    Discrepancy.REFUND_TO_SETTLE: MovementKind.REFUND
}


@dataclass(frozen=True, slots=True)
class Span:
    """A span of time that is looked at: from `since` to before `until`."""

    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Known:
    """What a movement is known by: the processor's payment, our refund or the processor's own, the
    processor's dispute, our payout or the processor's own."""

    kind: MovementKind
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """A movement of money on one side; `payment` is the processor's payment that it is of, and of a
    payout the account at the processor that it has left.

    Of the processor's, `tenant_id` is who it says it is for, if it says that. Of ours, `is_open`
    where the processor has not said yet what became of it, and `waits` where a folio is to be
    opened again for it.
    """

    known: Known
    amount: Money
    payment: str
    property_id: PropertyId | None = None
    tenant_id: UUID | None = None
    is_open: bool = False
    waits: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Differs:
    """One way in which the sides differ, in one currency: as the processor has it, and as we do."""

    way: Discrepancy
    about: str
    payment: str
    currency: Currency
    expected_micro: int
    found_micro: int
    property_id: PropertyId | None = None

    @property
    def key(self) -> tuple[str, str, str]:
        """What there is one row of."""
        return (self.way.value, self.about, str(self.currency))

    @property
    def known(self) -> Known:
        """What it is about, as both sides know it."""
        return Known(KIND_OF[self.way], self.about)


class DifferenceStatus(StrEnum):
    """Where a difference stands. `cleared`: a later look has not found it any more."""

    OPEN = "open"
    RESOLVED = "resolved"
    CLEARED = "cleared"


@dataclass(frozen=True, kw_only=True)
class ProcessorDifferenceFact(Fact):
    """Something that happened to a difference."""

    subject: "ProcessorDifference" = field(repr=False, compare=False)


@dataclass(frozen=True, kw_only=True)
class ProcessorMismatchFound(ProcessorDifferenceFact):
    """The sides differ as nobody knew, or otherwise than somebody answered for."""

    name = "processor_reconciliation.mismatch_found"


@dataclass(frozen=True, kw_only=True)
class ProcessorMismatchCleared(ProcessorDifferenceFact):
    """The sides agree by now."""

    name = "processor_reconciliation.mismatch_cleared"


@dataclass(frozen=True, kw_only=True)
class ProcessorMismatchOwned(ProcessorDifferenceFact):
    """Somebody looks after it."""

    name = "processor_reconciliation.mismatch_owned"


@dataclass(frozen=True, kw_only=True)
class ProcessorMismatchResolved(ProcessorDifferenceFact):
    """A person has answered for it."""

    name = "processor_reconciliation.mismatch_resolved"


@dataclass(kw_only=True)
class ProcessorDifference(Aggregate):
    """See the module. It is open since `opened_at`; `looked_at` is when it was last compared."""

    kind: ClassVar[str] = "processor_difference"
    id: ProcessorDifferenceId
    differs: Differs
    opened_at: datetime
    looked_at: datetime
    status: DifferenceStatus = DifferenceStatus.OPEN
    owner: str = FINANCE
    resolved_by: str | None = None
    resolved_at: datetime | None = None
    reason: str | None = None

    @classmethod
    def found(
        cls, id: ProcessorDifferenceId, differs: Differs, at: datetime
    ) -> ProcessorMismatchFound:
        """A difference that nobody knew of."""
        new = cls(id=id, differs=differs, opened_at=at, looked_at=at)
        return ProcessorMismatchFound(subject=new, sequence=new.next_sequence())

    def found_again(self, differs: Differs, at: datetime) -> ProcessorMismatchFound | None:
        """It is still there; None where that is nothing new. A look that began earlier is late."""
        if at < self.looked_at:
            return None
        self.looked_at = at
        same = _sums(differs) == _sums(self.differs)
        if same and self.status is not DifferenceStatus.CLEARED:
            return None
        if self.status is not DifferenceStatus.OPEN:
            self.opened_at = at
        self.differs = differs
        self.status = DifferenceStatus.OPEN
        self.resolved_by = self.resolved_at = self.reason = None
        return ProcessorMismatchFound(subject=self, sequence=self.next_sequence())

    def not_found(self, at: datetime) -> ProcessorMismatchCleared | None:
        """The sides agree by now; None where a person has answered for it, or a look is late."""
        if at < self.looked_at or self.status is not DifferenceStatus.OPEN:
            return None
        self.looked_at = at
        self.status = DifferenceStatus.CLEARED
        return ProcessorMismatchCleared(subject=self, sequence=self.next_sequence())

    def owned_by(self, owner: str) -> ProcessorMismatchOwned:
        """Let somebody look after it. Refuses: ProcessorDifferenceNotOpen."""
        self._must_be_open()
        self.owner = owner
        return ProcessorMismatchOwned(subject=self, sequence=self.next_sequence())

    def resolve(self, by: str, reason: str, at: datetime) -> ProcessorMismatchResolved:
        """Let a person answer for it. Refuses: ProcessorDifferenceNotOpen."""
        self._must_be_open()
        self.status = DifferenceStatus.RESOLVED
        self.resolved_by, self.resolved_at, self.reason = by, at, reason
        return ProcessorMismatchResolved(subject=self, sequence=self.next_sequence(), reason=reason)

    def _must_be_open(self) -> None:
        if self.status is not DifferenceStatus.OPEN:
            raise ProcessorDifferenceNotOpen(status=self.status.value)

    def state(self) -> dict[str, object]:
        """What the audit trail digests."""
        return {
            "about": self.differs.about,
            "currency": str(self.differs.currency),
            "expectedMicro": self.differs.expected_micro,
            "foundMicro": self.differs.found_micro,
            "id": self.id,
            "kind": self.differs.way.value,
            "owner": self.owner,
            "reason": self.reason,
            "resolvedBy": self.resolved_by,
            "status": self.status.value,
        }


def spans(now: datetime, on: date | None) -> list[Span]:
    """What is to be looked at now: the last hours, and once a night the last days; or a given day
    of UTC, as far as it is over."""
    until = (now - LEFT_ALONE).replace(minute=0, second=0, microsecond=0)
    if on is not None:
        begins = datetime.combine(on, time(), UTC)
        ends = min(until, begins + timedelta(days=1))
        return [Span(begins, ends)] if begins < ends else []
    length = NIGHTLY_SPAN if until.hour == NIGHTLY_HOUR else HOURLY_SPAN
    return [Span(until - length, until)]


def compared(
    ours: Mapping[Known, Movement], theirs: Mapping[Known, Movement], missing: Iterable[Known]
) -> Iterator[Differs]:
    """Hold the two sides against one another.

    `ours` are all of ours that either side named, `missing` those of ours that the processor was
    asked for by id, and has not. What is open on our side differs from nothing.
    """
    for known, there in theirs.items():
        here = ours.get(known)
        if here is None:
            yield _differs(_WAYS[known.kind].not_here, there, there.amount.amount_micro, 0)
        elif not here.is_open and here.amount != there.amount:
            yield from _amounts(here, there)
    for known in missing:
        here = ours.get(known)
        if here is not None and not here.is_open and known not in theirs:
            yield _differs(_WAYS[known.kind].not_there, here, 0, here.amount.amount_micro)
    for here in ours.values():
        if here.waits:
            micro = here.amount.amount_micro
            yield _differs(Discrepancy.REFUND_TO_SETTLE, here, micro, micro)


def judged(
    known: Sequence[ProcessorDifference],
    found: Iterable[Differs],
    looked_for: Iterable[Known],
    new_id: Iterator[ProcessorDifferenceId],
    at: datetime,
) -> list[ProcessorDifferenceFact]:
    """What a look changes: new differences, those that are back, and those that are gone.

    `looked_for` are what the look has compared for certain: what was not, is not called gone.
    """
    rows = {each.differs.key: each for each in known}
    there = {each.key: each for each in found}
    sure = set(looked_for)
    facts: list[ProcessorDifferenceFact | None] = [
        rows[key].found_again(differs, at)
        if key in rows
        else ProcessorDifference.found(next(new_id), differs, at)
        for key, differs in sorted(there.items())
    ]
    facts += [
        row.not_found(at)
        for key, row in sorted(rows.items())
        if key not in there and row.differs.known in sure
    ]
    return [fact for fact in facts if fact is not None]


def _amounts(here: Movement, there: Movement) -> Iterator[Differs]:
    """An amount that differs; in another currency, in both of them."""
    way, theirs, ours = _WAYS[here.known.kind].amount, there.amount, here.amount
    if theirs.currency == ours.currency:
        yield _differs(way, here, theirs.amount_micro, ours.amount_micro)
        return
    yield _differs(way, here, 0, ours.amount_micro)
    abroad = Movement(known=here.known, amount=theirs, payment=here.payment)
    yield _differs(way, abroad, theirs.amount_micro, 0)


def _differs(way: Discrepancy, it: Movement, expected_micro: int, found_micro: int) -> Differs:
    return Differs(
        way=way,
        about=it.known.id,
        payment=it.payment,
        currency=it.amount.currency,
        expected_micro=expected_micro,
        found_micro=found_micro,
        property_id=it.property_id,
    )


def _sums(differs: Differs) -> tuple[int, int]:
    return differs.expected_micro, differs.found_micro
