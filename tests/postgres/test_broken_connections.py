"""A connection that broke never answers with somebody else's rows (TEN-2b).

Whatever goes wrong inside the driver, the connection is either clean, because the server said so,
or broken and refuses to be asked again. There is nothing in between.
"""

import io
import itertools
import threading

import pytest

from common.postgres.address import open_session
from common.postgres.connection import Connection, ConnectionLost, Statement
from tests.postgres.asking import ECHO, connect, echo
from tests.postgres.proxy import Cut, Proxy

pytestmark = pytest.mark.req("TEN-2b")

# what breaks a connection


class Unwritable:
    """A value that nothing can be made of."""

    def __str__(self) -> str:
        raise RuntimeError("no text")


@pytest.mark.parametrize(
    "poison",
    ["\ud800", 1.5, Unwritable(), ["a"]],
    ids=["half a character", "float", "raises", "list"],
)
def test_a_parameter_that_cannot_be_sent_breaks_the_connection_before_anything_is_sent(
    connection: Connection, line: Proxy, poison: object
) -> None:
    echo(connection, "mine")

    with line.counting() as count, pytest.raises((UnicodeEncodeError, TypeError)):
        connection.run([Statement(ECHO, ("first",)), Statement(ECHO, (poison,))])  # type: ignore[arg-type]

    assert count.round_trips == 0
    assert_refuses_to_be_asked(connection)


@pytest.mark.parametrize("error", [ValueError, KeyError, RuntimeError, MemoryError])
def test_a_value_that_cannot_be_read_breaks_the_connection(
    connection: Connection, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    """The rest of the answer is still on its way; nobody will ever read it as their own."""

    def unreadable(text: str) -> object:
        raise error(text)

    monkeypatch.setitem(connection._session.pg_types, 25, unreadable)

    with pytest.raises(ConnectionLost):
        echo(connection, "mine", "mine too")

    assert_refuses_to_be_asked(connection)
    assert not connection.lost


def test_a_thread_that_is_interrupted_while_it_reads_breaks_the_connection(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(text: str) -> object:
        raise KeyboardInterrupt

    monkeypatch.setitem(connection._session.pg_types, 25, interrupt)

    with pytest.raises(KeyboardInterrupt):
        echo(connection, "mine")

    assert_refuses_to_be_asked(connection)


def test_an_answer_that_does_not_come_in_time_breaks_the_connection(line: Proxy) -> None:
    """The proxy keeps the answer until the client has given up, by the socket's own time limit."""
    dsn = line.dsn("postgres", "postgres")
    impatient = Connection(lambda: open_session(dsn, timeout_seconds=1))
    given_up = threading.Event()

    def keep(asked: object) -> Cut:
        given_up.wait(60)
        return Cut.NOWHERE

    line.where = keep

    with pytest.raises(ConnectionLost):
        echo(impatient, "mine")
    given_up.set()

    assert impatient.lost
    assert_refuses_to_be_asked(impatient)


def test_a_reply_that_is_cut_at_any_byte_is_never_taken_for_a_whole_one(line: Proxy) -> None:
    statements = [
        Statement("BEGIN"),
        Statement("SELECT 'one', 2, NULL::text"),
        Statement("UPDATE pg_temp.nothing SET it = 1 WHERE false"),
        Statement("COMMIT"),
    ]
    good = connect(line)
    create = Statement("CREATE TEMP TABLE nothing (it int)")
    good.run([create])
    whole = good.run(statements)
    length = len(line.last_reply)
    good.close()

    for size in range(length):
        line.reply_bytes = None
        connection = connect(line)
        connection.run([create])
        line.reply_bytes = size
        with pytest.raises(ConnectionLost):
            connection.run(statements)
        assert (connection.broken, connection.lost) == (True, True), size
        connection.close()
    assert whole == [[], [["one", 2, None]], [], []]
    assert length > 200


def test_a_server_that_shuts_down_in_the_middle_breaks_the_connection(
    connection: Connection,
) -> None:
    with pytest.raises(ConnectionLost):
        connection.run([Statement("SELECT pg_terminate_backend(pg_backend_pid())")])

    assert_refuses_to_be_asked(connection)


def test_a_server_that_is_not_there_is_a_lost_connection(line: Proxy) -> None:
    with pytest.raises(ConnectionLost):
        Connection(lambda: open_session("postgresql://x@/x?host=/nowhere"))


def test_what_a_broken_connection_had_still_to_send_is_never_sent(
    connection: Connection, line: Proxy
) -> None:
    """Closing it must not flush a commit that nobody waits for any more."""
    connection._session._sock.write(b"half a message")

    with line.counting() as count, pytest.raises(UnicodeEncodeError):
        echo(connection, "\ud800")
    connection.close()

    assert count.round_trips == 0
    assert_refuses_to_be_asked(connection)


def test_closing_twice_does_no_harm(connection: Connection) -> None:
    connection.close()
    connection.close()

    assert_refuses_to_be_asked(connection)


# a connection that is out of step


def put_one_reply_behind(connection: Connection) -> None:
    """Send a question without reading its answer, as pg8000 does after an exception in itself."""
    message, _ = connection._compose([Statement(ECHO, ("somebody else's",))], "")
    connection._session._sock.write(bytes(message))
    connection._session._sock.flush()


def test_an_answer_of_another_length_is_found_out_by_itself(connection: Connection) -> None:
    put_one_reply_behind(connection)

    with pytest.raises(ConnectionLost):
        echo(connection, "one", "two")

    assert_refuses_to_be_asked(connection)


def test_an_answer_of_the_same_length_needs_the_nonce(connection: Connection) -> None:
    """This is why each transaction opens with one: here the driver alone cannot see it."""
    echo(connection, "mine")

    put_one_reply_behind(connection)

    assert echo(connection, "mine") == ["somebody else's"]


@pytest.mark.parametrize(
    "garbage",
    [
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"D\x00\x00\x00\x06\x00\x01",
        b"D\x00\x00\x00\x0a\x00\x01\x7f\xff\xff\xff",
        b"C\x00\x00\x00\x0dSELECT 1\x00" * 3,
        b"Z\x00\x00\x00\x05I",
        b"Z\x7f\xff\xff\xffI",
        b"E\x00\x00\x00\x03",
        b"T\x00\x00\x00\x08\x00\x07ab",
        b"G\x00\x00\x00\x04",
        b"\x00" * 64,
    ],
    ids=itertools.count(),
)
def test_no_garbage_is_taken_for_an_answer(
    connection: Connection, monkeypatch: pytest.MonkeyPatch, garbage: bytes
) -> None:
    """Whatever a server in disorder says: no rows, no clean error, no connection to go on with."""
    sock = connection._session._sock
    monkeypatch.setattr(connection._session, "_sock", Disordered(garbage))
    with pytest.raises(ConnectionLost):
        echo(connection, "mine")
    monkeypatch.setattr(connection._session, "_sock", sock)

    assert_refuses_to_be_asked(connection)


class Disordered(io.BytesIO):
    """A socket on which only garbage comes, whatever is sent."""

    def write(self, data: object) -> int:
        return 0


def assert_refuses_to_be_asked(connection: Connection) -> None:
    assert connection.broken
    with pytest.raises(ConnectionLost):
        echo(connection, "next")
