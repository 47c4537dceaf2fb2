"""What stands in a tenant's tables, to be held against what stands there later."""

from uuid import UUID

from tests.hotel import House


def books_of(house: House, tenant_id: UUID) -> dict[str, str]:
    """All that the database holds of a tenant, table by table, as digests.

    What limits counted is left out: a call that was refused after it was counted was still made.
    """
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
