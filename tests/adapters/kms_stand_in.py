"""Cloud KMS, as far as signing and wrapping go: versions of keys, checksums, states, pages."""

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import google_crc32c
import grpc
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from google.cloud import kms_v1
from google.cloud.kms_v1.services.key_management_service.transports import (
    KeyManagementServiceGrpcTransport,
)

from tests.adapters.grpc_stand_in import Refused, StandIn, served

State = kms_v1.CryptoKeyVersion.CryptoKeyVersionState
ALGORITHM = kms_v1.CryptoKeyVersion.CryptoKeyVersionAlgorithm.EC_SIGN_P256_SHA256
PAGE = 3


@dataclass
class Version:
    private: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    state: State = State.ENABLED
    secret: bytes = field(default_factory=lambda: AESGCM.generate_key(256))


class KmsStandIn(StandIn):
    """The keys by their names; a key's versions count from 1."""

    def __init__(self) -> None:
        super().__init__()
        self.keys: dict[str, list[Version]] = {}

    def add_version(self, key: str) -> str:
        versions = self.keys.setdefault(key, [])
        versions.append(Version())
        return f"{key}/cryptoKeyVersions/{len(versions)}"

    def version(self, name: str) -> Version:
        key, _, number = name.partition("/cryptoKeyVersions/")
        versions = self.keys.get(key, [])
        if not 1 <= int(number) <= len(versions):
            raise Refused(grpc.StatusCode.NOT_FOUND, name)
        return versions[int(number) - 1]

    def ListCryptoKeyVersions(self, asked: Any) -> Any:
        if asked.parent not in self.keys:
            raise Refused(grpc.StatusCode.NOT_FOUND, asked.parent)
        wanted = dict(re.findall(r"(\w+)=(\w+)", asked.filter))
        found = [
            kms_v1.CryptoKeyVersion(
                name=f"{asked.parent}/cryptoKeyVersions/{number}",
                state=version.state,
                algorithm=ALGORITHM,
            )
            for number, version in enumerate(self.keys[asked.parent], start=1)
            if version.state.name == wanted.get("state", version.state.name)
            and ALGORITHM.name == wanted.get("algorithm", ALGORITHM.name)
        ]
        start = int(asked.page_token or 0)
        return kms_v1.ListCryptoKeyVersionsResponse(
            crypto_key_versions=found[start : start + PAGE],
            next_page_token=str(start + PAGE) if start + PAGE < len(found) else "",
        )

    def AsymmetricSign(self, asked: Any) -> Any:
        private = self._enabled(asked.name)
        digest = asked.digest.sha256
        if len(digest) != 32 or google_crc32c.value(digest) != asked.digest_crc32c:
            raise Refused(grpc.StatusCode.INVALID_ARGUMENT, "no SHA-256, or garbled")
        signature = private.sign(digest, ec.ECDSA(Prehashed(SHA256())))
        return kms_v1.AsymmetricSignResponse(
            name=asked.name,
            signature=signature,
            signature_crc32c=google_crc32c.value(signature),
            verified_digest_crc32c=True,
        )

    def GetPublicKey(self, asked: Any) -> Any:
        public = self._enabled(asked.name).public_key()
        pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        return kms_v1.PublicKey(
            name=asked.name,
            pem=pem.decode(),
            pem_crc32c=google_crc32c.value(pem),
            algorithm=ALGORITHM,
        )

    def Encrypt(self, asked: Any) -> Any:
        """The primary version is the newest one that is enabled."""
        _checked(asked.plaintext, asked.plaintext_crc32c)
        aad = asked.additional_authenticated_data
        _checked(aad, asked.additional_authenticated_data_crc32c)
        versions = self.keys.get(asked.name)
        if not versions:
            raise Refused(grpc.StatusCode.NOT_FOUND, asked.name)
        number = len(versions)
        nonce = secrets.token_bytes(12)
        sealed = AESGCM(versions[-1].secret).encrypt(nonce, asked.plaintext, aad)
        content = number.to_bytes(2, "big") + nonce + sealed
        return kms_v1.EncryptResponse(
            name=f"{asked.name}/cryptoKeyVersions/{number}",
            ciphertext=content,
            ciphertext_crc32c=google_crc32c.value(content),
            verified_plaintext_crc32c=True,
            verified_additional_authenticated_data_crc32c=True,
        )

    def Decrypt(self, asked: Any) -> Any:
        _checked(asked.ciphertext, asked.ciphertext_crc32c)
        number = int.from_bytes(asked.ciphertext[:2], "big")
        version = self.version(f"{asked.name}/cryptoKeyVersions/{number}")
        if version.state is not State.ENABLED:
            raise Refused(grpc.StatusCode.FAILED_PRECONDITION, f"it is {version.state.name}")
        nonce, sealed = asked.ciphertext[2:14], asked.ciphertext[14:]
        try:
            plain = AESGCM(version.secret).decrypt(
                nonce, sealed, asked.additional_authenticated_data
            )
        except InvalidTag:
            raise Refused(grpc.StatusCode.INVALID_ARGUMENT, "this was not wrapped here") from None
        return kms_v1.DecryptResponse(plaintext=plain, plaintext_crc32c=google_crc32c.value(plain))

    def _enabled(self, name: str) -> ec.EllipticCurvePrivateKey:
        version = self.version(name)
        if version.state is not State.ENABLED:
            raise Refused(grpc.StatusCode.FAILED_PRECONDITION, f"{name} is {version.state.name}")
        return version.private


def _checked(content: bytes, crc32c: int) -> None:
    if google_crc32c.value(content) != crc32c:
        raise Refused(grpc.StatusCode.INVALID_ARGUMENT, "garbled")


@contextmanager
def kms_served(stand_in: KmsStandIn) -> Iterator[kms_v1.KeyManagementServiceClient]:
    """Google's client, talking to the stand-in."""
    methods = {
        "ListCryptoKeyVersions": (
            kms_v1.ListCryptoKeyVersionsRequest,
            kms_v1.ListCryptoKeyVersionsResponse,
        ),
        "AsymmetricSign": (kms_v1.AsymmetricSignRequest, kms_v1.AsymmetricSignResponse),
        "Encrypt": (kms_v1.EncryptRequest, kms_v1.EncryptResponse),
        "Decrypt": (kms_v1.DecryptRequest, kms_v1.DecryptResponse),
        "GetPublicKey": (kms_v1.GetPublicKeyRequest, kms_v1.PublicKey),
    }
    with served(stand_in, "google.cloud.kms.v1.KeyManagementService", methods) as channel:
        yield kms_v1.KeyManagementServiceClient(
            transport=KeyManagementServiceGrpcTransport(channel=channel)
        )
