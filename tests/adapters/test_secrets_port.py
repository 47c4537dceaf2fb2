"""Secrets: what the port promises, held by files and by Secret Manager alike (LOC-2, OPS-3)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.api_core.exceptions import RetryError

from common.google.asking import RETRY, AnswerGarbled
from common.google.secrets import CloudSecrets
from common.local.secrets import SecretFiles
from common.ports.secrets import SecretMissing, Secrets
from common.runtime.kept_secrets import KEPT_SECONDS, RETRY_SECONDS, KeptSecrets
from common.runtime.settings import ProcessSettings
from common.wiring import Wiring
from tests.adapters.grpc_stand_in import Refused
from tests.adapters.secret_manager_stand_in import SecretManagerStandIn, secrets_served

pytestmark = pytest.mark.req("LOC-2", "OPS-3")

NAME = "projects/hotels/secrets/billing-webhook-secrets"
OTHER = "projects/hotels/secrets/billing-origin-key"


@dataclass(frozen=True)
class Bench:
    secrets: Secrets
    write: Callable[[str, str], Any]


@pytest.fixture
def manager() -> Iterator[tuple[SecretManagerStandIn, CloudSecrets]]:
    stand_in = SecretManagerStandIn()
    with secrets_served(stand_in) as client:
        retry = RETRY.with_delay(0.001).with_timeout(0.5)
        yield stand_in, CloudSecrets(client, retry)


@pytest.fixture(params=["local", "google"])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Bench:
    if request.param == "local":

        def write(name: str, text: str) -> None:
            (tmp_path / name.rpartition("/")[2]).write_text(text, encoding="utf-8")

        return Bench(SecretFiles(tmp_path), write)
    stand_in, secrets = request.getfixturevalue("manager")
    return Bench(secrets, lambda name, text: stand_in.secrets.setdefault(name, []).append(text))


def test_reads_the_newest_version_of_each(bench: Bench) -> None:
    bench.write(NAME, "whsec_old")
    bench.write(OTHER, "کلید")
    assert (bench.secrets.read(NAME), bench.secrets.read(OTHER)) == ("whsec_old", "کلید")

    bench.write(NAME, "whsec_old,whsec_new")

    assert bench.secrets.read(NAME) == "whsec_old,whsec_new"


def test_names_the_one_that_is_missing(bench: Bench) -> None:
    with pytest.raises(SecretMissing, match=NAME):
        bench.secrets.read(NAME)


def test_what_is_destroyed_or_somebody_elses_is_missing(
    manager: tuple[SecretManagerStandIn, CloudSecrets],
) -> None:
    stand_in, secrets = manager
    stand_in.secrets = {NAME: ["whsec_old", None], OTHER: ["key"]}
    stand_in.closed.add(OTHER)

    for name in (NAME, OTHER):
        with pytest.raises(SecretMissing):
            secrets.read(name)


def test_tries_again_while_it_is_away_or_garbled_and_gives_up_in_time(
    manager: tuple[SecretManagerStandIn, CloudSecrets],
) -> None:
    stand_in, secrets = manager
    stand_in.secrets = {NAME: ["whsec_1"]}
    stand_in.troubles.extend([Refused(grpc.StatusCode.UNAVAILABLE)] * 2)
    garbled = iter([True])

    def spoil(_: str, answer: Any) -> None:
        if next(garbled, False):
            answer.payload.data = b"whsec_l"

    stand_in.spoil = spoil
    assert secrets.read(NAME) == "whsec_1"
    assert stand_in.calls["AccessSecretVersion"] == 4

    stand_in.spoil = lambda _, answer: setattr(answer.payload, "data", b"never whole")
    with pytest.raises(RetryError) as given_up:
        secrets.read(NAME)
    assert isinstance(given_up.value.__cause__, AnswerGarbled)


@dataclass
class Keeper:
    """A keeper of one secret, which may be away, and a clock of seconds."""

    text: str = "first"
    away: bool = False
    asked: int = 0
    seconds: float = 0.0
    troubles: list[Exception] = field(default_factory=list)

    def read(self, name: str) -> str:
        self.asked += 1
        if self.away:
            raise ConnectionError(name)
        return self.text

    def kept(self) -> KeptSecrets:
        return KeptSecrets(self, on_trouble=self.troubles.append, clock=lambda: self.seconds)


def test_a_new_version_is_in_use_after_five_minutes_without_a_deployment() -> None:
    keeper = Keeper()
    kept = keeper.kept()
    assert [kept.read(NAME), kept.read(NAME)] == ["first", "first"]
    keeper.text = "second"
    keeper.seconds = KEPT_SECONDS - 1
    assert kept.read(NAME) == "first"

    keeper.seconds = KEPT_SECONDS

    assert kept.read(NAME) == "second"
    assert keeper.asked == 2


def test_the_known_one_serves_on_while_its_keeper_is_away() -> None:
    """It is asked again every ten seconds, and each time is told of."""
    keeper = Keeper()
    kept = keeper.kept()
    kept.read(NAME)
    keeper.away, keeper.seconds = True, KEPT_SECONDS
    assert [kept.read(NAME), kept.read(NAME)] == ["first", "first"]
    assert (keeper.asked, len(keeper.troubles)) == (2, 1)

    keeper.away, keeper.text = False, "second"
    keeper.seconds += RETRY_SECONDS
    assert kept.read(NAME) == "second"

    stranger = Keeper(away=True).kept()
    with pytest.raises(ConnectionError):
        stranger.read(NAME)


def test_webhooks_are_proven_by_the_secret_of_that_name(tmp_path: Path) -> None:
    settings = ProcessSettings(
        stack="local", local_folder=str(tmp_path), stripe_webhook_secrets_name=NAME
    )
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "billing-webhook-secrets").write_text("whsec_old, whsec_new\n")

    assert Wiring(settings).webhook_secrets == ("whsec_old", "whsec_new")
