"""How the database is: for the readiness of the service, with no word about any tenant."""

from typing import Final

from common.domain.circuit import Circuit
from common.ports.clock import Clock
from common.ports.powers import State
from common.ports.transactions import DatabaseUnavailable
from common.ports.version import VERSION
from common.postgres.connection import ConnectionLost, ServerRefused, Statement
from common.postgres.pool import Pool
from common.postgres.recovery import SETTING, SINCE

CENTRAL_VERSION: Final = """
SELECT max(version) FROM billing_central.schema_migrations WHERE schema_name = 'billing_central'
"""
LONGEST_WAITING: Final = """
SELECT now(), min(recorded_at)
FROM billing_central.outbox
WHERE published_at IS NULL
"""
BREAKERS: Final = """
SELECT name, opened_at
FROM billing_central.circuit_breakers
ORDER BY name
"""


class DatabaseCondition:
    """See the module."""

    def __init__(self, pool: Pool, clock: Clock) -> None:
        self._pool = pool
        self._clock = clock

    def look(self) -> State:
        """Ask the database; what it does not answer is down."""
        try:
            with self._pool.connection() as connection:
                results = connection.run(
                    [
                        Statement("BEGIN READ ONLY"),
                        Statement(CENTRAL_VERSION),
                        Statement(LONGEST_WAITING),
                        Statement(BREAKERS),
                        Statement(SINCE, (SETTING,)),
                        Statement("COMMIT"),
                    ]
                )
        except ServerRefused:
            return State("unprepared", None, None, VERSION)
        except (ConnectionLost, DatabaseUnavailable):
            return State("down", None, None, VERSION)
        now, since = results[2][0]
        age = int((self._clock.at(now) - since).total_seconds()) if since else 0
        breakers = {
            row[0]: Circuit(opened_at=row[1]).state(self._clock.now()).value for row in results[3]
        }
        recovering = bool(results[4][0][0])
        return State("up", max(age, 0), results[1][0][0], VERSION, breakers, recovering)
