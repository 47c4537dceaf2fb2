"""Circuit breakers as rows that all instances share: read, locked only where they change.

A closed breaker is read in one round trip and locks nothing; so does an answer that changes
nothing. What changes is decided anew behind the row's lock.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from common.domain.circuit import Circuit, CircuitState
from common.ports.clock import Clock
from common.ports.transactions import DatabaseUnavailable
from common.postgres.connection import Connection, ConnectionLost, ServerRefused, Statement
from common.postgres.pool import Pool

READ: Final = """
SELECT failures, window_began_at, opened_at, probe_by, probe_until
FROM billing_central.circuit_breakers
WHERE name = $1
"""
TAKE: Final = f"{READ}FOR UPDATE"
CHANGE: Final = """
UPDATE billing_central.circuit_breakers
SET failures = $2, window_began_at = $3, opened_at = $4, probe_by = $5, probe_until = $6
WHERE name = $1
"""
BEGIN: Final = Statement("BEGIN READ WRITE")  # it is none of the books that a recovery keeps
COMMIT: Final = Statement("COMMIT")

Decide = Callable[[Circuit, datetime], Circuit | None]


class PostgresBreaker:
    """See the module."""

    def __init__(self, pool: Pool, clock: Clock, name: str) -> None:
        self._pool = pool
        self._clock = clock
        self._name = name

    def admits(self, caller: str) -> CircuitState | None:
        admitted = self._decided(lambda circuit, now: circuit.admitting(caller, now))
        if admitted is None:
            return None
        return CircuitState.CLOSED if admitted.opened_at is None else CircuitState.HALF_OPEN

    def heard(self, caller: str, *, answered: bool) -> None:
        self._decided(lambda circuit, now: circuit.heard(caller, now, answered=answered))

    def _decided(self, decide: Decide) -> Circuit | None:
        with self._pool.connection() as connection:
            try:
                known = self._read(connection, READ, COMMIT)
                decided = decide(known, self._clock.now())
                if decided is None or decided == known:
                    return decided
                known = self._read(connection, TAKE)
                decided = decide(known, self._clock.now())
                connection.run([self._change(decided or known), COMMIT])
                return decided
            except (ConnectionLost, ServerRefused) as trouble:
                raise DatabaseUnavailable("the circuit breaker cannot be read") from trouble

    def _read(self, connection: Connection, sql: str, *behind: Statement) -> Circuit:
        row = connection.run([BEGIN, Statement(sql, (self._name,)), *behind])[1][0]
        return Circuit(
            failures=row[0],
            window_began_at=row[1],
            opened_at=row[2],
            probe_by=row[3],
            probe_until=row[4],
        )

    def _change(self, circuit: Circuit) -> Statement:
        values = (
            self._name,
            circuit.failures,
            circuit.window_began_at,
            circuit.opened_at,
            circuit.probe_by,
            circuit.probe_until,
        )
        return Statement(CHANGE, values)
