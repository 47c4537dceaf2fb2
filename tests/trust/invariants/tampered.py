"""The invariants asked of books that somebody has tampered with; nothing of it stays."""

from collections.abc import Sequence
from uuid import uuid4

from common.postgres.connection import Connection, Row, Statement
from common.postgres.invariants import BEGIN, look
from common.postgres.schemas import role_of
from tests.hotel import Hotel


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


def names_broken(connection: Connection, hotel: Hotel, *sql: str) -> set[str]:
    """The invariants that are broken after this tampering, which is undone."""
    names = {"tenant": hotel.tenant_id, "role": role_of(hotel.tenant_id), "other": uuid4()}
    planted = [
        "SET LOCAL session_replication_role = replica",  # no foreign key is asked
        f"SET LOCAL search_path = {hotel.schema}",
        f"SET LOCAL app.tenant_id = '{hotel.tenant_id}'",
        *(each.format(**names) for each in sql),
    ]
    found = look(Tampered(connection, planted), hotel.tenant_id)  # type: ignore[arg-type]
    assert found.unseen == ()
    return {each.name for each in found.broken}
