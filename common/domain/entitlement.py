"""What a tenant may use, by the subscription that it has: asked by the house's other services.

The plan says how much, the state says whether. Who tries, who pays, and who is late with paying is
served in full; who was suspended or has paused keeps what is there and adds nothing, so that a
hotel can always read its books and pay; with the end of a subscription nothing is left. None of
this counts use: that is done where something is used.
"""

from datetime import datetime
from enum import StrEnum
from typing import Final

from common.domain.dataclass import dataclass
from common.domain.plan import PlanLimits, PlanVersion
from common.domain.subscription import Status, Subscription


class Access(StrEnum):
    """What is allowed: everything that the plan includes, to read what is there, or nothing."""

    FULL = "full"
    READ_ONLY = "read_only"
    NONE = "none"


ACCESS: Final[dict[Status, Access]] = {
    Status.TRIALING: Access.FULL,
    Status.ACTIVE: Access.FULL,
    Status.PAST_DUE: Access.FULL,
    Status.SUSPENDED: Access.READ_ONLY,
    Status.PAUSED: Access.READ_ONLY,
    Status.CANCELED: Access.NONE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entitlements:
    """What a subscription entitles to. `limits.users` are the seats that are paid for; None has no
    limit. `until` is when this changes by itself at the earliest; None where only somebody's deed
    changes it."""

    access: Access
    limits: PlanLimits
    until: datetime | None


def entitlements_of(subscription: Subscription, version: PlanVersion) -> Entitlements:
    """What a subscription entitles to by the version of the plan that is in force."""
    users, seats = version.limits.users, subscription.terms.seats
    return Entitlements(
        access=ACCESS[subscription.status],
        limits=PlanLimits(
            projects=version.limits.projects,
            users=None if users is None else max(users, seats),
            ai_requests=version.limits.ai_requests,
            storage_mb=version.limits.storage_mb,
        ),
        until=subscription.due_at,
    )
