"""A use case is declared once, where it is written; everything else reads the declaration.

Routing on a laptop, the OpenAPI document, the Terraform function map and the authorisation check
all come from it: nothing lists the functions a second time.

    @http_function("POST", "/folios/{folio_id}/charges", scope="billing.folio.write")
    def post_charge(request: PostCharge, tx: Transaction) -> ChargeAnswer: ...

What stands in the module afterwards is the plain function that functions-framework calls with an
HTTP request; its `declaration` holds the use case itself. The edge that runs it is found by name at
the first call, because it lives in an outer layer: the one arrow that points outward is drawn here,
as a string, so that a function imports nothing but its own use case.
"""

from __future__ import annotations  # the ports are named for the type checker only

import inspect
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import field, replace
from functools import cached_property
from importlib import import_module
from typing import Any, Final, Protocol

from common.contracts.shapes import Outcome, Request
from common.domain.dataclass import dataclass
from common.domain.refusal import Refusal

if typing.TYPE_CHECKING:
    from common.ports.identity import Actor
    from common.ports.jobs import JobPowers, Round
    from common.ports.powers import Powers
    from common.ports.transaction import Transaction

API_PREFIX: Final = "/api/v1"
JSON: Final = "application/json"
HTML: Final = "text/html"
PDF: Final = "application/pdf"
XML: Final = "application/xml"
CSV: Final = "text/csv"
ZIP: Final = "application/zip"
EDGE: Final = "common.wiring"

TENANT_FOLD: Final = 200
TENANT_QUOTA_MAX: Final = 60_000
"""A tenant's calls of one function: those of so many of its actors, and never more than this."""

