"""Under which of a tenant's data keys something new is sealed, and when one is wrapped anew."""

from uuid import UUID

from common.domain.identifiers import DataKeyId
from common.ports.powers import Powers
from common.ports.vault import DataKey


def sealing_key(
    newest: DataKey | None, new_key_id: DataKeyId, tenant_id: UUID, powers: Powers
) -> DataKey:
    """The tenant's newest data key, or its first one. Two who make the first make two: each is kept
    with what it has sealed, and the younger one seals from then on."""
    return newest or powers.vault.make_key(tenant_id, new_key_id)
