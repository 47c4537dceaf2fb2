"""Logs tell what happened, never to whom or in whose words (SEC-8).

One JSON object a line in Cloud Logging's format. There is no free text to pass in: a line is made
of the fields in `FIELDS`, each of a form that no remark, address or token fits, and a value that
does not fit is withheld. Money appears as a size, a charge as its kind. An exception appears as its
type and the places it went through: its message may quote what a guest wrote, and the variables of
its frames certainly do. `take_over` makes libraries, and errors that nobody caught, speak alike.
"""

import json
import logging
import re
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from enum import StrEnum
from traceback import walk_tb
from types import TracebackType
from uuid import UUID

from common.domain.dataclass import dataclass

WITHHELD = "(withheld)"
MAX_FRAMES = 40
MAX_CAUSES = 4

_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_.]{0,99}")
_FORMS = {
    "traceId": re.compile(r"[0-9a-f]{32}"),
    "spanId": re.compile(r"[0-9a-f]{16}"),
    "tenantId": re.compile(r"[0-9a-f-]{36}"),
    "actorId": re.compile(r"[A-Za-z0-9_.:|/-]{1,64}"),
    "method": re.compile(r"[A-Z]{3,7}"),
    "route": re.compile(r"[A-Za-z0-9_{}/.:-]{1,200}"),
    "outcome": _WORD,
    "code": _WORD,
    "chargeKind": re.compile(r"[a-z][a-z0-9_]{0,39}"),
    "job": _WORD,
    "library": _WORD,
}
FIELDS = frozenset(_FORMS) | {
    "severity",
    "message",
    "time",
    "logging.googleapis.com/trace",
    "logging.googleapis.com/spanId",
    "latencyMs",
    "status",
    "amountClass",
    "done",
    "failed",
    "count",
    "error",
    "place",
}
_PROJECT_ROOT = __file__.rsplit("/common/", 1)[0] + "/"
_LIBRARY_ROOT = re.compile(r".*/(?:site-packages|lib/python3\.\d+)/")


class Severity(StrEnum):
    """Cloud Logging's levels, as far as they are used here."""

    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"
    CRITICAL = "CRITICAL"


class AmountClass(StrEnum):
    """How large an amount was, in place of the amount."""

    SMALL = "small"
    MEDIUM = "medium"
    LARGE = "large"


