"""What the service measures, on the laptop's own console under /ops (OPS-4).

The figures are those that a deployment exports, from the same code and under the same names; here
OpenTelemetry keeps them in memory instead of sending them. They say nothing of any guest or amount.

    GET /ops            a page for a person
    GET /ops/figures    every figure of every process, as JSON
    GET /ops/traces     the last traces, the newest first, each with its spans
"""

import json
from collections.abc import Iterable, Mapping
from html import escape
from typing import Any, Final

from werkzeug.wrappers import Request as HttpRequest
from werkzeug.wrappers import Response

from common.domain.dataclass import dataclass
from common.runtime.watching import note_condition
from common.wiring import Wiring

PREFIX: Final = "/ops"
TRACES_SHOWN: Final = 50

_STYLE: Final = """
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; color: #1b1f24;
       padding: 0 1rem }
h1 { font-size: 1.5rem } h2 { font-size: 1.05rem; margin: 2rem 0 0 }
p { margin: .15rem 0 .5rem; color: #57606a }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; padding: .2rem .8rem .2rem 0; border-bottom: 1px solid #d8dee4;
         vertical-align: top }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
code { font-size: .85em } .failed { color: #b3261e }
"""


@dataclass(frozen=True, kw_only=True)
class Operations:
    """The WSGI application. `processes` are those that measure, by name."""

    processes: Mapping[str, Wiring]

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        response = self._answer(HttpRequest(environ))
        response.headers["Cache-Control"] = "no-store"
        return response(environ, start_response)

    def _answer(self, request: HttpRequest) -> Response:
        if request.method != "GET":
            return Response(status=405, headers={"Allow": "GET"})
        match request.path:
            case "/ops":
                return Response(
                    _page(self.figures(), self.traces()), content_type="text/html; charset=utf-8"
                )
            case "/ops/figures":
                return _json({"figures": self.figures()})
            case "/ops/traces":
                return _json({"traces": self.traces()})
            case _:
                return Response(status=404)

    def figures(self) -> list[dict[str, Any]]:
        """Every figure as it is now; each point says which process it was measured in."""
        merged: dict[str, dict[str, Any]] = {}
        for process, wiring in self.processes.items():
            self._look(wiring)
            for figure in wiring.memory.figures():
                for point in figure["points"]:
                    point["process"] = process
                known = merged.setdefault(figure["name"], {**figure, "points": []})
                known["points"] += figure["points"]
        return [merged[name] for name in sorted(merged)]

    def traces(self) -> list[dict[str, Any]]:
        """The last traces over all processes, the newest first."""
        traces: dict[str, list[dict[str, Any]]] = {}
        for process, wiring in self.processes.items():
            for span in wiring.memory.spans():
                traces.setdefault(span["trace_id"], []).append({**span, "process": process})
        for spans in traces.values():
            spans.sort(key=lambda span: span["started_ns"])
        newest = sorted(traces.items(), key=lambda each: each[1][0]["started_ns"], reverse=True)
        return [{"traceId": name, "spans": spans} for name, spans in newest[:TRACES_SHOWN]]

    def _look(self, wiring: Wiring) -> None:
        """Bring the levels of the moment up to date, and wait for what is on its way."""
        if wiring.telemetry is not None:
            note_condition(wiring.condition.look(), wiring.telemetry.measured)
            wiring.telemetry.flush()


def _json(document: object) -> Response:
    return Response(json.dumps(document), content_type="application/json")


def _page(figures: list[dict[str, Any]], traces: list[dict[str, Any]]) -> str:
    parts = ["<!doctype html><html lang=en><meta charset=utf-8><title>Operations</title>"]
    parts.append(f"<style>{_STYLE}</style><h1>Operations</h1>")
    parts.append("<p>What a deployment exports, measured on this machine.</p>")
    for figure in figures:
        parts.append(f"<h2><code>{escape(figure['name'])}</code> in {escape(figure['unit'])}</h2>")
        parts.append(f"<p>{escape(figure['says'])}</p>{_points(figure['points'])}")
    parts.append("<h2>The last traces</h2>")
    parts.append(_rows(("trace", "span", "took"), (row for each in traces for row in _spans(each))))
    return "".join(parts)


def _points(points: list[dict[str, Any]]) -> str:
    """A table of one figure: how many, on average and at most, or the value."""
    if "value" in points[0]:
        values = [(_about(point), f"{point['value']:g}") for point in points]
        return _rows(("of what", "value"), sorted(values))
    spreads = [
        (
            _about(point),
            f"{point['count']:,}",
            f"{point['sum'] / point['count']:.4f}",
            f"{point['max']:.4f}",
        )
        for point in points
    ]
    return _rows(("of what", "how many", "on average", "at most"), sorted(spreads))


def _about(point: dict[str, Any]) -> str:
    said = [point["process"], *(f"{value}" for value in point["attributes"].values())]
    return escape(" · ".join(said))


def _spans(trace: dict[str, Any]) -> Iterable[tuple[str, ...]]:
    for place, span in enumerate(trace["spans"]):
        name = escape(f"{span['process']} · {span['name']}")
        if span["failed"]:
            name += f" <span class=failed>{escape(span['failed'])}</span>"
        took = (span["ended_ns"] - span["started_ns"]) / 1e6
        shown = "" if place else f"<code>{escape(trace['traceId'])}</code>"
        yield shown, name, f"{took:.1f} ms"


def _rows(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """A table of cells that are HTML already; all but the first column of figures are numbers."""
    first = 2 if heads[0] == "trace" else 1
    top = "".join(f"<th{_number(n >= first)}>{escape(head)}" for n, head in enumerate(heads))
    body = "".join(
        "<tr>" + "".join(f"<td{_number(n >= first)}>{cell}" for n, cell in enumerate(row))
        for row in rows
    )
    return f"<table><tr>{top}{body}</table>"


def _number(is_one: bool) -> str:
    return " class=number" if is_one else ""
