"""What the house is told about its cash drawers.

Until a drawer is closed no event holds an amount: who listens may sit beside the person who counts,
and from the float and the movements anybody could work out what should be in the drawer (CASH-3).
"""

from typing import TYPE_CHECKING, Any, Final

from common.contracts.event import EventData
from common.contracts.fields import Amount, Day, Instant
from common.contracts.references import (
    CashDrawerRef,
    CashMovementRef,
    CashSessionRef,
    PropertyRef,
)
from common.contracts.shapes import Shape

if TYPE_CHECKING:  # a function loads the facts that it tells, not all that can be told
    from common.domain.cash import CashMoved, Confirmed, Result, SessionFact, SessionOpened
    from common.domain.cash_close import (
        CloseInitiated,
        DiscrepancyAcknowledged,
        DiscrepancyFound,
        ReturnedToOpen,
        SessionClosed,
        SessionStuck,
    )


class CashResultData(Shape):
    """What should have been in the drawer of a currency, what was, and what it is over or short."""

    expected: Amount
    counted: Amount
    variance: Amount

    @classmethod
    def of(cls, result: "Result") -> "CashResultData":
        return cls(expected=result.expected, counted=result.counted, variance=result.variance)


class StepUpEvidence(Shape):
    """The confirmation by which a person signed: the identity service keeps what it stands for."""

    step_up_token_id: str
    method: str

    @classmethod
    def of(cls, confirmed: "Confirmed") -> "StepUpEvidence":
        return cls(step_up_token_id=confirmed.token_id, method=confirmed.method)


class _Session(EventData):
    cash_session_id: CashSessionRef
    cash_drawer_id: CashDrawerRef
    property_id: PropertyRef

    @classmethod
    def shared(cls, fact: "SessionFact") -> dict[str, Any]:
        session = fact.subject
        return {
            "cash_session_id": session.id,
            "cash_drawer_id": session.drawer_id,
            "property_id": session.property_id,
        }


class CashDrawerOpenedV1(_Session):
    fact = "cash_drawer.opened"
    business_date: Day
    opened_by: str
    opened_at: Instant

    @classmethod
    def of(cls, fact: "SessionOpened") -> "CashDrawerOpenedV1":
        session = fact.subject
        return cls(
            **cls.shared(fact),
            business_date=session.business_date,
            opened_by=session.opened_by,
            opened_at=session.opened_at,
        )


class CashMovedV1(_Session):
    """Cash was paid in, paid out or dropped into the safe; how much can be asked for later."""

    fact = "cash_drawer.cash_moved"
    movement_id: CashMovementRef
    kind: str
    reason: str | None

    @classmethod
    def of(cls, fact: "CashMoved") -> "CashMovedV1":
        (movement,) = fact.movements
        return cls(
            **cls.shared(fact),
            movement_id=movement.id,
            kind=movement.kind.value,
            reason=movement.reason,
        )


class CashDrawerCloseInitiatedV1(_Session):
    fact = "cash_drawer.close_initiated"
    count_number: int
    closed_by: str | None

    @classmethod
    def of(cls, fact: "CloseInitiated") -> "CashDrawerCloseInitiatedV1":
        session = fact.subject
        return cls(
            **cls.shared(fact),
            count_number=session.counts,
            closed_by=session.counted.confirmed.by if session.counted else None,
        )


class CashDrawerReturnedToOpenV1(_Session):
    fact = "cash_drawer.returned_to_open"
    count_number: int
    reason: str | None

    @classmethod
    def of(cls, fact: "ReturnedToOpen") -> "CashDrawerReturnedToOpenV1":
        return cls(**cls.shared(fact), count_number=fact.subject.counts, reason=fact.reason)


class CashDrawerClosedV1(_Session):
    """Closed by two persons, each of whom signed the count whose SHA-256 is `countSha256`."""

    fact = "cash_drawer.closed"
    count_number: int
    count_sha256: str
    closed_by: str
    co_signer: str
    closed_at: Instant
    results: tuple[CashResultData, ...]
    discrepancy: bool
    step_up_evidence: StepUpEvidence
    closing_evidence: StepUpEvidence

    @classmethod
    def of(cls, fact: "SessionClosed") -> "CashDrawerClosedV1":
        session = fact.subject
        counted, co_signed = session.counted, session.co_signed
        if counted is None or co_signed is None:
            raise ValueError(f"{session.id} was closed by nobody")
        return cls(
            **cls.shared(fact),
            count_number=session.counts,
            count_sha256=counted.sha256.hex(),
            closed_by=counted.confirmed.by,
            co_signer=co_signed.by,
            closed_at=co_signed.at,
            results=tuple(CashResultData.of(each) for each in counted.results),
            discrepancy=session.discrepancy,
            step_up_evidence=StepUpEvidence.of(co_signed),
            closing_evidence=StepUpEvidence.of(counted.confirmed),
        )


class CashDiscrepancyFoundV1(_Session):
    """What is beyond the tenant's threshold, and waits for a third person's explanation."""

    fact = "cash_drawer.discrepancy_found"
    results: tuple[CashResultData, ...]

    @classmethod
    def of(cls, fact: "DiscrepancyFound") -> "CashDiscrepancyFoundV1":
        results = tuple(CashResultData.of(each) for each in fact.beyond)
        return cls(**cls.shared(fact), results=results)


class CashDrawerAcknowledgedV1(_Session):
    fact = "cash_drawer.acknowledged"
    acknowledged_by: str | None
    explanation: str | None

    @classmethod
    def of(cls, fact: "DiscrepancyAcknowledged") -> "CashDrawerAcknowledgedV1":
        session = fact.subject
        return cls(
            **cls.shared(fact),
            acknowledged_by=session.acknowledged.by if session.acknowledged else None,
            explanation=session.explanation,
        )


class CashDrawerStuckV1(_Session):
    """An alarm, once: a count has waited for its second person for more than six hours."""

    fact = "cash_drawer.stuck"
    count_number: int
    pending_since: Instant | None

    @classmethod
    def of(cls, fact: "SessionStuck") -> "CashDrawerStuckV1":
        session = fact.subject
        return cls(
            **cls.shared(fact), count_number=session.counts, pending_since=session.pending_since
        )


CASH_EVENTS: Final = (
    CashDrawerOpenedV1,
    CashMovedV1,
    CashDrawerCloseInitiatedV1,
    CashDrawerReturnedToOpenV1,
    CashDrawerClosedV1,
    CashDiscrepancyFoundV1,
    CashDrawerAcknowledgedV1,
    CashDrawerStuckV1,
)
