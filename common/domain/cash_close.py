"""Closing a drawer: counted blind by one person, confirmed by another, explained by a third.

The closing actor counts and signs the count. From then on no cash moves. The co-signer sees what
was counted, not what should be there, and signs the very same document. Only then the two are held
against each other: what is over or short is booked, and what is beyond the tenant's threshold waits
until a person who did neither has answered for it (CASH-4, CASH-5).

A count that waits may be sent back with a reason. One that has waited for six hours may be made
anew by a supervisor in place of the closing actor, and confirmed by a second one: never is a drawer
closed by one person, however long it waits (CASH-8).
"""

import hmac
from datetime import datetime

from common.domain.cash import (
    CashMoved,
    CashSession,
    Confirmed,
    Counted,
    Result,
    SessionFact,
    SessionStatus,
)
from common.domain.cash_count import Count, closing_sha256
from common.domain.cash_movement import MovementKind
from common.domain.dataclass import dataclass
from common.domain.moment import Moment
from common.domain.money import Money
from common.domain.refusal import Conflict, Forbidden


class SessionNotPending(Conflict):
    code = "CASH_SESSION_NOT_PENDING"
    title = "The cash session does not wait for a second person"


class SessionNotStuck(Conflict):
    code = "CASH_SESSION_NOT_STUCK"
    title = "The count has not waited for six hours: it is confirmed, or sent back"


class CountDiffers(Conflict):
    code = "CASH_COUNT_DIFFERS"
    title = "This is not the count that the session waits for"


class SamePerson(Forbidden):
    code = "CASH_SAME_PERSON"
    title = "This needs another person than those who have signed already"


class NothingToAcknowledge(Conflict):
    code = "CASH_NOTHING_TO_ACKNOWLEDGE"
    title = "No difference of this session waits for an explanation"


@dataclass(frozen=True, kw_only=True)
class CloseInitiated(SessionFact):
    name = "cash_drawer.close_initiated"


@dataclass(frozen=True, kw_only=True)
class ReturnedToOpen(SessionFact):
    name = "cash_drawer.returned_to_open"


@dataclass(frozen=True, kw_only=True)
class SessionClosed(CashMoved):
    name = "cash_drawer.closed"


@dataclass(frozen=True, kw_only=True)
class DiscrepancyFound(SessionFact):
    name = "cash_drawer.discrepancy_found"
    beyond: tuple[Result, ...]


@dataclass(frozen=True, kw_only=True)
class DiscrepancyAcknowledged(SessionFact):
    name = "cash_drawer.acknowledged"


@dataclass(frozen=True, kw_only=True)
class SessionStuck(SessionFact):
    name = "cash_drawer.stuck"


def initiate_close(
    session: CashSession,
    count: Count,
    number: int,
    expected: tuple[Money, ...],
    confirmed: Confirmed,
    moment: Moment,
) -> CloseInitiated:
    """Take the closing actor's count: the session waits for a second person.

    `expected` is what the ledger says, read under the session's lock. Refuses: SessionNotOpen,
    CountDiffers (not the next count of this session).
    """
    session.must_be_open()
    _take_count(session, count, number, expected, confirmed, moment)
    session.status, session.pending_since = SessionStatus.PENDING, moment.now
    return CloseInitiated(subject=session, sequence=session.next_sequence())


def recount_stuck(
    session: CashSession,
    count: Count,
    number: int,
    expected: tuple[Money, ...],
    confirmed: Confirmed,
    moment: Moment,
) -> CloseInitiated:
    """Take a supervisor's count in the place of one that nobody confirmed for six hours.

    Refuses: SessionNotPending, SessionNotStuck, SamePerson (who made the count that waits),
    CountDiffers.
    """
    waiting = _waiting(session)
    if not session.is_stuck(moment.now):
        raise SessionNotStuck(cashSessionId=session.id)
    if confirmed.by == waiting.confirmed.by:
        raise SamePerson()
    _take_count(session, count, number, expected, confirmed, moment)
    return CloseInitiated(subject=session, sequence=session.next_sequence())


