"""A tenant was created: its role, its schema and its entry in the directory are made."""

from common.contracts.incoming import TenantCreated
from common.ports.powers import Powers
from common.runtime.declaration import event_function


@event_function(
    "melmastoon.tenant.created.v1", without_transaction=True, needs=("database", "provisioning")
)
def on_tenant_created(created: TenantCreated, powers: Powers) -> None:
    """Make the tenant's home. Safe to be told again, and twice at once."""
    powers.tenants.provision(created.tenant_id)
