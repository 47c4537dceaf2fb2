"""Secrets at rest: sealed under a tenant's data keys, which a key elsewhere wraps (GW-2).

A data key is 32 random bytes that seal texts by AES-256-GCM. It is kept wrapped by a key of the
tenant that no process ever holds, with the version that wrapped it: a rotation wraps it anew and
touches nothing that it has sealed. Destroying the wrapping key erases all of it at once.
"""

from dataclasses import field
from typing import Protocol
from uuid import UUID

from common.domain.dataclass import dataclass
from common.domain.identifiers import DataKeyId


class KeyDestroyed(Exception):
    """The key that wrapped a data key is gone, and with it what the data key has sealed."""


class SealBroken(Exception):
    """What is to be opened is not what was sealed, or not in this place."""


@dataclass(frozen=True, slots=True)
class Wrapped:
    """Bytes that a wrapping key's version has wrapped."""

    key_version: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class DataKey:
    """A tenant's data key, as it is kept."""

    id: DataKeyId
    wrapped: Wrapped


class WrappingKeys(Protocol):
    """Each tenant's wrapping key; the newest version wraps, all that are left unwrap."""

    def wrap(self, tenant_id: UUID, content: bytes) -> Wrapped:
        """Wrap up to 1 KiB with the newest version of the tenant's key."""

    def unwrap(self, tenant_id: UUID, wrapped: Wrapped) -> bytes:
        """What was wrapped. Raises KeyDestroyed."""


class Vault(Protocol):
    """Seals and opens texts of a tenant. `about` is what a text belongs to, and sealed with it."""

    def make_key(self, tenant_id: UUID, id: DataKeyId) -> DataKey:
        """A fresh data key, wrapped."""

    def seal(self, tenant_id: UUID, key: DataKey, about: str, text: str) -> bytes:
        """Seal a text. Raises KeyDestroyed."""

    def open(self, tenant_id: UUID, key: DataKey, about: str, content: bytes) -> str:
        """The text that was sealed. Raises KeyDestroyed, SealBroken."""

    def rewrap(self, tenant_id: UUID, key: DataKey) -> DataKey:
        """The same data key, wrapped by the newest version. Raises KeyDestroyed."""
