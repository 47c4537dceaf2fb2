"""Signing keys: what the port promises, held by the laptop's files and by Cloud KMS alike."""

import hashlib
import stat
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Barrier
from typing import Any
from uuid import UUID

import grpc
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key
from google.api_core.exceptions import InvalidArgument, RetryError

from common.google.asking import RETRY
from common.google.keys import LOOK_AGAIN_SECONDS, CloudKeys, SigningKeyMissing
from common.local.keys import KeyFiles
from common.ports.powers import Keys, SignedDigest
from tests.adapters.grpc_stand_in import Refused
from tests.adapters.kms_stand_in import KmsStandIn, State, kms_served

TENANT = UUID("7f1b0c9e-0000-4000-8000-000000000001")
NEIGHBOUR = UUID("7f1b0c9e-0000-4000-8000-000000000002")
STRANGER = UUID("7f1b0c9e-0000-4000-8000-000000000003")
KEYRING = "projects/hotels/locations/europe-west1/keyRings/billing"
PAYLOAD = hashlib.sha256(b'{"number":"MEL-KBL-2026-000001"}').digest()
CHANGED = hashlib.sha256(b'{"number":"MEL-KBL-2026-000002"}').digest()


@dataclass(frozen=True)
class Ring:
    """The keys of two tenants, a second process that uses them, and how to rotate one."""

    keys: Keys
    elsewhere: Keys
    rotate: Callable[[UUID], str]


@dataclass(frozen=True)
class Cloud:
    """Cloud KMS, its keys as we see them, and a clock of seconds that stands until it is moved."""

    kms: KmsStandIn
    keys: CloudKeys
    client: Any
    seconds: list[float]


def key_name(tenant_id: UUID) -> str:
    return f"{KEYRING}/cryptoKeys/invoice-{tenant_id.hex}"


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    kms, seconds = KmsStandIn(), [0.0]
    for tenant_id in (TENANT, NEIGHBOUR):
        kms.add_version(key_name(tenant_id))
    with kms_served(kms) as client:
        keys = CloudKeys(KEYRING, client, lambda: seconds[0], RETRY.with_delay(0.001))
        yield Cloud(kms, keys, client, seconds)


@pytest.fixture(params=["local", "google"])
def ring(request: pytest.FixtureRequest, tmp_path: Path) -> Ring:
    if request.param == "local":
        files = KeyFiles(tmp_path / "keys")
        return Ring(files, KeyFiles(tmp_path / "keys"), files.rotate)
    cloud: Cloud = request.getfixturevalue("cloud")

    def rotate(tenant_id: UUID) -> str:
        cloud.seconds[0] += LOOK_AGAIN_SECONDS
        return cloud.kms.add_version(key_name(tenant_id))

    return Ring(cloud.keys, CloudKeys(KEYRING, cloud.client), rotate)


