"""The end of a property's business day: what it came to, written down once (FOL-9).

A day is over when the property's clock says so, and nobody is kept from posting: what comes later
belongs to the next day by its own time. Its end is written when every guest in the house has been
charged for the night: one report for each property and business date, of what the day moved the
guests' accounts by. Days end in their order.

The report tells nothing of what should be in a drawer (CASH-3): of cash it holds what guests paid.
"""

from dataclasses import field
from datetime import date, datetime, timedelta
from typing import ClassVar, Final

from common.domain.aggregate import Aggregate, Fact
from common.domain.canonical import digest
from common.domain.dataclass import dataclass
from common.domain.identifiers import NightAuditId, PropertyId
from common.domain.moment import Moment
from common.domain.money import Money
from common.domain.settings import Property

GRACE: Final = timedelta(minutes=10)
"""What was begun before a day was over is committed by then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """What an account and the guests' accounts moved by: more than nothing is owed by guests."""

    account: str
    amount: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class DayReport:
    """What a business day came to; how many stays were in the house, and did not come."""

    movements: tuple[Movement, ...] = ()
    in_house: int = 0
    no_shows: int = 0

    def document(self) -> dict[str, object]:
        """The report as it is hashed, its accounts in order."""
        return {
            "guestLedger": [
                {
                    "account": each.account,
                    "amountMicro": each.amount.amount_micro,
                    "currency": str(each.amount.currency),
                }
                for each in sorted(self.movements, key=lambda m: (m.account, m.amount.currency))
            ],
            "inHouse": self.in_house,
            "noShows": self.no_shows,
        }

    def sha256(self) -> bytes:
        """What the audit trail and the event commit to (RFC 8785, SHA-256)."""
        return digest(self.document())


@dataclass(frozen=True, kw_only=True)
class DayEnded(Fact):
    """A property's business day is over, and everybody was charged for the night."""

    name = "night_audit.finished"
    subject: "NightAudit" = field(repr=False, compare=False)


@dataclass(kw_only=True)
class NightAudit(Aggregate):
    """See the module."""

    kind: ClassVar[str] = "night_audit"
    id: NightAuditId
    property_id: PropertyId
    business_date: date
    report: DayReport
    finished_at: datetime

    @classmethod
    def end(
        cls, property_id: PropertyId, business_date: date, report: DayReport, moment: Moment
    ) -> DayEnded:
        """Write down what the day came to."""
        audit = cls(
            id=moment.new_id(NightAuditId),
            property_id=property_id,
            business_date=business_date,
            report=report,
            finished_at=moment.now,
        )
        return DayEnded(subject=audit, sequence=audit.next_sequence())

    def state(self) -> dict[str, object]:
        """What the audit trail digests."""
        return {
            "id": self.id,
            "propertyId": str(self.property_id),
            "businessDate": self.business_date.isoformat(),
            "reportSha256": self.report.sha256().hex(),
        }


def next_day(
    house: Property, last: date | None, now: datetime, until: date | None = None
) -> date | None:
    """The next business date of a property to be audited, if one has ended; `last` is audited.

    The first one of a property is the one that ended last: what was planned for days before it is
    charged with it. `until` is the last date to audit.
    """
    ended = house.business_date(now - GRACE) - timedelta(days=1)
    if until is not None:
        ended = min(ended, until)
    following = ended if last is None else last + timedelta(days=1)
    return following if following <= ended else None
