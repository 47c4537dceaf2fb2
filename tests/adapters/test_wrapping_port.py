"""Envelopes: what the vault and its wrapping keys promise, on files and on Cloud KMS (GW-2)."""

import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import UUID

import grpc
import pytest
from ulid import ULID

from common.domain.identifiers import DataKeyId
from common.google.asking import RETRY
from common.google.wrapping import CloudWrapping
from common.local.wrapping import WrappingFiles
from common.ports.vault import DataKey, KeyDestroyed, SealBroken, Wrapped, WrappingKeys
from common.runtime.vault import REMEMBERED_SECONDS, EnvelopeVault
from tests.adapters.grpc_stand_in import Refused
from tests.adapters.kms_stand_in import KmsStandIn, State, kms_served

pytestmark = pytest.mark.req("GW-2")

TENANT = UUID("7f1b0c9e-0000-4000-8000-000000000001")
NEIGHBOUR = UUID("7f1b0c9e-0000-4000-8000-000000000002")
KEYRING = "projects/hotels/locations/europe-west1/keyRings/billing-wrapping"
TOKEN = "pm_1Q0PsIJvEtkwdCNYMSaVuRz6"


@dataclass
class Bench:
    """Wrapping keys of two tenants, how to rotate and destroy one, and a clock of seconds."""

    wrapping: WrappingKeys
    rotate: Callable[[UUID], Any]
    destroy: Callable[[UUID], None]
    kms: KmsStandIn | None = None
    seconds: float = 0.0

    def vault(self) -> EnvelopeVault:
        """An instance of the service, which remembers nothing yet."""
        return EnvelopeVault(self.wrapping, lambda: self.seconds)


@pytest.fixture(params=["local", "google"])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    if request.param == "local":
        files = WrappingFiles(tmp_path / "keys")
        yield Bench(files, files.rotate, files.destroy)
        return
    kms = KmsStandIn()
    names = {each: f"{KEYRING}/cryptoKeys/data-{each.hex}" for each in (TENANT, NEIGHBOUR)}
    for name in names.values():
        kms.add_version(name)

    def destroy(tenant_id: UUID) -> None:
        for version in kms.keys[names[tenant_id]]:
            version.state = State.DESTROYED

    with kms_served(kms) as client:
        wrapping = CloudWrapping(KEYRING, client, RETRY.with_delay(0.001))
        yield Bench(wrapping, lambda each: kms.add_version(names[each]), destroy, kms)


def a_key(vault: EnvelopeVault) -> DataKey:
    return vault.make_key(TENANT, DataKeyId.of(str(ULID())))


def test_opens_what_another_instance_has_sealed(bench: Bench) -> None:
    vault = bench.vault()
    key = a_key(vault)

    sealed = vault.seal(TENANT, key, "pm_1", TOKEN)

    assert TOKEN.encode() not in sealed + key.wrapped.content
    assert sealed != vault.seal(TENANT, key, "pm_1", TOKEN)
    assert bench.vault().open(TENANT, key, "pm_1", sealed) == TOKEN


def test_opens_in_its_own_place_only(bench: Bench) -> None:
    vault = bench.vault()
    key, other = a_key(vault), a_key(vault)
    sealed = vault.seal(TENANT, key, "pm_1", TOKEN)

    for about, under, content in (
        ("pm_2", key, sealed),
        ("pm_1", other, sealed),
        ("pm_1", key, sealed[:-1] + bytes([sealed[-1] ^ 1])),
        ("pm_1", key, b""),
    ):
        with pytest.raises(SealBroken):
            vault.open(TENANT, under, about, content)
    with pytest.raises((KeyDestroyed, SealBroken)):
        bench.vault().open(NEIGHBOUR, key, "pm_1", sealed)


def test_a_rotation_wraps_anew_and_the_seals_stay(bench: Bench) -> None:
    vault = bench.vault()
    key = a_key(vault)
    sealed = vault.seal(TENANT, key, "pm_1", TOKEN)
    bench.rotate(TENANT)

    anew = vault.rewrap(TENANT, key)

    assert anew.id == key.id
    assert anew.wrapped.key_version != key.wrapped.key_version
    assert bench.vault().open(TENANT, anew, "pm_1", sealed) == TOKEN
    assert bench.vault().open(TENANT, key, "pm_1", sealed) == TOKEN


def test_destroying_the_key_erases_all_of_it_within_minutes(bench: Bench) -> None:
    vault = bench.vault()
    key = a_key(vault)
    sealed = vault.seal(TENANT, key, "pm_1", TOKEN)

    bench.destroy(TENANT)

    with pytest.raises(KeyDestroyed):
        bench.vault().open(TENANT, key, "pm_1", sealed)
    assert vault.open(TENANT, key, "pm_1", sealed) == TOKEN
    bench.seconds += REMEMBERED_SECONDS
    with pytest.raises(KeyDestroyed):
        vault.open(TENANT, key, "pm_1", sealed)


def test_unwraps_nothing_of_a_neighbour(bench: Bench) -> None:
    theirs = bench.wrapping.wrap(NEIGHBOUR, b"x" * 32)
    mine = bench.wrapping.wrap(TENANT, b"y" * 32)

    for wrapped in (theirs, replace(theirs, key_version=mine.key_version), Wrapped("", b"z")):
        with pytest.raises(KeyDestroyed):
            bench.wrapping.unwrap(TENANT, wrapped)


def test_the_laptops_keys_are_for_their_owner_only(tmp_path: Path) -> None:
    keys = WrappingFiles(tmp_path / "keys")
    keys.wrap(TENANT, b"x" * 32)

    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.rglob("*")}
    assert modes == {"keys": 0o700, TENANT.hex: 0o700, "1.key": 0o600}


@pytest.mark.parametrize("bench", ["google"], indirect=True)
def test_kms_is_asked_again_when_it_is_away_or_garbles(bench: Bench) -> None:
    assert bench.kms is not None
    bench.kms.troubles.append(Refused(grpc.StatusCode.UNAVAILABLE))

    def garble(method: str, answer: Any) -> None:
        if bench.kms is not None and bench.kms.calls[method] == 1:
            field = "plaintext_crc32c" if method == "Decrypt" else "ciphertext_crc32c"
            setattr(answer, field, 1)

    bench.kms.spoil = garble
    wrapped = bench.wrapping.wrap(TENANT, b"x" * 32)

    assert bench.wrapping.unwrap(TENANT, wrapped) == b"x" * 32
    assert bench.kms.calls["Decrypt"] == 2
