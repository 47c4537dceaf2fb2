"""The laptop's tenant service, as far as it hears of subscriptions: it keeps the doors (SUB-7).

In a deployment it is another service of the platform, and subscribes to the topic: whoever is
suspended is let in to read and to pay, and to nothing else, until they are reactivated. This one is
told by the laptop's broker, as any subscriber is: at least once, and in order for a subscription.
It remembers what it heard since the stack was started.
"""

from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Final
from uuid import UUID

from common.contracts.event import TYPE_PREFIX
from common.domain.refusal import Missing
from common.runtime.pushed import PushedEvent

PUSHED_PATH: Final = "/dev/tenant-service"
KEPT_OUT: Final = frozenset({"suspended", "paused", "canceled"})
"""States of a subscription in which the house's other services let nobody change anything."""
TYPES: Final = tuple(
    f"{TYPE_PREFIX}subscription.{fact}.v1"
    for fact in (
        "created",
        "trial_will_end",
        "trial_converted",
        "past_due",
        "suspended",
        "reactivated",
        "paused",
        "resumed",
        "canceled",
    )
)


class NothingHeard(Missing):
    area = "GENERAL"
    code = "TENANT_UNHEARD_OF"
    title = "The tenant service has heard nothing of this tenant since it was started"


@dataclass(slots=True)
class _Doors:
    """What was heard of a tenant: each event once, and the state that the last one left."""

    status: str = ""
    heard: dict[str, str] = field(default_factory=dict)


class TenantService:
    """What is known of every tenant's subscription, by events alone."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._known: dict[UUID, _Doors] = {}

    def hear(self, event: PushedEvent) -> None:
        """Take an event; told a second time, it changes nothing."""
        with self._lock:
            doors = self._known.setdefault(event.tenant_id, _Doors())
            if event.identity not in doors.heard:
                doors.heard[event.identity] = event.type
                doors.status = str(event.data.get("status", doors.status))

    def doors(self, tenant_id: UUID) -> dict[str, Any]:
        """Whether a tenant is let in, and what was heard of it, in order. Refuses: NothingHeard."""
        with self._lock:
            known = self._known.get(tenant_id)
            if known is None:
                raise NothingHeard()
            return {
                "tenantId": str(tenant_id),
                "open": known.status not in KEPT_OUT,
                "status": known.status,
                "heard": list(known.heard.values()),
            }
