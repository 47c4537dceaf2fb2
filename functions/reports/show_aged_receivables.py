"""Show how old the debts of all companies of a property were at the end of a day.

A controller takes it over as a table. It is worked out from what had happened by then, and adds up
to the ledger: a day that is over is always answered the same (REP-1).
"""

from common.contracts.ageing import AgedAccountView, AgedTotalView
from common.contracts.fields import Day, PropertyRef
from common.contracts.shapes import Outcome, Request
from common.domain.settings import PropertyUnknown
from common.ports.transaction import Transaction
from common.runtime.declaration import CSV, http_function


class ShowAgedReceivables(Request):
    """Which property; `asOf` is its business date unless it is given."""

    property_id: PropertyRef
    as_of: Day | None = None


class AgedReceivablesView(Outcome):
    """Each account that owed something or had something to its credit, and their sums."""

    property_id: PropertyRef
    as_of: Day
    accounts: tuple[AgedAccountView, ...]
    totals: tuple[AgedTotalView, ...]


@http_function(
    "GET",
    "/reports/aged-receivables",
    scope="billing.report.read",
    pages={CSV: "aged_receivables"},
    refusals=(PropertyUnknown,),
)
def show_aged_receivables(request: ShowAgedReceivables, tx: Transaction) -> AgedReceivablesView:
    """Answer what the companies of a property owed on a day, by days past due; also as a table.

    Refuses: PropertyUnknown.
    """
    house = tx.settings.property(request.property_id)
    if not tx.actor.holds(house.id):
        raise PropertyUnknown()
    on = request.as_of or house.business_date(tx.now)
    found = [each for each in tx.company_accounts.ageing(house.id, on) if not each.is_settled]
    return AgedReceivablesView(
        property_id=house.id,
        as_of=on,
        accounts=tuple(AgedAccountView.of(ageing) for ageing in found),
        totals=AgedTotalView.all_of(found),
    )
