"""The processes' way to the database: it cuts by seeded dice, and knows which commits were lost.

It also lies in wait: at the moment at which a commit has been sent, or has been done and not yet
been answered, it lets somebody strike, so that faults fall where they hurt and not anywhere.
"""

import random
import re
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import BinaryIO, Protocol

from tests.postgres.proxy import Asked, Proxy, _answer, _Line, _request
from tests.trust.chaos.history import Cut, History, LostCommit

AUDIT_ID = re.compile(rb"aud_[0-9A-HJKMNP-TV-Z]{26}")
MARKING = "SET published_at"
AUDITS_OF_A_COMMAND = 2
"""A close has two, every other command one; what has more is the commit of several commands."""
PEER = struct.Struct("3i")
PEER_ON_MACOS = 0, 2
"""SOL_LOCAL and LOCAL_PEERPID, for which Python has no names."""


class Server(Protocol):
    """Whatever listens at a socket that may move when it is started again."""

    @property
    def socket(self) -> Path: ...


class Moment(Enum):
    """When to strike."""

    NOW = "at any moment"
    COMMIT_SENT = "when a commit was sent"
    COMMIT_DONE = "when a commit was done and not answered"


class Place(Enum):
    """Where a connection is cut."""

    BEFORE_THE_SERVER = "before the server"
    BEFORE_THE_CLIENT = "before the client"
    IN_THE_ANSWER = "in the middle of the answer"


@dataclass(frozen=True, slots=True)
class Weather:
    """How often a connection is cut: at a commit, at one of several commands, when the drainer
    marks, elsewhere.
    """

    commit: float = 0.12
    shared: float = 0.4
    marking: float = 0.15
    other: float = 0.05


FAIR = Weather(0, 0, 0, 0)


@dataclass
class Ambush:
    """Strikes once, at a commit of a process that it waits for, told by its id."""

    moment: Moment
    waits_for: Callable[[int], bool]
    strike: Callable[[], None]
    sprung: threading.Event = field(default_factory=threading.Event)


class Wire(Proxy):
    """A proxy that survives its server, in any weather."""

    def __init__(self, server: Server, history: History, seed: int) -> None:
        self._server = server
        self._history = history
        self._dice = random.Random(f"{seed}/wire")
        self._ambush: Ambush | None = None
        self.weather = FAIR
        super().__init__(server)  # type: ignore[arg-type] # of which it knows the socket only

    def lie_in_wait(self, ambush: Ambush, seconds: float) -> bool:
        """Wait for the moment, at most so long; whether it came. Never strikes afterwards."""
        with self._lock:
            self._ambush = ambush
        ambush.sprung.wait(seconds)
        with self._lock:
            missed, self._ambush = self._ambush is ambush, None
        if not missed:
            ambush.sprung.wait()
        return not missed

    def _listen(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            try:
                server.connect(str(self._server.socket))
            except OSError:  # it is down: who calls is told so by a line that ends at once
                server.close()
                client.close()
                continue
            line = _Line(client, server)
            self._lines.append(line)
            thread = threading.Thread(target=self._carry, args=(line,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _carry_one(self, line: _Line, client: BinaryIO, server: BinaryIO) -> bool:
        asked = _request(client, line.names)
        if asked.message[:1] == b"X":
            line.server.sendall(asked.message)
            return False
        found = AUDIT_ID.findall(asked.message) if asked.commits else []
        audits = sorted({name.decode() for name in found})
        place = self._place(asked, len(audits))
        if place is Place.BEFORE_THE_SERVER:
            self._cut(place, audits)
            return False
        reply = self._asked(line, server, asked.message, audits)
        if place is not None:
            self._cut(place, audits)
            if place is Place.IN_THE_ANSWER:
                line.client.sendall(reply[: len(reply) // 2])
            return False
        try:
            line.client.sendall(reply)
        except OSError:
            self._lose("with its process", audits)
            raise
        return True

    def _asked(self, line: _Line, server: BinaryIO, message: bytes, audits: list[str]) -> bytes:
        try:
            line.server.sendall(message)
            if audits:
                self._spring(Moment.COMMIT_SENT, line)
            reply = _answer(server)
        except (OSError, EOFError):
            self._lose("with the database", audits)
            raise
        if audits:
            self._spring(Moment.COMMIT_DONE, line)
        return reply

    def _place(self, asked: Asked, audits: int) -> Place | None:
        """Where this request is cut; the drainer's polling, ten times a second, is left alone."""
        odds = self.weather.other
        if audits:
            odds = self.weather.shared if audits > AUDITS_OF_A_COMMAND else self.weather.commit
        elif any(MARKING in statement for statement in asked.statements):
            odds = self.weather.marking
        elif asked.commits:
            odds = 0
        with self._lock:
            if self._dice.random() >= odds:
                return None
            return self._dice.choice(list(Place))

    def _spring(self, moment: Moment, line: _Line) -> None:
        with self._lock:
            ambush = self._ambush
            if ambush is None or ambush.moment is not moment:
                return
            if not ambush.waits_for(_process_of(line.client)):
                return
            self._ambush = None
        try:
            ambush.strike()
        finally:
            ambush.sprung.set()

    def _cut(self, place: Place, audits: list[str]) -> None:
        self._history.tell(Cut(place.value, time.monotonic()))
        self._lose(place.value, audits)

    def _lose(self, how: str, audits: list[str]) -> None:
        if audits:
            self._history.tell(LostCommit(how, audits, time.monotonic()))


def _process_of(client: socket.socket) -> int:
    """Who is at the other end of a Unix socket."""
    if sys.platform == "darwin":
        return client.getsockopt(*PEER_ON_MACOS)
    told = client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, PEER.size)
    return int(PEER.unpack(told)[0])
