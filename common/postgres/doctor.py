"""What an operator asks of a database, and the answers: `billing doctor`, `billing tenant show`.

They are read over the session of a role that may enter every tenant's role, each tenant in a
transaction that ends with it. Nothing is written.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Final
from uuid import UUID

import pg8000.native

from common.domain.dataclass import dataclass
from common.postgres.connection import Connection
from common.postgres.invariants import Look, look
from common.postgres.schemas import DRAIN_ROLE, OWNER_ROLE, role_of, schema_of

SERVER: Final = "SELECT current_setting('server_version'), clock_timestamp()"
ENTER: Final = """
SELECT set_config('role', :role, true),
       set_config('search_path', :path, true),
       set_config('app.tenant_id', :tenant, true)
"""
WAITING: Final = """
SELECT count(*)
FROM billing_central.outbox
WHERE published_at IS NULL
"""
# On a laptop whose clock was moved on, what was recorded lies ahead of the database's time.
OLDEST: Final = """
SELECT greatest(extract(epoch FROM now() - min(recorded_at))::bigint, 0)
FROM billing_central.outbox
WHERE published_at IS NULL
"""
LETTERS: Final = """
SELECT count(*)
FROM billing_central.dead_letters
WHERE replayed_at IS NULL
  AND dropped_at IS NULL
"""
FIND_TENANT: Final = """
SELECT cell, status, created_at
FROM billing_central.tenants
WHERE tenant_id = :tenant
"""
FIGURES: Final = """
SELECT (SELECT count(*) FROM folios WHERE status = 'open'),
       (SELECT count(*) FROM folios WHERE status = 'closed'),
       (SELECT count(*) FROM invoices),
       (SELECT coalesce(max(version), 0) FROM settings_versions)
"""


class TenantNotThere(LookupError):
    """The directory knows no such tenant."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """What has not been published, and what consumers have refused for good."""

    events: int
    oldest_seconds: int
    dead_letters: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantFigures:
    """A tenant as the directory and its own schema know it."""

    tenant_id: UUID
    cell: str
    status: str
    created_at: datetime
    open_folios: int
    closed_folios: int
    invoices: int
    settings_version: int


class Doctor:
    """Asks over one session, which stays the caller's."""

    def __init__(self, session: pg8000.native.Connection) -> None:
        self._session = session

    def server(self) -> tuple[str, datetime]:
        """The server's version and its time."""
        with self._transaction():
            version, now = self._session.run(SERVER)[0]
        return str(version), now

    def waiting(self) -> Waiting:
        """What waits in the outbox and among the dead letters."""
        with self._transaction(DRAIN_ROLE):
            events = self._session.run(WAITING)[0][0]
            oldest = self._session.run(OLDEST)[0][0]
            letters = self._session.run(LETTERS)[0][0]
        return Waiting(events, oldest or 0, letters)

    def tenant(self, tenant_id: UUID) -> TenantFigures:
        """A tenant's figures. Raises TenantNotThere."""
        with self._transaction(OWNER_ROLE):
            rows = self._session.run(FIND_TENANT, tenant=tenant_id)
        if not rows:
            raise TenantNotThere(str(tenant_id))
        cell, status, created_at = rows[0]
        with self._inside(tenant_id):
            opened, closed, invoices, version = self._session.run(FIGURES)[0]
        return TenantFigures(
            tenant_id=tenant_id,
            cell=cell,
            status=status,
            created_at=created_at,
            open_folios=opened,
            closed_folios=closed,
            invoices=invoices,
            settings_version=version,
        )

    def books(self, tenant_id: UUID) -> Look:
        """Which invariants a tenant's books break. Raises ServerRefused, ConnectionLost."""
        return look(Connection(lambda: self._session, prepares=False), tenant_id)

    @contextmanager
    def _inside(self, tenant_id: UUID) -> Iterator[None]:
        with self._transaction():
            self._session.run(
                ENTER,
                role=role_of(tenant_id),
                path=f"{schema_of(tenant_id)}, pg_temp",
                tenant=str(tenant_id),
            )
            yield

    @contextmanager
    def _transaction(self, role: str = "") -> Iterator[None]:
        """Read only, and ended whatever happens: no role or setting outlives it."""
        self._session.run("BEGIN READ ONLY")
        try:
            if role:
                self._session.run(f"SET LOCAL ROLE {role}")
            yield
        finally:
            self._session.run("ROLLBACK")
