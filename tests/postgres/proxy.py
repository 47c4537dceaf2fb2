"""A proxy in front of the server: it counts round trips, and cuts where a test wants it cut.

It speaks just enough of the protocol to know where a request of the client ends (Sync), which
statements it carries, and where the server's answer ends (ReadyForQuery). One request with its
answer is one round trip; greeting a new connection is not counted.
"""

import shutil
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum, auto
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote

from common.local.database import SOCKET_NAME, LocalDatabase


class Cut(Enum):
    """Where a connection is cut."""

    NOWHERE = auto()
    BEFORE_THE_SERVER = auto()
    """The server never sees the request."""
    BEFORE_THE_CLIENT = auto()
    """The server has done it all and the client never hears of it."""


@dataclass(frozen=True)
class Asked:
    """A request of the client: its bytes, and the statements it executes, in order."""

    message: bytes
    statements: tuple[str, ...]

    @property
    def commits(self) -> bool:
        """Whether it ends with the commit of what came before it."""
        return self.statements[-1:] == ("COMMIT",)


@dataclass
class Count:
    """What went through while somebody was counting."""

    asked: list[Asked] = field(default_factory=list)

    @property
    def round_trips(self) -> int:
        return len(self.asked)


@dataclass
class _Line:
    """One connection through the proxy, and the names of its prepared statements."""

    client: socket.socket
    server: socket.socket
    names: dict[bytes, str] = field(default_factory=dict)

    def close(self) -> None:
        for end in (self.client, self.server):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


class Proxy:
    """Stands on a socket of its own; `dsn` is its address."""

    def __init__(self, behind: LocalDatabase) -> None:
        self._behind = behind
        self._folder = Path(tempfile.mkdtemp(prefix="billing-proxy-"))
        self._lock = threading.Lock()
        self._counts: list[Count] = []
        self._lines: list[_Line] = []
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self._folder / SOCKET_NAME))
        self._listener.listen(64)
        self._threads = [threading.Thread(target=self._listen, daemon=True)]
        self._threads[0].start()
        self.where: Callable[[Asked], Cut] = lambda asked: Cut.NOWHERE
        self.reply_bytes: int | None = None
        """How much of each answer the client gets before it is cut; None for all of it."""
        self.last_reply = b""
        self.opened = 0

    def dsn(self, user: str = "billing_function", database: str = "billing") -> str:
        return f"postgresql://{user}@/{database}?host={quote(str(self._folder), safe='')}"

    @contextmanager
    def counting(self) -> Iterator[Count]:
        """Count the round trips of the block."""
        count = Count()
        self._counts.append(count)
        yield count
        self._counts.remove(count)

    def stop(self) -> None:
        self._listener.close()
        with suppress(OSError), socket.socket(socket.AF_UNIX) as last:
            last.connect(str(self._folder / SOCKET_NAME))  # wakes the listener
        for line in self._lines:
            line.close()
        for thread in self._threads:
            thread.join()
        shutil.rmtree(self._folder)

    def _listen(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            server.connect(str(self._behind.socket))
            line = _Line(client, server)
            self.opened += 1
            self._lines.append(line)
            thread = threading.Thread(target=self._carry, args=(line,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _carry(self, line: _Line) -> None:
        client, server = line.client.makefile("rb"), line.server.makefile("rb")
        with suppress(OSError, EOFError), client, server:
            line.server.sendall(_greeting(client))
            line.client.sendall(_answer(server))
            while self._carry_one(line, client, server):
                pass
        line.close()

    def _carry_one(self, line: _Line, client: BinaryIO, server: BinaryIO) -> bool:
        asked = _request(client, line.names)
        if asked.message[:1] == b"X":
            line.server.sendall(asked.message)
            return False
        with self._lock:
            for count in self._counts:
                count.asked.append(asked)
            cut = self.where(asked)
        if cut is Cut.BEFORE_THE_SERVER:
            return False
        line.server.sendall(asked.message)
        reply = _answer(server)
        self.last_reply = reply
        if cut is Cut.BEFORE_THE_CLIENT:
            return False
        line.client.sendall(reply if self.reply_bytes is None else reply[: self.reply_bytes])
        return self.reply_bytes is None


def _greeting(client: BinaryIO) -> bytes:
    size = _exactly(client, 4)
    return size + _exactly(client, int.from_bytes(size) - 4)


def _request(client: BinaryIO, names: dict[bytes, str]) -> Asked:
    """Everything up to the client's Sync, simple query, or good-bye."""
    message = bytearray()
    statements = []
    while True:
        kind, body, raw = _message(client)
        message += raw
        match kind:
            case b"P":
                name, sql = body.split(b"\x00", 2)[:2]
                names[name] = sql.decode()
            case b"B":
                statements.append(names.get(body.split(b"\x00", 2)[1], "?"))
            case b"Q":
                statements.append(body.rstrip(b"\x00").decode())
        if kind in b"SQX":
            return Asked(bytes(message), tuple(statements))


def _answer(server: BinaryIO) -> bytes:
    """Everything up to the server's ReadyForQuery."""
    answer = bytearray()
    while True:
        kind, _, raw = _message(server)
        answer += raw
        if kind == b"Z":
            return bytes(answer)


def _message(stream: BinaryIO) -> tuple[bytes, bytes, bytes]:
    head = _exactly(stream, 5)
    body = _exactly(stream, int.from_bytes(head[1:]) - 4)
    return head[:1], body, head + body


def _exactly(stream: BinaryIO, size: int) -> bytes:
    data = stream.read(size)
    if len(data) < size:
        raise EOFError
    return data
