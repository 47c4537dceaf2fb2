"""One migration on one schema: a transaction of its own, safe beside others, safe to repeat.

Three things make it so. A lock of the transaction, not of the session, keeps two runners apart, so
it also holds behind a pooler that changes the server between transactions. What is recorded is read
again under that lock, so the second runner finds the work done. And a wait for a table is cut off
after half a second and tried again later: a reader that takes its time must not make everyone else
queue behind the migration that waits for it.
"""

import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, Literal, Protocol, TypeVar
from uuid import UUID

from pg8000.exceptions import DatabaseError, InterfaceError

from common.domain.dataclass import dataclass
from common.postgres.migration_files import Migration, resolved
from common.postgres.schemas import APPEND_ONLY_TABLES, CENTRAL_SCHEMA, OWNER_ROLE

Direction = Literal["up", "down"]
Done = TypeVar("Done")

PASSING: Final = frozenset({"55P03", "40P01", "40001"})
"""Lock not available, deadlock, serialization failure: tried again."""

BEGIN: Final = """
BEGIN;
SET LOCAL lock_timeout = '{wait_ms}ms';
SET LOCAL statement_timeout = '{statement_s}s';
SET LOCAL idle_in_transaction_session_timeout = '60s';
"""
TAKE_THE_SCHEMA: Final = "SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))"
ENTER_SCHEMA: Final = """
SET LOCAL ROLE {owner};
SET LOCAL search_path = {schema}, pg_temp;
SET LOCAL app.tenant_id = '{tenant}';
SET LOCAL lock_timeout = '{lock_ms}ms';
"""
AS_OWNER: Final = f"SET LOCAL ROLE {OWNER_ROLE}"
RECORDED: Final = """
SELECT version, checksum
FROM billing_central.schema_migrations
WHERE schema_name = :key
ORDER BY version
"""
RECORD: Final = """
INSERT INTO billing_central.schema_migrations (schema_name, version, name, checksum)
VALUES (:key, :version, :name, :checksum)
"""
FORGET: Final = """
DELETE FROM billing_central.schema_migrations
WHERE schema_name = :key
  AND version = :version
"""
# Pages, not rows: the owner is bound by row security too and would see an empty table.
TABLES_WITH_RECORDS: Final = """
SELECT relname
FROM pg_class
WHERE relnamespace = to_regnamespace(:schema)
  AND relkind IN ('r', 'p')
  AND relname = ANY (:names)
  AND pg_relation_size(oid) > 0
"""
TABLES_LEFT: Final = """
SELECT relname
FROM pg_class
WHERE relnamespace = to_regnamespace(:schema)
  AND relname = ANY (:names)
"""


class MigrationRefused(Exception):
    """What is recorded and what the files say do not fit, or records would be destroyed."""


class ConnectionGone(Exception):
    """The connection was given up; whether the transaction took effect must be read anew."""


class Session(Protocol):
    """What is used of a `pg8000.native.Connection`."""

    def run(self, sql: str, **parameters: object) -> Sequence[Sequence[Any]]:
        """Run SQL; without parameters it may hold several statements."""

    def close(self) -> None:
        """End the session."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a migration may wait and run, and how often it tries again."""

    lock_timeout_ms: int = 500
    lock_attempts: int = 20
    runner_wait_seconds: int = 15
    statement_timeout_seconds: int = 300
    pause: Callable[[float], None] = time.sleep


@dataclass(frozen=True, slots=True)
class Schema:
    """A schema to migrate: where its objects are, and the name that its versions are kept under.

    The two differ once an archived schema was renamed.
    """

    name: str
    key: str
    tenant_id: UUID | None = None


CENTRAL: Final = Schema(CENTRAL_SCHEMA, CENTRAL_SCHEMA)


