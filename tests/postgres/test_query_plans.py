"""Every query has its index: no list and no job reads a table from end to end (PERF-1).

The statements are found in the modules, not listed: a new one is judged from its first day. The
plan is the generic one, for any parameters, with sequential scans made unattractive and without row
security, whose condition on the tenant would find an index for anything: what is still scanned has
no index that could serve.
"""

import pkgutil
import re
from collections.abc import Iterator
from dataclasses import fields
from importlib import import_module

import pytest

import common.postgres
from common.postgres.prepaid_sql import Questions
from tests.hotel import Hotel, House

STATEMENT = re.compile(r"\s*(SELECT|INSERT|UPDATE|DELETE|WITH)\b", re.IGNORECASE)
WITHOUT_A_TABLE = re.compile(r"\b(set_config|pg_try_advisory_xact_lock|pg_advisory_xact_lock)\(")
TOOLING = {
    *("migrations", "migration_steps", "migration_files", "provisioning", "doctor", "tenants"),
    "recovery",
    "invariants",  # judge whole books, at night and by hand
}
OWN_ROWS = "tenant_id = billing_central.current_tenant()"  # as row security puts it
# The end of the tenant's own primary key; all of its certificates, a handful.
BY_TENANT_ALONE = {
    *("settings_cache.NEWEST_SETTINGS", "settings_book.NEWEST"),
    *("certificates.KEPT", "stored_methods.NEWEST_KEY"),
}
# A tenant's few accounts, and all its credits.
WHOLE = ("prepaid_sql.ALL.", "prepaid_sql.SUMS", "credit_purchases.DIFFERENCES")
# Sixteen rows; a row for each migration; one or two keys.
SMALL = {"outbox_leases", "schema_migrations", "trial_keys"}


def statements() -> Iterator[tuple[str, str]]:
    """The name and text of every statement that the service runs."""
    for found in pkgutil.iter_modules(common.postgres.__path__):
        if found.name in TOOLING:
            continue
        module = import_module(f"common.postgres.{found.name}")
        for name, value in sorted(vars(module).items()):
            for part, sql in _parts(name, value):
                if name.isupper() and isinstance(sql, str) and STATEMENT.match(sql):
                    yield f"{found.name}.{part}", sql


def _parts(name: str, value: object) -> Iterator[tuple[str, object]]:
    """A statement, or those that are asked together."""
    if not isinstance(value, Questions):
        yield name, getattr(value, "sql", value)
        return
    for each in fields(value):
        yield f"{name}.{each.name}", getattr(value, each.name)


def scans(hotel: Hotel, sql: str) -> list[str]:
    """The tables that the statement reads from end to end."""
    scanned = re.findall(r"Seq Scan on (\w+)", hotel.plan(sql))
    return [table for table in scanned if table not in SMALL]


@pytest.fixture(scope="module")
def planned(house: House) -> Hotel:
    return house.new_hotel()


def test_statements_are_found() -> None:
    names = {name for name, _ in statements()}

    assert {"folios.TAKE", "folios.PAGE", "invoices.PAGE", "session.STORED_ANSWERS"} <= names


@pytest.mark.req("PERF-1")
@pytest.mark.parametrize(("name", "sql"), list(statements()), ids=[n for n, _ in statements()])
def test_reads_no_table_from_end_to_end(planned: Hotel, name: str, sql: str) -> None:
    if name.startswith(WHOLE) or (WITHOUT_A_TABLE.search(sql) and " FROM " not in sql):
        return

    if name in BY_TENANT_ALONE:
        sql = sql.replace("ORDER BY", f"WHERE {OWN_ROWS}\nORDER BY")

    assert scans(planned, sql) == [], f"{name} has no index to go by"


def test_would_show_a_query_without_an_index(planned: Hotel) -> None:
    assert scans(planned, "SELECT id FROM folios WHERE guest_name = $1") == ["folios"]
