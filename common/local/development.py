"""The routes of the laptop alone, under /dev: tokens for the asking, a clock that moves (LOC-3).

They stand in for what the platform's identity service, its second factor, the card terminals, the
card processor, the tenant service and Cloud Storage do, and ask nobody for a password. That is why
they live here and nowhere else: the gateway of the laptop mounts this application beside the
functions, and no function can import it.

    POST /dev/token       {"sub": "amina", "scopes": ["billing.folio.write"], "propertyIds": [...]}
    POST /dev/step-up     {"sub": "amina", "scope": "billing.refund.write", "context": "<sha-256>"}
    POST /dev/clock       {"moveSeconds": 28800}
    POST /dev/captures    {"paymentId": "psp_1", "propertyId": "...", "amount": {...}}
    POST /dev/challenges  {"paymentIntentId": "pin_...", "confirms": true}
    POST /dev/processor   {"answers": false}
    POST /dev/webhook-signature    the body of a webhook, which the processor signs
    POST /dev/doors       an event of a subscription, pushed as to any subscriber
    GET  /dev/doors/{tenant}
    GET  /dev/jwks.json
    GET  /dev/documents/{token}
"""

import json
from collections.abc import Iterable
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from pydantic import Field
from werkzeug.wrappers import Request as HttpRequest
from werkzeug.wrappers import Response

from common.contracts.fields import AmountNotNegative
from common.contracts.references import PaymentIntentRef, PropertyRef
from common.contracts.shapes import Request
from common.domain.dataclass import dataclass
from common.domain.refusal import Missing, Refusal
from common.local.clock import MovableClock
from common.local.documents import LINKS_PATH, DocumentFolder
from common.local.doors import PUSHED_PATH, Doors, NothingHeard
from common.local.identity import LocalIdentity
from common.local.webhook_secret import signature_header
from common.ports.powers import DocumentMissing
from common.runtime.declaration import JSON
from common.runtime.parsing import body_of, raw_body, read
from common.runtime.problems import MethodNotAllowed, PathUnknown, problem, status_of
from common.runtime.pushed import Delivery
from common.runtime.trace import Trace
from common.sandbox.cards import SandboxCards
from common.sandbox.gateway import SandboxGateway
from common.sandbox.outage import SandboxOutage

PREFIX: Final = "/dev"
PATHS: Final = frozenset(
    f"{PREFIX}/{each}"
    for each in (
        "token",
        "step-up",
        "clock",
        "captures",
        "challenges",
        "processor",
        "webhook-signature",
        "doors",
        "jwks.json",
    )
)
BODY_BYTES_MAX: Final = 64 * 1024
LIFETIME_SECONDS: Final = 3600
MOVE_SECONDS_MAX: Final = 10 * 366 * 24 * 3600

