"""One transaction on one connection: entered as one tenant, written in one piece, ended cleanly.

The first round trip carries everything that a command needs before it can begin: the limits, BEGIN,
the tenant's role, search path and setting for this transaction only, a random nonce that must come
back, the locks and stored answers of its idempotency keys, and the settings if ours are out of
date. The last one carries all writes and the commit. How long a statement, a lock and an absent
client may take is said here too, for whoever logs in and behind every pooler.

The nonce proves that an answer belongs to this transaction: a connection that is one reply behind
is found out by it and thrown away before a row is read from it.
"""

import json
import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, Final
from uuid import UUID

from common.domain.dataclass import dataclass
from common.domain.settings import Settings
from common.ports.clock import Clock
from common.ports.transactions import (
    Allowance,
    CrossTenantRow,
    Opening,
    OutcomeUnknown,
    SettingsMissing,
    StoredAnswer,
    TenantUnknown,
    TryAgain,
)
from common.postgres import rate_counters
from common.postgres.connection import (
    Connection,
    ConnectionLost,
    ForeignReply,
    Row,
    ServerRefused,
    Statement,
)
from common.postgres.refusals import translated
from common.postgres.schemas import role_of, schema_of
from common.postgres.settings_cache import KnownSettings, SettingsCache

BEGIN = Statement("BEGIN", everywhere=True)
BEGIN_READ_ONLY = Statement("BEGIN READ ONLY", everywhere=True)
BEGIN_READ_WRITE = Statement("BEGIN READ WRITE", everywhere=True)
COMMIT = Statement("COMMIT", everywhere=True)
ROLLBACK = Statement("ROLLBACK", everywhere=True)
ENTER: Final = """
SELECT $1::text,
       transaction_timestamp(),
       set_config('role', $2, true),
       set_config('search_path', $3, true),
       set_config('app.tenant_id', $4, true),
       set_config('lock_timeout', '5s', true),
       set_config('statement_timeout', '15s', true),
       set_config('idle_in_transaction_session_timeout', '30s', true)
"""
LOCK_KEY: Final = "SELECT pg_try_advisory_xact_lock($1::bigint)"
STORED_ANSWERS: Final = """
SELECT tenant_id, key_hash, fingerprint, status, headers, body, property_ids
FROM idempotency_keys
WHERE key_hash = ANY ($1::bytea[])
"""
STEP_UP_QUEUE: Final = "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))"
STEP_UP_USE: Final = """
SELECT tenant_id, token_id
FROM billing_central.step_up_uses
WHERE issuer = $1 AND token_id = $2
"""
NO_SUCH_TENANT: Final = frozenset({"22023", "42704", "42501", "42P01"})
"""No such role, none that may be entered, or none of the tables: never born, or archived."""


@dataclass(frozen=True, slots=True)
class Insert:
    """An INSERT of many rows given as one JSON array; `rank` orders it among the writes."""

    rank: int
    sql: str

    @classmethod
    def into(cls, rank: int, table: str, columns: str) -> "Insert":
        """Insert the named columns; the tenant comes from the transaction, by default."""
        return cls(
            rank,
            f"INSERT INTO {table} ({columns})\n"
            f"SELECT {columns}\nFROM jsonb_populate_recordset(NULL::{table}, $1::jsonb)",
        )


@dataclass(frozen=True, slots=True)
class Write:
    """A single statement among the writes."""

    rank: int
    statement: Statement


