"""The stage on which a race is played: one hotel, and several instances of the service.

    @race
    def three_tills_post_to_one_folio(stage: Stage) -> None:
        folio = stage.hotel.open_folio()
        for till in range(3):
            stage.plays(f"till {till}", lambda at: at.post(f"/folios/{folio}/charges", charge()))
        answers = stage.play()
        assert ...

Every player has an instance of the service of its own, with nothing in memory, as an instance that
has just started. A client whose instance dies, or who is told to come back, sends the same again
with the same key. After the play, whatever the race itself asserts, the hotel's books must be
right, nobody may have heard of an error of ours, and nobody may have waited in a circle.

Ids, times and everything else that could differ from one play to the next are the same each time:
what is drawn from the seed is the schedule alone.
"""

import hashlib
import json
import shutil
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pg8000.native
from ulid import ULID
from werkzeug.test import TestResponse

from common.domain.certificate import CertificateGiven
from common.domain.identifiers import RefundId
from common.local.identity import LocalIdentity
from common.ports.powers import Printer, Seal
from common.postgres.pool import Pool
from common.postgres.sessions import opener
from common.postgres.settings_cache import SettingsCache
from common.postgres.tenant_command import PostgresCommand
from common.runtime.logging import Log
from tests.hotel import ISSUER, Hotel, House
from tests.trialing import try_out
from tests.trust import books
from tests.trust.emptying import emptying
from tests.trust.races.schedule import Schedule, Written
from tests.trust.races.scheduler import Event, Scheduler, Worker
from tests.trust.races.stepping import Died, SteppedConnection, stepping

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
NOON_BYTES = int(NOON.timestamp() * 1000).to_bytes(6)
PLAYERS_MAX = 5
TRIES_MAX = 25
Act = Callable[[Hotel], TestResponse]


class StandingClock:
    """It is noon, the first of March."""

    def at(self, database_time: datetime) -> datetime:
        return NOON

    def now(self) -> datetime:
        return NOON


class OncePrinter:
    """Draws a document once; the same again is the same bytes (INV-4), and takes no time.

    What it seals is another file each time, as a signature is of chance; how it looks is proven
    elsewhere.
    """

    def __init__(self, printer: Printer) -> None:
        self._printer = printer
        self._drawn: dict[str, bytes] = {}

    def document(self, payload: dict[str, Any], person: dict[str, Any], **more: Any) -> bytes:
        name = json.dumps([payload, person, more], sort_keys=True, default=bytes.hex)
        if name not in self._drawn:
            self._drawn[name] = self._printer.document(payload, person, **more)
        return self._drawn[name]

    def e_invoice(self, payload: dict[str, Any], person: dict[str, Any]) -> bytes:
        name = json.dumps([payload, person], sort_keys=True)
        if name not in self._drawn:
            self._drawn[name] = self._printer.e_invoice(payload, person)
        return self._drawn[name]

    def sealed(self, pdf: bytes, seal: Seal, e_invoice: bytes | None) -> bytes:
        return pdf + seal.certificate.sha256 + seal.sign(hashlib.sha256(pdf).digest())

    def must_hold(self, pdf: bytes, sealed: bytes, *_: object) -> None:
        assert sealed.startswith(pdf)

    def read_certificate(self, *given: Any) -> CertificateGiven:
        return self._printer.read_certificate(*given)

    def own_certificate(self, *given: Any) -> CertificateGiven:
        return self._printer.own_certificate(*given)


class Unheard(Log):
    """Thousands of plays are of no interest in the log."""

    def _line(self, *_: Any, **__: Any) -> None:
        """Say nothing."""


@dataclass
class Player:
    """Somebody who calls the service, and what came of it."""

    name: str
    act: Act
    insists: bool
    worker: Worker | None = None
    deaths: int = 0


@dataclass
class Play:
    """What came of a race under one schedule: `wrong` is empty when all is well."""

    trace: list[Event]
    names: list[str]
    wrong: list[str]
    answers: list[str]
    commands: int
    faults: list[str]


@dataclass
class Theatre:
    """A hotel, and as many instances of the service as there can be players."""

    hotel: Hotel
    instances: list[House]
    admin: pg8000.native.Connection
    _clean: str

    @classmethod
    def build(cls, house: House, folder: Path) -> "Theatre":
        hotel = house.new_hotel()
        assert try_out(hotel).status_code == 201  # the key of marks is the platform's: known by now
        identity = LocalIdentity(folder / "identity", issuer=ISSUER, clock=StandingClock().now)
        printer = OncePrinter(house.wiring.printer)
        instances = [_instance(house, identity, printer) for _ in range(PLAYERS_MAX + 1)]
        hotel = replace(hotel, house=instances.pop())
        admin = opener(house.server.dsn(database="billing"), timeout_seconds=60)()
        admin.run("SET synchronous_commit = off")
        return cls(hotel, instances, admin, emptying(house, hotel))

    def clean(self) -> None:
        """Forget everything but the settings, and let every instance start anew."""
        self.admin.run(self._clean)
        self._clear_the_processor()
        for house in (self.hotel.house, *self.instances):
            house.wiring.transactions._settings = SettingsCache()
            house.wiring.batcher._queues.clear()

    def _clear_the_processor(self) -> None:
        """What the sandbox has made goes as well: the next play makes the same under these ids."""
        folder = Path(self.hotel.house.wiring.settings.local_folder) / "processor"
        for made in ("customers", "methods", "intents", "there"):
            shutil.rmtree(folder / made, ignore_errors=True)
        for refund in folder.glob(f"{RefundId.prefix}*"):
            refund.unlink()
        for capture in folder.glob("captures/*.json"):
            if json.loads(capture.read_bytes())["tenant"] == str(self.hotel.tenant_id):
                capture.unlink()

    def close(self) -> None:
        self.clean()
        self.admin.close()
        for house in (self.hotel.house, *self.instances):
            house.close()


