"""The platform's own tables show a tenant its own rows, or none (TEN-3)."""

from collections.abc import Iterator

import pytest

from common.postgres.schemas import ANALYST_ROLE, CENTRAL_SCHEMA, DRAIN_ROLE, FUNCTION_LOGIN
from tests.hotel import Hotel, House
from tests.security.probing import DENIED, Probe, probing, role

pytestmark = pytest.mark.req("TEN-3", "TEN-2")

OF_TENANTS = (
    "tenants",
    "outbox",
    "step_up_uses",
    "card_payments",
    "processor_customers",
    "processor_accounts",
    "subscriptions",
    "subscription_invoices",
    "platform_entries",
    "platform_credit_notes",
    "subscription_refunds",
    "platform_reversal_entries",
    "usage_periods",
    "usage_records",
    "usage_events",
    "usage_values",
    "usage_totals",
    "trials",
    "trial_marks",
    "subscription_payments",
    "subscription_collections",
    "revenue_movements",
)
"""Central tables whose rows belong to tenants; the others name none that could be kept apart."""
HAVE_A_TENANT = f"""
SELECT relname FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid
WHERE relnamespace = '{CENTRAL_SCHEMA}'::regnamespace AND relkind = 'r' AND attname = 'tenant_id'
ORDER BY relname
"""


@pytest.fixture(scope="module")
def hotels(house: House) -> tuple[Hotel, Hotel]:
    """Both have told something."""
    mine, theirs = house.new_hotel(), house.new_hotel()
    for hotel in (mine, theirs):
        hotel.open_folio()
    return mine, theirs


@pytest.fixture
def probe(house: House, hotels: tuple[Hotel, Hotel]) -> Iterator[Probe]:
    """Both have used a step-up token, too. Every right is granted: what is left is row security."""
    with probing(house) as opened:
        for hotel in hotels:
            opened.plant(f"{CENTRAL_SCHEMA}.step_up_uses", str(hotel.tenant_id))
        everybody = (*map(role, hotels), FUNCTION_LOGIN)
        opened.without_grants(*everybody, schema=CENTRAL_SCHEMA)
        yield opened


def tenants_seen(probe: Probe, table: str) -> set[str]:
    found = probe.attempt(f"SELECT DISTINCT tenant_id::text FROM {CENTRAL_SCHEMA}.{table}")
    assert not isinstance(found, str), (table, found)
    return {row[0] for row in found}


def test_the_tables_with_rows_of_tenants_are_these(probe: Probe) -> None:
    """A table that is added to them has to be added here, and to be thought about."""
    assert tuple(sorted(row[0] for row in probe.run(HAVE_A_TENANT))) == tuple(sorted(OF_TENANTS))


def test_a_tenants_role_sees_its_own_central_rows_only(
    probe: Probe, hotels: tuple[Hotel, Hotel]
) -> None:
    mine, _ = hotels
    probe.enter(role(mine), str(mine.tenant_id))

    assert tenants_seen(probe, "outbox") == {str(mine.tenant_id)}
    assert tenants_seen(probe, "step_up_uses") == {str(mine.tenant_id)}
    assert tenants_seen(probe, "tenants") == set()


@pytest.mark.parametrize("setting", ["theirs", "", "nobody"])
def test_a_tenants_role_with_another_setting_sees_none(
    probe: Probe, hotels: tuple[Hotel, Hotel], setting: str
) -> None:
    mine, theirs = hotels
    nobody = "00000000-0000-0000-0000-000000000000"
    probe.enter(role(mine), {"theirs": str(theirs.tenant_id), "nobody": nobody}.get(setting, ""))

    for table in OF_TENANTS:
        assert tenants_seen(probe, table) == set(), table


def test_the_functions_login_sees_the_directorys_entry_it_asks_for_and_nothing_else(
    probe: Probe, hotels: tuple[Hotel, Hotel]
) -> None:
    mine, _ = hotels
    probe.enter(FUNCTION_LOGIN, str(mine.tenant_id))

    assert tenants_seen(probe, "tenants") == {str(mine.tenant_id)}
    assert tenants_seen(probe, "step_up_uses") == set()

    probe.enter(FUNCTION_LOGIN)
    assert tenants_seen(probe, "tenants") == set()


def test_no_tenant_writes_a_central_row_for_another(
    probe: Probe, hotels: tuple[Hotel, Hotel]
) -> None:
    """Not an event in its name, not a used token, and not the directory's entry at all."""
    mine, theirs = hotels
    probe.enter(role(mine), str(mine.tenant_id))

    for table in OF_TENANTS:
        insert = f"INSERT INTO {CENTRAL_SCHEMA}.{table} (tenant_id) VALUES ('{theirs.tenant_id}')"
        assert probe.attempt(insert) == DENIED, table
    assert probe.attempt(f"UPDATE {CENTRAL_SCHEMA}.tenants SET cell = 'x' RETURNING 1") == []


def test_without_what_was_granted_for_this_test_even_less_is_seen(
    house: House, hotels: tuple[Hotel, Hotel]
) -> None:
    """The rights as they are: events can be told and not read, ages are read and no events."""
    mine, _ = hotels
    with probing(house) as probe:
        probe.enter(role(mine), str(mine.tenant_id))
        for table in ("outbox", "tenants", "dead_letters", "rate_counters", "outbox_leases"):
            assert probe.attempt(f"SELECT * FROM {CENTRAL_SCHEMA}.{table}") == DENIED, table
        probe.enter(FUNCTION_LOGIN, str(mine.tenant_id))
        for table in ("outbox", "step_up_uses", "dead_letters", "outbox_leases"):
            assert probe.attempt(f"SELECT * FROM {CENTRAL_SCHEMA}.{table}") == DENIED, table
        probe.enter(DRAIN_ROLE)
        for table in probe.tables(mine.schema):
            assert probe.attempt(f"SELECT 1 FROM {table}") == DENIED, table


def test_who_reads_figures_of_all_tenants_reads_figures_and_changes_nothing(
    house: House, hotels: tuple[Hotel, Hotel]
) -> None:
    """No event, no token, no text of an invoice, no method of payment, no mark, nothing of guests:
    and what is figures is not theirs to write."""
    mine, _ = hotels
    with probing(house) as probe:
        probe.enter(ANALYST_ROLE)
        seen = f"SELECT total_micro, lines FROM {CENTRAL_SCHEMA}.subscription_invoices WHERE false"
        assert probe.attempt(seen) == []
        for hidden in (
            "payload FROM {c}.subscription_invoices",
            "payment_method_id FROM {c}.subscription_payments",
            "value_sha256 FROM {c}.usage_events",
            "mark FROM {c}.trial_marks",
            "status FROM {c}.subscriptions",
            "event FROM {c}.outbox",
            "token_id FROM {c}.step_up_uses",
        ):
            asked = f"SELECT {hidden.format(c=CENTRAL_SCHEMA)}"
            assert probe.attempt(asked) == DENIED, hidden
        for table in OF_TENANTS:
            insert = f"INSERT INTO {CENTRAL_SCHEMA}.{table} (tenant_id) VALUES (NULL)"
            assert probe.attempt(insert) == DENIED, table
            assert probe.attempt(f"DELETE FROM {CENTRAL_SCHEMA}.{table}") == DENIED, table
        for table in probe.tables(mine.schema):
            assert probe.attempt(f"SELECT 1 FROM {table}") == DENIED, table