@pytest.mark.req("INV-3", "LOC-2")
class TestKeys:
    def test_know_their_signature_again_in_another_process(self, ring: Ring) -> None:
        signed = ring.keys.sign(TENANT, PAYLOAD)

        assert signed.algorithm == "EC_SIGN_P256_SHA256"
        assert ring.keys.verify(TENANT, PAYLOAD, signed) is True
        assert ring.elsewhere.verify(TENANT, PAYLOAD, signed) is True

    @pytest.mark.req("INV-5")
    def test_give_out_the_public_half_of_the_version_that_signs_now(self, ring: Ring) -> None:
        first = ring.keys.current(TENANT)
        version = ring.rotate(TENANT)
        assert ring.keys.current(TENANT) == ring.keys.sign(TENANT, PAYLOAD).key_version == version
        signed = ring.keys.sign(TENANT, PAYLOAD)
        public = load_der_public_key(ring.elsewhere.public_key(TENANT, version))
        assert isinstance(public, ec.EllipticCurvePublicKey)
        public.verify(signed.value, PAYLOAD, ec.ECDSA(Prehashed(SHA256())))
        assert ring.keys.public_key(TENANT, first) != ring.keys.public_key(TENANT, version)
        with pytest.raises(KeyError):
            ring.keys.public_key(NEIGHBOUR, version)

    def test_find_one_changed_byte(self, ring: Ring) -> None:
        signed = ring.keys.sign(TENANT, PAYLOAD)
        last = signed.value[-1]

        assert ring.keys.verify(TENANT, CHANGED, signed) is False
        for value in (b"", b"nonsense", signed.value[:-1] + bytes([last ^ 1])):
            assert ring.keys.verify(TENANT, PAYLOAD, replace(signed, value=value)) is False

    def test_take_no_signature_of_another_algorithm(self, ring: Ring) -> None:
        signed = replace(ring.keys.sign(TENANT, PAYLOAD), algorithm="RSA_SIGN_PSS_2048_SHA256")

        assert ring.keys.verify(TENANT, PAYLOAD, signed) is False

    def test_do_not_know_the_key_of_a_neighbour(self, ring: Ring) -> None:
        signed, other = ring.keys.sign(TENANT, PAYLOAD), ring.keys.sign(NEIGHBOUR, PAYLOAD)

        assert signed.key_version != other.key_version
        assert ring.keys.verify(NEIGHBOUR, PAYLOAD, signed) is None
        renamed = replace(signed, key_version=other.key_version)
        assert ring.keys.verify(NEIGHBOUR, PAYLOAD, renamed) is False

    @pytest.mark.parametrize("ending", ["2", "0", "01", "1/../1", "", "x", "1 "])
    def test_do_not_know_a_version_that_was_never_made(self, ring: Ring, ending: str) -> None:
        signed = ring.keys.sign(TENANT, PAYLOAD)
        named = signed.key_version.rpartition("/")[0] + "/" + ending

        assert ring.keys.verify(TENANT, PAYLOAD, replace(signed, key_version=named)) is None
        assert ring.keys.verify(TENANT, PAYLOAD, replace(signed, key_version=ending)) is None

    def test_sign_by_the_newest_version_and_verify_by_all(self, ring: Ring) -> None:
        before = ring.keys.sign(TENANT, PAYLOAD)
        signed = []
        for _ in range(11):
            version = ring.rotate(TENANT)
            signed.append(ring.keys.sign(TENANT, PAYLOAD))
            assert signed[-1].key_version == version

        assert all(ring.elsewhere.verify(TENANT, PAYLOAD, each) for each in [before, *signed])
        mixed = replace(before, key_version=signed[-1].key_version)
        assert ring.keys.verify(TENANT, PAYLOAD, mixed) is False


@pytest.mark.req("INV-3", "LOC-2")
class TestKeyFiles:
    def test_are_for_their_owner_only(self, tmp_path: Path) -> None:
        keys = KeyFiles(tmp_path / "keys")
        keys.sign(TENANT, PAYLOAD)
        keys.rotate(TENANT)

        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.rglob("*")}
        assert modes == {"keys": 0o700, TENANT.hex: 0o700, "1.pem": 0o600, "2.pem": 0o600}

    def test_agree_on_one_key_when_many_make_it_at_once(self, tmp_path: Path) -> None:
        everybody = 8
        start = Barrier(everybody)

        def sign(_: int) -> SignedDigest:
            start.wait(30)
            return KeyFiles(tmp_path / "keys").sign(TENANT, PAYLOAD)

        with ThreadPoolExecutor(everybody) as threads:
            signed = list(threads.map(sign, range(everybody)))

        assert all(KeyFiles(tmp_path / "keys").verify(TENANT, PAYLOAD, each) for each in signed)
        assert len({each.key_version for each in signed}) == 1

    def test_pass_over_what_is_no_key_of_theirs(self, tmp_path: Path) -> None:
        keys = KeyFiles(tmp_path)
        signed = keys.sign(TENANT, PAYLOAD)
        (tmp_path / TENANT.hex / "latest.pem").write_bytes(b"a stray copy")

        assert keys.sign(TENANT, PAYLOAD).key_version == signed.key_version


