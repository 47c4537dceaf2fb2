"""What an attack has changed would be seen."""

from uuid import UUID

from tests.hotel import Hotel, House
from tests.security.books import books_of


def test_whatever_is_written_is_seen_and_only_that(house: House, hotel: Hotel) -> None:
    """By the service or behind its back, while another transaction is open or after it."""
    tenant: UUID = hotel.tenant_id
    before = books_of(house, tenant)
    assert books_of(house, tenant) == before
    folio = hotel.open_folio()
    opened = books_of(house, tenant)
    assert {f"{hotel.schema}.folios", "billing_central.outbox"} <= _differing(before, opened)

    with house.session() as session:
        session.run("BEGIN")
        session.run(f"UPDATE {hotel.schema}.folios SET status = status WHERE id = '{folio}'")
        session.run(f"UPDATE {hotel.schema}.folios SET version = 9 WHERE id = '{folio}'")
        assert books_of(house, tenant) == opened
        session.run("COMMIT")

    assert _differing(opened, books_of(house, tenant)) == {f"{hotel.schema}.folios"}


def _differing(one: dict[str, str], other: dict[str, str]) -> set[str]:
    return {table for table in one if one[table] != other[table]}
