"""Declare an incident of the platform: nobody is suspended for not paying while it is on (SUB-7).

One is on at a time, for all tenants. Its trail stands in the office of whoever declares it.
"""

from common.contracts.collections import PlatformIncidentView
from common.contracts.fields import FreeText
from common.contracts.references import PlatformIncidentRef
from common.contracts.shapes import Request
from common.domain.platform_incident import PlatformIncident, PlatformIncidentOn
from common.ports.transaction import Transaction
from common.procedures.approving import confirming
from common.runtime.declaration import http_function


class DeclarePlatformIncident(Request):
    """What is wrong."""

    id: PlatformIncidentRef
    reason: FreeText


@http_function(
    "POST",
    "/platform/incidents",
    scope="platform.subscription.write",
    status=201,
    step_up=True,
    context=confirming("platform_incident.declare"),
    creates=True,
    etag="platform_incident",
    refusals=(PlatformIncidentOn,),
)
def declare_platform_incident(
    request: DeclarePlatformIncident, tx: Transaction
) -> PlatformIncidentView:
    """Declare an incident, and answer it.

    Refuses: PlatformIncidentOn.
    """
    known = tx.platform_incidents.on()
    if known is not None:
        raise PlatformIncidentOn(incidentId=known)
    declared = PlatformIncident.declare(request.id, request.reason, tx)
    tx.platform_incidents.keep(declared.subject)
    tx.tell(declared)
    return PlatformIncidentView.of(declared.subject)
