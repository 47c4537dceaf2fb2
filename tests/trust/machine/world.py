"""The service as the state machine meets it: real handlers on real PostgreSQL, and a clock,
a printer and a broker that do what they are told.

Three instances stand on one database: the desk's, one that reaches the database over a line that
can be cut at a commit, and the jobs'. Two tenants are made once and emptied for each example. The
clock is a port: it stands until it is moved, also backwards. The printer writes a line instead of
drawing a page (drawing has its own tests), so that hundreds of steps fit into a second.
"""

import hashlib
import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any, Final
from uuid import UUID, uuid4

from ulid import ULID
from werkzeug.test import TestResponse

from common.domain.certificate import CertificateGiven
from common.domain.settings import Issuer
from common.local.identity import LocalIdentity
from common.ports.powers import DrawingRefused, Seal
from common.ports.publishing import HELD_BACK, Message
from common.postgres.drain import OutboxDrain
from common.runtime.declaration import declaration_of
from common.runtime.job import Orders
from tests.functions.pushing import wrapped as in_envelope
from tests.hotel import ISSUER, Hotel, House
from tests.postgres.proxy import Asked, Cut, Proxy
from tests.prepaying import SCOPE as GRANTING
from tests.prepaying import grant_context
from tests.refunding import SCOPE, context
from tests.together import until
from tests.trust.emptying import emptying
from tests.trust.machine.expected import Command
from tests.trust.machine.hotels import HOTELS, START, Settings, document
from tests.trust.races.stepping import Died

HELD_KEYS: Final = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"
TRIES_MAX: Final = 20


class Clock:
    """A clock that stands until it is moved, forwards or back."""

    def __init__(self) -> None:
        self.moment = START

    def at(self, database_time: datetime) -> datetime:
        return self.moment

    def now(self) -> datetime:
        return self.moment


EVER, NEVER = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)


class Pen:
    """Writes a line for a page. `trouble` happens at the next one: refused, or killed."""

    def __init__(self) -> None:
        self.trouble = ""

    def document(
        self, payload: Mapping[str, Any], person: Mapping[str, Any], **given: Any
    ) -> bytes:
        if self.trouble == "killed before the page":
            raise Died
        if self.trouble == "refused":
            raise DrawingRefused("a glyph is missing")
        said = (payload["number"], given["payload_sha256"], given["template_version"])
        return " ".join([*said, str(given["copy"])]).encode()

    def e_invoice(self, payload: Mapping[str, Any], person: Mapping[str, Any]) -> bytes:
        return b"<xml/>"

    def sealed(self, pdf: bytes, seal: Seal, e_invoice: bytes | None) -> bytes:
        """The page as it is: how a seal holds is proven elsewhere."""
        return pdf

    def must_hold(self, *_: object) -> None:
        """What was stored before holds."""

    def own_certificate(self, issuer: Issuer, key_version: str, *_: object) -> CertificateGiven:
        return self.read_certificate(key_version, key_version.encode())

    def read_certificate(self, key_version: str, der: bytes) -> CertificateGiven:
        return CertificateGiven(
            key_version=key_version, chain=(der,), own=True, valid_from=EVER, valid_to=NEVER
        )

    def identity(self, pdf: bytes) -> tuple[str, str]:
        """The number and the hash that stand on a page."""
        number, sha_256, *_ = pdf.decode().split(" ")
        return number, sha_256


class Shelf:
    """Documents in memory. One that was put is never replaced."""

    def __init__(self, pen: Pen) -> None:
        self._pen = pen
        self.documents: dict[tuple[UUID, str], bytes] = {}

    def put(self, tenant_id: UUID, name: str, content: bytes) -> None:
        if self.documents.setdefault((tenant_id, name), content) != content:
            raise FileExistsError(name)
        if self._pen.trouble == "killed behind the page" and name.endswith(".pdf"):
            raise Died

    def get(self, tenant_id: UUID, name: str) -> bytes:
        return self.documents[tenant_id, name]

    def link(self, tenant_id: UUID, name: str, seconds: int) -> str:
        return f"https://documents.test/{tenant_id}/{name}?seconds={seconds}"


