"""What is measured while the service works, and where a request has been (OPS-4, API-7).

A span is a stretch of work within a trace: a request, a round trip to the database, a call to the
processor, an event on its way out. A figure is a number that is added up over all of them. Edges
begin a trace by `begun`; whatever runs inside says by `step` and `measure` what it does, without
knowing who listens, and where nobody does both cost nothing.

Neither holds a word of a guest or an amount, which has a class in its place: attributes are names
of our own code (routes, codes, types of facts, statements without their values), and at most the id
of a drawer or a tenant. The ids of a trace join them to the log.

Names and units are OpenTelemetry's semantic conventions where it has one, `billing.` otherwise.
"""

import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import field
from typing import Final, Literal, Protocol, TypeAlias

from common.domain.dataclass import dataclass

Attributes: TypeAlias = Mapping[str, str | int | bool]
Kind: TypeAlias = Literal["server", "client", "producer", "consumer", "internal"]

_ANSWER: Final = (5, 10, 25, 50, 75, 100, 250, 500, 750, 1_000, 2_500, 5_000, 7_500, 10_000)
_LAG: Final = (
    *(100, 250, 500, 1_000, 2_500, 5_000, 10_000),
    *(30_000, 60_000, 120_000, 300_000, 900_000, 3_600_000),
)


@dataclass(frozen=True, slots=True)
class Figure:
    """Something that is measured: a sum that grows, a spread of values, or a level of the moment.

    `bounds_ms` are where the classes of a spread of seconds end, in thousandths.
    """

    name: str
    kind: Literal["counter", "histogram", "gauge"]
    unit: str
    says: str
    bounds_ms: tuple[int, ...] = ()


REQUESTS: Final = Figure(
    "http.server.request.duration",
    "histogram",
    "s",
    "how long requests and pushed events took, by route, status and outcome",
    _ANSWER,
)
STATEMENTS: Final = Figure(
    "db.client.operation.duration",
    "histogram",
    "s",
    "how long round trips to the database took, by what they did",
    _ANSWER,
)
CALLS: Final = Figure(
    "billing.peer.call.duration",
    "histogram",
    "s",
    "how long the processor, keys, documents, the broker and others took to answer, or did not",
    _ANSWER,
)
SENT: Final = Figure(
    "messaging.client.sent.messages",
    "counter",
    "{message}",
    "events that were published or not taken, by the type of the fact",
)
OUTBOX_LAG: Final = Figure(
    "billing.outbox.lag",
    "histogram",
    "s",
    "how long after its fact an event was acknowledged by the broker",
    _LAG,
)
OUTBOX_AGE: Final = Figure(
    "billing.outbox.oldest.age", "gauge", "s", "how long the oldest event has been waiting"
)
BREAKER: Final = Figure(
    "billing.breaker.open", "gauge", "1", "1 while a circuit breaker lets nobody through, by name"
)
ITEMS: Final = Figure(
    "billing.job.items", "counter", "{item}", "what jobs have done and failed to do, by job"
)
DUE: Final = Figure(
    "billing.job.due", "gauge", "{item}", "how many items a run of a job found due, by job"
)
RECOVERY: Final = Figure(
    "billing.recovery", "gauge", "1", "1 while a restored database only reads, until it agrees"
)
RESIDUALS: Final = Figure(
    "billing.folio.closed",
    "counter",
    "{folio}",
    "folios that were closed, by how large a residual their conversion left",
)
VARIANCES: Final = Figure(
    "billing.drawer.closed",
    "counter",
    "{drawer}",
    "drawers that were closed, by drawer, over or short, and how much of it",
)
COLD_STARTS: Final = Figure(
    "faas.coldstarts", "counter", "{coldstart}", "processes that began to work"
)
LOST: Final = Figure(
    "billing.telemetry.lost", "counter", "{item}", "measurements that were dropped in a flood"
)
FIGURES: Final = (
    REQUESTS,
    STATEMENTS,
    CALLS,
    SENT,
    OUTBOX_LAG,
    OUTBOX_AGE,
    BREAKER,
    ITEMS,
    DUE,
    RECOVERY,
    RESIDUALS,
    VARIANCES,
    COLD_STARTS,
    LOST,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A stretch of work that has ended. Times are nanoseconds of the system's own clock.

    Ids are hexadecimal, as in a `traceparent`; `failed` names what went wrong, or is empty.
    """

    name: str
    kind: Kind
    trace_id: str
    span_id: str
    parent_id: str | None
    started_ns: int
    ended_ns: int
    attributes: Attributes
    failed: str = ""


class Telemetry(Protocol):
    """Who listens. Never raises, never waits."""

    def ended(self, span: Span) -> None:
        """Hear of a span."""

    def measured(self, figure: Figure, value: float, attributes: Attributes) -> None:
        """Hear of a measurement, in the figure's unit."""


@dataclass(frozen=True, slots=True)
class Within:
    """Where work stands: a span of a trace, and whether that trace is one that is kept."""

    trace_id: str
    span_id: str
    parent_id: str | None = None
    sampled: bool = True


@dataclass(slots=True)
class Noted:
    """What is to be told of a span once it ends."""

    attributes: dict[str, str | int | bool] = field(default_factory=dict)
    failed: str = ""


_here: ContextVar[tuple[Telemetry, Within] | None] = ContextVar("within", default=None)


def is_watched() -> bool:
    """Whether somebody listens to what happens here."""
    return _here.get() is not None


@contextmanager
def begun(telemetry: Telemetry | None, within: Within, name: str, kind: Kind) -> Iterator[Noted]:
    """Begin work of which a span with these very ids is told at its end; None: to nobody."""
    if telemetry is None:
        yield Noted()
        return
    with _entered(telemetry, within, name, kind) as noted:
        yield noted


@contextmanager
def step(name: str, kind: Kind) -> Iterator[Noted]:
    """Work within the work at hand; where nobody listens it is told to nobody."""
    here = _here.get()
    if here is None:
        yield Noted()
        return
    telemetry, around = here
    inner = Within(around.trace_id, secrets.token_hex(8), around.span_id, around.sampled)
    with _entered(telemetry, inner, name, kind) as noted:
        yield noted


def measure(figure: Figure, value: float, attributes: Attributes) -> None:
    """Tell whoever listens here of a measurement."""
    here = _here.get()
    if here is not None:
        here[0].measured(figure, value, attributes)


@contextmanager
def _entered(telemetry: Telemetry, within: Within, name: str, kind: Kind) -> Iterator[Noted]:
    noted, started = Noted(), time.time_ns()
    token = _here.set((telemetry, within))
    try:
        yield noted
    except BaseException as error:
        noted.failed = noted.failed or type(error).__name__
        raise
    finally:
        _here.reset(token)
        if within.sampled:
            telemetry.ended(
                Span(
                    name=name,
                    kind=kind,
                    trace_id=within.trace_id,
                    span_id=within.span_id,
                    parent_id=within.parent_id,
                    started_ns=started,
                    ended_ns=time.time_ns(),
                    attributes=noted.attributes,
                    failed=noted.failed,
                )
            )
