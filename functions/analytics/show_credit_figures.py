"""Show how many prepaid credits tenants were granted and have consumed, each and all (ANA-1).

They stand in each tenant's own books and are read there, one tenant after the other; and so does
what the platform owes each house for bills that were settled with credits (BEY-9).
"""

from common.contracts.figures import CreditFigures, DaysAsked
from common.domain.account_statement import PeriodInvalid
from common.domain.dataclass import dataclass
from common.domain.platform_figures import Days
from common.ports.powers import Powers
from common.ports.transaction import Transaction
from common.runtime.declaration import CSV, RateLimit, http_function


class ShowCreditFigures(DaysAsked):
    """Of which days."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Days that there are figures of."""

    request: ShowCreditFigures
    days: Days


def figures(asked: Asked, powers: Powers) -> CreditFigures:
    """Read the credits of all tenants, and what the platform owes houses for them."""
    found = powers.platform_figures.credits(asked.days)
    owed = powers.platform_figures.owed_to_houses(asked.days)
    return CreditFigures.of(asked.request, asked.days, found, owed)


@http_function(
    "GET",
    "/analytics/credits",
    scope="platform.subscription.read",
    pages={CSV: "credit_figures"},
    perform=figures,
    limits=(RateLimit(quota=10, window_seconds=60),),
    refusals=(PeriodInvalid,),
)
def show_credit_figures(request: ShowCreditFigures, tx: Transaction) -> Asked:
    """Answer prepaid credits of some days, by tenant: JSON, or a table.

    Refuses: PeriodInvalid.
    """
    return Asked(request, Days.of(request.first, request.last, tx.now))
