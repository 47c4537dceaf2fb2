"""What stands in a tenant's tables, to be held against what stands there later."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary

from common.local.database import LocalDatabase
from common.postgres.connection import Connection, ConnectionLost, Statement
from common.postgres.sessions import connector
from tests.hotel import House

MOMENT = "SELECT pg_current_snapshot()::text"
"""Which transactions have been committed: where it is the same, nobody has written anything."""
TABLES = (
    "SELECT table_schema || '.' || table_name FROM information_schema.tables"
    " WHERE table_schema = :schema OR (table_schema = 'billing_central'"
    " AND table_name IN ('outbox', 'step_up_uses', 'subscriptions', 'subscription_invoices',"
    " 'platform_entries', 'usage_periods', 'usage_records', 'usage_events', 'usage_values',"
    " 'usage_totals', 'trials', 'trial_marks', 'subscription_payments',"
    " 'subscription_collections', 'revenue_movements', 'platform_credit_notes',"
    " 'platform_reversal_entries', 'subscription_refunds')) ORDER BY 1"
)


@dataclass
class Reader:
    """Who reads a tenant's books again and again: most of the work is to plan the question, so it
    is asked with a kept plan, and not again while the whole server has committed nothing."""

    tenant_id: UUID
    question: Statement
    connection: Connection
    moment: str = ""
    books: dict[str, str] | None = None

    @classmethod
    def of(cls, house: House, tenant_id: UUID) -> "Reader":
        names = house.sql(TABLES, schema=f"tenant_{tenant_id.hex}_billing")
        each: list[Any] = [
            f"SELECT '{name}', count(*) || ' rows, ' || md5(string_agg(t::text, '|'"
            f" ORDER BY t::text)) FROM {name} t WHERE tenant_id = '{tenant_id}'"
            for (name,) in names
        ]
        question = Statement(" UNION ALL ".join(each), everywhere=True)
        return cls(tenant_id, question, connector(house.server.dsn(database="billing"))())

    def read(self, moment: str) -> dict[str, str]:
        if self.books is None or self.moment != moment:
            [rows] = self.connection.run([self.question])
            self.moment, self.books = moment, dict(rows)
        return dict(self.books)


_readers: "WeakKeyDictionary[LocalDatabase, Reader]" = WeakKeyDictionary()


def books_of(house: House, tenant_id: UUID) -> dict[str, str]:
    """All that the database holds of a tenant, table by table, as digests.

    What limits counted is left out: a call that was refused after it was counted was still made.
    """
    moment = house.sql(MOMENT)[0][0]
    reader = _readers.get(house.server)
    if reader is None or reader.tenant_id != tenant_id or reader.connection.broken:
        if reader is not None:
            reader.connection.close()
        reader = _readers[house.server] = Reader.of(house, tenant_id)
    try:
        return reader.read(moment)
    except ConnectionLost:  # the database was stopped and started since the last question
        return books_of(house, tenant_id)
