"""The doors that the platform's tenant service keeps, by what it hears of subscriptions (SUB-7).

In a deployment that is another service, which subscribes to the topic: whoever is suspended is let
in to read and to pay, and to nothing else, until they are reactivated. On a laptop the doors are
kept here, and are told by its broker, as any subscriber is: at least once, and in order for a
subscription. What was heard since the stack was started is remembered.
"""

from dataclasses import field
from threading import Lock
from typing import Any, Final
from uuid import UUID

from common.contracts.event import TYPE_PREFIX
from common.domain.dataclass import dataclass
from common.domain.refusal import Missing
from common.runtime.pushed import PushedEvent

PUSHED_PATH: Final = "/dev/doors"
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
class _Known:
    """What was heard of a tenant: each event once, and the state that the last one left."""

    status: str = ""
    heard: dict[str, str] = field(default_factory=dict)


class Doors:
    """What is known of every tenant's subscription, by events alone."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._known: dict[UUID, _Known] = {}

    def hear(self, event: PushedEvent) -> None:
        """Take an event; told a second time, it changes nothing."""
        with self._lock:
            known = self._known.setdefault(event.tenant_id, _Known())
            if event.identity not in known.heard:
                known.heard[event.identity] = event.type
                known.status = str(event.data.get("status", known.status))

    def of(self, tenant_id: UUID) -> dict[str, Any]:
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
