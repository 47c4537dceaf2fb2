"""Readiness: whether the service can work, with no word about any tenant."""

from common.contracts.shapes import Outcome, Request
from common.ports.powers import Powers
from common.runtime.declaration import http_function


class AskReadiness(Request):
    """Nothing is asked."""


class Readiness(Outcome):
    """The state of what the service needs; `outboxAgeSeconds` is the oldest waiting event's age."""

    ready: bool
    database: str
    outbox_age_seconds: int | None
    circuit_breakers: dict[str, str] = {}
    schema_version: int | None
    version: str

    @property
    def http_status(self) -> int:
        return 200 if self.ready else 503


@http_function("GET", "/health/ready", scope=None, root=True, without_transaction=True, limits=())
def ready(request: AskReadiness, powers: Powers) -> Readiness:
    """Say whether the service can work; 503 while it cannot."""
    state = powers.condition.look()
    return Readiness(
        ready=state.database == "up",
        database=state.database,
        outbox_age_seconds=state.outbox_age_seconds,
        circuit_breakers=dict(state.circuit_breakers),
        schema_version=state.schema_version,
        version=state.version,
    )
