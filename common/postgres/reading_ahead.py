"""What a command will ask is read along with what it asks now: one round trip in the place of two.

    tx.plans.foresee("pro")                   # nothing is sent
    subscription = tx.subscriptions.take()    # the lock, and behind it the plan
    tx.plans.get("pro")                       # the answer is here

Only the number of round trips changes (PERF-1): the use case asks and decides as ever, and what
nobody has foreseen is asked for when it is wanted. Questions are sent behind the one that they go
along with, so behind the lock that it takes. An answer stays the command's until its end: foresee
what a lock keeps as it is, or what may be as old as the lock.

What depends on the subscription that stands can be foreseen before that is known: the first
parameter is NULL then, the statement puts `STANDING` in its place, and once the subscription is
known its answer is that of the parameters that `names` makes of it.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeAlias

from common.postgres.connection import Row, Statement

Names: TypeAlias = Callable[[Any], tuple[Any, ...]]
STANDING: Final = """(
  SELECT id
  FROM billing_central.subscriptions
  WHERE tenant_id = billing_central.current_tenant()
  ORDER BY canceled_at DESC NULLS FIRST
  LIMIT 1)"""
"""The tenant's subscription: the one that stands, or the last one that was canceled."""


def id_of(subscription: Any) -> tuple[str]:
    """What most questions about a subscription name."""
    return (subscription.id,)


class ReadingAhead:
    """The questions that were foreseen in one command, and their answers once there are any."""

    def __init__(self, read: Callable[[Sequence[Statement]], list[list[Row]]]) -> None:
        self._read = read
        self._answers: dict[Statement, list[Row] | None] = {}
        self._names: dict[Statement, Names] = {}

    def foresee(self, statement: Statement, names: Names | None = None) -> None:
        """Read this along with what is read next; see the module about `names`."""
        self._answers.setdefault(statement, None)
        if names is not None and statement.parameters[0] is None:
            self._names[statement] = names

    def rows(self, statement: Statement) -> list[Row]:
        """The answer, by what was read along or by asking now."""
        if statement not in self._answers:
            return self.batch([statement])[0]
        if self._answers[statement] is None:
            self.batch([])
        return self._answers[statement] or []

    def batch(self, statements: Sequence[Statement]) -> list[list[Row]]:
        """The answers of several questions, and behind them all that was foreseen."""
        waiting = [each for each, rows in self._answers.items() if rows is None]
        replies = self._read([*statements, *waiting])
        asked = len(statements)
        self._answers.update(zip(waiting, replies[asked:], strict=True))
        return replies[:asked]

    def know(self, subject: object) -> None:
        """The subscription is known: what was read along of it answers questions about it."""
        for statement, names in self._names.items():
            known = Statement(statement.sql, names(subject))
            self._answers[known] = self._answers.pop(statement)
        self._names.clear()
