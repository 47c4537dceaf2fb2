"""Makes the home of a tenant, over a session of its own whose role may create roles and schemas."""

from uuid import UUID

from common.postgres.migrations import provision_tenant
from common.postgres.sessions import opener
from common.postgres.tenants import register_tenant

SESSION_SECONDS = 120


class Provisioner:
    """See the module. A person may make a tenant anew who came after the point in time that a
    database was taken back to; an event waits until that is over.
    """

    def __init__(self, address: str, *, serves_recovery: bool = False) -> None:
        self._address = address
        self._serves_recovery = serves_recovery

    def provision(self, tenant_id: UUID) -> None:
        """Make role, schema and entry in the directory; a second time changes nothing."""
        session = opener(self._address, timeout_seconds=SESSION_SECONDS)()
        try:
            if self._serves_recovery:
                session.run("SET default_transaction_read_only = off")
            provision_tenant(session, tenant_id)
            register_tenant(session, tenant_id)
        finally:
            session.close()
