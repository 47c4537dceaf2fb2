"""Connections that stop before every statement, so that somebody else decides who goes on.

The service sends a list of statements at once; here each is sent alone, and before each the worker
whose thread runs it stops at a point and waits to be let go on. What can happen between two
statements on the server can so be made to happen, in any order. A worker can also be made to die
there, or its line be cut: before the statement (the server never hears of it) or after it (the
server has done it, and nobody hears of that).

A process that dies runs nothing any more: `Died` is no Exception, so no handler of the service
takes it for an error, and its connection's socket is closed without a word.
"""

import re
import socket
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from enum import Enum
from typing import Any, Protocol

import pg8000.native

from common.postgres.connection import Connection, ConnectionLost, Row, ServerRefused, Statement


class Fault(Enum):
    """What can be made to happen at a point."""

    DIES_BEFORE = "dies before it"
    DIES_AFTER = "dies after it"
    CUT_BEFORE = "is cut off before it"
    CUT_AFTER = "is cut off after it"

    @property
    def kills(self) -> bool:
        """Whether the process is gone; else only its line is, and the service goes on."""
        return self in (Fault.DIES_BEFORE, Fault.DIES_AFTER)

    @property
    def strikes_first(self) -> bool:
        """Whether the statement is never sent."""
        return self in (Fault.DIES_BEFORE, Fault.CUT_BEFORE)


class Died(BaseException):
    """The process is gone: whoever called it hears nothing."""


class Stepping(Protocol):
    """Who is asked before every statement: a worker of the scheduler.

    `torn` are the server's processes behind the lines that were cut under it.
    """

    torn: list[int]

    def point(self, connection: "SteppedConnection", label: str) -> Fault | None:
        """Wait until this worker is let go on; what shall happen to it here."""


_here = threading.local()


def stepping() -> Stepping | None:
    """The worker whose thread this is, if any."""
    worker: Stepping | None = getattr(_here, "worker", None)
    return worker


def step_as(worker: Stepping | None) -> None:
    """From now on, what this thread sends is sent as this worker's."""
    _here.worker = worker


class SteppedConnection(Connection):
    """One session; `pid` is the server's process behind it."""

    def __init__(
        self, open_session: Callable[[], pg8000.native.Connection], **options: Any
    ) -> None:
        super().__init__(open_session, **options)
        begin, ask, end = Statement("BEGIN"), Statement("SELECT pg_backend_pid()"), Statement("END")
        self.pid: int = super().run([begin, ask, end])[1][0][0]

    def run(self, statements: Sequence[Statement], *, scope: str = "") -> list[list[Row]]:
        """As the connection it stands for, one statement at a time."""
        worker = stepping()
        if worker is None or self.broken:
            return super().run(statements, scope=scope)
        results: list[list[Row]] = []
        for statement in statements:
            fault = worker.point(self, label_of(statement.sql))
            if fault is None:
                results += super().run([statement], scope=scope)
                continue
            if not fault.strikes_first:
                with suppress(ServerRefused):
                    super().run([statement], scope=scope)
            self.tear()
            worker.torn.append(self.pid)
            raise Died if fault.kills else ConnectionLost(fault.value)
        return results

    def tear(self) -> None:
        """Close the socket without a word; the server finds out by itself."""
        self.broken = True
        with suppress(OSError):
            self._session._usock.shutdown(socket.SHUT_RDWR)


_TABLE = re.compile(r"\b(?:FROM|INTO|UPDATE)\s+(?:billing_central\.)?(\w+)")
_LOCKS = {"NO KEY UPDATE": "takes", "UPDATE": "takes", "SHARE": "shares"}
_KNOWN = (
    ("set_config('role'", "enters"),
    ("pg_try_advisory_xact_lock", "claims its key"),
    ("pg_advisory_xact_lock_shared", "holds the day open"),
    ("current_setting('app.tenant_id')::uuid, pg_advisory_xact_lock(", "takes the day or a trail"),
    ("current_tenant(), pg_advisory_xact_lock(", "waits for others by the same card"),
    ("pg_advisory_xact_lock", "queues for its step-up token"),
)


def label_of(sql: str) -> str:
    """What a statement does, in two or three words: `takes folios`, `writes outbox`, `COMMIT`."""
    text = sql.strip()
    for sign, label in _KNOWN:
        if sign in text:
            return label
    table = _TABLE.search(text)
    if table is None:
        return text.split("\n", 1)[0][:40]
    verb = text.split(None, 1)[0].upper()
    if verb in ("SELECT", "WITH"):
        locked = re.search(r"\bFOR (NO KEY UPDATE|UPDATE|SHARE)\b", text)
        verb = _LOCKS[locked[1]] if locked else "reads"
    words = {"INSERT": "writes", "UPDATE": "changes", "DELETE": "deletes from"}
    return f"{words.get(verb, verb)} {table[1]}"