class Link:
    """The one connection of a runner, replaced after anything but a clean error of the server.

    A pg8000 connection that failed in another way may be one reply behind and answer the next
    question with the previous one's rows (TEN-2b).
    """

    def __init__(self, connect: Callable[[], Session], limits: Limits) -> None:
        self.limits = limits
        self._connect = connect
        self._session: Session | None = None

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """A transaction that may wait for another runner; return commits, raise rolls back.

        Raises the server's DatabaseError with the connection clean, ConnectionGone otherwise.
        """
        session = self._open()
        begin = BEGIN.format(
            wait_ms=self.limits.runner_wait_seconds * 1000,
            statement_s=self.limits.statement_timeout_seconds,
        )
        try:
            session.run(begin)
            yield session
            session.run("COMMIT")
        except DatabaseError:
            self._roll_back(session)
            raise
        except MigrationRefused:
            self._roll_back(session)
            raise
        except (InterfaceError, OSError) as lost:
            self.close()
            raise ConnectionGone(str(lost) or type(lost).__name__) from lost
        except BaseException:
            self.close()
            raise

    def persist(self, work: Callable[[], Done], *, also: frozenset[str] = frozenset()) -> Done:
        """Do the work, again after a passing error or a lost connection, a bounded time.

        `also` names further error codes that pass. The work must be safe to repeat.
        """
        for attempt in range(1, self.limits.lock_attempts + 1):
            try:
                return work()
            except DatabaseError as refused:
                if sqlstate(refused) not in PASSING | also or attempt == self.limits.lock_attempts:
                    raise
            except ConnectionGone:
                if attempt >= 3:
                    raise
            # Spread out, so that two that disturbed one another do not meet again.
            self.limits.pause(min(0.05 * 2**attempt, 2) * random.uniform(0.5, 1))  # noqa: S311 - not a secret
        raise AssertionError("the last attempt returned or raised")

    def close(self) -> None:
        """End the session; never raises."""
        session, self._session = self._session, None
        if session is None:
            return
        try:
            session.close()
        except (InterfaceError, OSError):
            return

    def _open(self) -> Session:
        if self._session is None:
            try:
                self._session = self._connect()
            except (InterfaceError, OSError) as lost:
                raise ConnectionGone(str(lost) or type(lost).__name__) from lost
        return self._session

    def _roll_back(self, session: Session) -> None:
        try:
            session.run("ROLLBACK")
        except (DatabaseError, InterfaceError, OSError) as lost:
            self.close()
            raise ConnectionGone(str(lost) or type(lost).__name__) from lost


def step(
    link: Link,
    schema: Schema,
    files: Sequence[Migration],
    version: int,
    direction: Direction,
    *,
    destroy_records: bool = False,
) -> bool:
    """Apply or take back one version; whether it was this runner that did it.

    Raises MigrationRefused, the server's DatabaseError, or ConnectionGone, each with the schema
    as it was before.
    """

    def work() -> bool:
        with link.transaction() as session:
            session.run(TAKE_THE_SCHEMA, key=schema.key)
            session.run(_entering(schema, link.limits))
            recorded = [tuple(row) for row in session.run(RECORDED, key=schema.key)]
            check_history(schema.key, recorded, files)
            if (len(recorded) >= version) == (direction == "up"):
                return False
            if direction == "up":
                _apply(session, schema, files[version - 1])
            else:
                _take_back(session, schema, files[version - 1], destroy_records=destroy_records)
            return True

    return link.persist(work)


def move(
    link: Link,
    schema: Schema,
    files: Sequence[Migration],
    target: int,
    direction: Direction,
    *,
    arrived: Callable[[int, bool], None],
    destroy_records: bool = False,
) -> None:
    """Bring one schema to a version, in the direction asked for only, one transaction a step.

    `arrived` is told each version that holds from then on, also when a later step fails, and
    whether this run brought it about: the first was found, and another runner may have been
    faster. Raises MigrationRefused, DatabaseError or ConnectionGone.
    """
    now = len(history(link, schema, files))
    arrived(now, False)
    if direction == "up":
        for version in range(now + 1, target + 1):
            arrived(version, step(link, schema, files, version, "up"))
        return
    if now > max(target, len(files)):
        raise MigrationRefused(
            f"{schema.key}: version {now:04} is newer than these files, which end at "
            f"{len(files):04}; its own release takes it back"
        )
    for version in range(now, target, -1):
        ours = step(link, schema, files, version, "down", destroy_records=destroy_records)
        arrived(version - 1, ours)


