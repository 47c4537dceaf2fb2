"""A connection that sends many statements at once and never answers with somebody else's rows.

Two facts about pg8000 decide this module, both measured:

- Its `run(sql, parameters)` takes three round trips a statement. Here the messages of the extended
  protocol for a whole list of statements are written in one go and their answers read in one go, so
  that a list costs one round trip, however long it is.
- After an exception inside the driver it stays one reply behind and answers the next question with
  the previous one's rows. Here a connection that ended in anything but a clean error of the server
  is `broken`: it refuses further work and its owner throws it away.

Statements are prepared once for each scope (the tenant's search path) and then only bound and
executed. Behind a pooler in transaction mode the server changes between transactions; there, names
are not used (`prepares=False`) and each statement is parsed anew, still in the same round trip. A
migration can make a prepared statement stale; then the connection is as good as lost, and so are
its sisters.
"""

import socket
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime
from struct import Struct
from typing import Any, Final, TypeAlias
from uuid import UUID

import pg8000.native

from common.domain.dataclass import dataclass
from common.ports.telemetry import is_watched
from common.postgres.watching import round_trip

Value: TypeAlias = str | int | bool | bytes | date | datetime | UUID | None
Row: TypeAlias = Sequence[Any]

PREPARED_STATEMENTS_MAX: Final = 400
REPLY_BYTES_MAX: Final = 256 * 2**20
_HEADER = Struct("!ci")
_INT = Struct("!i")
_SHORT = Struct("!H")
_SYNC = b"S\x00\x00\x00\x04"
_EXECUTE = b"E\x00\x00\x00\x09\x00\x00\x00\x00\x00"
_TIMESTAMPTZ: Final = 1184
_NO_RESULT: Final[tuple[Callable[[str], Any], ...]] = ()
STALE: Final = frozenset({"0A000", "26000"})
"""A result's type has changed since the statement was prepared, or its name is not known."""


class ServerRefused(Exception):
    """The server answered with an error; the connection itself is clean.

    `sqlstate` is the five-character code, `constraint` the violated constraint's name or "".
    """

    def __init__(self, fields: dict[str, str]) -> None:
        self.sqlstate = fields.get("C", "")
        self.constraint = fields.get("n", "")
        self.table = fields.get("t", "")
        super().__init__(f"{self.sqlstate} {fields.get('M', '')}")


class ConnectionLost(Exception):
    """The connection broke; whether the last statements took effect is not known."""


