"""The keys that who had a trial is marked under, seen by the operator (SUB-10).

It is seen how many trials are marked under each key, and not whose. The oldest one is taken away
with all that was marked under it, once everybody is marked under the next one as well: who is not
would be offered a second trial afterwards. Whoever begins a trial at that moment waits until it is
done, and is marked under what is left.
"""

from collections.abc import Sequence
from typing import Final

from common.domain.dataclass import dataclass
from common.domain.refusal import Conflict
from common.ports.transactions import DatabaseUnavailable
from common.postgres.connection import ConnectionLost, Row, Statement
from common.postgres.pool import Pool

# A foreign key that is checked holds a weaker lock until its transaction ends: whoever is marking
# somebody is waited for, and whoever comes next waits. Reading goes on.
LOCK: Final = "LOCK TABLE billing_central.trial_keys IN EXCLUSIVE MODE"
LIST: Final = """
SELECT keys.version,
       count(DISTINCT marks.subscription_id),
       count(DISTINCT marks.subscription_id) FILTER (WHERE NOT EXISTS (
         SELECT
         FROM billing_central.trial_marks AS others
         WHERE others.subscription_id = marks.subscription_id
           AND others.key_version = keys.next))
FROM (
  SELECT version, lead(version) OVER (ORDER BY version) AS next
  FROM billing_central.trial_keys
) AS keys
LEFT JOIN billing_central.trial_marks AS marks ON marks.key_version = keys.version
GROUP BY keys.version
ORDER BY keys.version
"""
FORGET: Final = """
DELETE FROM billing_central.trial_marks
WHERE key_version = $1
"""
TAKE_AWAY: Final = """
DELETE FROM billing_central.trial_keys
WHERE version = $1
"""
_BEGIN, _COMMIT, _ROLLBACK = Statement("BEGIN"), Statement("COMMIT"), Statement("ROLLBACK")


class TrialKeyNeeded(Conflict):
    code = "TRIAL_KEY_NEEDED"
    title = "Some are not known by the next key, or this is not the oldest of several"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyInUse:
    """A key by its number: how many trials are marked under it, and how many of those are not
    marked under the next one."""

    version: int
    trials: int
    not_under_next: int


class TrialKeyRing:
    """See the module. Raises DatabaseUnavailable."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def list(self) -> Sequence[KeyInUse]:
        """The keys that are kept, the oldest first."""
        with self._pool.connection() as connection:
            try:
                return _keys(connection.run([_BEGIN, Statement(LIST), _COMMIT])[1])
            except ConnectionLost as lost:
                raise DatabaseUnavailable("the keys of trials cannot be reached") from lost

    def drop(self, version: int) -> KeyInUse:
        """Take the oldest key away, and what is marked under it. Refuses: TrialKeyNeeded."""
        with self._pool.connection() as connection:
            try:
                found = connection.run([_BEGIN, Statement(LOCK), Statement(LIST)])[2]
                oldest, *others = _keys(found)
                if not others or oldest.version != version or oldest.not_under_next:
                    connection.run([_ROLLBACK])
                    raise TrialKeyNeeded(oldest=oldest.version, needed=oldest.not_under_next)
                gone = (Statement(FORGET, (version,)), Statement(TAKE_AWAY, (version,)))
                connection.run([*gone, _COMMIT])
            except ConnectionLost as lost:
                raise DatabaseUnavailable("the keys of trials cannot be reached") from lost
            return oldest


def _keys(rows: Sequence[Row]) -> Sequence[KeyInUse]:
    return [KeyInUse(version=row[0], trials=row[1], not_under_next=row[2]) for row in rows]
