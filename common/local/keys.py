"""The laptop's signing keys: files in place of Cloud KMS (INV-3, LOC-2).

Each tenant has a folder with one file for each version of its key, made at the first use. The
highest number signs; all verify, so that a rotation breaks no document that was signed before it.
"""

import re
from functools import cache
from pathlib import Path
from typing import Final
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256

from common.local.files import write_once
from common.ports.powers import SignedDigest

ALGORITHM: Final = "EC_SIGN_P256_SHA256"  # in the words of Cloud KMS; the signature is in DER

_NUMBER = re.compile(r"[1-9][0-9]{0,5}")


class KeyFiles:
    """The keys of all tenants, in a folder that only its owner reads."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def sign(self, tenant_id: UUID, sha256: bytes) -> SignedDigest:
        """Sign a SHA-256 with the newest version of the tenant's key."""
        number = self._newest(tenant_id) or self._made(tenant_id, 1)
        value = _key_in(self._file(tenant_id, number)).sign(sha256, ec.ECDSA(Prehashed(SHA256())))
        return SignedDigest(_version(tenant_id, number), ALGORITHM, value)

    def current(self, tenant_id: UUID) -> str:
        """The key version that signs now."""
        return _version(tenant_id, self._newest(tenant_id) or self._made(tenant_id, 1))

    def public_key(self, tenant_id: UUID, key_version: str) -> bytes:
        """The public half of a key version (SubjectPublicKeyInfo in DER). Raises KeyError."""
        known = self._public_key(tenant_id, key_version)
        if known is None:
            raise KeyError(key_version)
        return known.public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )

    def verify(self, tenant_id: UUID, sha256: bytes, signed: SignedDigest) -> bool | None:
        """Whether the signature is the key version's; None for a key version we do not know.

        A key that we do not know costs the same work, so that the time tells nothing (INV-8).
        """
        known = self._public_key(tenant_id, signed.key_version)
        holds = _holds(known or _decoy(), sha256, signed.value)
        return None if known is None else holds and signed.algorithm == ALGORITHM

    def rotate(self, tenant_id: UUID) -> str:
        """Sign with a new version from now on and answer its name; old ones go on verifying."""
        return _version(tenant_id, self._made(tenant_id, self._newest(tenant_id) + 1))

    def _public_key(self, tenant_id: UUID, version: str) -> ec.EllipticCurvePublicKey | None:
        owner, _, number = version.rpartition("/")
        if owner != tenant_id.hex or not _NUMBER.fullmatch(number):
            return None
        try:
            return _key_in(self._file(tenant_id, int(number))).public_key()
        except FileNotFoundError:
            return None

    def _newest(self, tenant_id: UUID) -> int:
        names = (file.stem for file in (self._folder / tenant_id.hex).glob("*.pem"))
        return max((int(name) for name in names if _NUMBER.fullmatch(name)), default=0)

    def _made(self, tenant_id: UUID, number: int) -> int:
        """Make a version. Where another process is faster, its key is the one."""
        write_once(self._file(tenant_id, number), _new_pem())
        return number

    def _file(self, tenant_id: UUID, number: int) -> Path:
        return self._folder / tenant_id.hex / f"{number}.pem"


def _version(tenant_id: UUID, number: int) -> str:
    return f"{tenant_id.hex}/{number}"


def _key_in(file: Path) -> ec.EllipticCurvePrivateKey:
    key = serialization.load_pem_private_key(file.read_bytes(), password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise TypeError(f"{file} holds no key of an elliptic curve")
    return key


def _holds(key: ec.EllipticCurvePublicKey, sha256: bytes, signature: bytes) -> bool:
    try:
        key.verify(signature, sha256, ec.ECDSA(Prehashed(SHA256())))
    except InvalidSignature:
        return False
    return True


@cache
def _decoy() -> ec.EllipticCurvePublicKey:
    """A key of nobody's, to do the same work with."""
    return ec.generate_private_key(ec.SECP256R1()).public_key()


def _new_pem() -> bytes:
    return ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
