"""Show how old the debts of all companies of a property were at the end of a day.

A controller reads it as a page, files it as a PDF, and takes it over as a table. It is worked out
from what had happened by then, and adds up to the ledger: a day that is over is always answered the
same (REP-1).
"""

from common.contracts.ageing import AgedAccountView, AgedTotalView
from common.contracts.fields import Day
from common.contracts.references import PropertyRef
from common.contracts.shapes import Outcome, Request
from common.contracts.statement import IssuerView
from common.domain.settings import PropertyUnknown
from common.ports.powers import NotPrintable
from common.ports.transaction import Transaction
from common.runtime.declaration import CSV, HTML, PDF, RateLimit, http_function


class ShowAgedReceivables(Request):
    """Which property; `asOf` is its business date unless it is given."""

    property_id: PropertyRef
    as_of: Day | None = None


class AgedReceivablesView(Outcome):
    """Each account that owed something or had something to its credit, and their sums.

    It is drawn as a page or a PDF in the tenant's `language`.
    """

    language: str
    property_id: PropertyRef
    property_name: str
    issuer: IssuerView
    as_of: Day
    accounts: tuple[AgedAccountView, ...]
    totals: tuple[AgedTotalView, ...]


@http_function(
    "GET",
    "/reports/aged-receivables",
    scope="billing.report.read",
    pages={HTML: "aged_receivables", PDF: "aged_receivables", CSV: "aged_receivables"},
    limits=(RateLimit(quota=60, window_seconds=60),),
    refusals=(PropertyUnknown, NotPrintable),
)
def show_aged_receivables(request: ShowAgedReceivables, tx: Transaction) -> AgedReceivablesView:
    """Answer what a property's companies owed on a day, by days past due: JSON, page, PDF, table.

    Refuses: PropertyUnknown, NotPrintable.
    """
    house = tx.settings.property(request.property_id)
    if not tx.actor.holds(house.id):
        raise PropertyUnknown()
    on = request.as_of or house.business_date(tx.now)
    found = [each for each in tx.company_accounts.ageing(house.id, on) if not each.is_settled]
    return AgedReceivablesView(
        language=tx.settings.language,
        property_id=house.id,
        property_name=house.name,
        issuer=IssuerView.of(tx.settings.issuer),
        as_of=on,
        accounts=tuple(AgedAccountView.of(ageing) for ageing in found),
        totals=AgedTotalView.all_of(found),
    )