class ForeignReply(Exception):
    """What came back is not ours: the connection answers somebody else's question."""


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL with $1, $2 ... and its parameters.

    `everywhere` says that it means the same under every search path and role: it is prepared once.
    """

    sql: str
    parameters: tuple[Value, ...] = ()
    everywhere: bool = False


@dataclass(slots=True)
class _Prepared:
    name: bytes
    decoders: tuple[Callable[[str], Any], ...] | None = None


class Connection:
    """One session with the server, used by one thread at a time.

    `open_session` makes the pg8000 connection (a socket, TLS, a Cloud SQL connector: wiring's
    choice), `opened_at` is its age for recycling, `idle_since` since when it rests, `scopes`
    the tenants it has served. `lost` says that what broke it has very likely broken others too;
    `aborted`, that the server will roll the transaction back, whatever is sent.
    """

    def __init__(
        self,
        open_session: Callable[[], pg8000.native.Connection],
        *,
        opened_at: float = 0.0,
        prepares: bool = True,
    ) -> None:
        try:
            self._session = open_session()
        except Exception as lost:  # the driver's, TLS's, or a connector's own
            raise ConnectionLost(type(lost).__name__) from lost
        self._prepares = prepares
        self._prepared: OrderedDict[tuple[str, str], _Prepared] = OrderedDict()
        self._names = 0
        self.opened_at = opened_at
        self.idle_since = opened_at
        self.scopes: set[str] = set()
        self.broken = False
        self.lost = False
        self.in_transaction = False
        self.aborted = False

    def run(self, statements: Sequence[Statement], *, scope: str = "") -> list[list[Row]]:
        """Send all statements together and return the rows of each, in one round trip.

        `scope` names the search path that they run under. Raises ServerRefused after the server's
        clean error (what came after the failed statement was not executed), ConnectionLost when
        the answer did not arrive whole; any exception but ServerRefused leaves the connection
        broken.
        """
        if self.broken:
            raise ConnectionLost("this connection is broken")
        if is_watched():
            with round_trip([each.sql for each in statements]) as noted:
                try:
                    return self._exchange(statements, scope)
                except ServerRefused as refused:
                    noted.failed = refused.sqlstate
                    raise
        return self._exchange(statements, scope)

    def _exchange(self, statements: Sequence[Statement], scope: str) -> list[list[Row]]:
        """One round trip, whole or not at all."""
        self.broken = True
        message, expected = self._compose(statements, scope)
        try:
            self._session._sock.write(bytes(message))
            self._session._sock.flush()
            results = self._replies(expected)
        except Exception as lost:  # sent and not read to its end: who knows what took effect
            self.lost = isinstance(lost, OSError)
            raise ConnectionLost(type(lost).__name__) from lost
        if isinstance(results, ServerRefused):
            self.broken = self.lost = results.sqlstate in STALE
            raise results
        self.broken = False
        return results

    def close(self) -> None:
        """End the session; never raises. What a broken one had still to send is not sent."""
        with suppress(pg8000.exceptions.Error, OSError, ValueError, AttributeError):
            if self.broken:
                self._session._usock.shutdown(socket.SHUT_RDWR)
            self._session.close()
        self.broken = True

    def _compose(
        self, statements: Sequence[Statement], scope: str
    ) -> tuple[bytearray, list[tuple[_Prepared, bool, tuple[str, str]]]]:
        message = bytearray()
        expected = []
        for statement in statements:
            key = ("" if statement.everywhere else scope, statement.sql)
            prepared = self._prepared.get(key) if self._prepares else None
            fresh = prepared is None
            if prepared is None:
                prepared = self._name(message, key)
                text = prepared.name + statement.sql.encode() + b"\x00\x00\x00"
                message += b"P" + _INT.pack(len(text) + 4) + text
                message += b"D" + _INT.pack(len(prepared.name) + 5) + b"S" + prepared.name
            else:
                self._prepared.move_to_end(key)
            values = _bind(prepared.name, statement.parameters)
            message += b"B" + _INT.pack(len(values) + 4) + values + _EXECUTE
            expected.append((prepared, fresh, key))
        message += _SYNC
        return message, expected

    def _name(self, message: bytearray, key: tuple[str, str]) -> _Prepared:
        if not self._prepares:
            return _Prepared(b"\x00")
        self._names += 1
        prepared = _Prepared(b"s%d\x00" % self._names)
        self._prepared[key] = prepared
        if len(self._prepared) > PREPARED_STATEMENTS_MAX:
            _, oldest = self._prepared.popitem(last=False)
            message += b"C" + _INT.pack(len(oldest.name) + 5) + b"S" + oldest.name
        return prepared

    def _replies(
        self, expected: list[tuple[_Prepared, bool, tuple[str, str]]]
    ) -> list[list[Row]] | ServerRefused:
        read = self._session._sock.read
        results: list[list[Row]] = []
        rows: list[Row] = []
        refused: ServerRefused | None = None
        while True:
            header = read(5)
            if len(header) < 5:
                raise OSError("the server closed the connection")
            code, length = _HEADER.unpack(header)
            if not 4 <= length <= REPLY_BYTES_MAX:
                raise ValueError("the reply is out of step")
            body = read(length - 4) if length > 4 else b""
            if len(body) < length - 4:
                raise OSError("the server closed the connection")
            match code:
                case b"D":
                    rows.append(_decode(body, expected[len(results)][0].decoders or _NO_RESULT))
                case b"C" | b"I":
                    results.append(rows)
                    rows = []
                case b"T":
                    expected[len(results)][0].decoders = self._decoders(body)
                case b"n":
                    expected[len(results)][0].decoders = _NO_RESULT
                case b"E":
                    refused = ServerRefused(_error_fields(body))
                case b"Z":
                    self.in_transaction, self.aborted = body != b"I", body == b"E"
                    break
                case b"1" | b"2" | b"3" | b"t" | b"N" | b"S" | b"A":
                    pass
                case _:
                    raise ValueError("the reply is out of step")
        self._forget_unprepared(expected)
        if refused is not None:
            return refused
        if len(results) != len(expected):
            raise ValueError("the reply is out of step")
        return results

    def _forget_unprepared(self, expected: list[tuple[_Prepared, bool, tuple[str, str]]]) -> None:
        """Drop the names of statements that a failed list never got round to describing."""
        for prepared, fresh, key in expected:
            if fresh and prepared.decoders is None:
                self._prepared.pop(key, None)

    def _decoders(self, body: bytes) -> tuple[Callable[[str], Any], ...]:
        (count,) = _SHORT.unpack_from(body)
        types = self._session.pg_types
        decoders = []
        at = 2
        for _ in range(count):
            at = body.index(b"\x00", at) + 1
            kind = _INT.unpack_from(body, at + 6)[0]
            decoders.append(_instant if kind == _TIMESTAMPTZ else types[kind])
            at += 18
        return tuple(decoders)


def _bind(name: bytes, parameters: tuple[Value, ...]) -> bytearray:
    message = bytearray(b"\x00" + name + b"\x00\x00" + _SHORT.pack(len(parameters)))
    for parameter in parameters:
        if parameter is None:
            message += b"\xff\xff\xff\xff"
            continue
        text = _text(parameter).encode()
        message += _INT.pack(len(text)) + text
    message += b"\x00\x00"
    return message


def _text(value: Value) -> str:
    match value:
        case str():
            return value
        case bool():
            return "t" if value else "f"
        case bytes():
            return "\\x" + value.hex()
        case date():
            return value.isoformat()
        case int() | UUID():
            return str(value)
        case _:
            raise TypeError(f"{type(value).__name__} is not a parameter's type")


def _instant(text: str) -> datetime:
    """An instant as the server writes it, in UTC. pg8000's own way takes 20 times as long."""
    return datetime.fromisoformat(text).astimezone(UTC)


def _decode(body: bytes, decoders: Sequence[Callable[[str], Any]]) -> Row:
    row: list[Any] = []
    at = 2
    for decode in decoders:
        (length,) = _INT.unpack_from(body, at)
        at += 4
        if length < 0:
            row.append(None)
            continue
        row.append(decode(body[at : at + length].decode()))
        at += length
    return row


def _error_fields(body: bytes) -> dict[str, str]:
    return {
        part[:1].decode("ascii"): part[1:].decode(errors="replace")
        for part in body.split(b"\x00")
        if part
    }
