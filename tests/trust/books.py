"""Do a hotel's books keep every invariant? Asked after whatever has happened to it.

The invariants are those of the service itself (common/postgres/invariants.py), asked as the
database's administrator, who sees past row security what a tenant's own role cannot see.

Most of the work is to plan a hundred and more questions, as each hotel has tables of its own. So a
question is left out that speaks of tables of the hotel alone, and all of them are empty: its answer
is the one that it has for a hotel in which nothing ever happened.
"""

import re
import threading
from functools import cache
from typing import Final
from weakref import WeakKeyDictionary

from common.local.database import LocalDatabase
from common.postgres.connection import Connection, ConnectionLost, Statement
from common.postgres.invariants import Broken, Look, Section, look
from common.postgres.sessions import connector
from tests.hotel import Hotel

ELSEWHERE: Final = re.compile(r"billing_central\.|\bpg_|'books\.")
"""Tables of all hotels, the catalogue, and what a note has read: these are never empty."""
TABLES: Final = """
SELECT relname FROM pg_class
WHERE relkind IN ('r', 'p') AND relnamespace = $1::regnamespace
ORDER BY relname
"""

_one_at_a_time = threading.Lock()
_connections: "WeakKeyDictionary[LocalDatabase, Connection]" = WeakKeyDictionary()


def broken(hotel: Hotel) -> list[str]:
    """A sentence for each invariant that the hotel's books break; none when all of them hold."""
    return [_sentence(each) for each in broken_invariants(hotel)]


def broken_invariants(hotel: Hotel) -> tuple[Broken, ...]:
    """The invariants that do not hold; every one was asked."""
    with _one_at_a_time:
        try:
            found = _look(hotel)
        except ConnectionLost:  # the database was stopped and started since the last question
            found = _look(hotel)
    assert not found.unseen, found.unseen
    return found.broken


def tables(hotel: Hotel) -> dict[str, bool]:
    """The hotel's own tables, and whether they have rows."""
    with _one_at_a_time:
        return _tables(hotel)


def _tables(hotel: Hotel) -> dict[str, bool]:
    connection = _connection(hotel.house.server)
    [names] = connection.run([Statement(TABLES, (hotel.schema,), everywhere=True)])
    each = [f"SELECT '{name}', EXISTS (SELECT FROM {hotel.schema}.{name})" for (name,) in names]
    [filled] = connection.run([Statement(" UNION ALL ".join(each), everywhere=True)])
    return dict(filled)


def _look(hotel: Hotel) -> Look:
    filled = _tables(hotel)
    empty = {name for name, has_rows in filled.items() if not has_rows}

    def is_asked(section: Section) -> bool:
        spoken_of = _words(section.query) & filled.keys()
        return not spoken_of or not spoken_of <= empty or bool(ELSEWHERE.search(section.query))

    return look(_connection(hotel.house.server), hotel.tenant_id, is_asked=is_asked)


@cache
def _words(query: str) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", query))


def _connection(server: LocalDatabase) -> Connection:
    kept = _connections.get(server)
    if kept is None or kept.broken:
        kept = connector(server.dsn(database="billing"))()
        _connections[server] = kept
    return kept


def _sentence(each: Broken) -> str:
    subject, how = each.first[0]
    return f"{each.name}: {each.rule} {each.count} break it, such as {subject}: {how}"