def history(link: Link, schema: Schema, files: Sequence[Migration]) -> Sequence[tuple[int, str]]:
    """Return version and checksum of what was applied, after checking it against the files."""

    def work() -> Sequence[tuple[int, str]]:
        with link.transaction() as session:
            session.run(AS_OWNER)
            recorded = [(row[0], row[1]) for row in session.run(RECORDED, key=schema.key)]
            check_history(schema.key, recorded, files)
            return recorded

    return link.persist(work)


def check_history(
    key: str, recorded: Sequence[tuple[Any, ...]], files: Sequence[Migration]
) -> None:
    """Refuse when what was applied is not what the files say: a gap or a changed file."""
    for expected, (version, checksum) in enumerate(recorded, start=1):
        if version != expected:
            raise MigrationRefused(f"{key}: version {expected:04} is missing among those applied")
        if version <= len(files) and files[version - 1].checksum != checksum:
            raise MigrationRefused(
                f"{key}: {files[version - 1].label} was changed after it was applied; take the "
                "change back and write a new migration"
            )


def sqlstate(error: DatabaseError) -> str:
    """The five-character code of a server's error."""
    fields = error.args[0] if error.args else {}
    return str(fields.get("C", "")) if isinstance(fields, dict) else ""


def said(error: DatabaseError) -> str:
    """What the server said, in one line, without its DETAIL (it may hold a row)."""
    fields = error.args[0] if error.args else {}
    if not isinstance(fields, dict):
        return str(error)
    return f"{fields.get('M', '')} ({fields.get('C', '')})"


def _entering(schema: Schema, limits: Limits) -> str:
    return ENTER_SCHEMA.format(
        owner=OWNER_ROLE,
        schema=schema.name,
        tenant="" if schema.tenant_id is None else UUID(hex=schema.tenant_id.hex),
        lock_ms=limits.lock_timeout_ms,
    )


def _apply(session: Session, schema: Schema, migration: Migration) -> None:
    _execute(session, schema, migration, migration.up, migration.up_line)
    session.run(AS_OWNER)
    session.run(
        RECORD,
        key=schema.key,
        version=migration.version,
        name=migration.name,
        checksum=migration.checksum,
    )


def _take_back(
    session: Session, schema: Schema, migration: Migration, *, destroy_records: bool
) -> None:
    names = sorted(APPEND_ONLY_TABLES)
    before = session.run(TABLES_WITH_RECORDS, schema=schema.name, names=names)
    _execute(session, schema, migration, migration.down, migration.down_line)
    session.run(AS_OWNER)
    left = session.run(TABLES_LEFT, schema=schema.name, names=names)
    lost = sorted({row[0] for row in before} - {row[0] for row in left})
    if lost and not destroy_records:
        raise MigrationRefused(
            f"{schema.key}: taking back {migration.label} would drop records that must be kept "
            f"({', '.join(lost)})"
        )
    session.run(FORGET, key=schema.key, version=migration.version)


def _execute(
    session: Session, schema: Schema, migration: Migration, sql: str, first_line: int
) -> None:
    text = resolved(sql, schema.tenant_id)
    try:
        session.run(text)
    except DatabaseError as error:
        fields = error.args[0] if error.args and isinstance(error.args[0], dict) else {}
        position = str(fields.get("P", ""))
        if position.isdigit():
            line = first_line + text[: int(position) - 1].count("\n")
            fields["M"] = f"{fields.get('M', '')}, {migration.label}.sql line {line}"
        raise
