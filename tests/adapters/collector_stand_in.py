"""A collector of OpenTelemetry's protocol on the loopback, which reads by its own protos."""

import gzip
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


class CollectorStandIn:
    """Keeps what was sent. `troubles` are statuses in place of the next answers."""

    def __init__(self) -> None:
        self.traces: list[Any] = []
        self.metrics: list[Any] = []
        self.log: list[tuple[str, dict[str, str]]] = []
        self.troubles: deque[int] = deque()
        self.lets_go = threading.Event()
        self.lets_go.set()

    def take(self, path: str, headers: dict[str, str], body: bytes) -> int:
        self.log.append((path, headers))
        self.lets_go.wait(20)
        if self.troubles:
            return self.troubles.popleft()
        content = gzip.decompress(body) if headers.get("content-encoding") == "gzip" else body
        if path == "/v1/traces":
            self.traces.append(ExportTraceServiceRequest.FromString(content))
        elif path == "/v1/metrics":
            self.metrics.append(ExportMetricsServiceRequest.FromString(content))
        else:
            return 404
        return 200

    def spans(self) -> list[Any]:
        return [
            span
            for request in self.traces
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    def figures(self) -> dict[str, Any]:
        """The last of each."""
        return {
            metric.name: metric
            for request in self.metrics
            for resource in request.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
        }


@contextmanager
def collector_served(stand_in: CollectorStandIn) -> Iterator[str]:
    """The collector's address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            self.send_response(stand_in.take(self.path, headers, body))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        stand_in.lets_go.set()
        server.shutdown()
        thread.join()
        server.server_close()
