"""The event of the night audit: a property's business day is over."""

from typing import TYPE_CHECKING, Final

from common.contracts.event import EventData
from common.contracts.fields import Day
from common.contracts.references import NightAuditRef, PropertyRef

if TYPE_CHECKING:  # a function loads the facts that it tells, not all that can be told
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


NIGHT_AUDIT_EVENTS: Final = (NightAuditFinishedV1,)
