"""Named points at which a process can die, and an instance of the service that dies at one (REL-1).

Nothing of this is in the service. Its statements are sent one at a time (`races/stepping.py`), and
what it may do outside of a transaction is wrapped, so that a point lies between any two things that
the world can see. Who dies there runs nothing any more: its connection is torn without a word, and
whatever it still tries is refused.
"""

import hashlib
import socket
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from io import BytesIO
from typing import Any, Final
from unittest.mock import patch
from uuid import UUID

import pg8000.native
from pypdf import PdfWriter

from common.domain.certificate import CertificateGiven
from common.domain.identifiers import RefundId
from common.domain.money import Money
from common.domain.processor_reconciliation import Known, Movement
from common.domain.reconciliation import CardRecords
from common.domain.settings import Issuer
from common.ports.answers import Answer, Unknown
from common.ports.cards import Cards
from common.ports.gateway import Gateway, Wanted
from common.ports.movements import MovementPage, MovementsWanted
from common.ports.payouts import PendingPayout
from common.ports.powers import Documents, Seal
from common.ports.publishing import Message
from common.postgres import provisioner
from common.postgres.pool import Pool
from common.postgres.schemas import FUNCTION_LOGIN
from common.postgres.sessions import opener
from common.runtime.execute import Call, Result, Runner
from common.wiring import Wiring
from tests.hotel import House
from tests.security.gated import declaration, write_off
from tests.trust.races.stage import StandingClock, Unheard
from tests.trust.races.stepping import Died, Fault, SteppedConnection, step_as

AFTER: Final = {
    "BEGIN": "after_begin",
    "BEGIN READ ONLY": "after_begin",
    "claims its key": "after_key_claim",
    "takes folios": "after_lock",
    "takes reconciliations": "after_lock",
    "takes number_series": "after_lock",
    "writes ledger_entries": "after_posting",
    "changes number_series": "after_number",
    "writes outbox": "after_outbox",
    "writes audit_entries": "after_audit",
    "writes inbox": "after_inbox",
    "writes step_up_uses": "after_step_up_use",
}
POINTS: Final = (
    *dict.fromkeys(AFTER.values()),
    "before_commit",
    "after_commit_before_answer",
    "after_effect_before_ack",
    "after_pdf_before_upload",
    "after_upload_before_record",
    "after_publish_before_mark",
    "before_processor",
    "after_processor_before_record",
    "mid_batch",
    "mid_migration",
    "between_tenants",
)
Place = tuple[str, int]


@dataclass
class Doomed:
    """A process that dies at the nth time that it comes to a point; without one, it only counts."""

    dies_at: Place | None = None
    consumes: bool = False
    reached: Counter[str] = field(default_factory=Counter)
    dead: bool = False
    torn: list[int] = field(default_factory=list)

    def reaches(self, name: str) -> bool:
        """Whether this is where it dies."""
        self.reached[name] += 1
        self.dead = self.dead or (name, self.reached[name]) == self.dies_at
        return self.dead

    def passes(self, name: str) -> None:
        """Go on behind a point, or die at it."""
        if self.dead or self.reaches(name):
            raise Died

    def point(self, connection: SteppedConnection, label: str) -> Fault | None:
        """Asked before every statement."""
        fault = None
        if self.dead or (label == "COMMIT" and self.reaches("before_commit")):
            fault = Fault.DIES_BEFORE
        elif name := self._behind(label):
            fault = Fault.DIES_AFTER if self.reaches(name) else None
        return fault

    def _behind(self, label: str) -> str | None:
        if label == "COMMIT":
            return "after_effect_before_ack" if self.consumes else "after_commit_before_answer"
        return AFTER.get(label)


@contextmanager
def running(doomed: Doomed) -> Iterator[None]:
    """What this thread does now, the process does; if it dies, nobody hears an answer."""
    step_as(doomed)
    try:
        with suppress(Died):
            yield
    finally:
        step_as(None)


