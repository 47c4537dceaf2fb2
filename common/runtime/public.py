"""Who asks without a token: anybody, who sees nothing that is not public."""

from uuid import UUID

from common.domain.dataclass import dataclass
from common.ports.identity import Actor
from common.runtime.exchange import Exchange


@dataclass(frozen=True, slots=True)
class PublicActor(Actor):
    """Anybody: may call public functions, which show nothing that is not public."""

    def holds(self, property_id: UUID) -> bool:
        return True


def public_actor(exchange: Exchange) -> Actor:
    """Who asks without a token: the tenant is part of what is asked."""
    tenant = exchange.request.args.get("tenant", "")
    try:
        tenant_id = UUID(tenant)
    except ValueError:
        tenant_id = UUID(int=0)
    return PublicActor("public", tenant_id, frozenset(), frozenset(), "pwd")
