"""Whence somebody calls, so that it is known again and cannot be read (FRD-1).

An address is kept as an HMAC-SHA-256 under a key of the tenant, which is one under the service's:
the same caller is the same at one tenant, and somebody else at another. An address of IPv6 counts
by its first 64 bits, as that is what one household or server is given.
"""

import hashlib
import hmac
from ipaddress import IPv4Address, IPv6Network, ip_address
from uuid import UUID


class Origins:
    """See the module."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def of(self, tenant_id: UUID, address: str) -> bytes:
        """The origin of a call from an address, 32 bytes; what is no address is taken as it is."""
        of_tenant = hmac.digest(self._key, tenant_id.bytes, hashlib.sha256)
        return hmac.digest(of_tenant, _place_of(address).encode(), hashlib.sha256)


def _place_of(address: str) -> str:
    try:
        known = ip_address(address)
    except ValueError:
        return address
    if isinstance(known, IPv4Address):
        return str(known)
    return str(known.ipv4_mapped or IPv6Network((int(known), 64), strict=False))
