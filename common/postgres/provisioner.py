"""Makes the home of a tenant, over a session of its own whose role may create roles and schemas."""

from uuid import UUID

from common.postgres.migrations import provision_tenant
from common.postgres.sessions import opener
from common.postgres.tenants import register_tenant

SESSION_SECONDS = 120


class Provisioner:
    """See the module."""

    def __init__(self, address: str) -> None:
        self._address = address

    def provision(self, tenant_id: UUID) -> None:
        """Make role, schema and entry in the directory; a second time changes nothing."""
        session = opener(self._address, timeout_seconds=SESSION_SECONDS)()
        try:
            provision_tenant(session, tenant_id)
            register_tenant(session, tenant_id)
        finally:
            session.close()
