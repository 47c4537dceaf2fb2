"""What the edges tell of their work to whoever listens (OPS-4): names of our own, never contents.

A request's outcome is the code of its refusal, so that refusals are counted by code: replayed
step-ups, other tenants' rows, missing tax rules and credits granted twice are all among them.
Events are counted by the type of their fact, whoever publishes them.
"""

import secrets
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from common.ports.powers import Condition, State
from common.ports.publishing import Message, Publisher
from common.ports.telemetry import (
    BREAKER,
    CALLS,
    OUTBOX_AGE,
    OUTBOX_LAG,
    RECOVERY,
    REQUESTS,
    SENT,
    Noted,
    Span,
    Telemetry,
    measure,
)
from common.runtime.logging import Origin
from common.runtime.remainders import note_remainder
from common.runtime.trace import Trace

TRACEPARENT: Final = "ce-traceparent"
TOLD_AT: Final = "ce-time"


def note_request(
    noted: Noted, origin: Origin, *, method: str, status: int, outcome: str, seconds: float
) -> None:
    """Tell how a request was answered, as its line in the log does."""
    answered: dict[str, str | int | bool] = {
        "http.request.method": method,
        "http.route": origin.route or "",
        "http.response.status_code": status,
        "billing.outcome": outcome,
    }
    measure(REQUESTS, seconds, answered)
    noted.attributes |= answered
    if origin.tenant_id is not None:
        noted.attributes["billing.tenant.id"] = str(origin.tenant_id)
    if status >= 500:
        noted.failed = outcome


class WatchedPublisher:
    """A publisher whose messages are spans of the traces that their facts belong to."""

    def __init__(
        self, publisher: Publisher, telemetry: Telemetry, now: Callable[[], datetime]
    ) -> None:
        self._publisher = publisher
        self._telemetry = telemetry
        self._now = now

    def publish(self, messages: Sequence[Message]) -> Sequence[str | None]:
        """As the port has it."""
        started = time.time_ns()
        answers = self._publisher.publish(messages)
        ended = time.time_ns()
        self._note_call(answers, (ended - started) / 10**9)
        for message, trouble in zip(messages, answers, strict=True):
            self._note(message, trouble, started, ended)
        return answers

    def _note_call(self, answers: Sequence[str | None], seconds: float) -> None:
        """How long the broker took, and whether it took anything."""
        outcome = "answered" if None in answers else "failed"
        about = {"billing.peer": "broker", "billing.operation": "publish"}
        self._telemetry.measured(CALLS, seconds, {**about, "billing.outcome": outcome})

    def _note(self, message: Message, trouble: str | None, started: int, ended: int) -> None:
        outcome = "acknowledged" if trouble is None else "not_taken"
        about = {"messaging.message.type": message.event_type, "billing.outcome": outcome}
        self._telemetry.measured(SENT, 1, about)
        if trouble is None:
            note_remainder(message, self._telemetry)
            if (lag := self._lag(message)) is not None:
                self._telemetry.measured(OUTBOX_LAG, lag, {})
        within = Trace.continued(message.attributes.get(TRACEPARENT)).within
        if not within.sampled:
            return
        self._telemetry.ended(
            Span(
                name="send billing-events",
                kind="producer",
                trace_id=within.trace_id,
                span_id=secrets.token_hex(8),
                parent_id=within.parent_id,
                started_ns=started,
                ended_ns=ended,
                attributes={
                    **about,
                    "messaging.system": "gcp_pubsub",
                    "messaging.operation.type": "send",
                    "messaging.message.id": message.event_id,
                },
                failed="" if trouble is None else outcome,
            )
        )

    def _lag(self, message: Message) -> float | None:
        """Seconds between a fact and its acknowledgement."""
        try:
            told_at = datetime.fromisoformat(message.attributes[TOLD_AT])
            return max((self._now() - told_at).total_seconds(), 0.0)
        except (KeyError, ValueError, TypeError):
            return None


class WatchedCondition:
    """The database's condition, whose levels are measured whenever somebody looks at it."""

    def __init__(self, condition: Condition) -> None:
        self._condition = condition

    def look(self) -> State:
        """As the port has it."""
        state = self._condition.look()
        note_condition(state, measure)
        return state


def note_condition(state: State, tell: Callable[..., None]) -> None:
    """Tell how long events have been waiting, which breakers are open, and whether it recovers."""
    if state.outbox_age_seconds is not None:
        tell(OUTBOX_AGE, state.outbox_age_seconds, {})
    if state.database == "up":
        tell(RECOVERY, int(state.recovering), {})
    for name, circuit in state.circuit_breakers.items():
        tell(BREAKER, int(circuit != "closed"), {"billing.peer": name})
