"""A database that was taken back to a point in time: read only until it agrees with the world.

It is told to every session by the database itself (`default_transaction_read_only`), so that no
function has to know of it: what reads is answered, what writes is refused with 503 and comes again,
events are not acknowledged. Jobs look first, and refuse to run; one that looked too early is
refused by the database. Those that bring the books to agree say so, and begin each transaction as
one that writes.

A confirmation that was used after the point in time is not known any more as used. None lives
longer than five minutes: so recovery may end once those that were issued before it began are over.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

import pg8000.native

from common.domain.lost_number import LostNumber, SeriesKey
from common.ports.transactions import DatabaseUnavailable
from common.postgres.connection import ConnectionLost, Statement
from common.postgres.pool import Pool
from common.postgres.schemas import role_of, schema_of
from common.postgres.session import BEGIN_READ_ONLY, ROLLBACK
from common.postgres.tenants import list_tenants

CONFIRMATIONS_LIVE: Final = timedelta(seconds=300 + 30)
"""Five minutes, and the half minute by which clocks may differ."""
SETTING: Final = "billing.recovery_since"
MODE: Final = """
SELECT setting
FROM pg_db_role_setting
CROSS JOIN unnest(setconfig) AS setting
WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND setrole = 0
  AND starts_with(setting, :name || '=')
"""
END_OTHERS: Final = """
SELECT pg_terminate_backend(pid)
FROM pg_stat_activity
WHERE datname = current_database()
  AND pid <> pg_backend_pid()
  AND backend_type = 'client backend'
"""
ENTER: Final = """
SELECT set_config('role', :role, true),
       set_config('search_path', :path, true),
       set_config('app.tenant_id', :tenant, true)
"""
SERIES: Final = "SELECT jurisdiction, document_type, year, last_number FROM number_series"
JURISDICTIONS: Final = """
SELECT jurisdiction FROM number_series
UNION
SELECT property ->> 'jurisdiction'
FROM settings_versions
CROSS JOIN LATERAL jsonb_array_elements(document::jsonb -> 'properties') AS property
"""
LOSE: Final = """
INSERT INTO lost_numbers
  (jurisdiction, document_type, year, series_number, number, payload_sha256, found_at)
VALUES (:jurisdiction, :kind, :year, :place, :number, :sha256, :now)
"""
BEGIN_SERIES: Final = """
INSERT INTO number_series (jurisdiction, document_type, year, last_number)
VALUES (:jurisdiction, :kind, :year, 0)
ON CONFLICT DO NOTHING
"""
MOVE_ON: Final = """
UPDATE number_series
SET last_number = :place, last_sha256 = :sha256, last_issued_at = greatest(last_issued_at, :now)
WHERE jurisdiction = :jurisdiction AND document_type = :kind AND year = :year
  AND last_number < :place
"""


SINCE: Final = "SELECT current_setting($1, true)"
ATTEMPTS: Final = 3


class NotInRecovery(Exception):
    """The database is in ordinary use."""


class TooEarly(Exception):
    """Confirmations that may have been used are still alive; the message says until when."""


def recovering_since(pool: Pool) -> datetime | None:
    """Since when the database only reads, as every session of it is told; None in ordinary use.

    A line that is cut meanwhile ends no job: it is asked again over another one. Raises
    DatabaseUnavailable.
    """
    asking = [BEGIN_READ_ONLY, Statement(SINCE, (SETTING,)), ROLLBACK]
    for _ in range(ATTEMPTS):
        with pool.connection() as connection, suppress(ConnectionLost):
            told = connection.run(asking)[1][0][0]
            return datetime.fromisoformat(told) if told else None
    raise DatabaseUnavailable("the database does not say whether it is restored")


class Recovery:
    """Over one session of a role that may enter all others; it stays the caller's."""

    def __init__(self, session: pg8000.native.Connection) -> None:
        self._session = session
        session.run("SET default_transaction_read_only = off")

    def since(self) -> datetime | None:
        """Since when the database only reads; None in ordinary use."""
        rows = self._session.run(MODE, name=SETTING) or []
        return datetime.fromisoformat(rows[0][0].partition("=")[2]) if rows else None

    def begin(self, now: datetime) -> datetime:
        """Let it only read from now on, and end all other sessions; again, it changes nothing."""
        begun = self.since()
        if begun is not None:
            return begun
        database = self._database()
        since = pg8000.native.literal(now.astimezone(UTC).isoformat())
        self._session.run("BEGIN")
        self._session.run(f"ALTER DATABASE {database} SET default_transaction_read_only = on")
        self._session.run(f"ALTER DATABASE {database} SET {SETTING} = {since}")
        self._session.run("COMMIT")
        self._session.run(END_OTHERS)
        return now

    def end(self, now: datetime) -> None:
        """Let it write again. Raises NotInRecovery, TooEarly."""
        begun = self.since()
        if begun is None:
            raise NotInRecovery
        if now < begun + CONFIRMATIONS_LIVE:
            raise TooEarly((begun + CONFIRMATIONS_LIVE).isoformat(timespec="seconds"))
        database = self._database()
        self._session.run("BEGIN")
        self._session.run(f"ALTER DATABASE {database} RESET {SETTING}")
        self._session.run(f"ALTER DATABASE {database} RESET default_transaction_read_only")
        self._session.run("COMMIT")
        self._session.run(END_OTHERS)

    def tenants(self) -> dict[UUID, str]:
        """Who the database knows, and whether they are active."""
        return {row[0]: row[2] for row in list_tenants(self._session)}

    def last_numbers(self, tenant_id: UUID) -> dict[SeriesKey, int]:
        """What each series of a tenant has come to."""
        with self._inside(tenant_id):
            rows = self._session.run(SERIES) or []
        return {(row[0], row[1], row[2]): row[3] for row in rows}

    def jurisdictions(self, tenant_id: UUID) -> list[str]:
        """Where a tenant has, or had, a house."""
        with self._inside(tenant_id):
            return [row[0] for row in self._session.run(JURISDICTIONS) or []]

    def lose(self, tenant_id: UUID, lost: Sequence[LostNumber], now: datetime) -> None:
        """Write numbers down as lost, and move each series on behind the last of them."""
        with self._inside(tenant_id):
            for each in lost:
                jurisdiction, kind, year = each.series
                which = {"jurisdiction": jurisdiction, "kind": kind, "year": year}
                place = {"place": each.series_number, "sha256": each.payload_sha256, "now": now}
                self._session.run(BEGIN_SERIES, **which)
                self._session.run(LOSE, number=each.number, **which, **place)
                self._session.run(MOVE_ON, **which, **place)

    def _database(self) -> str:
        name: str = self._session.run("SELECT quote_ident(current_database())")[0][0]
        return name

    @contextmanager
    def _inside(self, tenant_id: UUID) -> Iterator[None]:
        """A transaction as the tenant's role."""
        self._session.run("BEGIN")
        try:
            path = f"{schema_of(tenant_id)}, pg_temp"
            role, tenant = role_of(tenant_id), str(tenant_id)
            self._session.run(ENTER, role=role, path=path, tenant=tenant)
            yield
            self._session.run("COMMIT")
        except BaseException:
            self._session.run("ROLLBACK")
            raise
