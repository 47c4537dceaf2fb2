"""Do a hotel's books keep every invariant? Asked after whatever has happened to it.

The invariants are those of the service itself (common/postgres/invariants.py), asked as the
database's administrator, who sees past row security what a tenant's own role cannot see.
"""

import threading
from weakref import WeakKeyDictionary

from common.local.database import LocalDatabase
from common.postgres.connection import Connection, ConnectionLost
from common.postgres.invariants import Broken, look
from common.postgres.sessions import connector
from tests.hotel import Hotel

_one_at_a_time = threading.Lock()
_connections: "WeakKeyDictionary[LocalDatabase, Connection]" = WeakKeyDictionary()


def broken(hotel: Hotel) -> list[str]:
    """A sentence for each invariant that the hotel's books break; none when all of them hold."""
    return [_sentence(each) for each in broken_invariants(hotel)]


def broken_invariants(hotel: Hotel) -> tuple[Broken, ...]:
    """The invariants that do not hold; every one was asked."""
    with _one_at_a_time:
        try:
            found = look(_connection(hotel.house.server), hotel.tenant_id)
        except ConnectionLost:  # the database was stopped and started since the last question
            found = look(_connection(hotel.house.server), hotel.tenant_id)
    assert not found.unseen, found.unseen
    return found.broken


def _connection(server: LocalDatabase) -> Connection:
    kept = _connections.get(server)
    if kept is None or kept.broken:
        kept = connector(server.dsn(database="billing"))()
        _connections[server] = kept
    return kept


def _sentence(each: Broken) -> str:
    subject, how = each.first[0]
    return f"{each.name}: {each.rule} {each.count} break it, such as {subject}: {how}"
