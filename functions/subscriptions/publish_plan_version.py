"""Publish the next version of a plan: another price, other limits (SUB-1).

What was published never changes, and who has subscribed keeps their version until they are moved.
"""

from common.contracts.plans import PlanGiven, PlanName, PlanVersionView
from common.domain.identifiers import PlanVersionId
from common.domain.meter import MeterUnknown
from common.domain.money import CurrenciesDiffer
from common.domain.plan import PlanPriceInvalid, PlanUnknown
from common.domain.usage_price import UsagePriceInvalid
from common.ports.transaction import Transaction
from common.procedures.approving import confirming
from common.runtime.declaration import http_function


class PublishPlanVersion(PlanGiven):
    """The plan in the path, and what its next version is to be."""

    plan: PlanName


@http_function(
    "POST",
    "/plans/{plan}/versions",
    scope="platform.subscription.write",
    status=201,
    step_up=True,
    context=confirming("plan.publish"),
    refusals=(PlanUnknown, PlanPriceInvalid, UsagePriceInvalid, MeterUnknown, CurrenciesDiffer),
)
def publish_plan_version(request: PublishPlanVersion, tx: Transaction) -> PlanVersionView:
    """Publish the next version of a plan, and answer it.

    Refuses: PlanUnknown, PlanPriceInvalid, UsagePriceInvalid, MeterUnknown,
    CurrenciesDiffer.
    """
    newest = tx.plans.get(request.plan)
    version = request.version(tx.new_id(PlanVersionId), request.plan, newest.number + 1, tx)
    tx.usage.must_know(price.meter for price in version.usage_prices)
    tx.plans.keep(version)
    tx.tell(version.published())
    return PlanVersionView.of(version)
