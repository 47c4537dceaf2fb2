"""Taking everything of hotels away, so that the next play, death or life begins with nothing."""

from tests.hotel import Hotel, House


def emptying(house: House, *hotels: Hotel) -> str:
    """SQL that leaves these hotels their homes and settings alone.

    Foreign keys are not asked, so that the order of the tables does not matter.
    """
    deletes = ["SET LOCAL session_replication_role = replica"]
    for hotel in hotels:
        names = house.sql(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = :s"
            " AND table_name <> 'settings_versions'",
            s=hotel.schema,
        )
        deletes += [f"DELETE FROM {hotel.schema}.{name}" for (name,) in names]
        tenant = hotel.tenant_id
        deletes += [
            f"DELETE FROM billing_central.outbox WHERE tenant_id = '{tenant}'",
            f"DELETE FROM billing_central.step_up_uses WHERE tenant_id = '{tenant}'",
            f"DELETE FROM billing_central.card_payments WHERE tenant_id = '{tenant}'",
            f"DELETE FROM billing_central.subscriptions WHERE tenant_id = '{tenant}'",
            f"DELETE FROM billing_central.revenue_movements WHERE tenant_id = '{tenant}'",
            f"DELETE FROM billing_central.trials WHERE tenant_id = '{tenant}'",
            f"DELETE FROM billing_central.trial_marks WHERE tenant_id = '{tenant}'",
            f"DELETE FROM billing_central.subscription_invoices WHERE tenant_id = '{tenant}'",
            f"DELETE FROM billing_central.subscription_payments WHERE tenant_id = '{tenant}'",
            f"DELETE FROM billing_central.subscription_collections WHERE tenant_id = '{tenant}'",
            f"DELETE FROM billing_central.platform_incidents WHERE office = '{tenant}'",
            f"DELETE FROM billing_central.platform_entries WHERE tenant_id = '{tenant}'",
            f"DELETE FROM billing_central.subscription_refunds WHERE tenant_id = '{tenant}'",
            f"DELETE FROM billing_central.platform_credit_notes WHERE tenant_id = '{tenant}'",
            f"DELETE FROM billing_central.platform_reversal_entries WHERE tenant_id = '{tenant}'",
            *(
                f"DELETE FROM billing_central.usage_{name} WHERE tenant_id = '{tenant}'"
                for name in ("periods", "records", "events", "values", "totals")
            ),
            f"DELETE FROM billing_central.processor_customers WHERE tenant_id = '{tenant}'",
            f"DELETE FROM billing_central.processor_accounts WHERE tenant_id = '{tenant}'",
            "DELETE FROM billing_central.plan_versions WHERE plan = 'doomed'",
            "DELETE FROM billing_central.platform_tax_rules WHERE seller ->> 'name' = 'Doomed'",
            f"DELETE FROM billing_central.dead_letters WHERE strpos(message, '{tenant}') > 0",
        ]
    return "; ".join(["BEGIN", *deletes, "COMMIT"])