class Broker:
    """Remembers what came. It refuses an aggregate, or the drainer dies after so many messages."""

    def __init__(self) -> None:
        self.arrived: list[Message] = []
        self.refuses: frozenset[str] = frozenset()
        self.dies_after: int | None = None
        self.on_death: Callable[[], None] = lambda: None

    def publish(self, messages: Sequence[Message]) -> Sequence[str | None]:
        stopped: set[str] = set()
        answers: list[str | None] = []
        for message in messages:
            if len(answers) == self.dies_after:
                self._die()
            subject = message.ordering_key.split("/")[1]
            if message.ordering_key in stopped:
                answers.append(HELD_BACK)
            elif subject in self.refuses:
                stopped.add(message.ordering_key)
                answers.append("Unavailable")
            else:
                self.arrived.append(message)
                answers.append(None)
        if self.dies_after is not None:
            self._die()  # all of it published, and nothing marked
        return answers

    def _die(self) -> None:
        self.on_death()
        raise Died


class Drainer(OutboxDrain):
    """The outbox of one process, which gives nothing back once it was killed."""

    killed = False

    def give_back(self) -> None:
        if not self.killed:
            super().give_back()


@dataclass
class World:
    """Everything around the model; `of` makes it once, `begin` makes it clean for an example."""

    house: House
    clock: Clock = field(default_factory=Clock)
    pen: Pen = field(default_factory=Pen)
    broker: Broker = field(default_factory=Broker)
    mark: str = field(default_factory=lambda: uuid4().hex[:10])
    """What this world's plans are told apart by from those of others on the server."""
    _tokens: dict[tuple[object, ...], str] = field(default_factory=dict)

    @classmethod
    @contextmanager
    def of(cls, house: House) -> Iterator["World"]:
        world = cls(house)
        world._build()
        try:
            yield world
        finally:
            for instance in (world.desk, world.cut_off, world.jobs):
                instance.close()
            world.proxy.stop()

    def _build(self) -> None:
        house = self.house
        self.proxy = Proxy(house.server)
        self.shelf = Shelf(self.pen)
        folder = Path(house.wiring.settings.local_folder) / f"machine-{uuid4().hex}"
        self.identity = LocalIdentity(folder, issuer=ISSUER, clock=self.clock.now)
        self.desk = self._instance()
        self.cut_off = self._instance(databases={"main": self.proxy.dsn()})
        self.jobs = self._instance(databases={"main": house.server.dsn("billing_job", "billing")})
        self.tenants = [self._tenant(n) for n in range(len(HOTELS))]
        house.sql(
            "UPDATE billing_central.outbox SET published_at = now() WHERE published_at IS NULL"
        )
        leases = "UPDATE billing_central.outbox_leases SET leased_until = '-infinity'"
        self._emptying = f"{emptying(house, *self.tenants)}; {leases}"

    def _instance(self, **changes: Any) -> House:
        powers = {
            "clock": self.clock,
            "printer": self.pen,
            "documents": self.shelf,
            "publisher": self.broker,
        }
        return self.house.beside(
            powers=powers, identity=self.identity, rate_limits=False, pool_size=4, **changes
        )

    def _tenant(self, number: int) -> Hotel:
        made = self.house.new_hotel()
        return Hotel(self.desk, made.tenant_id, UUID(HOTELS[number][0]["id"]))

    def begin(self, settings: Sequence[Settings]) -> None:
        """A clean house for another example."""
        self.clock.moment = START
        self._tokens.clear()
        self.shelf.documents.clear()
        self.broker.arrived.clear()
        self.pen.trouble = ""
        self.house.sql(self._emptying)
        for number, chosen in enumerate(settings):
            self.tenants[number].write_settings(**document(number, chosen))

    def move_clock(self, seconds: int) -> None:
        self.clock.moment += timedelta(seconds=seconds)
        self._tokens.clear()

    # calls

    def call(
        self,
        tenant: int,
        actor: str,
        houses: Sequence[str],
        method: str,
        path: str,
        body: Any = None,
        *,
        key: str | None = None,
        headers: Mapping[str, str] | None = None,
        cut: Cut = Cut.NOWHERE,
        query: Mapping[str, str] | None = None,
    ) -> TestResponse:
        """Call a function as a clerk of these houses does; `cut` is what happens to the commit."""
        hotel = self.tenants[tenant]
        more: dict[str, Any] = {
            "key": key,
            "token": self._token(tenant, actor, tuple(houses)),
            "headers": dict(headers or {}),
            **(query or {}),
        }
        if cut is Cut.NOWHERE:
            return hotel.call(method, path, body, **more)
        return self.over_a_bad_line(hotel, cut, lambda at: at.call(method, path, body, **more))

    def over_a_bad_line(
        self, hotel: Hotel, cut: Cut, send: Callable[[Hotel], TestResponse]
    ) -> TestResponse:
        """Cut the first commit, and go on as a client does that has a key: heed Retry-After."""
        cuts = iter([cut])
        self.proxy.where = lambda asked: next(cuts, Cut.NOWHERE) if _commits(asked) else Cut.NOWHERE
        at = Hotel(self.cut_off, hotel.tenant_id, hotel.property_id)
        for _ in range(TRIES_MAX):
            answer = send(at)
            until(lambda: self.house.sql(HELD_KEYS) == [[0]])
            if answer.status_code != 409 or not _is_busy(answer):
                break
        return answer

    def _token(self, tenant: int, actor: str, houses: tuple[str, ...]) -> str:
        return self._remembered(
            (tenant, actor, houses),
            lambda: self.tenants[tenant].token(
                sub=actor, property_ids=[UUID(each) for each in houses]
            ),
        )

    def _remembered(self, name: tuple[object, ...], make: Callable[[], str]) -> str:
        if name not in self._tokens:
            self._tokens[name] = make()
        return self._tokens[name]

    def confirmation(self, asked: Command) -> dict[str, str]:
        """What somebody confirms with a second factor who gives money back, or credits away."""
        hotel = self.tenants[asked.tenant]
        if asked.function == "grant_credits":
            signed = grant_context(hotel, asked.body)
            return {"stepUpToken": hotel.confirmation(asked.actor, GRANTING, signed)}
        if asked.function != "refund_payment":
            return {}
        folio = asked.path.split("/")[2]
        signed = context(hotel, folio, asked.body)
        return {"stepUpToken": hotel.confirmation(asked.actor, SCOPE, signed)}

    def push(self, consumer: str, event: dict[str, Any], *, wrapped: bool) -> TestResponse:
        """Push an event, in Pub/Sub's envelope or in the structured mode of CloudEvents."""
        settings = self.desk.wiring.settings
        token = self._remembered(
            ("push",),
            lambda: self.identity.issue_oidc_token(
                email=settings.oidc_account, audience=settings.oidc_audience
            ),
        )
        kind, body = "application/cloudevents+json", json.dumps(event)
        if wrapped:
            kind = "application/json"
            body = in_envelope(event, messageId=self.message_id(event)).decode()
        headers = {"Authorization": f"Bearer {token}", "Content-Type": kind}
        return self.desk.client.post(f"/events/{consumer}", data=body, headers=headers)

    def message_id(self, event: dict[str, Any]) -> str:
        """The broker's id of a message: another one for each that differs."""
        return hashlib.sha256(repr(event).encode()).hexdigest()

    # jobs

    def run_job(self, name: str, as_of: date | None = None) -> Any:
        """Fire a job as its schedule does, in a process of its own; None when it was killed."""
        declaration: Any = declaration_of(getattr(import_module(f"jobs.{name}"), name))
        wiring = self.jobs.wiring
        outbox = Drainer(wiring.pools["main"], holder=str(ULID()))
        wiring.__dict__["outbox"] = outbox
        self.broker.on_death = lambda: setattr(outbox, "killed", True)
        orders = Orders(
            once=declaration.keeps_watch,
            tenants=tuple(each.tenant_id for each in self.tenants),
            as_of=as_of,
        )
        try:
            return wiring.job_shell.run(
                declaration, orders, stop=threading.Event(), tell=lambda progress: None
            )
        except Died:
            return None

    def let_leases_run_out(self) -> None:
        """Half a minute passes at the database."""
        self.house.sql("UPDATE billing_central.outbox_leases SET leased_until = '-infinity'")

    def forget_answers(self, tenant: int) -> None:
        """Thirty days pass for the stored answers; the inbox stays."""
        self.tenants[tenant].rows("DELETE FROM {s}.idempotency_keys")


def _commits(asked: Asked) -> bool:
    return asked.commits


def _is_busy(answer: TestResponse) -> bool:
    return str(answer.json["code"]).endswith("IDEMPOTENCY_IN_PROGRESS")