class Session:
    """A transaction that has begun. Only `Transactions` makes one."""

    def __init__(
        self,
        connection: Connection,
        opening: Opening,
        *,
        settings_cache: SettingsCache,
    ) -> None:
        self.tenant_id: UUID = opening.tenant_id
        self.scope = schema_of(opening.tenant_id)
        self.answers: dict[bytes, StoredAnswer] = {}
        self.busy: frozenset[bytes] = frozenset()
        self.used: frozenset[str] = frozenset()
        self.allowances: tuple[Allowance, ...] = ()
        self.loaded: dict[tuple[str, str], Any] = {}
        self._opening = opening
        self._connection = connection
        self._cache = settings_cache
        self._settings: Settings | None = None
        self._inserts: dict[Insert, list[dict[str, Any]]] = {}
        self._writes: dict[object, Write] = {}
        self.now: datetime

    @property
    def settings(self) -> Settings:
        """The tenant's settings in force. Raises SettingsMissing while it has none."""
        if self._settings is None:
            raise SettingsMissing(str(self.tenant_id))
        return self._settings

    @property
    def settings_version(self) -> int:
        """The number of the settings in force, 0 before the first."""
        return self._settings.version if self._settings else 0

    def begin(self, clock: Clock) -> None:
        """Enter the tenant's transaction. Raises TenantUnknown, TryAgain, ForeignReply."""
        opening, nonce = self._opening, secrets.token_hex(16)
        known = self._cache.get(self.tenant_id)
        prelude = rate_counters.consume(opening.limits)
        locks = [Statement(LOCK_KEY, (_lock_number(key),), True) for key in opening.keys]
        lookups = [self._cache.newest(known)]
        if opening.keys:
            lookups.append(Statement(STORED_ANSWERS, (_bytea_array(opening.keys),)))
        for each in opening.step_ups:  # in a queue, so that the next one knows what became of it
            lookups.append(Statement(STEP_UP_QUEUE, (f"{each.issuer} {each.token_id}",)))
            lookups.append(Statement(STEP_UP_USE, (each.issuer, each.token_id)))
        begin = BEGIN_READ_WRITE if opening.serves_recovery else BEGIN
        begin = BEGIN_READ_ONLY if opening.reads_only else begin
        replies = iter(self._enter([*prelude, begin, *locks, self._entering(nonce), *lookups]))
        counted = list(islice(replies, len(prelude)))
        next(replies)
        locked = list(islice(replies, len(locks)))
        entered = next(replies)
        if not entered or entered[0][0] != nonce:
            self._connection.broken = True
            raise ForeignReply()
        self.now = clock.at(entered[0][1])
        self.allowances = rate_counters.granted(opening.limits, counted)
        self.busy = frozenset(
            key for key, rows in zip(opening.keys, locked, strict=True) if not rows[0][0]
        )
        self._read_settings(known, next(replies))
        if opening.keys:
            self._read_answers(next(replies))
        uses = list(replies)[1::2]
        self.used = frozenset(self._own(row)[1] for rows in uses for row in rows)

    def rows(self, sql: str, *parameters: Any) -> list[Row]:
        """Read rows of this tenant; the first column of each is its tenant."""
        return self.batch([Statement(sql, parameters)])[0]

    def batch(self, statements: Sequence[Statement]) -> list[list[Row]]:
        """Read with several statements in one round trip."""
        results = self._run(statements)
        for row in (row for rows in results for row in rows):
            self._own(row)
        return results

    def insert(self, insert: Insert, rows: Iterable[dict[str, Any]]) -> None:
        """Collect rows to be written at the commit."""
        self._inserts.setdefault(insert, []).extend(rows)

    def write(self, key: object, write: Write) -> None:
        """Collect a statement; a later one under the same key takes its place."""
        self._writes[key] = write

    def commit(self) -> None:
        """Write everything that was collected and commit, in one round trip."""
        writes = [
            (insert.rank, Statement(insert.sql, (as_json(rows),)))
            for insert, rows in self._inserts.items()
        ]
        writes += [(write.rank, write.statement) for write in self._writes.values()]
        writes.sort(key=lambda item: item[0])
        if self._connection.aborted:
            raise TryAgain("a statement before the commit failed")
        try:
            self._connection.run([*(w for _, w in writes), COMMIT], scope=self.scope)
        except ServerRefused as refused:
            raise translated(refused) from refused
        except ConnectionLost as lost:
            raise OutcomeUnknown() from lost

    def rollback(self) -> None:
        """Undo everything; a connection that cannot even do that is broken and says so."""
        if self._connection.broken or not self._connection.in_transaction:
            return
        try:
            self._connection.run([ROLLBACK])
        except (ServerRefused, ConnectionLost):
            self._connection.broken = True

    def _entering(self, nonce: str) -> Statement:
        path = f"{self.scope}, pg_temp"
        return Statement(ENTER, (nonce, role_of(self.tenant_id), path, str(self.tenant_id)), True)

    def _enter(self, statements: Sequence[Statement]) -> list[list[Row]]:
        try:
            return self._run(statements)
        except ServerRefused as refused:
            if refused.sqlstate in NO_SUCH_TENANT:
                raise TenantUnknown(str(self.tenant_id)) from refused
            raise

    def _read_settings(self, known: KnownSettings | None, rows: Sequence[Row]) -> None:
        for row in rows:
            self._own(row)
        self._settings = self._cache.updated(self.tenant_id, known, rows)

    def _read_answers(self, rows: Sequence[Row]) -> None:
        for row in rows:
            self._own(row)
            self.answers[bytes(row[1])] = StoredAnswer(
                fingerprint=bytes(row[2]),
                status=row[3],
                headers=json.loads(row[4]),
                body=row[5],
                property_ids=frozenset(row[6]),
            )

    def _run(self, statements: Sequence[Statement]) -> list[list[Row]]:
        try:
            return self._connection.run(statements, scope=self.scope)
        except ServerRefused as refused:
            translation = translated(refused)
            raise translation from refused
        except ConnectionLost as lost:
            raise TryAgain("connection lost") from lost

    def _own(self, row: Row) -> Row:
        if row[0] != self.tenant_id:
            self._connection.broken = True
            raise CrossTenantRow()
        return row


def as_json(rows: object) -> str:
    """A document as the server reads it: bytes in hexadecimal, instants by ISO 8601."""
    return json.dumps(rows, separators=(",", ":"), default=_plain)


def _plain(value: object) -> str:
    match value:
        case bytes():
            return "\\x" + value.hex()
        case datetime():
            return value.isoformat()
        case _:
            return str(value)


def _lock_number(key: bytes) -> int:
    return int.from_bytes(key[:8], "big", signed=True)


def _bytea_array(keys: Iterable[bytes]) -> str:
    return "{" + ",".join(f'"\\\\x{key.hex()}"' for key in keys) + "}"