Name = Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[!-~]+$")]
Email = Annotated[str, Field(min_length=3, max_length=254, pattern=r"^[^@\s]+@[^@\s]+$")]
Scope = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[!#-\[\]-~]+$")]


class AskToken(Request):
    """An access token for `sub`; the demo tenant's and for all its properties unless said. An
    `email` is told as verified."""

    sub: Name
    scopes: Annotated[tuple[Scope, ...], Field(max_length=100)]
    property_ids: Annotated[tuple[UUID, ...], Field(max_length=500)] | None = None
    tenant_id: UUID | None = None
    auth_strength: Literal["pwd", "mfa", "step_up"] = "pwd"
    lifetime_seconds: Annotated[int, Field(ge=1, le=24 * 3600)] = LIFETIME_SECONDS
    email: Email | None = None


class AskStepUp(Request):
    """A confirmation by a second factor, of what `context` is the SHA-256 of."""

    sub: Name
    scope: Scope
    context: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    tenant_id: UUID | None = None
    method: Literal["totp", "webauthn"] = "totp"


class MoveClock(Request):
    """How far time moves on. It does not move back: what was written down would lie ahead."""

    move_seconds: Annotated[int, Field(ge=0, le=MOVE_SECONDS_MAX)]


class Capture(Request):
    """A payment that a guest's card makes at a property's terminal: the processor keeps it."""

    payment_id: Name
    property_id: PropertyRef
    amount: AmountNotNegative
    tenant_id: UUID | None = None


class Challenge(Request):
    """A guest confirms a payment to the bank (3-D Secure), or does not."""

    payment_intent_id: PaymentIntentRef
    confirms: bool = True


class Processor(Request):
    """Whether the card processor answers; while it does not, it does nothing either."""

    answers: bool


class NoSuchDocument(Missing):
    area = "GENERAL"
    code = "DOCUMENT_UNKNOWN"
    title = "There is no such document"


@dataclass(frozen=True, kw_only=True)
class Development:
    """The WSGI application. `tenant_id` and `property_ids` are what a token is for by default."""

    identity: LocalIdentity
    clock: MovableClock
    documents: DocumentFolder
    processor: SandboxGateway
    cards: SandboxCards
    outage: SandboxOutage
    webhook_secret: str
    doors: Doors
    tenant_id: UUID
    property_ids: tuple[UUID, ...]

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        request = HttpRequest(environ)
        try:
            response = self._answer(request)
        except Refusal as refusal:
            trace_id = Trace.continued(request.headers.get("traceparent")).trace_id
            response = Response(
                problem(refusal, instance=request.path, trace_id=trace_id),
                status=status_of(refusal),
                content_type="application/problem+json",
            )
        response.headers["Cache-Control"] = "no-store"
        return response(environ, start_response)

    def _answer(self, request: HttpRequest) -> Response:
        match request.method, request.path:
            case "POST", "/dev/token":
                return _json(self._token(_asked(AskToken, request)))
            case "POST", "/dev/step-up":
                return _json(self._step_up(_asked(AskStepUp, request)))
            case "POST", "/dev/clock":
                return _json(self._move(_asked(MoveClock, request)))
            case "POST", "/dev/captures":
                return _json(self._capture(_asked(Capture, request)))
            case "POST", "/dev/challenges":
                return _json(self._challenge(_asked(Challenge, request)))
            case "POST", "/dev/processor":
                return _json(self._answers(_asked(Processor, request)))
            case "POST", "/dev/webhook-signature":
                return _json(self._signed(request))
            case "POST", "/dev/doors":
                self.doors.hear(Delivery.of(request).event())
                return Response(status=204)
            case "GET", path if path.startswith(PUSHED_PATH + "/"):
                return _json(self.doors.of(_tenant(path)))
            case "GET", "/dev/clock":
                return _json({"now": self.clock.now().isoformat()})
            case "GET", "/dev/jwks.json":
                return _json(self.identity.jwks())
            case "GET", path if path.startswith(LINKS_PATH + "/"):
                return self._document(path.removeprefix(LINKS_PATH + "/"))
            case _, path if path in PATHS:
                raise MethodNotAllowed()
            case _:
                raise PathUnknown()

    def _token(self, asked: AskToken) -> dict[str, Any]:
        given = self.property_ids if asked.property_ids is None else asked.property_ids
        token = self.identity.issue_access_token(
            sub=asked.sub,
            tenant_id=asked.tenant_id or self.tenant_id,
            property_ids=given,
            scopes=asked.scopes,
            auth_strength=asked.auth_strength,
            lifetime_seconds=asked.lifetime_seconds,
            email=asked.email,
        )
        return {"accessToken": token, "tokenType": "Bearer", "expiresIn": asked.lifetime_seconds}

    def _step_up(self, asked: AskStepUp) -> dict[str, Any]:
        token = self.identity.issue_step_up_token(
            sub=asked.sub,
            tenant_id=asked.tenant_id or self.tenant_id,
            scope=asked.scope,
            context=asked.context,
            method=asked.method,
        )
        return {"stepUpToken": token}

    def _move(self, asked: MoveClock) -> dict[str, Any]:
        return {"now": self.clock.move(asked.move_seconds).isoformat()}

    def _capture(self, asked: Capture) -> dict[str, Any]:
        tenant_id = asked.tenant_id or self.tenant_id
        self.processor.capture(tenant_id, asked.property_id, asked.payment_id, asked.amount)
        return {"paymentId": asked.payment_id}

    def _challenge(self, asked: Challenge) -> dict[str, Any]:
        self.cards.act(asked.payment_intent_id, confirms=asked.confirms)
        return {"paymentIntentId": asked.payment_intent_id}

    def _answers(self, asked: Processor) -> dict[str, Any]:
        if asked.answers:
            self.outage.end()
        else:
            self.outage.begin()
        return {"answers": asked.answers}

    def _signed(self, request: HttpRequest) -> dict[str, Any]:
        """The header that the processor puts over a body now."""
        content = raw_body(request, BODY_BYTES_MAX, JSON)
        return {"header": signature_header(content, self.webhook_secret, self.clock.now())}

    def _document(self, token: str) -> Response:
        try:
            content = self.documents.open_link(token)
        except DocumentMissing:
            raise NoSuchDocument() from None
        return Response(content, content_type="application/pdf")


def _asked(model: type[Any], request: HttpRequest) -> Any:
    return read(model, body_of(request, BODY_BYTES_MAX))


def _tenant(path: str) -> UUID:
    """The tenant that a path ends with. Refuses: NothingHeard."""
    try:
        return UUID(path.removeprefix(PUSHED_PATH + "/"))
    except ValueError:
        raise NothingHeard() from None


def _json(document: object) -> Response:
    return Response(json.dumps(document), content_type="application/json")
