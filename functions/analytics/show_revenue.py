"""Show what the platform earns: recurring revenue and its movements, what was invoiced and earned,
what is owed, and what came of what was declined (ANA-1, BEY-15).

All tenants are in it, so it is asked for with a scope of the platform and read outside of any
tenant's transaction. A day that is over is answered the same for ever.
"""

from common.contracts.figures import DaysAsked, RevenueFigures
from common.domain.account_statement import PeriodInvalid
from common.domain.dataclass import dataclass
from common.domain.platform_figures import Days
from common.ports.powers import Powers
from common.ports.transaction import Transaction
from common.runtime.declaration import CSV, RateLimit, http_function


class ShowRevenue(DaysAsked):
    """Of which days."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Days that there are figures of."""

    request: ShowRevenue
    days: Days


def figures(asked: Asked, powers: Powers) -> RevenueFigures:
    """Read the figures of all tenants."""
    found = powers.platform_figures.revenue(asked.days)
    return RevenueFigures.of(asked.request, asked.days, found)


@http_function(
    "GET",
    "/analytics/revenue",
    scope="platform.subscription.read",
    pages={CSV: "revenue_figures"},
    perform=figures,
    limits=(RateLimit(quota=60, window_seconds=60),),
    refusals=(PeriodInvalid,),
)
def show_revenue(request: ShowRevenue, tx: Transaction) -> Asked:
    """Answer the platform's revenue of some days, by currency: JSON, or a table.

    Refuses: PeriodInvalid.
    """
    return Asked(request, Days.of(request.first, request.last, tx.now))
