"""Asking a detector about cash, and doing without it: it advises, and nothing waits for it (AI-1).

Where the platform has an orchestrator it is asked first. What it says about somebody who is not in
the figures, or twice, is passed over; where it is down, or says nothing that can be read, the house
counts for itself. Either way the day has been looked at, and no money has moved.
"""

from collections.abc import Iterator, Sequence
from datetime import date
from uuid import UUID

from common.domain.cash_patterns import SCORE_MAX, ActorFigures, Finding, find_patterns
from common.domain.dataclass import dataclass
from common.domain.identifiers import PropertyId
from common.domain.signal import Signal
from common.ports.powers import Powers
from common.ports.transaction import Transaction

STATISTICS = "statistics"


@dataclass(frozen=True, slots=True)
class Day:
    """A property's business day that is to be looked at, with everybody's figures."""

    tenant_id: UUID
    property_id: PropertyId
    business_date: date
    figures: tuple[ActorFigures, ...]


@dataclass(frozen=True, slots=True)
class Looked:
    """What was found, and by whom."""

    day: Day
    findings: tuple[Finding, ...]
    source: str


def look_at(day: Day, powers: Powers) -> Looked:
    """Ask the orchestrator where there is one, else count."""
    detector = powers.detector
    if detector is None:
        return Looked(day, tuple(find_patterns(day.figures)), STATISTICS)
    try:
        return Looked(
            day, tuple(_sound(detector.look(day.tenant_id, day.figures), day)), detector.name
        )
    except Exception:  # noqa: BLE001 - whatever ails it, the house can count for itself
        return Looked(day, tuple(find_patterns(day.figures)), STATISTICS)


def keep_signals(looked: Looked, tx: Transaction) -> None:
    """Raise what is new of it, and write down that the day was looked at."""
    day = looked.day
    if tx.signals.is_looked_at(day.property_id, day.business_date):
        return
    known = tx.signals.known(day.property_id, day.business_date)
    for finding in looked.findings:
        if (finding.pattern, finding.actor) in known:
            continue
        raised = Signal.raised(day.property_id, day.business_date, finding, looked.source, tx)
        tx.signals.keep(raised.subject)
        tx.tell(raised)
    tx.signals.keep_look(day.property_id, day.business_date, looked.source)


def _sound(findings: Sequence[Finding], day: Day) -> Iterator[Finding]:
    """What can be true: about somebody who is there, once, with a score that is one."""
    there, seen = {each.actor for each in day.figures}, set()
    for finding in findings:
        about = (finding.pattern, finding.actor)
        if finding.actor in there and about not in seen and 0 <= finding.score_ppm <= SCORE_MAX:
            seen.add(about)
            yield finding
