"""Where a tenant's rows live and which role may see them: the one place that knows these names.

A schema name that is written anywhere else can be built from the wrong tenant, or from something
that a caller sent. Here it comes from the hexadecimal digits of a UUID and from nothing else
(TEN-2, layer 5), so that it needs no quoting and can carry no SQL.
"""

import re
from datetime import date
from typing import Final
from uuid import UUID

CENTRAL_SCHEMA: Final = "billing_central"

OWNER_ROLE: Final = "billing_owner"
"""Owns every schema, table and function; nobody logs in as it."""
APP_ROLE: Final = "billing_app"
"""Group of the functions: no right on any tenant's schema, may enter each tenant's role."""
DRAIN_ROLE: Final = "billing_drain"
"""Group of the outbox drainer, which works across tenants on central tables only."""
ANALYST_ROLE: Final = "billing_analyst"
"""Group of the figures: reads, of all tenants, what they are made of on central tables."""
TENANT_GROUP: Final = "billing_tenant"
"""Every tenant's role is a member: what all of them may do on central tables is granted to it."""
FUNCTION_LOGIN: Final = "billing_function"
JOB_LOGIN: Final = "billing_job"
JOBS_ACCOUNT: Final = "billing-jobs@"
ANALYTICS_ACCOUNT: Final = "billing-analytics@"
"""What the logins of two accounts begin with, where accounts log in as themselves."""

APPEND_ONLY_TABLES: Final = frozenset(
    {
        "account_credits",
        "audit_entries",
        "canceled_reservations",
        "cash_movements",
        "credit_book_entries",
        "credit_claw_back_reversals",
        "credit_claw_backs",
        "credit_entry_lots",
        "credit_expiry_warnings",
        "credit_ledger_entries",
        "credit_note_lines",
        "credit_note_signatures",
        "credit_notes",
        "credit_sale_entries",
        "folio_lines",
        "invoice_lines",
        "invoice_signatures",
        "invoices",
        "ledger_entries",
        "lost_numbers",
        "night_audits",
        "receivable_allocations",
        "receivable_parts",
        "refund_failures",
        "refund_settlements",
        "refunds",
        "reopenings",
        "returned_parts",
        "risk_checks",
        "sendings",
        "settings_versions",
        "settlements",
        "signing_certificates",
        "webhook_attempts",
        "webhook_events",
        "write_offs",
    }
)
"""Tables of record: rows are added and read, never changed and never dropped with their table.
The catalogue test keeps UPDATE, DELETE and TRUNCATE from every role but the owner's."""


def schema_of(tenant_id: UUID) -> str:
    """Return the schema of a tenant's guest data."""
    return f"tenant_{tenant_id.hex}_billing"


def role_of(tenant_id: UUID) -> str:
    """Return the role that a transaction enters to work for a tenant."""
    return f"tenant_{tenant_id.hex}"


def archived_schema_of(tenant_id: UUID, on: date) -> str:
    """Return the name that a deleted tenant's schema is given on a day (TEN-6).

    It leaves `_billing` out: with it the name would have 66 characters, and PostgreSQL cuts names
    after 63 without an error, here in the middle of the year.
    """
    return f"tenant_{tenant_id.hex}__archived_{on:%Y%m%d}"


def is_schema_of(tenant_id: UUID, name: str) -> bool:
    """Whether a name is the tenant's schema, in use or archived, and nobody else's."""
    return re.fullmatch(f"{role_of(tenant_id)}(_billing|__archived_[0-9]{{8}})", name) is not None
