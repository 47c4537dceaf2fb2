"""What stands in a tenant's tables, to be held against what stands there later."""

from uuid import UUID
from weakref import WeakKeyDictionary

from common.local.database import LocalDatabase
from tests.hotel import House

MOMENT = "SELECT pg_current_snapshot()::text"
"""Which transactions have been committed: where it is the same, nobody has written anything."""

_read_last: "WeakKeyDictionary[LocalDatabase, tuple[UUID, str, dict[str, str]]]" = (
    WeakKeyDictionary()
)


def books_of(house: House, tenant_id: UUID) -> dict[str, str]:
    """All that the database holds of a tenant, table by table, as digests.

    What limits counted is left out: a call that was refused after it was counted was still made.
    They are not read again while the whole server has committed nothing.
    """
    moment = house.sql(MOMENT)[0][0]
    tenant, at, books = _read_last.get(house.server, (None, "", {}))
    if (tenant, at) != (tenant_id, moment):
        books = _digests(house, tenant_id)
        _read_last[house.server] = tenant_id, moment, books
    return dict(books)


def _digests(house: House, tenant_id: UUID) -> dict[str, str]:
    schema = f"tenant_{tenant_id.hex}_billing"
    names = house.sql(
        "SELECT table_schema || '.' || table_name FROM information_schema.tables"
        " WHERE table_schema = :schema OR (table_schema = 'billing_central'"
        " AND table_name IN ('outbox', 'step_up_uses', 'subscriptions', 'subscription_invoices',"
        " 'platform_entries', 'usage_periods', 'usage_records', 'usage_events', 'usage_values',"
        " 'usage_totals', 'trials', 'trial_marks', 'subscription_payments',"
        " 'subscription_collections', 'revenue_movements', 'platform_credit_notes',"
        " 'platform_reversal_entries', 'subscription_refunds')) ORDER BY 1",
        schema=schema,
    )
    digests = [
        f"SELECT '{name}', count(*) || ' rows, ' || md5(string_agg(t::text, '|' ORDER BY t::text))"
        f" FROM {name} t WHERE tenant_id = :tenant"
        for (name,) in names
    ]
    return dict(house.sql(" UNION ALL ".join(digests), tenant=tenant_id))
