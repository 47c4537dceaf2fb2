"""Cloud KMS, as far as signing goes: versions of keys, checksums, states, pages."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import google_crc32c
import grpc
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
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

    def _enabled(self, name: str) -> ec.EllipticCurvePrivateKey:
        version = self.version(name)
        if version.state is not State.ENABLED:
            raise Refused(grpc.StatusCode.FAILED_PRECONDITION, f"{name} is {version.state.name}")
        return version.private


@contextmanager
def kms_served(stand_in: KmsStandIn) -> Iterator[kms_v1.KeyManagementServiceClient]:
    """Google's client, talking to the stand-in."""
    methods = {
        "ListCryptoKeyVersions": (
            kms_v1.ListCryptoKeyVersionsRequest,
            kms_v1.ListCryptoKeyVersionsResponse,
        ),
        "AsymmetricSign": (kms_v1.AsymmetricSignRequest, kms_v1.AsymmetricSignResponse),
        "GetPublicKey": (kms_v1.GetPublicKeyRequest, kms_v1.PublicKey),
    }
    with served(stand_in, "google.cloud.kms.v1.KeyManagementService", methods) as channel:
        yield kms_v1.KeyManagementServiceClient(
            transport=KeyManagementServiceGrpcTransport(channel=channel)
        )
