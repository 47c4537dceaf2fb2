"""All functions under one address, routed as the load balancer would route them.

A WSGI application: it finds the function for a method and path and hands the request to the edge.
It adds nothing that a deployed function does not do by itself; other applications (the laptop's
development routes) are mounted beside it by prefix.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from werkzeug.wrappers import Request, Response

from common.domain.refusal import Refusal
from common.runtime.declaration import Declaration, Edge, EventDeclaration, HttpDeclaration
from common.runtime.problems import MethodNotAllowed, PathUnknown, problem, status_of
from common.runtime.trace import Trace

_PARAMETER = re.compile(r"\{\w+\}")
EVENTS_PREFIX = "/events/"

WsgiApplication = Callable[[dict[str, Any], Any], Iterable[bytes]]


class Gateway:
    """Routes requests to declared functions."""

    def __init__(
        self,
        edge: Edge,
        declarations: Iterable[Declaration],
        mounts: Mapping[str, WsgiApplication] | None = None,
    ) -> None:
        self._edge = edge
        self._mounts = dict(mounts or {})
        self._exact: dict[str, dict[str, HttpDeclaration]] = {}
        self._patterns: list[tuple[re.Pattern[str], dict[str, HttpDeclaration]]] = []
        self._consumers: dict[str, EventDeclaration] = {}
        by_path: dict[str, dict[str, HttpDeclaration]] = {}
        for declaration in declarations:
            if isinstance(declaration, HttpDeclaration):
                by_path.setdefault(declaration.full_path, {})[declaration.method] = declaration
            elif isinstance(declaration, EventDeclaration):
                self._consumers[EVENTS_PREFIX + declaration.name] = declaration
        for path, methods in by_path.items():
            if "{" in path:
                self._patterns.append((re.compile(_PARAMETER.sub("[^/]+", path)), methods))
            else:
                self._exact[path] = methods

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        for prefix, application in self._mounts.items():
            if path == prefix or path.startswith(prefix + "/"):
                return application(environ, start_response)
        request = Request(environ)
        return self.answer(request)(environ, start_response)

    def answer(self, request: Request) -> Response:
        """Answer a request by the function that it is for."""
        consumer = self._consumers.get(request.path)
        if consumer is not None:
            answered: Response = self._edge.event(consumer, request)
            return answered
        methods = self._methods(request.path)
        if methods is None:
            return _problem(PathUnknown(), request)
        declaration = methods.get(request.method)
        if declaration is None:
            response = _problem(MethodNotAllowed(), request)
            response.headers["Allow"] = ", ".join(sorted(methods))
            return response
        answer: Response = self._edge.http(declaration, request)
        return answer

    def _methods(self, path: str) -> dict[str, HttpDeclaration] | None:
        exact = self._exact.get(path)
        if exact is not None:
            return exact
        return next((methods for form, methods in self._patterns if form.fullmatch(path)), None)


def _problem(refusal: Refusal, request: Request) -> Response:
    trace = Trace.continued(request.headers.get("traceparent"))
    return Response(
        problem(refusal, instance=request.path, trace_id=trace.trace_id),
        status=status_of(refusal),
        content_type="application/problem+json",
        headers={"traceresponse": trace.parent},
    )
