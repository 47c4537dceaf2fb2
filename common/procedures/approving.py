"""What is confirmed of a command of the platform: the command itself, and for which tenant.

The context that a confirmation bears is the SHA-256 of a canonical document (RFC 8785) of `deed`,
`tenant` and `request`: every field of the request that was given, under its name on the wire. So
nobody's consent serves for a little more than that, and who gives what would hold all the same has
it confirmed as it was given.
"""

from collections.abc import Callable
from typing import Any

from common.contracts.shapes import Request
from common.domain.canonical import digest
from common.ports.identity import Actor


def confirming(deed: str) -> Callable[[Any, Actor], str]:
    """The context of a command; see the module."""

    def context(request: Request, actor: Actor) -> str:
        fields = request.model_dump(mode="json", by_alias=True, exclude_unset=True)
        tenant = fields.pop("tenantId", None) or str(actor.tenant_id)
        return digest({"deed": deed, "tenant": tenant, "request": fields}).hex()

    return context
