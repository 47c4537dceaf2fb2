"""Connections kept between requests: as many as there are threads, given back clean or thrown away.

A connection is used by one thread at a time. One that is broken, too old, or still inside a
transaction is closed instead of being kept. A tenant prefers a connection that has served it
before: the server's caches of its schema are warm there.

One that nobody has asked anything for nine minutes is not asked again. An instance without a
processor between requests keeps none alive, and Google's network forgets one that is silent for ten
minutes: a question to it would be waited for until the socket's time is up, and then asked anew.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from common.ports.transactions import DatabaseAway
from common.postgres.connection import Connection, ConnectionLost

SCOPES_PER_CONNECTION_MAX: Final = 400
IDLE_SECONDS_MAX: Final = 540.0


class Pool:
    """At most `size` connections; waiting for one is bounded by `wait_seconds`."""

    def __init__(
        self,
        connect: Callable[[], Connection],
        *,
        size: int,
        wait_seconds: float = 5.0,
        age_seconds_max: float = 1800.0,
    ) -> None:
        self._connect = connect
        self._slots = threading.BoundedSemaphore(size)
        self._wait_seconds = wait_seconds
        self._age_seconds_max = age_seconds_max
        self._lock = threading.Lock()
        self._idle: list[Connection] = []
        self.discarded = 0

    @contextmanager
    def connection(self, scope: str = "") -> Iterator[Connection]:
        """Lend a connection. Raises DatabaseAway when none can be had in time."""
        if not self._slots.acquire(timeout=self._wait_seconds):
            raise DatabaseAway("every connection is in use")
        try:
            connection = self._idle_for(scope) or self._open()
            try:
                yield connection
            finally:
                self._give_back(connection, scope)
        finally:
            self._slots.release()

    def close(self) -> None:
        """Close the idle connections."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _open(self) -> Connection:
        try:
            connection = self._connect()
        except ConnectionLost as lost:
            raise DatabaseAway("the database does not answer") from lost
        connection.opened_at = time.monotonic()
        return connection

    def _idle_for(self, scope: str) -> Connection | None:
        for connection in self._silent():
            connection.broken = True  # whoever would be told that it ends does not hear it
            connection.close()
        with self._lock:
            if not self._idle:
                return None
            for place, connection in enumerate(self._idle):
                if scope in connection.scopes:
                    return self._idle.pop(place)
            return self._idle.pop()

    def _silent(self) -> list[Connection]:
        """Those that were asked nothing for too long, taken out."""
        with self._lock:
            kept_since = time.monotonic() - IDLE_SECONDS_MAX
            silent = [each for each in self._idle if each.idle_since < kept_since]
            self._idle = [each for each in self._idle if each.idle_since >= kept_since]
            self.discarded += len(silent)
        return silent

    def _give_back(self, connection: Connection, scope: str) -> None:
        age = time.monotonic() - connection.opened_at
        worn = age > self._age_seconds_max or len(connection.scopes) > SCOPES_PER_CONNECTION_MAX
        if connection.broken or connection.in_transaction or worn:
            self.discarded += 1
            connection.close()
            if connection.lost:
                self.close()  # what cut one connection has very likely cut the idle ones too
            return
        connection.scopes.add(scope)
        connection.idle_since = time.monotonic()
        with self._lock:
            self._idle.append(connection)
