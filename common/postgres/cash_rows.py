"""Cash sessions and movements as rows: each mapping in both directions, side by side."""

from dataclasses import astuple
from datetime import datetime
from typing import Any, Final

from common.domain.cash import CashSession, Confirmed, Counted, SessionStatus
from common.domain.cash_count import Count
from common.domain.cash_movement import CashMovement, MovementKind
from common.domain.cash_report import Flow, FlowKind
from common.domain.identifiers import (
    CashDrawerId,
    CashMovementId,
    CashSessionId,
    PropertyId,
)
from common.domain.money import Currency, Money
from common.postgres.connection import Row

FIXED: Final = "id, drawer_id, property_id, business_date, opened_by, opened_at"
CHANGING: Final = (
    "status, counts, count, count_sha256, expected, closed_by, counted_at, closing_token_id,"
    " closing_assertion_hash, closing_method, pending_since, stuck_at, co_signer, closed_at,"
    " step_up_token_id, assertion_hash, step_up_method, discrepancy, acknowledged_by,"
    " acknowledged_at, acknowledging_token_id, acknowledging_assertion_hash, acknowledging_method,"
    " explanation, version, trail, state_digest"
)
SESSION_COLUMNS: Final = f"{FIXED}, {CHANGING}"
# Who signed, when, by which confirmation of which proof, with which factor: as in `Confirmed`.
CLOSING: Final = (
    "closed_by",
    "counted_at",
    "closing_token_id",
    "closing_assertion_hash",
    "closing_method",
)
CO_SIGNING: Final = (
    "co_signer",
    "closed_at",
    "step_up_token_id",
    "assertion_hash",
    "step_up_method",
)
ACKNOWLEDGING: Final = (
    "acknowledged_by",
    "acknowledged_at",
    "acknowledging_token_id",
    "acknowledging_assertion_hash",
    "acknowledging_method",
)
MOVEMENT_COLUMNS: Final = "id, session_id, kind, amount_micro, currency, business_date, reason"


def session_row(session: CashSession) -> dict[str, Any]:
    """A session as it is written."""
    counted = session.counted
    confirmed = counted.confirmed if counted else None
    return {
        "id": session.id,
        "drawer_id": session.drawer_id,
        "property_id": session.property_id,
        "business_date": session.business_date,
        "opened_by": session.opened_by,
        "opened_at": session.opened_at,
        "status": session.status,
        "counts": session.counts,
        "count": counted.count.document() if counted else None,
        "count_sha256": counted.sha256 if counted else None,
        "expected": [_amount(each) for each in counted.expected] if counted else None,
        **_confirmation(confirmed, CLOSING),
        "pending_since": session.pending_since,
        "stuck_at": session.stuck_at,
        **_confirmation(session.co_signed, CO_SIGNING),
        "discrepancy": session.discrepancy,
        **_confirmation(session.acknowledged, ACKNOWLEDGING),
        "explanation": session.explanation,
        "version": session.version,
        "trail": session.trail,
        "state_digest": session.state_digest,
    }


def session_of(row: Row) -> CashSession:
    """A session as it was read: tenant, then SESSION_COLUMNS."""
    return CashSession(
        id=CashSessionId(row[1]),
        drawer_id=CashDrawerId(row[2]),
        property_id=PropertyId(row[3]),
        business_date=row[4],
        opened_by=row[5],
        opened_at=row[6],
        status=SessionStatus(row[7]),
        counts=row[8],
        counted=_counted(row),
        pending_since=row[17],
        stuck_at=row[18],
        co_signed=_confirmed(row[19:24]),
        discrepancy=row[24],
        acknowledged=_confirmed(row[25:30]),
        explanation=row[30],
        version=row[31],
        trail=bytes(row[32]),
        state_digest=bytes(row[33]),
        is_new=False,
    )


def movement_row(movement: CashMovement, actor: str, now: datetime) -> dict[str, Any]:
    """A movement as it is written, once."""
    return {
        "id": movement.id,
        "session_id": movement.session_id,
        "kind": movement.kind,
        "amount_micro": movement.amount.amount_micro,
        "currency": movement.amount.currency,
        "business_date": movement.business_date,
        "reason": movement.reason,
        "actor": actor,
        "occurred_at": now,
        "recorded_at": now,
    }


def movement_of(row: Row) -> CashMovement:
    """A movement as it was read: tenant, then MOVEMENT_COLUMNS."""
    return CashMovement(
        id=CashMovementId(row[1]),
        session_id=CashSessionId(row[2]),
        kind=MovementKind(row[3]),
        amount=Money(row[4], Currency(row[5])),
        business_date=row[6],
        reason=row[7],
    )


def flow_of(row: Row) -> Flow:
    """What moved in a session in one way: tenant, session, currency, kind, amount."""
    return Flow(CashSessionId(row[1]), FlowKind(row[3]), Money(row[4], Currency(row[2])))


def _counted(row: Row) -> Counted | None:
    confirmed = _confirmed(row[12:17])
    if confirmed is None:
        return None
    expected = tuple(Money(each["amountMicro"], Currency(each["currency"])) for each in row[11])
    return Counted(
        confirmed=confirmed, count=Count.read(row[9]), sha256=bytes(row[10]), expected=expected
    )


def _confirmation(confirmed: Confirmed | None, columns: tuple[str, ...]) -> dict[str, Any]:
    values = astuple(confirmed) if confirmed else (None,) * len(columns)
    return dict(zip(columns, values, strict=True))


def _confirmed(columns: Row) -> Confirmed | None:
    by, at, token_id, assertion_hash, method = columns
    if by is None:
        return None
    return Confirmed(by=by, at=at, token_id=token_id, assertion_hash=assertion_hash, method=method)


def _amount(money: Money) -> dict[str, Any]:
    return {"currency": str(money.currency), "amountMicro": money.amount_micro}
