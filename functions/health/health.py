"""Liveness: the process answers. It asks nobody else."""

from typing import Literal

from common.contracts.shapes import Outcome, Request
from common.ports.powers import Powers
from common.runtime.declaration import http_function


class AskHealth(Request):
    """Nothing is asked."""


class Alive(Outcome):
    """The process lives."""

    status: Literal["ok"] = "ok"


@http_function("GET", "/health", scope=None, root=True, without_transaction=True, limits=())
def health(request: AskHealth, powers: Powers) -> Alive:
    """Say that the process answers."""
    return Alive()
