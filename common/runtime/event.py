"""The event edge: a message is taken in once, or kept with the reason why it was not.

Pub/Sub delivers at least once, in any order, and again after everything but a success. So:

- An event and its effect are one commit. The event's key claims it first: a second delivery finds
  the stored answer, one at the same time is told to come back, and the row in the inbox, which is
  never pruned, knows an event when its answer has long been forgotten.
- What cannot be read, and what the business refuses, would be refused again: it is acknowledged and
  becomes a dead letter, which a person looks at (`billing dlq`).
- What time can cure (a database that is away, the same event still at work, a tenant that is not
  there yet, a bug) is not acknowledged, and comes again. So does, for an hour, what lacks another
  event that may still be on its way, where the consumer says so.
"""

import hashlib
import json
import time
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final, cast
from uuid import UUID

from pydantic import BaseModel, ValidationError
from werkzeug.wrappers import Request as HttpRequest
from werkzeug.wrappers import Response

from common.domain.dataclass import dataclass
from common.domain.refusal import Refusal
from common.ports.dead_letters import DeadLetters
from common.ports.powers import Powers
from common.ports.telemetry import Telemetry, begun, step
from common.ports.transaction import Transaction
from common.ports.transactions import (
    Caller,
    Command,
    CommandInProgress,
    DatabaseUnavailable,
    EventTakenAlready,
    Key,
    OutcomeUnknown,
    StoredAnswer,
    TenantUnknown,
    TryAgain,
)
from common.runtime.authentication import bearer_token
from common.runtime.declaration import EventDeclaration
from common.runtime.execute import Call, Runner
from common.runtime.incidents import note_incident
from common.runtime.logging import Log, Origin, Severity
from common.runtime.oidc import ServiceTokens
from common.runtime.problems import (
    CrossTenantReference,
    MethodNotAllowed,
    RequestInvalid,
    TemporarilyUnavailable,
    Unexpected,
    full_code,
    invalid,
    problem,
    status_of,
)
from common.runtime.pushed import Delivery, PushedEvent
from common.runtime.system import SystemActor
from common.runtime.trace import Trace
from common.runtime.watching import note_request

TAKEN: Final = "ok"
DUPLICATE: Final = "duplicate"
REASON_LENGTH_MAX: Final = 1000
PATIENCE: Final = timedelta(hours=1)
"""Less than the two hours for which the broker tries, so that what waits in vain is kept here."""
_NOTHING_TO_SAY: Final = StoredAnswer(b"", 204, {}, "")


