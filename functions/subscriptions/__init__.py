"""The platform bills its tenants: plans, subscriptions, and the invoices of these."""