@dataclass
class Stage:
    """One play of a race."""

    theatre: Theatre
    schedule: Schedule = field(default_factory=Written)
    players: list[Player] = field(default_factory=list)
    trace: list[Event] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    allow_deadlock: bool = False

    @property
    def hotel(self) -> Hotel:
        """The hotel, called at an instance that takes no part in the play."""
        return self.theatre.hotel

    def plays(self, name: str, act: Act, *, insists: bool = True) -> None:
        """Let somebody take part; who insists sends again when no answer came."""
        self.players.append(Player(name, act, insists))

    def play(self) -> list[TestResponse]:
        """Run all acts as the schedule says, and answer what each player heard last."""
        for place, player in enumerate(self.players):
            at = replace(self.hotel, house=self.theatre.instances[place])
            player.worker = Worker(place, player.name, _client(player, at))
        workers = [player.worker for player in self.players if player.worker]
        scheduler = Scheduler(workers, self.schedule, self.theatre.admin)
        try:
            scheduler.play()
        finally:
            self.trace = scheduler.trace
        for worker in workers:
            if worker.trouble is not None:
                raise worker.trouble
        if scheduler.deadlocks and not self.allow_deadlock:
            self.wrong.append("they waited for one another in a circle")
        for worker in workers:
            if worker.answer is not None and worker.answer.status_code >= 500:
                self.wrong.append(f"{worker.name} was answered {worker.answer.status_code}")
        return [worker.answer for worker in workers]


def perform(theatre: Theatre, race: Callable[[Stage], None], schedule: Schedule) -> Play:
    """Play a race once under a schedule, and look at what came of it."""
    theatre.clean()
    stage = Stage(theatre, schedule)
    with _same_ids_each_time():
        try:
            race(stage)
        except AssertionError as wrong:
            stage.wrong.append(_said(wrong))
    stage.wrong += books.broken(theatre.hotel)
    return Play(
        trace=stage.trace,
        names=[player.name for player in stage.players],
        wrong=stage.wrong,
        answers=[_heard(player) for player in stage.players],
        commands=sum(1 + player.deaths for player in stage.players),
        faults=[event.what.rsplit(", ", 1)[1] for event in stage.trace if ", " in event.what],
    )


def _client(player: Player, at: Hotel) -> Callable[[], TestResponse]:
    """A client that has a key: it asks until it is answered, and waits politely in between."""

    def ask() -> TestResponse:
        worker = player.worker
        assert worker is not None
        for _ in range(TRIES_MAX):
            try:
                answer = player.act(at)
            except Died:
                player.deaths += 1
                at.house.wiring.transactions._settings = SettingsCache()
                if not player.insists:
                    raise
                continue
            if not player.insists or not _comes_back(answer):
                return answer
            worker.polite = True
        return answer

    return ask


def _comes_back(answer: TestResponse) -> bool:
    """Whether the service asked to send the same again."""
    in_progress = answer.status_code == 409 and "IN_PROGRESS" in answer.text
    return answer.status_code == 503 or in_progress


def _instance(house: House, identity: LocalIdentity, printer: OncePrinter) -> House:
    """An instance of the service whose every statement is a point."""
    open_session = opener(house.wiring.settings.databases["main"], timeout_seconds=60)
    powers = {
        "pools": {"main": Pool(lambda: _connection(open_session), size=2)},
        "clock": StandingClock(),
        "printer": printer,
        "log": Unheard(clock=StandingClock().now),
    }
    return house.beside(powers=powers, identity=identity, rate_limits=False)


def _connection(open_session: Callable[[], pg8000.native.Connection]) -> SteppedConnection:
    def opened() -> pg8000.native.Connection:
        session = open_session()
        session.run("SET synchronous_commit = off")  # nobody pulls the plug here
        return session

    return SteppedConnection(opened)


class _same_ids_each_time:
    """Ids count up for each player, and salts are no secret, instead of being drawn by chance."""

    def __enter__(self) -> None:
        counts: dict[int, int] = {}
        self._before = PostgresCommand.new_id, PostgresCommand.new_salt

        def new_id(command: PostgresCommand, kind: Any) -> Any:
            worker = stepping()
            place = worker.place + 1 if isinstance(worker, Worker) else 0
            counts[place] = counts.get(place, 0) + 1
            place_and_count = bytes([place]) + counts[place].to_bytes(3)
            tenant = command.tenant_id.bytes[:6]  # some ids are unique over all tenants
            return kind.of(str(ULID.from_bytes(NOON_BYTES + place_and_count + tenant)))

        PostgresCommand.new_id = new_id  # type: ignore[method-assign,assignment]
        PostgresCommand.new_salt = lambda command: bytes(range(32))  # type: ignore[method-assign]

    def __exit__(self, *_: object) -> None:
        PostgresCommand.new_id, PostgresCommand.new_salt = self._before  # type: ignore[method-assign]


def _heard(player: Player) -> str:
    answer = player.worker.answer if player.worker else None
    if answer is None:
        return "hears nothing"
    code = ""
    with suppress(ValueError, AttributeError, TypeError):
        code = (answer.json or {}).get("code", "")
    replayed = " (replayed)" if "Idempotency-Replayed" in answer.headers else ""
    return f"hears {answer.status_code} {code}".rstrip() + replayed


def _said(wrong: AssertionError) -> str:
    """What an assertion says, or else its own line of the play."""
    text = str(wrong).strip()
    if text:
        return text.splitlines()[0]
    line: str = traceback.extract_tb(wrong.__traceback__)[-1].line or "an assertion"
    return f"{line.removeprefix('assert ')} does not hold"