class PassingRunner(Runner):
    """Passes a point between the items of a job, and between its tenants."""

    def __init__(self, wiring: Wiring, doomed: Doomed) -> None:
        super().__init__(wiring.transactions, wiring)
        self._doomed = doomed
        self._last: Call | None = None

    def run(self, call: Call) -> Result:
        last, self._last = self._last, call
        if last is not None and last.tenant_id != call.tenant_id:
            self._doomed.passes("between_tenants")
        elif last is not None and not last.reads_only and not call.reads_only:
            self._doomed.passes("mid_batch")
        return super().run(call)


@dataclass(frozen=True)
class PassingDocuments:
    documents: Documents
    doomed: Doomed

    def put(self, tenant_id: UUID, name: str, content: bytes) -> None:
        self.doomed.passes("after_pdf_before_upload")
        self.documents.put(tenant_id, name, content)
        self.doomed.passes("after_upload_before_record")

    def get(self, tenant_id: UUID, name: str) -> bytes:
        return self.documents.get(tenant_id, name)

    def link(self, tenant_id: UUID, name: str, seconds: int) -> str:
        return self.documents.link(tenant_id, name, seconds)


@dataclass(frozen=True)
class PassingGateway:
    """The sandbox's processor, which outlives whoever asks it."""

    gateway: Gateway
    doomed: Doomed

    def refund(self, refund_id: RefundId, processor_payment_id: str, amount: Money) -> Answer:
        self.doomed.passes("before_processor")
        answer = self.gateway.refund(refund_id, processor_payment_id, amount)
        self.doomed.passes("after_processor_before_record")
        return answer

    def ask(self, refund_id: RefundId, processor_payment_id: str) -> Answer:
        return self.gateway.ask(refund_id, processor_payment_id)

    def payment_of(self, processor_invoice_id: str) -> str | Unknown | None:
        self.doomed.passes("before_processor")
        return self.gateway.payment_of(processor_invoice_id)

    def records(self, wanted: Wanted) -> CardRecords | Unknown:
        self.doomed.passes("before_processor")
        answer = self.gateway.records(wanted)
        self.doomed.passes("after_processor_before_record")
        return answer

    def movements(self, wanted: MovementsWanted) -> MovementPage | Unknown:
        self.doomed.passes("before_processor")
        answer = self.gateway.movements(wanted)
        self.doomed.passes("after_processor_before_record")
        return answer

    def pay_out(self, wanted: PendingPayout) -> Answer:
        self.doomed.passes("before_processor")
        answer = self.gateway.pay_out(wanted)
        self.doomed.passes("after_processor_before_record")
        return answer

    def ask_payout(self, wanted: PendingPayout) -> Answer | None:
        return self.gateway.ask_payout(wanted)

    def movement(self, known: Known, payment: str) -> Movement | Unknown | None:
        return self.gateway.movement(known, payment)


@dataclass(frozen=True)
class PassingCards:
    """The same processor's other face: a point before whatever it is asked, and one behind it."""

    cards: Cards
    doomed: Doomed

    def __getattr__(self, name: str) -> Any:
        asked = getattr(self.cards, name)

        def passing(*given: Any) -> Any:
            self.doomed.passes("before_processor")
            answer = asked(*given)
            self.doomed.passes("after_processor_before_record")
            return answer

        return passing


@dataclass(frozen=True)
class PassingPublisher:
    """Publishes to a list; half of a batch, then the rest."""

    published: list[Message]
    doomed: Doomed

    def publish(self, messages: Sequence[Message]) -> Sequence[str | None]:
        half = len(messages) // 2
        self.published.extend(messages[:half])
        if half:
            self.doomed.passes("mid_batch")
        self.published.extend(messages[half:])
        self.doomed.passes("after_publish_before_mark")
        return [None] * len(messages)


