"""The laptop's documents: a folder in place of Cloud Storage (INV-7, LOC-2).

It makes the same promises: a name is given once, each tenant's documents lie apart, and nobody
reads one but by a link that was signed, names one document and ends. The links lead to the laptop's
own server, which asks `open_link`.
"""

import hmac
import re
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Final
from uuid import UUID

from common.domain.refusal import Forbidden
from common.local.files import write_once
from common.ports.powers import DocumentMissing

LINKS_PATH: Final = "/dev/documents"

_NAME = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)*", re.ASCII)
_KEY_BYTES: Final = 32


class LinkRefused(Forbidden):
    """The link to a document was not signed by us, or its time is over."""

    code = "LINK_REFUSED"
    title = "This link is not valid, or no longer"


class DocumentFolder:
    """The documents of all tenants, in a folder that only its owner reads."""

    def __init__(self, folder: Path, public_url: str, now: Callable[[], datetime]) -> None:
        self._folder = folder
        self._public_url = public_url
        self._now = now

    def put(self, tenant_id: UUID, name: str, content: bytes) -> None:
        """Store a document under a new name; the same bytes again are no change.

        Raises FileExistsError when the name holds other bytes.
        """
        file = self._file(tenant_id, name)
        if not write_once(file, content) and file.read_bytes() != content:
            raise FileExistsError(name)

    def get(self, tenant_id: UUID, name: str) -> bytes:
        """Read a document. Raises DocumentMissing."""
        try:
            return self._file(tenant_id, name).read_bytes()
        except FileNotFoundError:
            raise DocumentMissing(name) from None

    def link(self, tenant_id: UUID, name: str, seconds: int) -> str:
        """A signed address under which the document can be read for so many seconds."""
        expires_at = int(self._now().timestamp()) + seconds
        claim = f"{tenant_id.hex} {expires_at} {name}".encode()
        token = urlsafe_b64encode(self._seal(claim) + claim).rstrip(b"=").decode()
        return f"{self._public_url}{LINKS_PATH}/{token}"

    def open_link(self, token: str) -> bytes:
        """The document that a link leads to.

        Refuses: LinkRefused. Raises DocumentMissing.
        """
        try:
            sealed = urlsafe_b64decode(token + "=" * (-len(token) % 4))
        except ValueError:
            raise LinkRefused("the link is no link of ours") from None
        seal, claim = sealed[:_KEY_BYTES], sealed[_KEY_BYTES:]
        if not hmac.compare_digest(seal, self._seal(claim)):
            raise LinkRefused("the link is no link of ours")
        tenant, expires_at, name = claim.decode().split(" ", 2)
        if self._now().timestamp() >= int(expires_at):
            raise LinkRefused("the link's time is over")
        return self.get(UUID(tenant), name)

    def _seal(self, claim: bytes) -> bytes:
        return hmac.digest(self._key(), claim, "sha256")

    def _key(self) -> bytes:
        """The key of the links, made at the first use; of two that make it, the first wins."""
        file = self._folder / ".links-key"
        if not file.exists():
            write_once(file, secrets.token_bytes(_KEY_BYTES))
        return file.read_bytes()

    def _file(self, tenant_id: UUID, name: str) -> Path:
        """Where a document lies. Raises ValueError for a name that might lead elsewhere."""
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no name of a document")
        return self._folder / tenant_id.hex / name
