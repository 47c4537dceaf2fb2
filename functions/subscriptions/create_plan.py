"""Bring a new plan into the catalogue, in its first version (SUB-1).

Plans belong to the platform and are everybody's to read. Whoever publishes one confirms the whole
of it, in the tenant that they work for: there its trail stands.
"""

from common.contracts.plans import PlanGiven, PlanName, PlanVersionView
from common.domain.identifiers import PlanVersionId
from common.domain.meter import MeterUnknown
from common.domain.money import CurrenciesDiffer
from common.domain.plan import PlanExists, PlanPriceInvalid
from common.domain.usage_price import UsagePriceInvalid
from common.ports.transaction import Transaction
from common.procedures.approving import confirming
from common.runtime.declaration import http_function


class CreatePlan(PlanGiven):
    """The plan's name in requests, and its first version."""

    plan: PlanName


@http_function(
    "POST",
    "/plans",
    scope="platform.subscription.write",
    status=201,
    step_up=True,
    context=confirming("plan.create"),
    refusals=(PlanExists, PlanPriceInvalid, UsagePriceInvalid, MeterUnknown, CurrenciesDiffer),
)
def create_plan(request: CreatePlan, tx: Transaction) -> PlanVersionView:
    """Bring a plan into the catalogue, and answer its first version.

    Refuses: PlanExists, PlanPriceInvalid, UsagePriceInvalid, MeterUnknown,
    CurrenciesDiffer.
    """
    if tx.plans.find(request.plan) is not None:
        raise PlanExists(plan=request.plan)
    version = request.version(tx.new_id(PlanVersionId), request.plan, 1, tx)
    tx.usage.must_know(price.meter for price in version.usage_prices)
    tx.plans.keep(version)
    tx.tell(version.published())
    return PlanVersionView.of(version)