class PassingSession:
    """A session that passes a point before each statement, and is torn where its process dies."""

    def __init__(self, session: pg8000.native.Connection, doomed: Doomed) -> None:
        self._session = session
        self._doomed = doomed
        self._pid: int = session.run("SELECT pg_backend_pid()")[0][0]

    def run(self, sql: str, **parameters: object) -> Any:
        try:
            self._doomed.passes("mid_migration")
        except Died:
            self._session._usock.shutdown(socket.SHUT_RDWR)
            self._doomed.torn.append(self._pid)
            raise
        return self._session.run(sql, **parameters)

    def close(self) -> None:
        with suppress(pg8000.exceptions.InterfaceError, OSError):
            self._session.close()


@dataclass(frozen=True)
class PassingTenants:
    """The provisioner itself, on a session that passes points."""

    address: str
    doomed: Doomed

    def provision(self, tenant_id: UUID) -> None:
        open_session = opener(self.address, timeout_seconds=60)

        def passing(*_: Any, **__: Any) -> Any:
            return lambda: PassingSession(open_session(), self.doomed)

        with patch.object(provisioner, "opener", passing):
            provisioner.Provisioner(self.address).provision(tenant_id)


class QuickPrinter:
    """A page that shows nothing and claims what it should: how it looks is proven elsewhere."""

    def document(self, payload: Mapping[str, Any], person: Mapping[str, Any], **more: Any) -> bytes:
        written, writer = BytesIO(), PdfWriter()
        writer.add_blank_page(width=100, height=100)
        claims = {"/invoiceNumber": payload["number"], "/payloadSha256": more["payload_sha256"]}
        writer.metadata = {**claims, "/templateVersion": more["template_version"]}
        writer.write(written)
        return written.getvalue()

    def e_invoice(self, payload: Mapping[str, Any], person: Mapping[str, Any]) -> bytes:
        return b"<xml/>"

    def sealed(self, pdf: bytes, seal: Seal, e_invoice: bytes | None) -> bytes:
        return pdf + seal.sign(hashlib.sha256(pdf).digest())

    def must_hold(self, *_: object) -> None:
        """What was stored before holds."""

    def own_certificate(
        self, issuer: Issuer, key_version: str, *_: object, **__: object
    ) -> CertificateGiven:
        return self.read_certificate(key_version, b"")

    def read_certificate(self, key_version: str, der: bytes) -> CertificateGiven:
        now = StandingClock().now()
        return CertificateGiven(
            key_version=key_version,
            chain=(key_version.encode(),),
            own=True,
            valid_from=now,
            valid_to=now + timedelta(days=1),
        )

    def identity(self, pdf: bytes) -> tuple[str, str]:
        raise NotImplementedError("nobody verifies a document here")


def instance(
    house: House, doomed: Doomed, published: list[Message], *, login: str = FUNCTION_LOGIN
) -> House:
    """An instance of the service that has just started, and passes every point."""
    address = house.server.dsn(login, "billing")
    open_session = opener(address, timeout_seconds=60)
    pools = {"main": Pool(lambda: SteppedConnection(open_session), size=2)}
    started = house.beside(
        powers={**passing(house, doomed, published), "pools": pools},
        functions=[declaration(write_off)],
        rate_limits=False,
        databases={"main": address},
    )
    started.wiring.__dict__["runner"] = PassingRunner(started.wiring, doomed)
    return started


def passing(house: House, doomed: Doomed, published: list[Message]) -> dict[str, Any]:
    """What an instance may do outside of a transaction, and what time it is there."""
    return {
        "clock": StandingClock(),
        "log": Unheard(clock=StandingClock().now),
        "printer": QuickPrinter(),
        "publisher": PassingPublisher(published, doomed),
        "tenants": PassingTenants(house.server.dsn(database="billing"), doomed),
        "documents": PassingDocuments(house.wiring.documents, doomed),
        "gateway": PassingGateway(house.wiring.gateway, doomed),
        "cards": PassingCards(house.wiring.cards, doomed),
    }
