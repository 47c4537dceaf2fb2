"""Wrap the tenants' data keys by the newest version of their keys, so that old ones may go (GW-2).

Nothing that a data key has sealed is touched. After a rotation this is run by hand or by its
schedule; a version of a wrapping key may be destroyed once it wraps nothing any more. What was
erased by destroying all of them is left as it is: that was meant, and is nobody's trouble.
"""

from collections.abc import Sequence
from uuid import UUID

from common.domain.dataclass import dataclass
from common.domain.identifiers import DataKeyId
from common.ports.jobs import Round
from common.ports.powers import Powers
from common.ports.transaction import Transaction
from common.ports.vault import DataKey, KeyDestroyed
from common.runtime.declaration import job


@dataclass(frozen=True, slots=True)
class Rewrapping:
    """A tenant's data key, as it is wrapped now."""

    tenant_id: UUID
    key: DataKey


def wrapped_long_ago(which: Round, tx: Transaction) -> Sequence[DataKeyId]:
    """The data keys of a tenant that nobody has wrapped for a day, the oldest first."""
    return tx.data_keys.due(which.limit)


def wrap_anew(rewrapping: Rewrapping, powers: Powers) -> DataKey | None:
    """The same key, wrapped by the newest version; None where it was erased."""
    try:
        return powers.vault.rewrap(rewrapping.tenant_id, rewrapping.key)
    except KeyDestroyed:
        return None


def keep(key: DataKey | None, tx: Transaction) -> None:
    """Write by what it is wrapped now."""
    if key is not None:
        tx.data_keys.keep_rewrapped(key)


@job(
    schedule="50 3 * * *",
    find=wrapped_long_ago,
    perform=wrap_anew,
    record=keep,
    needs=("database", "vault"),
)
def rewrap_data_keys(key_id: DataKeyId, tx: Transaction) -> Rewrapping:
    """Wrap a data key anew."""
    return Rewrapping(tx.actor.tenant_id, tx.data_keys.get(key_id))
