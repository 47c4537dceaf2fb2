"""End an incident of the platform. Whoever it kept from being suspended is charged before that."""

from common.contracts.collections import PlatformIncidentView
from common.contracts.fields import FreeText
from common.contracts.references import PlatformIncidentRef
from common.contracts.shapes import Request
from common.domain.platform_incident import PlatformIncidentOver, PlatformIncidentUnknown
from common.ports.transaction import Transaction
from common.procedures.approving import confirming
from common.runtime.declaration import http_function


class EndPlatformIncident(Request):
    """The incident in the path, and why it is over."""

    incident_id: PlatformIncidentRef
    reason: FreeText


@http_function(
    "POST",
    "/platform/incidents/{incident_id}/end",
    scope="platform.subscription.write",
    step_up=True,
    context=confirming("platform_incident.end"),
    etag="platform_incident",
    refusals=(PlatformIncidentUnknown, PlatformIncidentOver),
)
def end_platform_incident(request: EndPlatformIncident, tx: Transaction) -> PlatformIncidentView:
    """End an incident, and answer it.

    Refuses: PlatformIncidentUnknown, PlatformIncidentOver.
    """
    incident = tx.platform_incidents.take(request.incident_id)
    ended = incident.end(request.reason, tx)
    tx.platform_incidents.keep(incident)
    tx.tell(ended)
    return PlatformIncidentView.of(incident)