UseCase = Callable[..., Any]
HttpFunction = Callable[[Any], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimit:
    """At most `quota` calls in `window_seconds`, counted per `actor`, `tenant`, `address`, or
    `device`, which the request then names."""

    quota: int
    window_seconds: int
    per: str = "actor"


@dataclass(frozen=True, kw_only=True)
class Declaration:
    """What every kind of function says of itself."""

    use_case: UseCase
    needs: tuple[str, ...] = ("database",)

    @property
    def name(self) -> str:
        """The function's name: its target, its file, its service in the cloud."""
        return self.use_case.__name__

    @property
    def area(self) -> str:
        """The folder that it lives in; functions of an area share a service account."""
        return self.use_case.__module__.split(".")[-2]

    @property
    def module(self) -> str:
        return self.use_case.__module__

    @cached_property
    def request(self) -> type[Any]:
        """The model of what comes in."""
        hints = typing.get_type_hints(self.use_case)
        first = next(iter(inspect.signature(self.use_case).parameters))
        return typing.cast(type[Any], hints[first])

    @cached_property
    def outcome(self) -> type[Any]:
        """The model of what goes out."""
        return typing.cast(type[Any], typing.get_type_hints(self.use_case)["return"])

    @property
    def summary(self) -> str:
        """The first paragraph of the use case's own words, as one line."""
        return " ".join((inspect.getdoc(self.use_case) or "").split("\n\n", 1)[0].split())

    @property
    def description(self) -> str:
        """The use case's own words."""
        return inspect.getdoc(self.use_case) or ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """What a command that was committed has left to do outside, and does before it answers.

    `when` says of the outcome whether there is one at all. `find` is given the outcome in a
    transaction of its own and answers what is to be done, if anything; `perform` does it outside of
    any, `record` writes down what it came to. The answer is that of the command, stored with it,
    whatever becomes of its errand: so a retry is answered the same. What dies on the way the job of
    the name `job` finishes; the errand is done in its name, and the trail reads the same whoever
    did it.
    """

    job: str
    when: Callable[[Any], bool]
    find: Callable[[Any, Transaction], Any]
    perform: Callable[[Any, Powers], Any]
    record: Callable[[Any, Transaction], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """How an answer is made that is too long to be held.

    The use case finds out what there is to say, and its outcome bears `media_type` and `file_name`.
    `pieces` cuts that into questions; `read` answers one, in a transaction of its own; `write`
    makes the bytes of the answers as they come, outside of any. After `seconds_max`, which is less
    than a function may run, it is broken off.
    """

    pieces: Callable[[Any], Iterator[Any]]
    read: Callable[[Any, Transaction], Any]
    write: Callable[[Any, Iterator[Any], Powers], Iterator[bytes]]
    media_types: tuple[str, ...]
    seconds_max: int = 100


@dataclass(frozen=True, kw_only=True)
class HttpDeclaration(Declaration):
    """A function that clients call.

    `scope` is what the caller must hold (None: public). `step_up` asks for a fresh second factor
    bound to `context`, which answers what exactly is approved. `pages` names, by media type, what
    the answer is drawn as for whoever asks for that instead of JSON. `etag` is the kind of
    aggregate whose version If-Match means; `creates` says that the request may bring the id of what
    it makes. `takes` is the content type of the body: anything but JSON is handed over as the
    request's `content`. `gives` is the answer's: anything but JSON is the outcome's `content`, a
    file of the name that it bears; `streams` says how one is made that is too long for that.
    `perform` happens between two transactions, `record` in the second. One that `intends` commits
    in the first one that it is going to be performed. `after_refusal` runs in a transaction of its
    own when the use case, or what is performed, was refused for that reason;
    `batches` lets concurrent calls share a transaction. `afterwards` is the errand that follows the
    commit. `signed_by` names who signs the body of a webhook: it has no access token, its bytes are
    checked before a word of them is read, and its tenant is the one that it is found to be about.
    Who holds `platform_scope` works for the tenant that the request names, in a transaction of that
    tenant, and needs no `scope` besides. `switches` are fields of a command, true or false, that
    stand in the query. Where `context` answers None, nothing is done that had to be confirmed. A
    question that `is_noted` writes into the audit trail that it was asked, and nothing besides.
    """

    method: str
    path: str
    scope: str | None
    status: int = 200
    step_up: bool = False
    context: Callable[[Any, Actor], str | None] | None = None
    moves_money: bool = False
    batches: bool = False
    limits: tuple[RateLimit, ...] = (RateLimit(quota=3000, window_seconds=60),)
    after_refusal: dict[type[Refusal], UseCase] = field(default_factory=dict)
    afterwards: Errand | None = None
    refusals: tuple[type[Refusal], ...] = ()
    pages: Mapping[str, str] = field(default_factory=dict)
    etag: str | None = None
    creates: bool = False
    perform: Callable[[Any, Powers], Any] | None = None
    record: Callable[[Any, Transaction], Any] | None = None
    intends: bool = False
    body_bytes_max: int = 2**20
    root: bool = False
    takes: str = JSON
    gives: str = JSON
    streams: Stream | None = None
    signed_by: str | None = None
    platform_scope: str | None = None
    switches: tuple[str, ...] = ()
    when_tenant_unknown: Callable[[], Outcome] | None = None
    without_transaction: bool = False
    is_noted: bool = False

    def __post_init__(self) -> None:
        if self.step_up and (self.scope is None or self.context is None):
            raise ValueError(f"{self.name}: a step-up is bound to a scope and to a context")

    @cached_property
    def counted(self) -> tuple[RateLimit, ...]:
        """The limits that are counted (SEC-7): the declared ones, and beside one of each actor that
        of their tenant, where none is declared."""
        by = {rate.per: rate for rate in self.limits}
        if "actor" not in by or "tenant" in by:
            return self.limits
        quota = min(TENANT_FOLD * by["actor"].quota, TENANT_QUOTA_MAX)
        return (*self.limits, replace(by["actor"], quota=quota, per="tenant"))

    @cached_property
    def answer(self) -> type[Any]:
        """The model of what the caller gets: the outcome of the last phase."""
        last = self.record or self.perform or self.use_case
        return typing.cast(type[Any], typing.get_type_hints(last)["return"])

    def lets_in(self, actor: Actor) -> bool:
        """Whether the actor holds a scope that this asks for."""
        return self.scope is None or actor.may(self.scope) or self.reaches_tenants(actor)

    def reaches_tenants(self, actor: Actor) -> bool:
        """Whether the actor may work for another tenant than their own here (TEN-3)."""
        return self.platform_scope is not None and actor.may(self.platform_scope)

    @property
    def representations(self) -> tuple[str, ...]:
        """The media types that it can answer in, the one of who does not care first."""
        return (self.gives, *self.pages)

    @property
    def given(self) -> tuple[str, ...]:
        """The media types that it answers in without being asked for one by `Accept`."""
        return self.streams.media_types if self.streams else (self.gives,)

    @property
    def is_raw(self) -> bool:
        """Whether the body is bytes of which no field is the caller's to name."""
        return self.takes != JSON or self.signed_by is not None

    @property
    def changes_state(self) -> bool:
        return self.method != "GET" and self.scope is not None

    @property
    def full_path(self) -> str:
        """The path as clients call it."""
        return self.path if self.root else API_PREFIX + self.path


@dataclass(frozen=True, kw_only=True)
class EventDeclaration(Declaration):
    """A function that Pub/Sub pushes one type of event to. The use case takes the event's data.

    `perform` and `record` are as for HTTP functions. A consumer `without_transaction` is given the
    powers instead of one, and is idempotent by itself: the tenant it makes does not exist before.
    `waits_for` are refusals that another event may cure which is still on its way: the event comes
    again until it is an hour old, and only then is a dead letter. `after_refusal` is as for HTTP
    functions.
    """

    event_type: str
    without_transaction: bool = False
    waits_for: tuple[type[Refusal], ...] = ()
    after_refusal: dict[type[Refusal], UseCase] = field(default_factory=dict)
    perform: Callable[[Any, Powers], Any] | None = None
    record: Callable[[Any, Transaction], Any] | None = None


@dataclass(frozen=True, kw_only=True)
class JobDeclaration(Declaration):
    """A job that a schedule fires.

    With `find`, the use case does one item of a tenant in a transaction of its own, and `find`
    answers the items that are due; `perform` and `record` are as for HTTP functions. Without it,
    the use case keeps watch: it takes a `Turn` and the job's powers, does one step, and is called
    again until `turn_seconds` have passed and a successor goes on; `leave` is the last thing it
    does. A run ends after `timeout_seconds` in any case. `preview` says what would be done with an
    item, for a run that does nothing. One that `serves_recovery` is needed to bring a restored
    database to agree with the world, and runs while all others refuse to. `tenants` names who is
    asked for the tenants that have something due, where the job costs as much as it has to do and
    not as many as there are. `put_off` lets an item that failed wait longer, and is told why.
    """

    schedule: str
    tenants: str = ""
    timeout_seconds: int = 600
    turn_seconds: int = 60
    serves_recovery: bool = False
    find: Callable[[Round, Transaction], Sequence[Any]] | None = None
    perform: Callable[[Any, Powers], Any] | None = None
    record: Callable[[Any, Transaction], Any] | None = None
    put_off: Callable[[Any, str, Transaction], None] | None = None
    leave: Callable[[JobPowers], None] | None = None
    preview: Callable[[Any, Transaction], Sequence[dict[str, object]]] | None = None

    @property
    def keeps_watch(self) -> bool:
        return self.find is None


class Edge(Protocol):
    """What runs a declared function."""

    def http(self, declaration: HttpDeclaration, request: Any) -> Any:
        """Answer an HTTP request."""

    def event(self, declaration: EventDeclaration, request: Any) -> Any:
        """Take in a pushed event."""


def http_function(
    method: str, path: str, *, scope: str | None, **options: Any
) -> Callable[[UseCase], HttpFunction]:
    """Declare a function that clients call; see HttpDeclaration for the options."""

    def declare(use_case: UseCase) -> HttpFunction:
        declaration = HttpDeclaration(
            use_case=use_case, method=method, path=path, scope=scope, **options
        )
        return _target(declaration, lambda request: edge().http(declaration, request))

    return declare


def event_function(event_type: str, **options: Any) -> Callable[[UseCase], HttpFunction]:
    """Declare a consumer of one type of event; see EventDeclaration for the options."""

    def declare(use_case: UseCase) -> HttpFunction:
        declaration = EventDeclaration(use_case=use_case, event_type=event_type, **options)
        return _target(declaration, lambda request: edge().event(declaration, request))

    return declare


def job(*, schedule: str, **options: Any) -> Callable[[UseCase], UseCase]:
    """Declare a job, by its schedule in cron's words; see JobDeclaration for the options."""

    def declare(use_case: UseCase) -> UseCase:
        declaration = JobDeclaration(use_case=use_case, schedule=schedule, **options)
        use_case.declaration = declaration  # type: ignore[attr-defined] # a job bears it, too
        return use_case

    return declare


def edge() -> Edge:
    """The edge of this process: how it was wired."""
    return typing.cast(Edge, import_module(EDGE).serving())


def _target(declaration: Declaration, run: HttpFunction) -> HttpFunction:
    """A plain function under the use case's own name, as functions-framework wants it."""

    def target(request: Any) -> Any:
        return run(request)

    target.__name__ = target.__qualname__ = declaration.name
    target.__module__ = declaration.module
    target.__doc__ = declaration.use_case.__doc__
    target.declaration = declaration  # type: ignore[attr-defined] # a function bears its declaration
    return target


def declaration_of(target: HttpFunction) -> Declaration:
    """The declaration that a function bears. Raises AttributeError for one that bears none."""
    return typing.cast(Declaration, target.declaration)  # type: ignore[attr-defined] # as above


__all__ = [
    "Declaration",
    "Errand",
    "EventDeclaration",
    "HttpDeclaration",
    "JobDeclaration",
    "Outcome",
    "RateLimit",
    "Request",
    "Stream",
    "declaration_of",
    "edge",
    "event_function",
    "http_function",
    "job",
]
