"""The directory's own rows: which tenants there are, and the cell each lives in."""

from typing import Final
from uuid import UUID

import pg8000.native

from common.ports.transactions import DatabaseUnavailable
from common.postgres.connection import ConnectionLost, Statement
from common.postgres.pool import Pool
from common.postgres.schemas import schema_of

REGISTER: Final = """
INSERT INTO billing_central.tenants (tenant_id, schema_name, cell)
VALUES (:tenant_id, :schema_name, :cell)
ON CONFLICT (tenant_id) DO NOTHING
"""
LIST: Final = "SELECT tenant_id, cell, status, created_at FROM billing_central.tenants ORDER BY 1"

ACTIVE: Final = """
SELECT tenant_id
FROM billing_central.tenants
WHERE status = 'active'
ORDER BY tenant_id
"""


def register_tenant(session: pg8000.native.Connection, tenant_id: UUID, cell: str = "main") -> None:
    """Write a tenant into the directory; a second time changes nothing."""
    session.run("BEGIN")
    session.run("SET LOCAL ROLE billing_owner")
    session.run(REGISTER, tenant_id=tenant_id, schema_name=schema_of(tenant_id), cell=cell)
    session.run("COMMIT")


def list_tenants(session: pg8000.native.Connection) -> list[tuple[UUID, str, str]]:
    """All tenants with their cell and status."""
    session.run("BEGIN")
    session.run("SET LOCAL ROLE billing_owner")
    rows = session.run(LIST)
    session.run("COMMIT")
    return [(row[0], row[1], row[2]) for row in rows or []]


def active_tenants(pool: Pool) -> list[UUID]:
    """The tenants that a job works for. Raises DatabaseUnavailable."""
    with pool.connection() as connection:
        try:
            rows = connection.run(
                [Statement("BEGIN READ ONLY"), Statement(ACTIVE), Statement("COMMIT")]
            )[1]
        except ConnectionLost as lost:
            raise DatabaseUnavailable("the directory cannot be reached") from lost
    return [row[0] for row in rows]
