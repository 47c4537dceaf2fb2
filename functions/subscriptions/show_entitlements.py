"""Show what a tenant may use: the features and limits of its plan, and whether they are open.

The house's other services ask this at their doors, so it is one question to the database. The ETag
is the subscription's: as long as it stays the same, so does the answer.
"""

from common.contracts.fields import Instant
from common.contracts.plans import LimitsShape
from common.contracts.references import TenantRef
from common.contracts.shapes import Outcome, Request
from common.domain.entitlement import entitlements_of
from common.domain.subscription import SubscriptionUnknown
from common.ports.transaction import Transaction
from common.runtime.declaration import http_function


class ShowEntitlements(Request):
    """The tenant in the path: one's own, but for who works for the platform."""

    tenant_id: TenantRef


class EntitlementsAnswer(Outcome):
    """`access` is `full`, `read_only` (suspended, paused) or `none` (canceled). Limits without a
    number are without limit; `limits.users` are the seats. Nothing changes by itself before
    `until`."""

    status: str
    access: str
    plan: str
    plan_version: int
    limits: LimitsShape
    credits_micro: int | None
    support: str
    sla: bool
    until: Instant | None
    version: int


@http_function(
    "GET",
    "/entitlements/{tenant_id}",
    scope="subscription.read",
    platform_scope="platform.subscription.read",
    refusals=(SubscriptionUnknown,),
)
def show_entitlements(request: ShowEntitlements, tx: Transaction) -> EntitlementsAnswer:
    """Answer what a tenant may use now. Refuses: SubscriptionUnknown."""
    subscription, plan = tx.subscriptions.get_with_plan()
    entitled = entitlements_of(subscription, plan)
    return EntitlementsAnswer(
        status=subscription.status.value,
        access=entitled.access.value,
        plan=plan.plan,
        plan_version=plan.number,
        limits=LimitsShape(
            projects=entitled.limits.projects,
            users=entitled.limits.users,
            ai_requests=entitled.limits.ai_requests,
            storage_mb=entitled.limits.storage_mb,
        ),
        credits_micro=plan.credits_micro,
        support=plan.support,
        sla=plan.sla,
        until=entitled.until,
        version=subscription.version,
    )
