"""Tenants live in cells, and are born once (TEN-4, TEN-5): two databases, one directory."""

from collections.abc import Iterator
from dataclasses import replace
from uuid import UUID

import pytest

from common.ports.transactions import DatabaseUnavailable
from common.postgres.address import open_session
from common.postgres.directory import KEPT_SECONDS, Directory
from common.postgres.migrations import Migrator, provision_tenant
from common.postgres.tenants import register_tenant
from tests.hotel import Hotel, House, charge, usd
from tests.together import at_once

FAR = "billing_far"


@pytest.fixture(scope="module")
def far(house: House) -> Iterator[House]:
    """The same service, with a second cell."""
    house.server.create(FAR)
    Migrator(lambda: open_session(house.server.dsn(database=FAR))).up()
    databases = {
        **house.wiring.settings.databases,
        "far": house.server.dsn("billing_function", FAR),
    }
    instance = house.beside(databases=databases, pool_size=4)
    yield instance
    instance.close()
    house.server.drop(FAR)


@pytest.fixture
def settler(house: House, far: House) -> Hotel:
    """A hotel whose data is in the far cell; the main cell has nothing but its entry."""
    hotel = Hotel(far)
    session = open_session(house.server.dsn(database=FAR))
    provision_tenant(session, hotel.tenant_id)
    register_tenant(session, hotel.tenant_id, "far")
    session.close()
    with house.session() as directory_session:
        register_tenant(directory_session, hotel.tenant_id, "far")
    there = replace(hotel, house=InFar(house))
    there.write_settings()
    return hotel


class InFar:
    """Looks into the far cell's database, behind the service's back."""

    def __init__(self, house: House) -> None:
        self._address = house.server.dsn(database=FAR)

    def sql(self, sql: str, **parameters: object) -> list[list[object]]:
        session = open_session(self._address)
        try:
            return session.run(sql, **parameters) or []
        finally:
            session.close()


def status_in_directory(hotel: Hotel, status: str) -> None:
    hotel.house.sql(
        "UPDATE billing_central.tenants SET status = :status WHERE tenant_id = :tenant",
        status=status,
        tenant=hotel.tenant_id,
    )


@pytest.mark.req("TEN-5")
def test_each_tenant_is_served_from_its_own_cell(house: House, far: House, settler: Hotel) -> None:
    near = replace(house.new_hotel(), house=far)

    for hotel in (near, settler, near, settler):
        folio = hotel.open_folio()
        answer = hotel.post(f"/folios/{folio}/charges", charge())
        assert answer.json["balance"] == usd(11_000)

    count = "SELECT count(*)::int FROM {schema}.folio_lines WHERE type = 'charge'"
    told = "SELECT count(*)::int FROM billing_central.outbox WHERE tenant_id = :tenant"
    assert house.sql(count.format(schema=near.schema)) == [[2]]
    assert InFar(house).sql(count.format(schema=settler.schema)) == [[2]]
    assert house.sql(told, tenant=settler.tenant_id) == [[0]]
    assert InFar(house).sql(told, tenant=near.tenant_id) == [[0]]
    assert InFar(house).sql(told, tenant=settler.tenant_id)[0][0] == 4


@pytest.mark.req("TEN-5", "TEN-2")
def test_a_tenant_that_the_directory_does_not_know_is_refused(far: House) -> None:
    answer = Hotel(far).get(f"/folios/{'fol_01' + '0' * 24}")

    assert (answer.status_code, answer.json["code"]) == (403, "MELMASTOON.GENERAL.TENANT_UNKNOWN")


@pytest.mark.req("TEN-5")
def test_a_tenant_on_the_move_is_asked_to_come_back(far: House, settler: Hotel) -> None:
    status_in_directory(settler, "moving")

    answer = settler.get(f"/folios/{'fol_01' + '0' * 24}")

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")


