"""Layer 3 alone: row security keeps tenants apart without rights, search path and guard (TEN-2).

Every table of a tenant is found in the catalogue: one that is added tomorrow is tried tomorrow.
"""

from collections.abc import Iterator

import pytest

from tests.hotel import Hotel, House
from tests.security.probing import DENIED, Probe, probing, role

pytestmark = pytest.mark.req("TEN-2")


@pytest.fixture(scope="module")
def hotels(house: House) -> tuple[Hotel, Hotel]:
    return house.new_hotel(), house.new_hotel()


@pytest.fixture
def probe(house: House, hotels: tuple[Hotel, Hotel]) -> Iterator[Probe]:
    """Every role of ours may do everything to both schemas."""
    with probing(house) as opened:
        for hotel in hotels:
            everybody = (*map(role, hotels), "billing_app", "billing_tenant", "billing_owner")
            opened.without_grants(*everybody, schema=hotel.schema)
        yield opened


def seen(probe: Probe, tables: list[str]) -> dict[str, int | str]:
    """How many rows of each table are seen, or with which error it is refused."""
    counts: dict[str, int | str] = {}
    for table in tables:
        found = probe.attempt(f"SELECT count(*)::int FROM {table}")
        counts[table] = found if isinstance(found, str) else found[0][0]
    return counts


def test_the_right_role_with_the_right_setting_sees_and_changes_its_rows(
    probe: Probe, hotels: tuple[Hotel, Hotel]
) -> None:
    """Without this, all the tests below could pass on empty tables."""
    mine, _ = hotels
    tables = probe.fill(mine)
    probe.enter(role(mine), str(mine.tenant_id))

    assert set(seen(probe, tables).values()) <= {1, 2}
    for table in tables:
        assert probe.attempt(f"DELETE FROM {table} RETURNING 1"), table
    assert len(tables) >= 16


@pytest.mark.parametrize(
    ("who", "setting"),
    [
        ("mine", "theirs"),
        ("theirs", "mine"),
        ("mine", ""),
        ("billing_app", "mine"),
        ("billing_tenant", "mine"),
        ("billing_owner", "mine"),
    ],
)
def test_nobody_sees_or_touches_a_row_without_both_the_role_and_the_setting(
    probe: Probe, hotels: tuple[Hotel, Hotel], who: str, setting: str
) -> None:
    """The tables are mine. An unset tenant, a wrong one, a wrong role, even the owner: no row."""
    mine, theirs = hotels
    tables = probe.fill(mine)
    roles = {"mine": role(mine), "theirs": role(theirs)}
    settings = {"mine": str(mine.tenant_id), "theirs": str(theirs.tenant_id)}
    probe.enter(roles.get(who, who), settings.get(setting, ""))

    assert seen(probe, tables) == dict.fromkeys(tables, 0)
    for table in tables:
        for change in (f"DELETE FROM {table}", f"UPDATE {table} SET tenant_id = tenant_id"):
            assert probe.attempt(f"{change} RETURNING 1") == [], (table, change)
        insert = f"INSERT INTO {table} (tenant_id) VALUES ('{mine.tenant_id}')"
        assert probe.attempt(insert) == DENIED, table


def test_no_row_can_be_written_for_or_handed_to_another_tenant(
    probe: Probe, hotels: tuple[Hotel, Hotel]
) -> None:
    mine, theirs = hotels
    tables = probe.fill(mine)
    probe.enter(role(mine), str(mine.tenant_id))

    for table in tables:
        for change in (
            f"INSERT INTO {table} (tenant_id) VALUES ('{theirs.tenant_id}')",
            f"UPDATE {table} SET tenant_id = '{theirs.tenant_id}'",
        ):
            assert probe.attempt(change) == DENIED, (table, change)


def test_a_foreign_row_that_was_planted_in_ones_own_table_is_not_seen(
    probe: Probe, hotels: tuple[Hotel, Hotel]
) -> None:
    mine, theirs = hotels
    tables = probe.tables(mine.schema)
    before = {table: probe.run(f"SELECT count(*)::int FROM {table}")[0][0] for table in tables}
    for table in tables:
        probe.plant(table, str(theirs.tenant_id))

    probe.enter(role(mine), str(mine.tenant_id))
    assert seen(probe, tables) == before
    probe.enter(role(mine), str(theirs.tenant_id))
    assert seen(probe, tables) == dict.fromkeys(tables, 0)


@pytest.mark.parametrize("setting", ["", " ", "x", "00000000-0000-0000-0000-000000000000", "%"])
def test_a_setting_that_is_no_tenant_shows_nothing(
    probe: Probe, hotels: tuple[Hotel, Hotel], setting: str
) -> None:
    """After a transaction the setting is '' and not NULL; a cast of it must not be an error."""
    mine, _ = hotels
    tables = probe.fill(mine)
    probe.enter(role(mine), setting)

    no_uuid = "22P02"
    assert set(seen(probe, tables).values()) <= {0, no_uuid}
    if setting == "":
        assert set(seen(probe, tables).values()) == {0}


def test_a_setting_that_was_never_made_shows_nothing(
    house: House, hotels: tuple[Hotel, Hotel]
) -> None:
    """On a connection that no transaction of ours has ever used, the setting does not exist."""
    mine, _ = hotels
    mine.open_folio()
    with house.session() as session:
        session.run("BEGIN")
        session.run(f"SET LOCAL ROLE {role(mine)}")
        assert session.run("SELECT current_setting('app.tenant_id', true)") == [[None]]
        assert session.run(f"SELECT count(*) FROM {mine.schema}.folios") == [[0]]
        session.run("ROLLBACK")


def test_row_security_cannot_be_left_out_by_asking(
    probe: Probe, hotels: tuple[Hotel, Hotel]
) -> None:
    """`row_security = off` turns a filter into an error; it opens nothing."""
    mine, theirs = hotels
    probe.fill(mine)
    probe.enter(role(theirs), str(theirs.tenant_id))
    probe.run("SET LOCAL row_security = off")

    assert probe.attempt(f"SELECT * FROM {mine.schema}.folios") == DENIED
    assert probe.attempt(f"ALTER TABLE {mine.schema}.folios DISABLE ROW LEVEL SECURITY") == DENIED
    assert probe.attempt(f"CREATE POLICY open ON {mine.schema}.folios USING (true)") == DENIED


def test_the_probe_finds_a_table_without_policies(
    probe: Probe, hotels: tuple[Hotel, Hotel]
) -> None:
    """Row security is switched off, and the same questions find it out."""
    mine, theirs = hotels
    tables = probe.fill(mine)
    probe.without_row_security(mine.schema)
    probe.enter(role(theirs), str(theirs.tenant_id))

    assert all(count != 0 for count in seen(probe, tables).values())
