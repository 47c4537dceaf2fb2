"""Show whom the platform wins and loses: customers, churn, what one is worth, trials (ANA-1)."""

from common.contracts.figures import DaysAsked, SubscriptionFigures
from common.domain.account_statement import PeriodInvalid
from common.domain.dataclass import dataclass
from common.domain.platform_figures import Days
from common.ports.powers import Powers
from common.ports.transaction import Transaction
from common.runtime.declaration import CSV, RateLimit, http_function


class ShowSubscriptionFigures(DaysAsked):
    """Of which days."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Days that there are figures of."""

    request: ShowSubscriptionFigures
    days: Days


def figures(asked: Asked, powers: Powers) -> SubscriptionFigures:
    """Read the figures of all tenants."""
    known = powers.platform_figures
    return SubscriptionFigures.of(
        asked.request, asked.days, known.revenue(asked.days), known.trials(asked.days)
    )


@http_function(
    "GET",
    "/analytics/subscriptions",
    scope="platform.subscription.read",
    pages={CSV: "subscription_figures"},
    perform=figures,
    limits=(RateLimit(quota=60, window_seconds=60),),
    refusals=(PeriodInvalid,),
)
def show_subscription_figures(request: ShowSubscriptionFigures, tx: Transaction) -> Asked:
    """Answer customers and trials of some days: JSON, or a table.

    Refuses: PeriodInvalid.
    """
    return Asked(request, Days.of(request.first, request.last, tx.now))