@pytest.mark.req("TEN-5")
def test_an_archived_tenant_is_as_unknown_as_one_that_never_was(far: House, settler: Hotel) -> None:
    status_in_directory(settler, "archived")

    assert settler.get(f"/folios/{'fol_01' + '0' * 24}").status_code == 403


@pytest.mark.req("TEN-5")
def test_a_tenant_of_a_cell_that_is_not_wired_here_is_not_served_from_another(
    house: House, far: House, settler: Hotel
) -> None:
    databases = {**far.wiring.settings.databases, "third": far.wiring.settings.databases["far"]}
    del databases["far"]
    instance = house.beside(databases=databases)

    answer = replace(settler, house=instance).get(f"/folios/{'fol_01' + '0' * 24}")

    assert answer.status_code == 503
    instance.close()


@pytest.mark.req("TEN-5")
def test_the_directory_is_asked_again_after_a_minute(far: House, settler: Hotel) -> None:
    """A tenant's way is remembered: while it moves, an instance finds out within that minute."""
    now = [1_000.0]
    pools = far.wiring.pools
    asked = Directory(pools, elapsed=lambda: now[0])
    assert asked.pool_of(settler.tenant_id) is pools["far"]
    status_in_directory(settler, "moving")

    now[0] += KEPT_SECONDS
    assert asked.pool_of(settler.tenant_id) is pools["far"]
    now[0] += 1
    with pytest.raises(DatabaseUnavailable):
        asked.pool_of(settler.tenant_id)


@pytest.mark.req("TEN-5")
def test_an_answer_of_the_directory_is_as_old_as_its_question(far: House, settler: Hotel) -> None:
    """It is 30 seconds on its way, and the tenant begins to move behind it: whoever is told to wait
    a minute for that waits for this instance as well."""
    now = [1_000.0]

    class FarAway(Directory):
        def _look_up(self, tenant_id: UUID) -> str:
            told = super()._look_up(tenant_id)
            now[0] += 30
            return told

    asked = FarAway(far.wiring.pools, elapsed=lambda: now[0])
    asked.pool_of(settler.tenant_id)
    status_in_directory(settler, "moving")

    now[0] += 31
    with pytest.raises(DatabaseUnavailable):
        asked.pool_of(settler.tenant_id)


@pytest.mark.req("TEN-5")
def test_a_directory_that_does_not_answer_is_a_503(house: House, far: House) -> None:
    away = {**far.wiring.settings.databases, "main": "postgresql://x@/x?host=/nowhere"}
    instance = house.beside(databases=away)

    assert Hotel(instance).get(f"/folios/{'fol_01' + '0' * 24}").status_code == 503
    instance.close()


@pytest.fixture
def maternity(house: House) -> Iterator[House]:
    """An instance that may make roles and schemas, as the one that takes in new tenants."""
    instance = house.beside(provisioner=house.server.dsn(database="billing"))
    yield instance
    instance.close()


@pytest.mark.req("TEN-4")
def test_a_tenant_that_is_announced_four_times_at_once_is_born_once(maternity: House) -> None:
    newborn = Hotel(maternity)
    data = {"tenantId": str(newborn.tenant_id)}

    answers = at_once([lambda: newborn.deliver("on_tenant_created", data)] * 4)

    assert {answer.status_code for answer in answers} == {204}
    entry = "SELECT cell, status FROM billing_central.tenants WHERE tenant_id = :tenant"
    assert maternity.sql(entry, tenant=newborn.tenant_id) == [["main", "active"]]
    newborn.write_settings()
    assert newborn.open_folio()


@pytest.mark.req("TEN-4")
def test_a_tenant_that_lives_already_is_not_touched_by_a_second_announcement(
    maternity: House, hotel: Hotel
) -> None:
    folio = hotel.open_folio()
    announced = replace(hotel, house=maternity)

    answer = announced.deliver("on_tenant_created", {"tenantId": str(hotel.tenant_id)})

    assert answer.status_code == 204
    assert hotel.get(f"/folios/{folio}").status_code == 200
