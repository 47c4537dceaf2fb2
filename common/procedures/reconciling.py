"""A business date is reconciled: our card records are read, the processor is asked for its own, and
what differs is written down together with what the books themselves say.

No lock is held while the processor is asked. Whatever we held before is then there, if all is well;
what has come to either side since is looked up in the books, and is not taken for a difference.
"""

from datetime import datetime
from uuid import UUID

from common.domain.dataclass import dataclass
from common.domain.identifiers import ReconciliationId
from common.domain.reconciliation import (
    BusinessDay,
    CardRecords,
    Reconciliation,
    card_differences,
    differences_of,
)
from common.ports.answers import Unknown
from common.ports.gateway import Wanted
from common.ports.powers import Powers
from common.ports.reconciling import Hours
from common.ports.transaction import Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Inquiry:
    """A date, and our card records of it as they were `at` the moment that the run began."""

    tenant_id: UUID
    hours: Hours
    ours: CardRecords
    at: datetime


@dataclass(frozen=True, slots=True)
class Answered:
    """An inquiry, and the processor's records."""

    inquiry: Inquiry
    theirs: CardRecords | Unknown


def inquiry_of(day: BusinessDay, tx: Transaction) -> Inquiry:
    """Read what the processor is to be asked for. Refuses: PropertyUnknown."""
    since, until = tx.settings.property(day.property_id).hours_of(day.date)
    return Inquiry(
        tenant_id=tx.settings.tenant_id,
        hours=Hours(day=day, since=since, until=until),
        ours=tx.reconciliations.card_records(day),
        at=tx.now,
    )


def ask_for_records(inquiry: Inquiry, powers: Powers) -> Answered:
    """Ask the processor what it has of the date, and of our ids."""
    hours, ours = inquiry.hours, inquiry.ours
    wanted = Wanted(
        tenant_id=inquiry.tenant_id,
        property_id=hours.day.property_id,
        since=hours.since,
        until=hours.until,
        payment_ids=[each.id for each in ours.payments],
        refund_ids=[each.id for each in ours.refunds],
    )
    return Answered(inquiry, powers.gateway.records(wanted))


def keep_findings(answered: Answered, tx: Transaction) -> None:
    """Write down what differs, and tell of it where it is something else than before."""
    inquiry = answered.inquiry
    theirs = None if isinstance(answered.theirs, Unknown) else answered.theirs
    known, books = tx.reconciliations.take_with_books(inquiry.hours, theirs or CardRecords())
    reconciliation = known or Reconciliation.begun(
        tx.new_id(ReconciliationId), inquiry.hours.day, inquiry.at
    )
    changed = reconciliation.found(
        differences_of(books.figures),
        None if theirs is None else card_differences(inquiry.ours, theirs, books.known),
        inquiry.at,
    )
    tx.reconciliations.keep(reconciliation)
    if changed is not None:
        tx.tell(changed)
