"""Show what the cash drawers of a property came to on a business date, and who answers for them.

Of a drawer that is not closed yet nothing is told but that it is there: no report says what should
be in a drawer before two persons have signed its count (CASH-3).
"""

from common.contracts.cash_report import CashColumnView, DrawerReportView, NotClosedView
from common.contracts.fields import Day
from common.contracts.references import PropertyRef
from common.contracts.shapes import Outcome, Request
from common.domain.cash_report import CashReport, cash_report
from common.domain.settings import PropertyUnknown
from common.ports.transaction import Transaction
from common.runtime.declaration import http_function


class ShowCashReport(Request):
    """Which property, and which of its business dates."""

    property_id: PropertyRef
    business_date: Day


class CashReportView(Outcome):
    """The closed drawers of a business date, and their sums; `notClosed` are in neither."""

    property_id: PropertyRef
    business_date: Day
    sessions: tuple[DrawerReportView, ...]
    not_closed: tuple[NotClosedView, ...]
    totals: tuple[CashColumnView, ...]

    @classmethod
    def of(cls, asked: ShowCashReport, report: CashReport) -> "CashReportView":
        return cls(
            property_id=asked.property_id,
            business_date=asked.business_date,
            sessions=tuple(DrawerReportView.of(drawer) for drawer in report.drawers),
            not_closed=tuple(NotClosedView.of(session) for session in report.not_closed),
            totals=tuple(CashColumnView.of(column) for column in report.totals),
        )


@http_function("GET", "/reports/cash", scope="billing.report.read", refusals=(PropertyUnknown,))
def show_cash_report(request: ShowCashReport, tx: Transaction) -> CashReportView:
    """Answer what each drawer of a business date came to, and all of them together.

    Refuses: PropertyUnknown.
    """
    house = tx.settings.property(request.property_id)
    if not tx.actor.holds(house.id):
        raise PropertyUnknown()
    report = cash_report(*tx.cash_sessions.of_day(house.id, request.business_date))
    return CashReportView.of(request, report)
