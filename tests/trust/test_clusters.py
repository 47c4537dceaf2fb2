"""What the runs of seeded defects begin with: a cluster that was migrated beforehand (REL-6)."""

import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.clusters import TENANTS, Clusters
from tests.conftest import a_server
from tests.hotel import House

pytestmark = pytest.mark.req("REL-6")

SCHEMAS = "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'tenant_%' ORDER BY nspname"
RULES = "common/domain/money.py"


@pytest.fixture(scope="module")
def clusters() -> Iterator[Clusters]:
    with tempfile.TemporaryDirectory(prefix="billing-clusters-") as folder:
        yield Clusters.made(Path(folder))


def test_hotels_move_into_what_was_migrated_beforehand(
    clusters: Clusters, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody has lived there, and the one after them is provisioned as ever."""
    monkeypatch.setenv(*next(iter(clusters.environment([RULES]).items())))
    with a_server() as server, closing(House.build(server, tmp_path)) as house:
        there = [name for (name,) in house.sql(SCHEMAS)]
        hotels = [house.new_hotel() for _ in range(TENANTS + 1)]

        assert [hotel.schema for hotel in hotels[:TENANTS]] == there
        assert hotels[TENANTS].schema not in there
        assert [hotel.open_folio()[:4] for hotel in hotels] == ["fol_"] * len(hotels)


@pytest.mark.parametrize(
    ("changed", "migrated"),
    [
        ([], True),
        ([RULES], True),
        (["migrations/central/0001_directory_and_outbox.sql"], False),
        ([RULES, "migrations/tenant/0001_folios_and_ledger.sql"], False),
        (["common/postgres/migration_steps.py"], False),
        (["common/postgres/provisioning.py"], False),
        (["common/postgres/schemas.py"], False),
    ],
)
def test_what_made_it_is_not_tried_on_it(
    clusters: Clusters, changed: list[str], migrated: bool
) -> None:
    """What a migration does is only seen where it is applied."""
    place = clusters.migrated if migrated else clusters.unused

    assert clusters.environment(changed) == {"BILLING_TEST_CLUSTER": str(place)}
