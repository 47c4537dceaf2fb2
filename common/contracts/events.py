"""The events that we publish: CloudEvents 1.0 with typed data, one shape for each fact and version.

A shape may gain fields; it never loses one or changes its meaning, because consumers that we do not
know read it. No shape holds personal data: who the guest is can be asked for by those who may know.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from common.contracts.cash_events import CASH_EVENTS
from common.contracts.collection_events import COLLECTION_EVENTS
from common.contracts.dispute_events import DISPUTE_EVENTS
from common.contracts.document_events import DOCUMENT_EVENTS
from common.contracts.event import EventData
from common.contracts.fields import Day
from common.contracts.folio_events import FOLIO_EVENTS
from common.contracts.payment_events import PAYMENT_EVENTS
from common.contracts.payouts import PAYOUT_EVENTS
from common.contracts.prepaid_events import CREDIT_EVENTS
from common.contracts.processor_differences import PROCESSOR_EVENTS
from common.contracts.purchase_events import PURCHASE_EVENTS
from common.contracts.receivable_events import RECEIVABLE_EVENTS
from common.contracts.reconciliations import RECONCILIATION_EVENTS
from common.contracts.references import NightAuditRef, PropertyRef
from common.contracts.review_events import REVIEW_EVENTS
from common.contracts.subscription_events import SUBSCRIPTION_EVENTS

if TYPE_CHECKING:  # a function loads the facts that it tells, not all that can be told
    from common.domain.aggregate import Fact
    from common.domain.night_audit import DayEnded


class NightAuditFinishedV1(EventData):
    """A property's business day is over; the SHA-256 is that of its report (RFC 8785)."""

    fact = "night_audit.finished"
    night_audit_id: NightAuditRef
    property_id: PropertyRef
    business_date: Day
    in_house: int
    no_shows: int
    report_sha256: str

    @classmethod
    def of(cls, fact: "DayEnded") -> "NightAuditFinishedV1":
        audit = fact.subject
        return cls(
            night_audit_id=audit.id,
            property_id=audit.property_id,
            business_date=audit.business_date,
            in_house=audit.report.in_house,
            no_shows=audit.report.no_shows,
            report_sha256=audit.report.sha256().hex(),
        )


EVENTS: Final[dict[str, tuple[type[EventData], Callable[[Any], EventData]]]] = {
    shape.fact: (shape, shape.of)
    for shape in (
        *FOLIO_EVENTS,
        NightAuditFinishedV1,
        *DOCUMENT_EVENTS,
        *CASH_EVENTS,
        *RECONCILIATION_EVENTS,
        *RECEIVABLE_EVENTS,
        *CREDIT_EVENTS,
        *PURCHASE_EVENTS,
        *DISPUTE_EVENTS,
        *PROCESSOR_EVENTS,
        *SUBSCRIPTION_EVENTS,
        *COLLECTION_EVENTS,
        *REVIEW_EVENTS,
        *PAYMENT_EVENTS,
        *PAYOUT_EVENTS,
    )
}


def event_of(fact: "Fact") -> EventData | None:
    """What is published of a fact; None for one that stays in the house."""
    known = EVENTS.get(fact.name)
    return known[1](fact) if known else None
