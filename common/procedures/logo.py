"""A hotel's logo lies in the hotel's own store under its hash, beside the documents that bear it.

A payload names the logo that its issuer had by that hash, so that a document is drawn with it years
later, whatever logo the hotel has by then: same payload, same picture.
"""

import hashlib
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from common.ports.powers import DocumentMissing, DrawingRefused, Powers


def keep_logo(tenant_id: UUID, logo: bytes, powers: Powers) -> None:
    """Store a logo; the same one again is no change."""
    powers.documents.put(tenant_id, _name(hashlib.sha256(logo).hexdigest()), logo)


def logo_of(tenant_id: UUID, payload: Mapping[str, Any], powers: Powers) -> bytes | None:
    """The logo that a document was issued with, if it was. Raises DrawingRefused."""
    digest = payload["issuer"].get("logoSha256")
    if digest is None:
        return None
    try:
        return powers.documents.get(tenant_id, _name(digest))
    except DocumentMissing:
        raise DrawingRefused("the store has no logo of the issuer's hash") from None


def _name(sha256: str) -> str:
    return f"logos/{sha256}.png"
