"""The webhook edge: what the processor sends is proven, kept, and takes effect once (WH-1 to WH-6).

The order is fixed: method, bytes, signature, then the words. A body that is not signed is not read,
and leaves a line in the log and nothing else. One that is signed is acknowledged when it is kept:

- The event and its effect are one commit. One that was applied before answers `duplicate`; so does
  one that comes at the same time, or a year later.
- What the business refuses would be refused again: the event is kept with the reason, and
  acknowledged; a person replays it. A failure of ours rolls everything back and is answered 500,
  so that the processor sends it again; that it was tried is written down apart.
- The tenant is the one that the event's own metadata name and the directories of card payments, of
  customers and of accounts confirm (WH-3). Where they disagree, or none knows one, the event
  becomes a dead letter. While its body is kept, an operator may have it run again, once somebody
  has written down whose it is: as if it had come now, by the signature that it had come with.
"""

import hashlib
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any, Final
from uuid import UUID

from werkzeug.wrappers import Request as HttpRequest
from werkzeug.wrappers import Response

from common.contracts.webhooks import ProcessorEvent, ProcessorObject, WebhookTaken
from common.domain.dataclass import dataclass
from common.domain.refusal import Refusal
from common.domain.webhook import WebhookIsNobodys, WebhookOutcome
from common.ports.dead_letters import DeadLetters
from common.ports.telemetry import Noted, Telemetry, begun
from common.ports.transactions import (
    Caller,
    DatabaseUnavailable,
    OutcomeUnknown,
    StoredAnswer,
    TenantUnknown,
    TryAgain,
)
from common.ports.webhooks import PaymentDirectory
from common.procedures.hearing import keep_refused
from common.runtime.authentication import uuid_of
from common.runtime.declaration import JSON, HttpDeclaration
from common.runtime.exchange import Exchange
from common.runtime.execute import Call, Runner, TooManyRequests
from common.runtime.logging import Log, Severity
from common.runtime.parsing import json_object, raw_body, read
from common.runtime.problems import (
    TemporarilyUnavailable,
    Unexpected,
    WebhookSignatureInvalid,
    full_code,
)
from common.runtime.refused import problem_response
from common.runtime.system import SystemActor
from common.runtime.trace import Trace
from common.runtime.watching import note_request

SIGNATURE_HEADER: Final = "Stripe-Signature"
_TROUBLE: Final = (DatabaseUnavailable, OutcomeUnknown, TryAgain)

Limited = Callable[[Exchange, SystemActor, Call], Call]