@dataclass(slots=True)
class _Arrival:
    """A delivery on its way through; `outcome` is what the log will say of it."""

    declaration: EventDeclaration
    trace: Trace
    tenant_id: UUID | None = None
    told_at: datetime | None = None
    outcome: str = TAKEN

    @property
    def origin(self) -> Origin:
        return Origin(
            trace_id=self.trace.trace_id,
            span_id=self.trace.span_id,
            tenant_id=self.tenant_id,
            actor_id=f"system:{self.declaration.name}",
            route=f"events/{self.declaration.name}",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class EventEdge:
    """Takes in pushed events for declared consumers."""

    runner: Runner
    powers: Powers
    tokens: ServiceTokens
    audience: str
    account: str
    dead_letters: DeadLetters
    log: Log
    telemetry: Telemetry | None = None

    def answer(self, declaration: EventDeclaration, request: HttpRequest) -> Response:
        """Answer a push: 204 acknowledges it, anything else lets it come again."""
        started = time.perf_counter()
        arrival = _Arrival(declaration, Trace.continued(request.headers.get("traceparent")))
        name = f"POST {arrival.origin.route}"
        with begun(self.telemetry, arrival.trace.within, name, "server") as noted:
            response = self._safely(arrival, request)
            seconds = time.perf_counter() - started
            status, outcome, origin = response.status_code, arrival.outcome, arrival.origin
            note_request(
                noted, origin, method="POST", status=status, outcome=outcome, seconds=seconds
            )
        response.headers["traceresponse"] = arrival.trace.parent
        self.log.request(
            origin, method="POST", status=status, outcome=outcome, latency_ms=seconds * 1000
        )
        return response

    def _safely(self, arrival: _Arrival, request: HttpRequest) -> Response:
        """Take a delivery in, or say why it is not acknowledged."""
        try:
            self._authenticate(request)
            self._take_in(arrival, Delivery.of(request))
            return Response(status=204)
        except (DatabaseUnavailable, OutcomeUnknown, TryAgain, TenantUnknown) as trouble:
            self.log.problem(arrival.origin, code=type(trouble).__name__, error=trouble)
            return _refused(arrival, request, TemporarilyUnavailable())
        except CommandInProgress:
            return _refused(arrival, request, TemporarilyUnavailable())
        except Refusal as refusal:
            return _refused(arrival, request, refusal)
        except Exception as error:  # noqa: BLE001 - the last net: nothing of it may reach the caller
            self.log.problem(arrival.origin, code=full_code(Unexpected), error=error)
            return _refused(arrival, request, Unexpected())

    def deliver(self, declaration: EventDeclaration, delivery: Delivery) -> bool:
        """Let an event have its effect; False when it has had it already.

        Refuses whatever is wrong with the message (RequestInvalid, CrossTenantReference ...), every
        refusal of the use case, CommandInProgress. Raises as the runner does.
        """
        return self._deliver(_Arrival(declaration, Trace.continued(None)), delivery)

    def _authenticate(self, request: HttpRequest) -> None:
        if request.method != "POST":
            raise MethodNotAllowed("Use POST.")
        self.tokens.verify(
            bearer_token(request.headers.get("Authorization")),
            audience=self.audience,
            email=self.account,
        )

    def _take_in(self, arrival: _Arrival, delivery: Delivery) -> None:
        """Deliver, and keep what is refused for good."""
        try:
            if not self._deliver(arrival, delivery):
                arrival.outcome = DUPLICATE
        except CommandInProgress:
            raise
        except Refusal as refusal:
            if self._may_be_early(arrival, refusal):
                raise TryAgain(full_code(refusal)) from refusal
            arrival.outcome = full_code(refusal)
            severity = Severity.ERROR
            if isinstance(refusal, CrossTenantReference):
                severity = Severity.CRITICAL
                self._note(arrival, refusal)
            self.dead_letters.put(
                arrival.declaration.name, delivery.message_id, _reason(refusal), delivery.letter()
            )
            self.log.problem(arrival.origin, code=full_code(refusal), severity=severity)

    def _may_be_early(self, arrival: _Arrival, refusal: Refusal) -> bool:
        """Whether what the event lacks may still come: it is young, and its consumer waits."""
        if arrival.told_at is None or not isinstance(refusal, arrival.declaration.waits_for):
            return False
        return self.powers.now() - arrival.told_at < PATIENCE

    def _deliver(self, arrival: _Arrival, delivery: Delivery) -> bool:
        declaration = arrival.declaration
        event = delivery.event()
        arrival.tenant_id, arrival.told_at = event.tenant_id, event.time
        if event.traceparent:
            arrival.trace = Trace.continued(event.traceparent)
        if event.type != declaration.event_type:
            raise RequestInvalid(f"This consumer takes {declaration.event_type}.")
        _check_tenant(event)
        request = _read(declaration.request, event.data)
        name = f"process {declaration.event_type}"
        watched = self.telemetry if event.traceparent else None
        with step(name, "consumer"), begun(watched, arrival.trace.within, name, "consumer"):
            if declaration.without_transaction:
                declaration.use_case(request, self.powers)
                return True
            return self._run(_call(declaration, event, request, arrival.trace))

    def _run(self, call: Call) -> bool:
        try:
            return not self.runner.run(call).replayed
        except EventTakenAlready:
            return False
        except CommandInProgress:
            raise
        except Refusal:
            # What is refused may have happened: long ago, by this very event.
            if self._has_taken(call):
                return False
            raise

    def _has_taken(self, call: Call) -> bool:
        looking = replace(
            call, use_case=_taken, keys=(), reads_only=True, perform=None, record=None
        )
        return bool(self.runner.run(looking).outcome)

    def _note(self, arrival: _Arrival, refusal: Refusal) -> None:
        """Write the attempt into the audit trail of the tenant that the message came for."""
        if arrival.tenant_id is None:
            return
        call = Call(
            use_case=note_incident,
            request=refusal,
            caller=_caller(arrival.declaration, arrival.tenant_id, arrival.trace),
            tenant_id=arrival.tenant_id,
            answer=_answer,
        )
        try:
            self.runner.run(call)
        except TenantUnknown as unknown:
            self.log.problem(arrival.origin, code="TenantUnknown", error=unknown)


def _call(declaration: EventDeclaration, event: PushedEvent, request: Any, trace: Trace) -> Call:
    """What is asked of the runner. The event's identity is its key; its bytes may differ."""
    name = "\x1f".join((str(event.tenant_id), "event", declaration.name, event.identity))
    key = hashlib.sha256(name.encode()).digest()
    caller = replace(
        _caller(declaration, event.tenant_id, trace),
        event_id=event.identity,
        consumer=declaration.name,
    )
    return Call(
        use_case=declaration.use_case,
        request=request,
        caller=caller,
        tenant_id=event.tenant_id,
        answer=_answer,
        keys=(Key(key, declaration.name, key),),
        perform=declaration.perform,
        record=declaration.record,
        after_refusal=declaration.after_refusal,
    )


def _caller(declaration: EventDeclaration, tenant_id: UUID, trace: Trace) -> Caller:
    return Caller(actor=SystemActor.named(declaration.name, tenant_id), traceparent=trace.parent)


def _answer(_: object) -> StoredAnswer:
    return _NOTHING_TO_SAY


def _taken(_: object, tx: Transaction) -> bool:
    return cast(Command, tx).has_taken_event()


def _check_tenant(event: PushedEvent) -> None:
    """The tenant of the envelope is the tenant; data may not name another one."""
    if "tenantId" not in event.data:
        return
    try:
        agrees = UUID(event.data["tenantId"]) == event.tenant_id
    except (ValueError, TypeError, AttributeError):
        agrees = False
    if not agrees:
        raise CrossTenantReference("The event's data names another tenant than its envelope.")


def _read(model: type[BaseModel], data: dict[str, Any]) -> Any:
    """Data as the consumer knows it; a field that it does not know yet is passed over."""
    try:
        return model.model_validate_json(json.dumps(data), extra="ignore")
    except ValidationError as error:
        raise invalid(error) from None


def _reason(refusal: Refusal) -> str:
    """Why, for the person who looks at the letter: code, words, places; not what was sent."""
    reason = f"{full_code(refusal)}: {refusal.detail or refusal.title}"
    errors = refusal.extra.get("errors")
    if isinstance(errors, list):
        reason += "".join(f" {each.get('pointer')}: {each.get('message')}." for each in errors)
    return "".join(sign if sign.isprintable() else "?" for sign in reason)[:REASON_LENGTH_MAX]


def _refused(arrival: _Arrival, request: HttpRequest, refusal: Refusal) -> Response:
    arrival.outcome = full_code(refusal)
    response = Response(
        problem(refusal, instance=request.path, trace_id=arrival.trace.trace_id),
        status=status_of(refusal),
        content_type="application/problem+json",
    )
    match response.status_code:
        case 503:
            response.headers["Retry-After"] = "1"
        case 401:
            response.headers["WWW-Authenticate"] = "Bearer"
        case 405:
            response.headers["Allow"] = "POST"
        case _:
            pass
    return response
