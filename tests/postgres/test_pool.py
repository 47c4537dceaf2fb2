"""Connections change hands clean, or not at all."""

import threading
from collections.abc import Iterator

import pytest

from common.local.database import LocalDatabase
from common.ports.transactions import DatabaseUnavailable
from common.postgres import pool as pooling
from common.postgres.connection import Connection, ConnectionLost, Statement
from common.postgres.pool import Pool
from common.postgres.sessions import connector

pytestmark = pytest.mark.req("TEN-2b")

PID = Statement("SELECT pg_backend_pid()")


@pytest.fixture
def pool(server: LocalDatabase) -> Iterator[Pool]:
    made = Pool(connector(server.dsn()), size=2, wait_seconds=30)
    yield made
    made.close()


def pid(connection: Connection) -> int:
    number: int = connection.run([PID])[0][0][0]
    return number


def test_lends_a_connection_again_that_came_back_clean(pool: Pool) -> None:
    with pool.connection() as first:
        before = pid(first)
    with pool.connection() as second:
        assert pid(second) == before
    assert pool.discarded == 0


def test_lends_no_more_than_it_has_and_waits_within_bounds(server: LocalDatabase) -> None:
    small = Pool(connector(server.dsn()), size=1, wait_seconds=0)

    with small.connection(), pytest.raises(DatabaseUnavailable), small.connection():
        pytest.fail("there was only one")
    with small.connection() as again:
        assert pid(again)
    small.close()


def test_never_lends_one_connection_to_two_threads_at_once(pool: Pool) -> None:
    """Eight threads, two connections, 200 loans: nobody ever holds what another holds."""
    held: list[Connection] = []
    shared: list[Connection] = []
    start = threading.Barrier(8)

    def borrow() -> None:
        start.wait(60)
        for _ in range(25):
            with pool.connection() as connection:
                shared.extend(other for other in held if other is connection)
                held.append(connection)
                pid(connection)
                held.remove(connection)

    threads = [threading.Thread(target=borrow) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert shared == []
    assert len(pool._idle) == 2
    assert pool.discarded == 0


def test_throws_away_a_connection_that_comes_back_inside_a_transaction(pool: Pool) -> None:
    with pool.connection() as careless:
        careless.run([Statement("BEGIN"), Statement("SET LOCAL application_name = 'left over'")])

    with pool.connection() as next_one:
        assert next_one is not careless
        assert next_one.run([Statement("SHOW application_name")]) == [[[""]]]
    assert (pool.discarded, careless.broken) == (1, True)


def test_throws_away_the_idle_ones_too_when_the_network_has_failed(pool: Pool) -> None:
    """What cut one has very likely cut them all; each would cost somebody an attempt."""
    with pool.connection() as one, pool.connection() as other:
        number = pid(other)
    assert len(pool._idle) == 2

    with pool.connection("served") as cut, pytest.raises(ConnectionLost):
        cut.run([Statement(f"SELECT pg_terminate_backend({pid(cut)})")])

    assert pool._idle == []
    with pool.connection() as fresh:
        assert fresh not in (one, other)
        assert pid(fresh) != number


def test_keeps_the_idle_ones_when_a_connection_was_poisoned_from_within(pool: Pool) -> None:
    with pool.connection(), pool.connection() as poisoned, pytest.raises(UnicodeEncodeError):
        poisoned.run([Statement("SELECT $1::text", ("\ud800",))])

    assert len(pool._idle) == 1


def test_recycles_connections_by_age(server: LocalDatabase) -> None:
    ageless = Pool(connector(server.dsn()), size=1, age_seconds_max=-1)
    with ageless.connection():
        pass

    assert (ageless.discarded, ageless._idle) == (1, [])


def test_lends_none_that_was_silent_for_so_long_that_the_network_forgot_it(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pool.connection(), pool.connection():
        pass
    monkeypatch.setattr(pooling, "IDLE_SECONDS_MAX", -1)

    with pool.connection() as fresh:
        assert pid(fresh)
        assert (pool.discarded, pool._idle) == (2, [])


def test_recycles_a_connection_that_has_served_too_many_tenants(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server's caches of their schemas would cost more than the work."""
    monkeypatch.setattr(pooling, "SCOPES_PER_CONNECTION_MAX", 2)
    for scope in ("a", "b", "c"):
        with pool.connection(scope):
            pass
    assert pool.discarded == 0
    with pool.connection("d"):
        pass
    assert pool.discarded == 1


@pytest.mark.req("PERF-1")
def test_prefers_a_connection_that_has_served_the_tenant_before(pool: Pool) -> None:
    with pool.connection("a") as of_a, pool.connection("b") as of_b:
        pass

    for scope, expected in (("b", of_b), ("a", of_a), ("b", of_b)):
        with pool.connection(scope) as lent:
            assert lent is expected


def test_says_that_the_database_is_away_when_it_cannot_connect() -> None:
    away = Pool(connector("postgresql://x@/x?host=/nowhere"), size=1)

    for _ in range(3):  # the slot is given back each time
        with pytest.raises(DatabaseUnavailable), away.connection():
            pytest.fail("there is no database")
