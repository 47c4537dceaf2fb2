"""Envelope encryption: texts are sealed under data keys, data keys under a key elsewhere (GW-2).

AES-256 in GCM with a fresh nonce of 96 bits for each text. What a text belongs to (tenant, data
key, row) is authenticated with it: a sealed text that is put into another row, or under another
tenant, does not open. A data key that was unwrapped is remembered for five minutes and in memory
only, so that a payment costs no call to the key service; destroying the wrapping key takes effect
within that time.
"""

import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import Final
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from common.domain.identifiers import DataKeyId
from common.ports.vault import DataKey, KeyDestroyed, SealBroken, WrappingKeys

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
REMEMBERED_SECONDS: Final = 300
REMEMBERED_MAX: Final = 256


class EnvelopeVault:
    """See the module. `seconds` counts the time for which an unwrapped key is remembered."""

    def __init__(
        self, wrapping: WrappingKeys, seconds: Callable[[], float] = time.monotonic
    ) -> None:
        self._wrapping = wrapping
        self._seconds = seconds
        self._known: OrderedDict[tuple[UUID, bytes], tuple[bytes, float]] = OrderedDict()
        self._lock = Lock()

    def make_key(self, tenant_id: UUID, id: DataKeyId) -> DataKey:
        """A fresh data key, wrapped by the newest version of the tenant's key."""
        content = secrets.token_bytes(KEY_BYTES)
        key = DataKey(id, self._wrapping.wrap(tenant_id, content))
        self._remember(tenant_id, key, content)
        return key

    def seal(self, tenant_id: UUID, key: DataKey, about: str, text: str) -> bytes:
        """The nonce and the sealed text. Raises KeyDestroyed."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        cipher = AESGCM(self._content(tenant_id, key))
        return nonce + cipher.encrypt(nonce, text.encode(), _place(tenant_id, key, about))

    def open(self, tenant_id: UUID, key: DataKey, about: str, content: bytes) -> str:
        """The text that was sealed. Raises KeyDestroyed, SealBroken."""
        cipher = AESGCM(self._content(tenant_id, key))
        nonce, sealed = content[:NONCE_BYTES], content[NONCE_BYTES:]
        try:
            return cipher.decrypt(nonce, sealed, _place(tenant_id, key, about)).decode()
        except (InvalidTag, ValueError):
            raise SealBroken(f"{about} was not sealed by {key.id}, or was changed") from None

    def rewrap(self, tenant_id: UUID, key: DataKey) -> DataKey:
        """The same data key, wrapped by the newest version. Raises KeyDestroyed."""
        content = self._wrapping.unwrap(tenant_id, key.wrapped)
        return DataKey(key.id, self._wrapping.wrap(tenant_id, content))

    def _content(self, tenant_id: UUID, key: DataKey) -> bytes:
        with self._lock:
            content, until = self._known.get((tenant_id, key.wrapped.content), (b"", 0.0))
        if content and self._seconds() < until:
            return content
        unwrapped = self._wrapping.unwrap(tenant_id, key.wrapped)
        if len(unwrapped) != KEY_BYTES:
            raise KeyDestroyed(f"{key.id} is no data key")
        self._remember(tenant_id, key, unwrapped)
        return unwrapped

    def _remember(self, tenant_id: UUID, key: DataKey, content: bytes) -> None:
        with self._lock:
            until = self._seconds() + REMEMBERED_SECONDS
            self._known[tenant_id, key.wrapped.content] = content, until
            while len(self._known) > REMEMBERED_MAX:
                self._known.popitem(last=False)


def _place(tenant_id: UUID, key: DataKey, about: str) -> bytes:
    return f"{tenant_id}/{key.id}/{about}".encode()