@dataclass(frozen=True, slots=True)
class AmountClasses:
    """Where medium and large begin, in minor units of the currency at hand."""

    medium_from_minor: int
    large_from_minor: int

    def of(self, amount_minor: int) -> AmountClass:
        """Class an amount by its size, whichever way the money goes."""
        size = abs(amount_minor)
        if size >= self.large_from_minor:
            return AmountClass.LARGE
        return AmountClass.MEDIUM if size >= self.medium_from_minor else AmountClass.SMALL


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a line comes from, as far as it is known. `route` is the template, never the path."""

    trace_id: str | None = None
    span_id: str | None = None
    tenant_id: UUID | None = None
    actor_id: str | None = None
    route: str | None = None


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Log:
    """Writes lines to standard output. With a `project`, they join its traces."""

    project: str | None = None
    clock: Callable[[], datetime] = _utc_now

    def request(
        self,
        origin: Origin,
        *,
        method: str,
        status: int,
        outcome: str,
        latency_ms: float,
        amount_class: AmountClass | None = None,
        charge_kind: str | None = None,
    ) -> None:
        """Tell that a request was answered. `outcome` is `ok` or the code of the refusal."""
        self._line(
            _severity_of(status),
            origin,
            ("method", "route", "status", "outcome"),
            method=method,
            status=status,
            outcome=outcome,
            latencyMs=round(latency_ms, 1),
            amountClass=amount_class,
            chargeKind=charge_kind,
        )

    def problem(
        self,
        origin: Origin,
        *,
        code: str,
        error: BaseException | None = None,
        severity: Severity = Severity.ERROR,
    ) -> None:
        """Tell of something that somebody may have to look at."""
        self._line(
            severity, origin, ("code",), code=code, error=None if error is None else _told(error)
        )

    def finding(self, origin: Origin, *, code: str, count: int) -> None:
        """Tell of something that a check found wrong, and how often."""
        self._line(Severity.ERROR, origin, ("code", "count"), code=code, count=count)

    def job(
        self,
        origin: Origin,
        *,
        job: str,
        outcome: str,
        done: int,
        failed: int,
        latency_ms: float,
    ) -> None:
        """Tell how a run of a job ended: how many items were done, how many failed."""
        self._line(
            Severity.ERROR if failed else Severity.INFO,
            origin,
            ("job", "outcome", "done", "failed"),
            job=job,
            outcome=outcome,
            done=done,
            failed=failed,
            latencyMs=round(latency_ms, 1),
        )

    def library(self, name: str, level: int, place: str) -> None:
        """Tell that a library had something to say, and where; its words are not repeated."""
        severity = Severity.ERROR if level >= logging.ERROR else Severity.WARNING
        self._line(severity, Origin(), ("library", "place"), library=name, place=place)

    def _line(
        self, severity: Severity, origin: Origin, spoken: tuple[str, ...], **more: object
    ) -> None:
        tenant_id = origin.tenant_id
        fields: dict[str, object] = {
            "traceId": origin.trace_id,
            "spanId": origin.span_id,
            "tenantId": None if tenant_id is None else str(tenant_id),
            "actorId": origin.actor_id,
            "route": origin.route,
            **more,
        }
        line: dict[str, object] = {
            "severity": severity,
            "message": "",
            "time": _moment(self.clock()),
        }
        line |= {name: _fitting(name, each) for name, each in fields.items() if each is not None}
        line["message"] = " ".join(str(line.get(name, "-")) for name in spoken)
        if self.project is not None and line.get("traceId", WITHHELD) != WITHHELD:
            trace = f"projects/{self.project}/traces/{line['traceId']}"
            line["logging.googleapis.com/trace"] = trace
            line["logging.googleapis.com/spanId"] = line.get("spanId", "")
        _write(json.dumps(line, separators=(",", ":")) + "\n")


def take_over(log: Log) -> None:
    """Let the log speak for libraries (from WARNING on) and for errors that nobody caught."""
    root = logging.getLogger()
    root.handlers[:] = [_LibraryHandler(log)]
    root.setLevel(logging.WARNING)
    logging.captureWarnings(True)

    def uncaught(
        kind: type[BaseException], error: BaseException | None, trace: TracebackType | None
    ) -> None:
        log.problem(Origin(), code="UNCAUGHT", error=error, severity=Severity.CRITICAL)

    sys.excepthook = uncaught
    threading.excepthook = lambda args: uncaught(args.exc_type, args.exc_value, args.exc_traceback)


class _LibraryHandler(logging.Handler):
    """Passes on that a record was made, not what it says."""

    def __init__(self, log: Log) -> None:
        super().__init__(logging.WARNING)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        self._log.library(record.name, record.levelno, f"{_short(record.pathname)}:{record.lineno}")


def _severity_of(status: int) -> Severity:
    if status >= 500:
        return Severity.ERROR
    return Severity.WARNING if status in (401, 403, 429) else Severity.INFO


def _fitting(name: str, value: object) -> object:
    """Let a value through when it has the form of its field."""
    form = _FORMS.get(name)
    return value if form is None or form.fullmatch(str(value)) else WITHHELD


def _told(error: BaseException) -> list[dict[str, object]]:
    """Name an exception and what caused it, by type and place alone."""
    return [
        {"type": f"{type(each).__module__}.{type(each).__qualname__}", "stack": _stack(each)}
        for each in _with_causes(error)
    ]


def _with_causes(error: BaseException) -> Iterator[BaseException]:
    cause: BaseException | None = error
    for _ in range(MAX_CAUSES):
        if cause is None:
            return
        yield cause
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)


def _stack(error: BaseException) -> list[str]:
    """List the places an exception went through, the innermost last: file:line:function."""
    frames = [
        f"{_short(frame.f_code.co_filename)}:{line}:{frame.f_code.co_qualname}"
        for frame, line in walk_tb(error.__traceback__)
    ]
    return frames[-MAX_FRAMES:]


def _short(path: str) -> str:
    """Leave out where on the machine a file lies."""
    shorter = _LIBRARY_ROOT.sub("", path.removeprefix(_PROJECT_ROOT))
    return shorter.rsplit("/", 1)[-1] if shorter.startswith("/") else shorter


def _moment(now: datetime) -> str:
    return now.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _write(line: str) -> None:
    """Write one whole line at once. A log that cannot be written undoes nothing that was done."""
    with suppress(OSError, ValueError):
        sys.stdout.write(line)
        sys.stdout.flush()
