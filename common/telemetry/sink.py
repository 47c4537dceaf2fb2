"""OpenTelemetry's own SDK, fed with what was measured, and its exporters (OPS-4).

Spans bear the ids that the log, the answer's `traceresponse` and the events' `traceparent` bear, so
that they are made here as they ended and not begun by the SDK, which would draw ids of its own.

- `otlp` sends to any collector by OpenTelemetry's protocol over HTTP. Google's own service is one:
  telemetry.googleapis.com, by a session that wiring has put a token into.
- `memory` keeps the figures, and the last traces, for whoever looks (the laptop's `/ops`).
"""

import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import (
    InMemoryMetricReader,
    MetricReader,
    PeriodicExportingMetricReader,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags

from common.ports.telemetry import Attributes, Figure, Span

EXPORT_SECONDS: Final = 30
TIMEOUT_SECONDS: Final = 5
SPANS_KEPT: Final = 2_000
SCOPE: Final = "melmastoon.billing"

_KINDS: Final = {
    "server": SpanKind.SERVER,
    "client": SpanKind.CLIENT,
    "producer": SpanKind.PRODUCER,
    "consumer": SpanKind.CONSUMER,
    "internal": SpanKind.INTERNAL,
}
_SAMPLED: Final = TraceFlags(TraceFlags.SAMPLED)


class OpenTelemetrySink:
    """See the module. `resource` says which process it is."""

    def __init__(
        self,
        resource: Mapping[str, str],
        reader: MetricReader,
        processor: SpanProcessor | None = None,
    ) -> None:
        self._resource = Resource(dict(resource))
        self._scope = InstrumentationScope(SCOPE)
        self._processor = processor
        self._provider = MeterProvider([reader], self._resource, shutdown_on_exit=False)
        self._meter = self._provider.get_meter(SCOPE)
        self._instruments: dict[str, Any] = {}

    def span(self, span: Span) -> None:
        """Hand a span over as it ended."""
        if self._processor is not None:
            self._processor.on_end(_readable(span, self._resource, self._scope))

    def measurement(self, figure: Figure, value: float, attributes: Attributes) -> None:
        """Count, spread or set, by the figure's kind."""
        instrument = self._instruments.get(figure.name) or self._made(figure)
        match figure.kind:
            case "counter":
                instrument.add(value, attributes)
            case "histogram":
                instrument.record(value, attributes)
            case "gauge":
                instrument.set(value, attributes)

    def close(self) -> None:
        """Export what is left."""
        if self._processor is not None:
            self._processor.shutdown()
        self._provider.shutdown(timeout_millis=TIMEOUT_SECONDS * 1000)

    def _made(self, figure: Figure) -> Any:
        named = {"name": figure.name, "unit": figure.unit, "description": figure.says}
        made: Any
        match figure.kind:
            case "counter":
                made = self._meter.create_counter(**named)
            case "histogram":
                bounds = [each / 1000 for each in figure.bounds_ms]
                made = self._meter.create_histogram(
                    **named, explicit_bucket_boundaries_advisory=bounds
                )
            case "gauge":
                made = self._meter.create_gauge(**named)
        self._instruments[figure.name] = made
        return made


def otlp_sink(resource: Mapping[str, str], url: str, session: Any = None) -> OpenTelemetrySink:
    """Send spans and figures to a collector's address, by OTLP over HTTP."""
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    base = url.rstrip("/")
    how = {"timeout": TIMEOUT_SECONDS, "session": session}
    reader = PeriodicExportingMetricReader(
        OTLPMetricExporter(f"{base}/v1/metrics", **how),
        export_interval_millis=EXPORT_SECONDS * 1000,
        export_timeout_millis=TIMEOUT_SECONDS * 1000,
    )
    spans = OTLPSpanExporter(f"{base}/v1/traces", **how)
    return OpenTelemetrySink(resource, reader, BatchSpanProcessor(spans))


class Memory:
    """What was measured, for whoever looks at it in this process."""

    def __init__(self) -> None:
        self._reader = InMemoryMetricReader()
        self._spans: deque[Span] = deque(maxlen=SPANS_KEPT)
        self._reading = threading.Lock()

    def sink(self, resource: Mapping[str, str]) -> OpenTelemetrySink:
        """The one sink whose measurements are kept here."""
        return OpenTelemetrySink(resource, self._reader, _Keeping(self._spans))

    def figures(self) -> list[dict[str, Any]]:
        """Every figure with its points: a value, or how many, their sum and their classes."""
        with self._reading:
            data = self._reader.get_metrics_data()
        found = [
            {"name": metric.name, "unit": metric.unit, "says": metric.description, "points": points}
            for each in (data.resource_metrics if data else ())
            for scope in each.scope_metrics
            for metric in scope.metrics
            if (points := [_point(point) for point in metric.data.data_points])
        ]
        return sorted(found, key=lambda figure: str(figure["name"]))

    def spans(self) -> list[dict[str, Any]]:
        """The last spans, the newest last."""
        return [asdict(span) for span in tuple(self._spans)]


class _Keeping(SpanProcessor):
    """Keeps the last spans as they came."""

    def __init__(self, spans: deque[Span]) -> None:
        self._spans = spans

    def on_end(self, span: ReadableSpan) -> None:
        context, parent = span.context, span.parent
        if context is None:
            return
        self._spans.append(
            Span(
                name=span.name,
                kind=span.kind.name.lower(),  # type: ignore[arg-type] # the names are the kinds
                trace_id=f"{context.trace_id:032x}",
                span_id=f"{context.span_id:016x}",
                parent_id=None if parent is None else f"{parent.span_id:016x}",
                started_ns=span.start_time or 0,
                ended_ns=span.end_time or 0,
                attributes=dict(span.attributes or {}),  # type: ignore[arg-type] # as it came
                failed=span.status.description or "",
            )
        )


def _readable(span: Span, resource: Resource, scope: InstrumentationScope) -> ReadableSpan:
    attributes = {**span.attributes, **({"error.type": span.failed} if span.failed else {})}
    return ReadableSpan(
        name=span.name,
        context=_context(span.trace_id, span.span_id),
        parent=_context(span.trace_id, span.parent_id, remote=True) if span.parent_id else None,
        resource=resource,
        attributes=attributes,
        kind=_KINDS[span.kind],
        status=Status(StatusCode.ERROR, span.failed) if span.failed else Status(),
        start_time=span.started_ns,
        end_time=span.ended_ns,
        instrumentation_scope=scope,
    )


def _context(trace_id: str, span_id: str, *, remote: bool = False) -> SpanContext:
    return SpanContext(int(trace_id, 16), int(span_id, 16), remote, _SAMPLED)


def _point(point: Any) -> dict[str, Any]:
    """A point as JSON has it."""
    told: dict[str, Any] = {"attributes": dict(point.attributes)}
    if hasattr(point, "value"):
        return told | {"value": point.value}
    classes = [
        {"upTo": bound, "count": count}
        for bound, count in zip([*point.explicit_bounds, None], point.bucket_counts, strict=True)
        if count
    ]
    return told | {"count": point.count, "sum": point.sum, "max": point.max, "classes": classes}
