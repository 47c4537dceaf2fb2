"""List the ended business days of the properties, each with its report, in the order of their end.

A report says what the day moved the guests' accounts by, account for account: what is more than
nothing guests owe since then. It adds up to what all folios of the property moved by.
"""

from common.contracts.fields import Amount, Day, Instant
from common.contracts.references import NightAuditRef, PropertyRef
from common.contracts.shapes import ListRequest, Outcome, Shape
from common.domain.night_audit import NightAudit
from common.ports.night_audits import NightAuditFilter
from common.ports.paging import CursorInvalid
from common.ports.transaction import Transaction
from common.runtime.declaration import http_function


class ListNightAudits(ListRequest):
    """Which days; what is not given is not asked."""

    property_id: PropertyRef | None = None
    business_date: Day | None = None


class MovementView(Shape):
    """What an account moved the guests' accounts by; of cash, what guests paid."""

    account: str
    amount: Amount


class NightAuditView(Shape):
    """A property's business day, and what it came to."""

    night_audit_id: NightAuditRef
    property_id: PropertyRef
    business_date: Day
    finished_at: Instant
    in_house: int
    no_shows: int
    guest_ledger: tuple[MovementView, ...]

    @classmethod
    def of(cls, audit: NightAudit) -> "NightAuditView":
        return cls(
            night_audit_id=audit.id,
            property_id=audit.property_id,
            business_date=audit.business_date,
            finished_at=audit.finished_at,
            in_house=audit.report.in_house,
            no_shows=audit.report.no_shows,
            guest_ledger=tuple(
                MovementView(account=each.account, amount=each.amount)
                for each in audit.report.movements
            ),
        )


class NightAuditPage(Outcome):
    """A page of ended days; `nextCursor` is null at the end."""

    items: tuple[NightAuditView, ...]
    next_cursor: str | None


@http_function("GET", "/night-audits", scope="billing.report.read", refusals=(CursorInvalid,))
def list_night_audits(request: ListNightAudits, tx: Transaction) -> NightAuditPage:
    """Answer a page of the ended business days of the caller's properties.

    Refuses: CursorInvalid.
    """
    page = tx.night_audits.page(
        NightAuditFilter(property_id=request.property_id, business_date=request.business_date),
        request.limit,
        request.cursor,
    )
    return NightAuditPage(
        items=tuple(NightAuditView.of(audit) for audit in page.items), next_cursor=page.next_cursor
    )
