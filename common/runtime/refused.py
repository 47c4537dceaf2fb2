"""How a refusal is answered over HTTP: its problem document, and the headers that go with it."""

from collections.abc import Callable
from typing import Any, NoReturn

from werkzeug.wrappers import Response

from common.domain.refusal import Refusal
from common.ports.cards import GatewayUnavailable
from common.runtime.exchange import Exchange
from common.runtime.execute import TooManyRequests
from common.runtime.problems import full_code, problem, status_of


def problem_response(exchange: Exchange, refusal: Refusal) -> Response:
    """The answer to a request that was refused; the log will say why."""
    exchange.outcome = full_code(refusal)
    response = Response(
        problem(refusal, instance=exchange.request.path, trace_id=exchange.trace.trace_id),
        status=status_of(refusal),
        content_type="application/problem+json",
    )
    match refusal:
        case TooManyRequests() | GatewayUnavailable():
            response.headers["Retry-After"] = str(refusal.extra["retryAfterSeconds"])
        case _ if response.status_code in (409, 503):
            response.headers["Retry-After"] = "1"
        case _ if response.status_code == 401:
            response.headers["WWW-Authenticate"] = "Bearer"
        case _ if response.status_code == 405:
            response.headers["Allow"] = exchange.declaration.method
        case _:
            pass
    return response


def refusing(refusal: Refusal) -> Callable[[Any, Any], NoReturn]:
    """A use case that does nothing but refuse."""

    def refuse(_request: Any, _tx: Any) -> NoReturn:
        raise refusal

    return refuse