def close(
    session: CashSession, sha256: bytes, co_signed: Confirmed, moment: Moment
) -> tuple[SessionClosed, *tuple[DiscrepancyFound, ...]]:
    """Confirm the count that waits as a second person; book what is over or short.

    `sha256` is what the co-signer has signed. Refuses: SessionNotPending, SamePerson, CountDiffers.
    """
    waiting = _waiting(session)
    if co_signed.by == waiting.confirmed.by:
        raise SamePerson()
    if not hmac.compare_digest(sha256, waiting.sha256):
        raise CountDiffers(cashSessionId=session.id)
    beyond = tuple(
        each for each in waiting.results if moment.settings.is_beyond_threshold(each.variance)
    )
    session.status, session.co_signed = SessionStatus.CLOSED, co_signed
    session.pending_since, session.discrepancy = None, bool(beyond)
    closed = _closed(session, waiting, moment)
    if not beyond:
        return (closed,)
    found = DiscrepancyFound(subject=session, sequence=session.next_sequence(), beyond=beyond)
    return (closed, found)


def return_to_open(session: CashSession, number: int, reason: str) -> ReturnedToOpen:
    """Send a count back: cash may move again, until the drawer is counted anew.

    Refuses: SessionNotPending, CountDiffers (not the `number`th count, which waits).
    """
    _waiting(session)
    if number != session.counts:
        raise CountDiffers(cashSessionId=session.id)
    session.status, session.counted = SessionStatus.OPEN, None
    session.pending_since = session.stuck_at = None
    return ReturnedToOpen(subject=session, sequence=session.next_sequence(), reason=reason)


def acknowledge(
    session: CashSession, explanation: str, confirmed: Confirmed
) -> DiscrepancyAcknowledged:
    """Answer for the difference, as a person who neither counted nor confirmed.

    Refuses: NothingToAcknowledge, SamePerson.
    """
    if session.status is not SessionStatus.CLOSED or not session.discrepancy:
        raise NothingToAcknowledge(cashSessionId=session.id)
    if confirmed.by in (_by(session.co_signed), session.counted and session.counted.confirmed.by):
        raise SamePerson()
    session.status, session.acknowledged = SessionStatus.ACKNOWLEDGED, confirmed
    session.explanation = explanation
    return DiscrepancyAcknowledged(
        subject=session, sequence=session.next_sequence(), reason=explanation
    )


def find_stuck(session: CashSession, now: datetime) -> SessionStuck | None:
    """Tell the house, once, that a count waits too long; None when there is nothing to tell."""
    if session.stuck_at is not None or not session.is_stuck(now):
        return None
    session.stuck_at = now
    return SessionStuck(subject=session, sequence=session.next_sequence())


def _take_count(
    session: CashSession,
    count: Count,
    number: int,
    expected: tuple[Money, ...],
    confirmed: Confirmed,
    moment: Moment,
) -> None:
    if number != session.counts + 1:
        raise CountDiffers(cashSessionId=session.id, nextCountNumber=session.counts + 1)
    tenant = moment.settings.tenant_id
    sha256 = closing_sha256(tenant, session.id, confirmed.by, number, count)
    session.counts = number
    session.counted = Counted(confirmed=confirmed, count=count, sha256=sha256, expected=expected)


def _waiting(session: CashSession) -> Counted:
    """The count that waits. Refuses: SessionNotPending."""
    if session.status is not SessionStatus.PENDING or session.counted is None:
        raise SessionNotPending(cashSessionId=session.id)
    return session.counted


def _closed(session: CashSession, counted: Counted, moment: Moment) -> SessionClosed:
    """Book what is over or short, and turn in what was counted: the account is empty then."""
    variances = [each.variance for each in counted.results]
    over = [each for each in variances if each.amount_micro > 0]
    short = [-each for each in variances if each.amount_micro < 0]
    movements = (
        *session.movements(MovementKind.OVER, over, moment),
        *session.movements(MovementKind.SHORT, short, moment),
        *session.movements(MovementKind.TURNED_IN, counted.count.amounts, moment),
    )
    return SessionClosed(subject=session, sequence=session.next_sequence(), movements=movements)


def _by(confirmed: Confirmed | None) -> str | None:
    return confirmed.by if confirmed else None
