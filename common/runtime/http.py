"""The HTTP edge: from a request to a call of the runner, and from its result to an answer.

The order is fixed: route, authenticate, scope, tenant, parse, validate, limit, run. What fails
before the run has touched nothing. Every failure becomes a problem document with a stable code.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any, Final
from uuid import UUID

from werkzeug.wrappers import Request as HttpRequest
from werkzeug.wrappers import Response

from common.contracts.shapes import Outcome
from common.domain.dataclass import dataclass
from common.domain.refusal import Refusal
from common.ports.identity import Actor, StepUp
from common.ports.powers import Powers
from common.ports.quotes import Quotes
from common.ports.telemetry import Noted, Telemetry, begun
from common.ports.transactions import (
    Allowance,
    Caller,
    CrossTenantRow,
    DatabaseUnavailable,
    Key,
    Limit,
    OutcomeUnknown,
    StepUpReplayed,
    StoredAnswer,
    TenantUnknown,
    TryAgain,
)
from common.runtime.authentication import AccessTokens, bearer_token
from common.runtime.batching import Batcher
from common.runtime.declaration import JSON, Errand, HttpDeclaration, RateLimit
from common.runtime.exchange import Exchange
from common.runtime.execute import Call, Result, Runner
from common.runtime.idempotency import keys_of
from common.runtime.incidents import ATTEMPTS, note_incident, note_replay
from common.runtime.logging import AmountClasses, Log, Severity
from common.runtime.parsing import body_of, merged, raw_body, read, read_texts
from common.runtime.problems import (
    CrossTenantReference,
    ScopeMissing,
    TemporarilyUnavailable,
    TenantNotServed,
    Unexpected,
    full_code,
)
from common.runtime.public import public_actor
from common.runtime.rate_limit import RateLimiter, counted_as
from common.runtime.refused import problem_response, refusing
from common.runtime.step_up import StepUpRefused
from common.runtime.streaming import file_answer, streamed
from common.runtime.system import SystemActor
from common.runtime.trace import Trace
from common.runtime.watching import note_request

STEP_UP_FIELD: Final = "stepUpToken"
AMOUNTS: Final = AmountClasses(medium_from_minor=10_000, large_from_minor=100_000)

VerifyStepUp = Callable[[str | None, Actor, str, str], StepUp]


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpEdge:
    """Answers HTTP requests to declared functions."""

    runner: Runner
    powers: Powers
    tokens: AccessTokens
    verify_step_up: VerifyStepUp
    limiter: RateLimiter | None
    batcher: Batcher
    log: Log
    page: Callable[[str, str, dict[str, Any]], Response]
    origins_of: Callable[[UUID, str], tuple[bytes, ...]]
    quotes: Callable[[], Quotes]
    telemetry: Telemetry | None = None
    amounts: AmountClasses = AMOUNTS

    def answer(self, declaration: HttpDeclaration, request: HttpRequest) -> Response:
        """Answer a request, whatever it is."""
        started = time.perf_counter()
        trace = Trace.continued(request.headers.get("traceparent"))
        exchange = Exchange(declaration, request, trace)
        name = f"{declaration.method} {declaration.full_path}"
        with begun(self.telemetry, trace.within, name, "server") as noted:
            response = self._safely(exchange)
            self._tell_limits(response, exchange.buckets)
            response.headers["traceresponse"] = trace.parent
            response.headers.setdefault("Cache-Control", "no-store")
            response.headers["X-Content-Type-Options"] = "nosniff"
            self._write_line(exchange, response.status_code, time.perf_counter() - started, noted)
        return response

    def _safely(self, exchange: Exchange) -> Response:
        """The answer, or the problem that stands in its place."""
        try:
            return self._answered(exchange)
        except Refusal as refusal:
            return problem_response(exchange, refusal)
        except (DatabaseUnavailable, OutcomeUnknown, TryAgain) as trouble:
            self.log.problem(exchange.origin, code=type(trouble).__name__, error=trouble)
            return problem_response(exchange, TemporarilyUnavailable())
        except TenantUnknown:
            return self._tenant_unknown(exchange)
        except CrossTenantRow as row:
            return self._foreign_row(exchange, row)
        except Exception as error:  # noqa: BLE001 - the last net, nothing may reach the caller
            self.log.problem(exchange.origin, code=full_code(Unexpected), error=error)
            return problem_response(exchange, Unexpected())

    def _write_line(self, exchange: Exchange, status: int, seconds: float, noted: Noted) -> None:
        told = exchange.told
        moved = told.moved_minor_units if told else None
        self.log.request(
            exchange.origin,
            method=exchange.declaration.method,
            status=status,
            outcome=exchange.outcome,
            latency_ms=seconds * 1000,
            amount_class=None if moved is None else self.amounts.of(moved),
            charge_kind=told.charged_kind if told else None,
        )
        note_request(
            noted,
            exchange.origin,
            method=exchange.declaration.method,
            status=status,
            outcome=exchange.outcome,
            seconds=seconds,
        )

    def _answered(self, exchange: Exchange) -> Response:
        declaration = exchange.declaration
        path = exchange.path_parameters()
        exchange.check_method()
        if declaration.without_transaction:
            return self._plain(exchange)
        actor = self._authenticated(exchange)
        exchange.media_type()  # one that cannot be given is refused before anything is done
        call = self._call(exchange, actor, path)
        call = self.limited(exchange, actor, call)
        run = self.batcher.run if declaration.batches and not call.limits else self.runner.run
        result = run(call)
        if isinstance(result.outcome, Outcome):
            exchange.told = result.outcome
        errand = declaration.afterwards
        if errand is not None and not result.replayed and errand.when(result.outcome):
            self._run(errand, exchange, call, result)
        if (stream := declaration.streams) is not None:
            found, log = result.outcome, self.log
            return streamed(stream, found, call, exchange, self.runner, self.powers, log)
        return self._response(exchange, result)

    def _run(self, errand: Errand, exchange: Exchange, call: Call, result: Result) -> None:
        """Do what the command left to do. Its answer stands, whatever goes wrong with this."""
        running = Call(
            use_case=errand.find,
            request=result.outcome,
            caller=Caller(
                actor=SystemActor.named(errand.job, call.tenant_id),
                traceparent=call.caller.traceparent,
            ),
            tenant_id=call.tenant_id,
            answer=lambda _: StoredAnswer(b"", 0, {}, ""),
            perform=errand.perform,
            record=errand.record,
        )
        try:
            self.runner.run(running)
        except Exception as error:  # noqa: BLE001 - it is committed and answered; a job goes on
            self.log.problem(exchange.origin, code=type(error).__name__, error=error)

    def _tenant_unknown(self, exchange: Exchange) -> Response:
        unknown = exchange.declaration.when_tenant_unknown
        if unknown is None:
            return problem_response(exchange, TenantNotServed())
        outcome = unknown()
        return self._response(
            exchange, Result(_stored(exchange.declaration, outcome), outcome=outcome)
        )

    def _plain(self, exchange: Exchange) -> Response:
        """A function that needs no tenant and no transaction: health."""
        declaration = exchange.declaration
        outcome = declaration.use_case(declaration.request(), self.powers)
        status = getattr(outcome, "http_status", declaration.status)
        return Response(outcome.model_dump_json(), status=status, content_type=JSON)

    def _authenticated(self, exchange: Exchange) -> Actor:
        """The caller, who holds the scope. Refuses: Unauthenticated, ScopeMissing."""
        scope = exchange.declaration.scope
        if scope is None:
            return public_actor(exchange)
        actor = self.tokens.verify(bearer_token(exchange.request.headers.get("Authorization")))
        exchange.actor = actor
        if not exchange.declaration.lets_in(actor):
            raise ScopeMissing.of(scope)
        return actor

    def _call(self, exchange: Exchange, actor: Actor, path: dict[str, str]) -> Call:
        """What is asked of the runner."""
        declaration = exchange.declaration
        if declaration.method != "GET" and declaration.takes == JSON:
            return self._command(exchange, actor, path)
        self._check_tenant(exchange, actor, path)
        texts = merged(path, exchange.query())
        if declaration.method != "GET":
            content = raw_body(exchange.request, declaration.body_bytes_max, declaration.takes)
            texts = merged(texts, {"content": content})
        request = read_texts(declaration.request, texts)
        return self._bound(exchange, request, self._caller(exchange, actor))

    def _command(self, exchange: Exchange, actor: Actor, path: dict[str, str]) -> Call:
        """What a body in JSON asks of the runner."""
        declaration = exchange.declaration
        expected = exchange.expected_version()
        key = exchange.idempotency_key() if declaration.changes_state else None
        body = body_of(exchange.request, declaration.body_bytes_max)
        self._check_tenant(exchange, actor, {**path, **body})
        switches = exchange.switches(body)
        token = body.pop(STEP_UP_FIELD, None) if declaration.step_up else None
        document = merged(merged(path, switches), body)
        request = read(declaration.request, document)
        caller = self._caller(exchange, actor)
        if declaration.etag and expected is not None:
            caller = replace(caller, expects=(declaration.etag, expected))
        call = self._bound(exchange, request, caller, keys_of(declaration, actor, key, document))
        return self._confirmed(declaration, call, token) if declaration.step_up else call

    def _caller(self, exchange: Exchange, actor: Actor) -> Caller:
        """Who calls; and whence, and who signs quotes, for a function that needs to know."""
        needs = exchange.declaration.needs
        caller = Caller(actor=actor, traceparent=exchange.trace.parent)
        if "origins" in needs:
            caller = replace(caller, origins=self.origins_of(actor.tenant_id, exchange.address))
        if "quotes" in needs:
            caller = replace(caller, quotes=self.quotes())
        return caller

    def _bound(
        self, exchange: Exchange, request: Any, caller: Caller, keys: tuple[Key, ...] = ()
    ) -> Call:
        declaration = exchange.declaration
        return Call(
            use_case=declaration.use_case,
            request=request,
            caller=caller,
            tenant_id=_tenant_meant(declaration, request, caller.actor),
            answer=lambda outcome: _stored(declaration, outcome),
            keys=keys,
            reads_only=not (declaration.changes_state or declaration.is_noted),
            perform=declaration.perform,
            record=declaration.record,
            intends=declaration.intends,
            locks=declaration.batches(request) if declaration.batches else "",
            after_refusal={**declaration.after_refusal, StepUpReplayed: note_replay},
        )

    def _check_tenant(self, exchange: Exchange, actor: Actor, body: dict[str, Any]) -> None:
        """Refuses, and writes down: CrossTenantReference. Whoever tries it too often is refused as
        whoever calls too often (TooManyRequests), and fills no trail, which nobody can empty."""
        if exchange.declaration.scope is None:
            return
        try:
            exchange.check_tenant(actor, body)
        except CrossTenantReference as refused:
            self.log.problem(exchange.origin, code=full_code(refused))
            noting = self._noting(exchange, actor, refused)
            self.runner.run(self._counted(exchange, ATTEMPTS, "attempt", actor, noting))
            raise

    def _foreign_row(self, exchange: Exchange, row: CrossTenantRow) -> Response:
        """The alarm of the last guard (SEC-3). Nothing that was read leaves the house."""
        refused = CrossTenantReference("The request came upon what is another tenant's.")
        self.log.problem(
            exchange.origin, code=full_code(refused), error=row, severity=Severity.CRITICAL
        )
        if exchange.actor is not None:
            with suppress(CrossTenantRow):
                self.runner.run(self._noting(exchange, exchange.actor, refused))
        return problem_response(exchange, refused)

    def _noting(self, exchange: Exchange, actor: Actor, refused: Refusal) -> Call:
        return Call(
            use_case=note_incident,
            request=refused,
            caller=self._caller(exchange, actor),
            tenant_id=actor.tenant_id,
            answer=lambda _: StoredAnswer(b"", 204, {}, ""),
        )

    def _confirmed(self, declaration: HttpDeclaration, call: Call, token: object) -> Call:
        """The call with its confirmation; without a good one it does nothing but refuse.

        It is run all the same: a command that was answered is answered again, though its
        confirmation has expired since, and whoever tries confirmations out is counted.
        """
        if declaration.scope is None or declaration.context is None:
            raise ValueError("a step-up without a scope or a context confirms nothing")
        given = token if isinstance(token, str) else None
        actor = call.caller.actor
        context = declaration.context(call.request, actor)
        if context is None:
            return call
        try:
            step_up = self.verify_step_up(given, actor, declaration.scope, context)
        except StepUpRefused as refused:
            return replace(call, use_case=refusing(refused))
        return replace(call, caller=replace(call.caller, step_up=step_up))

    def limited(self, exchange: Exchange, actor: Actor, call: Call) -> Call:
        """The call, which asks each limit of which no unit is left here for the next piece."""
        declaration = exchange.declaration
        return self._counted(exchange, declaration.counted, declaration.name, actor, call)

    def _counted(
        self, exchange: Exchange, rates: Sequence[RateLimit], what: str, actor: Actor, call: Call
    ) -> Call:
        if self.limiter is None:
            return call
        limits = []
        for rate in rates:
            who = counted_as(rate.per, actor, exchange.address, call.request)
            name = f"{what}:{rate.per}:{who}:{rate.window_seconds}"
            quota = self.limiter.quota_of(what, rate.per, rate.quota)
            limit = self.limiter.ask(name, quota, rate.window_seconds)
            exchange.buckets.append((name, quota))
            if limit is not None:
                limits.append(limit)
        counted = replace(call, limits=tuple(limits), took=partial(self._took, limits))
        return counted if limits else call

    def _took(self, limits: Sequence[Limit], allowances: Sequence[Allowance]) -> None:
        """Keep what was granted, whatever becomes of the call that asked."""
        for limit, allowance in zip(limits, allowances, strict=False):
            if self.limiter is not None:
                self.limiter.took(limit, allowance)

    def _response(self, exchange: Exchange, result: Result) -> Response:
        answer = result.answer
        media_type, pages = exchange.media_type(), exchange.declaration.pages
        if media_type == exchange.declaration.gives != JSON:
            response = file_answer(result, media_type)
        elif media_type == JSON:
            response = Response(
                answer.body, status=answer.status, content_type=JSON, headers=answer.headers
            )
        else:
            document = result.outcome.model_dump(mode="json")
            response = self.page(pages[media_type], media_type, document)
        if pages:
            response.headers["Vary"] = "Accept"
        if result.replayed:
            response.headers["Idempotency-Replayed"] = "true"
        return response

    def _tell_limits(self, response: Response, buckets: Sequence[tuple[str, int]]) -> None:
        """The tightest limit, as RateLimit-* headers."""
        if self.limiter is None:
            return
        known = [self.limiter.standing(name, quota) for name, quota in buckets]
        standing = min((s for s in known if s), key=lambda s: s.remaining, default=None)
        if standing is not None:
            response.headers["RateLimit-Limit"] = str(standing.quota)
            response.headers["RateLimit-Remaining"] = str(standing.remaining)
            response.headers["RateLimit-Reset"] = str(standing.resets_in_seconds)


def _tenant_meant(declaration: HttpDeclaration, request: Any, actor: Actor) -> UUID:
    """The tenant that the transaction works for: the actor's own, or the one that is named by who
    may work for others. That nobody else names another one was checked before."""
    if not declaration.reaches_tenants(actor):
        return actor.tenant_id
    named: UUID | None = request.tenant_id
    return named or actor.tenant_id


def _stored(declaration: HttpDeclaration, outcome: Any) -> StoredAnswer:
    """The answer to an outcome, as it is stored and sent; a file is not stored."""
    headers = {}
    version = getattr(outcome, "version", None)
    if isinstance(version, int):
        headers["ETag"] = f'"{version}"'
    location = getattr(outcome, "location", None)
    if isinstance(location, str):
        headers["Location"] = location
    return StoredAnswer(
        fingerprint=b"",
        status=declaration.status,
        headers=headers,
        body=outcome.model_dump_json() if declaration.given == (JSON,) else "",
    )
