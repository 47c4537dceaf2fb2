"""The laptop's wrapping keys: files in place of Cloud KMS (GW-2, LOC-2).

Each tenant has a folder with one file for each version of its key, made at the first use. The
highest number wraps; all unwrap. Taking the folder away is destroying the key.
"""

import re
import secrets
from pathlib import Path
from typing import Final
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from common.local.files import write_once
from common.ports.vault import KeyDestroyed, Wrapped

NONCE_BYTES: Final = 12
_NUMBER = re.compile(r"[1-9][0-9]{0,5}")


class WrappingFiles:
    """The keys of all tenants, in a folder that only its owner reads."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def wrap(self, tenant_id: UUID, content: bytes) -> Wrapped:
        """Wrap bytes with the newest version of the tenant's key."""
        number = self._newest(tenant_id) or self._made(tenant_id, 1)
        nonce = secrets.token_bytes(NONCE_BYTES)
        cipher = AESGCM(self._file(tenant_id, number).read_bytes())
        sealed = nonce + cipher.encrypt(nonce, content, tenant_id.bytes)
        return Wrapped(f"{tenant_id.hex}/{number}", sealed)

    def unwrap(self, tenant_id: UUID, wrapped: Wrapped) -> bytes:
        """What was wrapped. Raises KeyDestroyed."""
        owner, _, number = wrapped.key_version.rpartition("/")
        if owner != tenant_id.hex or not _NUMBER.fullmatch(number):
            raise KeyDestroyed("this is no version of the tenant's key")
        try:
            key = self._file(tenant_id, int(number)).read_bytes()
            nonce, sealed = wrapped.content[:NONCE_BYTES], wrapped.content[NONCE_BYTES:]
            return AESGCM(key).decrypt(nonce, sealed, tenant_id.bytes)
        except (FileNotFoundError, InvalidTag):
            raise KeyDestroyed(f"version {number} of the tenant's key is gone") from None

    def rotate(self, tenant_id: UUID) -> str:
        """Wrap with a new version from now on and answer its name."""
        return f"{tenant_id.hex}/{self._made(tenant_id, self._newest(tenant_id) + 1)}"

    def destroy(self, tenant_id: UUID) -> None:
        """Take every version of a tenant's key away, and with it what they have wrapped."""
        for file in (self._folder / tenant_id.hex).glob("*.key"):
            file.unlink()

    def _newest(self, tenant_id: UUID) -> int:
        names = (file.stem for file in (self._folder / tenant_id.hex).glob("*.key"))
        return max((int(name) for name in names if _NUMBER.fullmatch(name)), default=0)

    def _made(self, tenant_id: UUID, number: int) -> int:
        """Make a version. Where another process is faster, its key is the one."""
        write_once(self._file(tenant_id, number), AESGCM.generate_key(256))
        return number

    def _file(self, tenant_id: UUID, number: int) -> Path:
        return self._folder / tenant_id.hex / f"{number}.key"
