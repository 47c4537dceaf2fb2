"""Signing keys in Cloud KMS: no process ever holds one (INV-3).

Each tenant has a key `invoice-<tenant>` in the service's key ring, for signatures on P-256 with
SHA-256. The newest enabled version signs; what an older one signed verifies as long as KMS gives
out its public half. Which version is the newest is looked up again every few minutes, and at once
when KMS refuses the one we know, so that a rotation needs no restart.

Whatever travels is checked by its CRC32C on both ends, as KMS asks of its clients: a digest that
was garbled on the way would be a signature under somebody else's invoice.
"""

import re
import time
from collections.abc import Callable
from functools import cache, lru_cache
from typing import Final
from uuid import UUID

import google_crc32c
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_public_key,
)
from google.api_core.exceptions import FailedPrecondition, NotFound
from google.api_core.retry import Retry
from google.cloud.kms_v1 import KeyManagementServiceClient

from common.google.asking import CALL_SECONDS, RETRY, AnswerGarbled, asking, unharmed
from common.ports.powers import SignedDigest

ALGORITHM: Final = "EC_SIGN_P256_SHA256"
LOOK_AGAIN_SECONDS: Final = 300
PUBLIC_KEYS_MAX: Final = 1024

_NUMBER = re.compile(r"[1-9][0-9]*")
_IN_USE: Final = f"state=ENABLED AND algorithm={ALGORITHM}"


class SigningKeyMissing(Exception):
    """The tenant has no key that can sign; the message names the key that is looked for."""


class CloudKeys:
    """The keys of all tenants, in one key ring: `projects/../locations/../keyRings/..`."""

    def __init__(
        self,
        keyring: str,
        client: KeyManagementServiceClient | None = None,
        clock: Callable[[], float] = time.monotonic,
        retry: Retry = RETRY,
    ) -> None:
        self._keyring = keyring
        self._client = client or KeyManagementServiceClient()
        self._clock = clock
        self._newest: dict[UUID, tuple[str, float]] = {}
        self._enabled_versions = retry(self._ask_versions)
        self._sign = retry(self._ask_signature)
        self._public_key = lru_cache(PUBLIC_KEYS_MAX)(retry(self._ask_public_key))

    def sign(self, tenant_id: UUID, sha256: bytes) -> SignedDigest:
        """Sign a SHA-256 with the newest version of the tenant's key.

        Raises SigningKeyMissing, and GoogleAPIError when KMS cannot be asked.
        """
        version = self.current(tenant_id)
        try:
            value = self._sign(version, sha256)
        except (FailedPrecondition, NotFound):  # it was disabled since we looked
            version = self._find_newest(tenant_id)
            value = self._sign(version, sha256)
        return SignedDigest(version, ALGORITHM, value)

    def current(self, tenant_id: UUID) -> str:
        """The key version that signs now, as far as we have looked. Raises SigningKeyMissing."""
        version, look_again_at = self._newest.get(tenant_id, ("", 0.0))
        if not version or self._clock() >= look_again_at:
            version = self._find_newest(tenant_id)
        return version

    def public_key(self, tenant_id: UUID, key_version: str) -> bytes:
        """The public half of a key version (SubjectPublicKeyInfo in DER). Raises KeyError."""
        known = self._known_key(tenant_id, key_version)
        if known is None:
            raise KeyError(key_version)
        return known.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    def verify(self, tenant_id: UUID, sha256: bytes, signed: SignedDigest) -> bool | None:
        """Whether the signature is the key version's; None for a key version we do not know.

        A key that we do not know costs the same work, so that the time tells nothing (INV-8).
        """
        known = self._known_key(tenant_id, signed.key_version)
        holds = _holds(known or _decoy(), sha256, signed.value)
        return None if known is None else holds and signed.algorithm == ALGORITHM

    def _known_key(self, tenant_id: UUID, version: str) -> ec.EllipticCurvePublicKey | None:
        key, _, number = version.partition("/cryptoKeyVersions/")
        if key != self._key(tenant_id) or not _NUMBER.fullmatch(number):
            return None
        try:
            return self._public_key(version)
        except (FailedPrecondition, NotFound):
            return None

    def _key(self, tenant_id: UUID) -> str:
        return f"{self._keyring}/cryptoKeys/invoice-{tenant_id.hex}"

    def _find_newest(self, tenant_id: UUID) -> str:
        key = self._key(tenant_id)
        versions = self._enabled_versions(key)
        if not versions:
            raise SigningKeyMissing(key)
        newest = max(versions, key=lambda name: int(name.rpartition("/")[2]))
        self._newest[tenant_id] = newest, self._clock() + LOOK_AGAIN_SECONDS
        return newest

    def _ask_versions(self, key: str) -> list[str]:
        asked = {"parent": key, "filter": _IN_USE}
        try:
            with asking("kms", "list_versions"):
                found = self._client.list_crypto_key_versions(
                    asked, retry=None, timeout=CALL_SECONDS
                )
                return [version.name for version in found]
        except NotFound:
            return []

    def _ask_signature(self, version: str, sha256: bytes) -> bytes:
        asked = {
            "name": version,
            "digest": {"sha256": sha256},
            "digest_crc32c": google_crc32c.value(sha256),
        }
        with asking("kms", "sign"):
            answer = self._client.asymmetric_sign(asked, retry=None, timeout=CALL_SECONDS)
        if not answer.verified_digest_crc32c or answer.name != version:
            raise AnswerGarbled(version)
        return unharmed(answer.signature, answer.signature_crc32c)

    def _ask_public_key(self, version: str) -> ec.EllipticCurvePublicKey:
        asked = {"name": version}
        with asking("kms", "get_public_key"):
            answer = self._client.get_public_key(asked, retry=None, timeout=CALL_SECONDS)
        if answer.name != version:
            raise AnswerGarbled(version)
        key = load_pem_public_key(unharmed(answer.pem.encode(), answer.pem_crc32c))
        if not isinstance(key, ec.EllipticCurvePublicKey):
            raise TypeError(f"{version} is no key of an elliptic curve")
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