@pytest.mark.req("INV-3")
class TestCloudKeys:
    def test_ask_once_for_the_version_and_once_for_its_public_half(self, cloud: Cloud) -> None:
        for _ in range(3):
            signed = cloud.keys.sign(TENANT, PAYLOAD)
            assert cloud.keys.verify(TENANT, PAYLOAD, signed)

        assert cloud.kms.calls == {
            "ListCryptoKeyVersions": 1,
            "AsymmetricSign": 3,
            "GetPublicKey": 1,
        }

    def test_look_for_a_newer_version_when_the_one_they_know_is_disabled(
        self, cloud: Cloud
    ) -> None:
        first = cloud.keys.sign(TENANT, PAYLOAD)
        second = cloud.kms.add_version(key_name(TENANT))
        cloud.kms.version(first.key_version).state = State.DISABLED

        assert cloud.keys.sign(TENANT, PAYLOAD).key_version == second

    def test_do_not_know_a_version_that_was_destroyed(self, cloud: Cloud) -> None:
        signed = cloud.keys.sign(TENANT, PAYLOAD)
        cloud.kms.version(signed.key_version).state = State.DESTROYED

        assert cloud.keys.verify(TENANT, PAYLOAD, signed) is None

    def test_say_which_key_is_missing(self, cloud: Cloud) -> None:
        (only,) = cloud.kms.keys[key_name(NEIGHBOUR)]
        only.state = State.DISABLED

        for tenant_id in (STRANGER, NEIGHBOUR):
            with pytest.raises(SigningKeyMissing, match=key_name(tenant_id)):
                cloud.keys.sign(tenant_id, PAYLOAD)

    def test_ask_again_when_kms_is_away_for_a_moment(self, cloud: Cloud) -> None:
        away = Refused(grpc.StatusCode.UNAVAILABLE)
        cloud.kms.troubles.extend([away, away])

        assert cloud.keys.sign(TENANT, PAYLOAD).key_version.endswith("/1")
        assert cloud.kms.calls["ListCryptoKeyVersions"] == 3

    def test_do_not_ask_again_what_kms_refuses(self, cloud: Cloud) -> None:
        with pytest.raises(InvalidArgument):
            cloud.keys.sign(TENANT, b"no hash")

        assert cloud.kms.calls["AsymmetricSign"] == 1

    @pytest.mark.parametrize(
        ("method", "field", "value"),
        [
            ("AsymmetricSign", "signature", b"garbled on the way"),
            ("AsymmetricSign", "signature_crc32c", 1),
            ("AsymmetricSign", "verified_digest_crc32c", False),
            ("AsymmetricSign", "name", f"{key_name(NEIGHBOUR)}/cryptoKeyVersions/1"),
            ("GetPublicKey", "pem", "garbled on the way"),
            ("GetPublicKey", "pem_crc32c", 1),
            ("GetPublicKey", "name", f"{key_name(NEIGHBOUR)}/cryptoKeyVersions/1"),
        ],
    )
    def test_believe_no_answer_that_was_garbled(
        self, cloud: Cloud, method: str, field: str, value: object
    ) -> None:
        def garble(answering: str, answer: Any) -> None:
            if answering == method and cloud.kms.calls[method] <= 2:
                setattr(answer, field, value)

        cloud.kms.spoil = garble
        signed = cloud.keys.sign(TENANT, PAYLOAD)

        assert cloud.keys.verify(TENANT, PAYLOAD, signed) is True
        assert cloud.kms.calls[method] == 3

    def test_give_up_when_every_answer_is_garbled(self, cloud: Cloud) -> None:
        hasty = CloudKeys(KEYRING, cloud.client, retry=RETRY.with_timeout(0.0))

        def garble(method: str, answer: Any) -> None:
            if method == "AsymmetricSign":
                answer.signature = b"another one"

        cloud.kms.spoil = garble
        with pytest.raises(RetryError):
            hasty.sign(TENANT, PAYLOAD)
