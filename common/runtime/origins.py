"""Whence somebody calls, so that it is known again and cannot be read (FRD-1).

An address is kept as an HMAC-SHA-256 under a key of the tenant, which is one under the service's:
the same caller is the same at one tenant, and somebody else at another. An address of IPv6 counts
by its first 64 bits, as that is what one household or server is given.

The first key hides, all of them know again: for a change of it the new one is put behind the old
one, then before it, and the old one goes when the longest window of a rule is over.
"""

import hashlib
import hmac
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Network, ip_address
from uuid import UUID


class Origins:
    """See the module."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._keys = tuple(key.encode() for key in keys)

    def of(self, tenant_id: UUID, address: str) -> tuple[bytes, ...]:
        """The origin of a call from an address under each key, 32 bytes each; what is no address
        is taken as it is."""
        place = _place_of(address).encode()
        return tuple(_hidden(key, tenant_id, place) for key in self._keys)


def _hidden(key: bytes, tenant_id: UUID, place: bytes) -> bytes:
    of_tenant = hmac.digest(key, tenant_id.bytes, hashlib.sha256)
    return hmac.digest(of_tenant, place, hashlib.sha256)


def _place_of(address: str) -> str:
    try:
        known = ip_address(address)
    except ValueError:
        return address
    if isinstance(known, IPv4Address):
        return str(known)
    return str(known.ipv4_mapped or IPv6Network((int(known), 64), strict=False))
