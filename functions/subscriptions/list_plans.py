"""List the plans that can be subscribed to, each in its newest version."""

from common.contracts.plans import PlanVersionView
from common.contracts.shapes import Outcome, Request
from common.ports.transaction import Transaction
from common.runtime.declaration import http_function


class ListPlans(Request):
    """Nothing is asked."""


class PlanList(Outcome):
    """All plans: there are few."""

    items: tuple[PlanVersionView, ...]


@http_function("GET", "/plans", scope="subscription.read")
def list_plans(request: ListPlans, tx: Transaction) -> PlanList:
    """Answer the newest version of every plan, by its name."""
    return PlanList(items=tuple(PlanVersionView.of(version) for version in tx.plans.newest()))
