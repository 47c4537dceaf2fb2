"""How cash drawers, their sessions and counts read on the wire.

While a session is counted blind, what should be in the drawer is not told, and neither is what it
could be worked out from: the float, the movements, the sums (CASH-3). What somebody counted is
told, because the second person confirms exactly that.
"""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field

from common.contracts.fields import (
    Amount,
    AmountNotNegative,
    Day,
    Instant,
)
from common.contracts.references import (
    CashDrawerRef,
    CashMovementRef,
    CashSessionRef,
    PropertyRef,
)
from common.contracts.shapes import Outcome, Request, Shape
from common.domain.cash import CashSession, SessionStatus
from common.domain.cash_count import (
    Count,
    CurrencyCount,
    Denomination,
    acknowledging_sha256,
    returning_sha256,
)
from common.domain.cash_drawer import CashDrawer
from common.domain.cash_movement import CashMovement
from common.domain.money import Money
from common.domain.settings import Settings


class DenominationShape(Shape):
    """So many pieces of one coin or note; its value in millionths of the currency's unit."""

    value_micro: Annotated[int, Field(ge=1, le=10**15, examples=[20_000_000])]
    pieces: Annotated[int, Field(ge=0, le=1_000_000, examples=[3])]


class CurrencyCountShape(Shape):
    """What was counted of a currency. Denominations may be left out; given, they are all of it."""

    amount: AmountNotNegative
    denominations: Annotated[tuple[DenominationShape, ...], Field(max_length=50)] = ()

    def part(self) -> CurrencyCount:
        """Refuses: CountInvalid, AmountNotInMinorUnits."""
        return CurrencyCount(
            self.amount,
            tuple(Denomination(each.value_micro, each.pieces) for each in self.denominations),
        )


CountShape = Annotated[
    tuple[CurrencyCountShape, ...],
    Field(
        max_length=20,
        examples=[[{"amount": {"amountMicro": 130_000_000, "currency": "USD"}}]],
    ),
]
"""What was counted, each currency once; a currency that is left out was counted as nothing."""

CountNumber = Annotated[int, Field(ge=1, le=10_000, examples=[1])]
"""Which count of the session it is: 1, and one more each time a count was sent back."""


def count_of(shapes: Sequence[CurrencyCountShape]) -> Count:
    """Refuses: CountInvalid, AmountNotInMinorUnits."""
    return Count(tuple(shape.part() for shape in shapes))


class CountRequest(Request):
    """A count of the session in the path, and which count of it it is."""

    session_id: CashSessionRef
    count_number: CountNumber
    count: CountShape


class DrawerView(Outcome):
    """A drawer; `active` is false while it is frozen."""

    cash_drawer_id: CashDrawerRef
    property_id: PropertyRef
    name: str
    active: bool
    version: int

    @classmethod
    def of(cls, drawer: CashDrawer) -> "DrawerView":
        return cls(
            cash_drawer_id=drawer.id,
            property_id=drawer.property_id,
            name=drawer.label,
            active=drawer.active,
            version=drawer.version,
        )


class MovementView(Outcome):
    """Cash that went into the drawer or out of it, other than by a guest."""

    movement_id: CashMovementRef
    kind: str
    amount: Amount
    business_date: Day
    reason: str | None

    @classmethod
    def of(cls, movement: CashMovement) -> "MovementView":
        return cls(
            movement_id=movement.id,
            kind=movement.kind.value,
            amount=movement.amount,
            business_date=movement.business_date,
            reason=movement.reason,
        )


class StepUpContexts(Shape):
    """What a person has to sign for what may be done next, each the SHA-256 of the deed in hex."""

    close: str | None = None
    return_to_open: str | None = None
    acknowledge_discrepancy: str | None = None


class CashResultView(Shape):
    """What should have been there, what was, and what it is over (more than 0) or short."""

    expected: Amount
    counted: Amount
    variance: Amount


class CashSessionView(Outcome):
    """A session without its movements.

    `expected` is what should be in the drawer while it is open; null is what is not shown.
    """

    cash_session_id: CashSessionRef
    cash_drawer_id: CashDrawerRef
    property_id: PropertyRef
    status: str
    business_date: Day
    opened_by: str
    opened_at: Instant
    counts: int
    closed_by: str | None
    pending_since: Instant | None
    count: tuple[CurrencyCountShape, ...] | None
    count_sha256: str | None
    step_up_contexts: StepUpContexts
    expected: tuple[Amount, ...] | None
    co_signer: str | None
    closed_at: Instant | None
    result: Literal["balanced", "discrepancy"] | None
    results: tuple[CashResultView, ...] | None
    acknowledged_by: str | None
    explanation: str | None
    version: int

    @classmethod
    def of(
        cls, session: CashSession, settings: Settings, expected: Sequence[Money] = ()
    ) -> "CashSessionView":
        counted, co_signed = session.counted, session.co_signed
        hidden, is_open = session.hides(settings), session.status is SessionStatus.OPEN
        return cls(
            cash_session_id=session.id,
            cash_drawer_id=session.drawer_id,
            property_id=session.property_id,
            status=session.status.value,
            business_date=session.business_date,
            opened_by=session.opened_by,
            opened_at=session.opened_at,
            counts=session.counts,
            closed_by=counted.confirmed.by if counted else None,
            pending_since=session.pending_since,
            count=_count(counted.count) if counted else None,
            count_sha256=counted.sha256.hex() if counted else None,
            step_up_contexts=_contexts(session, settings),
            expected=tuple(expected) if is_open and not hidden else None,
            co_signer=co_signed.by if co_signed else None,
            closed_at=co_signed.at if co_signed else None,
            result=_result(session),
            results=None if hidden or counted is None else _results(session),
            acknowledged_by=session.acknowledged.by if session.acknowledged else None,
            explanation=session.explanation,
            version=session.version,
        )


def _count(count: Count) -> tuple[CurrencyCountShape, ...]:
    return tuple(
        CurrencyCountShape(
            amount=part.amount,
            denominations=tuple(
                DenominationShape(value_micro=each.value_micro, pieces=each.pieces)
                for each in part.denominations
            ),
        )
        for part in count.in_order
    )


def _results(session: CashSession) -> tuple[CashResultView, ...]:
    return tuple(
        CashResultView(expected=each.expected, counted=each.counted, variance=each.variance)
        for each in session.results
    )


def _result(session: CashSession) -> Literal["balanced", "discrepancy"] | None:
    if session.co_signed is None:
        return None
    return "discrepancy" if session.discrepancy else "balanced"


def _contexts(session: CashSession, settings: Settings) -> StepUpContexts:
    match session.status:
        case SessionStatus.PENDING if session.counted:
            return StepUpContexts(
                close=session.counted.sha256.hex(),
                return_to_open=returning_sha256(
                    settings.tenant_id, session.id, session.counts
                ).hex(),
            )
        case SessionStatus.CLOSED if session.discrepancy:
            sha256 = acknowledging_sha256(settings.tenant_id, session.id)
            return StepUpContexts(acknowledge_discrepancy=sha256.hex())
        case _:
            return StepUpContexts()