class TenantNotFound(Exception):
    """Nobody knows whose an event is, or two say different things; the message says which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookEdge:
    """Takes in what the processor sends."""

    runner: Runner
    is_signed: Callable[[bytes, str | None], bool]
    directory: PaymentDirectory
    dead_letters: DeadLetters
    limited: Limited
    log: Log
    telemetry: Telemetry | None = None

    def answer(self, declaration: HttpDeclaration, request: HttpRequest) -> Response:
        """Answer a delivery: 200 acknowledges it, 4xx refuses it, 5xx asks for it again."""
        started = time.perf_counter()
        trace = Trace.continued(request.headers.get("traceparent"))
        exchange = Exchange(declaration, request, trace)
        name = f"{declaration.method} {declaration.full_path}"
        with begun(self.telemetry, trace.within, name, "server") as noted:
            response = self._safely(exchange)
            response.headers["traceresponse"] = trace.parent
            response.headers["Cache-Control"] = "no-store"
            response.headers["X-Content-Type-Options"] = "nosniff"
            self._tell(exchange, response.status_code, time.perf_counter() - started, noted)
        return response

    def replay(self, declaration: HttpDeclaration, letter: str) -> WebhookTaken:
        """Take in an event that was put aside, by the same rules; its signature was checked then.

        What the business refuses is kept with the reason, as it would have been, and refused here.
        Refuses: WebhookIsNobodys, and what its effect refuses.
        """
        event = read(ProcessorEvent, json_object(letter.encode()))
        try:
            tenant_id = self._tenant_of(event)
            actor = SystemActor.named(declaration.name, tenant_id)
            return self._applied(_call(declaration, event, actor, Trace.continued(None)))
        except (TenantNotFound, TenantUnknown) as unknown:
            raise WebhookIsNobodys(str(unknown)) from None

    def _tell(self, exchange: Exchange, status: int, seconds: float, noted: Noted) -> None:
        """The line of this delivery in the log, and its measurements."""
        method, outcome = exchange.declaration.method, exchange.outcome
        self.log.request(
            exchange.origin,
            method=method,
            status=status,
            outcome=outcome,
            latency_ms=seconds * 1000,
        )
        note_request(
            noted, exchange.origin, method=method, status=status, outcome=outcome, seconds=seconds
        )

    def _safely(self, exchange: Exchange) -> Response:
        """The answer, or the problem that stands in its place."""
        try:
            return self._taken_in(exchange)
        except WebhookSignatureInvalid as unsigned:
            self.log.problem(exchange.origin, code=full_code(unsigned))
            return problem_response(exchange, unsigned)
        except Refusal as refusal:
            return problem_response(exchange, refusal)
        except _TROUBLE as trouble:
            self.log.problem(exchange.origin, code=type(trouble).__name__, error=trouble)
            return problem_response(exchange, TemporarilyUnavailable())
        except Exception as error:  # noqa: BLE001 - the last net, nothing may reach the caller
            self.log.problem(exchange.origin, code=full_code(Unexpected), error=error)
            return problem_response(exchange, Unexpected())

    def _taken_in(self, exchange: Exchange) -> Response:
        declaration = exchange.declaration
        exchange.path_parameters()
        exchange.check_method()
        exchange.switches({})
        content = raw_body(exchange.request, declaration.body_bytes_max, declaration.takes)
        if not self.is_signed(content, exchange.request.headers.get(SIGNATURE_HEADER)):
            raise WebhookSignatureInvalid()
        document = json_object(content)
        fields = ProcessorEvent.fields_of(document, hashlib.sha256(content).hexdigest())
        event: ProcessorEvent = read(ProcessorEvent, fields)
        try:
            tenant_id = self._tenant_of(event)
            taken = self._run(exchange, event, tenant_id)
        except (TenantNotFound, TenantUnknown) as unknown:
            taken = self._quarantined(exchange, event, unknown)
        return Response(taken.model_dump_json(), status=declaration.status, content_type=JSON)

    def _tenant_of(self, event: ProcessorEvent) -> UUID:
        """Whose the event is. Raises TenantNotFound."""
        try:
            about = ProcessorObject.of(event.payload)
        except ValueError:
            raise TenantNotFound("it is about nothing that can be read") from None
        named = about.metadata.tenant_id
        known = self.directory.tenants_of(about.payment) if about.payment else frozenset()
        if about.customer:
            known = known | self.directory.tenants_with(about.customer)
        if about.of_account:
            known = known | self.directory.tenants_paid_by(about.of_account)
        tenants = known if named is None else known | {uuid_of(named)}
        if not tenants:
            raise TenantNotFound("it names no tenant, and what it is about is nobody's")
        if len(tenants) > 1 or None in tenants:
            raise TenantNotFound(
                "its tenant is not the one that has its payment, customer, account"
            )
        (tenant_id,) = tenants
        assert tenant_id is not None  # noqa: S101 - the line above has seen to it
        return tenant_id

    def _run(self, exchange: Exchange, event: ProcessorEvent, tenant_id: UUID) -> WebhookTaken:
        """Let the event take effect, or keep why it does not."""
        actor = SystemActor.named(exchange.declaration.name, tenant_id)
        exchange.actor = actor
        call = _call(exchange.declaration, event, actor, exchange.trace)
        try:
            return self._applied(self.limited(exchange, actor, call))
        except TooManyRequests:
            raise
        except Refusal as refusal:
            code = full_code(refusal)
            self.log.problem(exchange.origin, code=code)
            exchange.outcome = code
            return WebhookTaken(event_id=event.event_id, outcome="refused")

    def _applied(self, call: Call) -> WebhookTaken:
        """Let the event take effect. What is refused, or fails, is written down, and raised."""
        try:
            taken: WebhookTaken = self.runner.run(call).outcome
        except TooManyRequests:
            raise
        except Refusal as refusal:
            self._keep(call, WebhookOutcome.REFUSED, full_code(refusal))
            raise
        except (*_TROUBLE, TenantUnknown):
            raise
        except Exception as error:
            with suppress(Exception):  # the error itself is what is told
                self._keep(call, WebhookOutcome.FAILED, type(error).__name__)
            raise
        return taken

    def _keep(self, call: Call, outcome: WebhookOutcome, code: str) -> None:
        """Write an attempt without effect down, in a transaction of its own."""
        keeping: Callable[[Any, Any], None] = partial(_kept, outcome, code)
        self.runner.run(replace(call, use_case=keeping, limits=()))

    def _quarantined(
        self, exchange: Exchange, event: ProcessorEvent, reason: Exception
    ) -> WebhookTaken:
        """Keep an event that is nobody's, and say so loudly."""
        self.log.problem(
            exchange.origin, code=type(reason).__name__, error=reason, severity=Severity.CRITICAL
        )
        why = f"{type(reason).__name__}: {reason}"
        letter = event.model_dump_json()
        self.dead_letters.put(exchange.declaration.name, event.event_id, why, letter)
        exchange.outcome = "quarantined"
        return WebhookTaken(event_id=event.event_id, outcome="quarantined")


def _call(
    declaration: HttpDeclaration, event: ProcessorEvent, actor: SystemActor, trace: Trace
) -> Call:
    """What is run of an event, in the name of who takes it in."""
    return Call(
        use_case=declaration.use_case,
        request=event,
        caller=Caller(actor=actor, traceparent=trace.parent),
        tenant_id=actor.tenant_id,
        answer=_unstored,
    )


def _kept(outcome: WebhookOutcome, code: str, event: ProcessorEvent, tx: Any) -> None:
    keep_refused(event, outcome, code, tx)


def _unstored(_: object) -> StoredAnswer:
    """A delivery has no key: what became of its event stands in the books."""
    return StoredAnswer(b"", 0, {}, "")
