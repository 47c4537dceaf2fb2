"""A look into books that somebody has tampered with."""

from collections.abc import Sequence

from common.postgres.connection import Connection, Row, Statement
from common.postgres.invariants import BEGIN


class Tampered:
    """A connection on which somebody has tampered with the books at each transaction's begin."""

    def __init__(self, connection: Connection, sql: Sequence[str]) -> None:
        self._connection = connection
        self._plants = [Statement("BEGIN"), *map(Statement, sql)]
        self.broken = False

    @property
    def in_transaction(self) -> bool:
        return self._connection.in_transaction

    def run(self, statements: Sequence[Statement], *, scope: str = "") -> list[list[Row]]:
        if statements[0] is not BEGIN:
            return self._connection.run(statements, scope=scope)
        replies = self._connection.run([*self._plants, *statements[1:]], scope=scope)
        return [replies[0], *replies[len(self._plants) :]]
