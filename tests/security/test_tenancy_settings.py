"""Layer 1 alone: role, search path and setting last one transaction and pick the tenant (TEN-2).

Behind a pooler the next transaction on the connection is somebody else's. So nothing may be left on
it, whatever has become of the one before.
"""

from collections.abc import Callable
from dataclasses import replace

import pytest

from common.postgres import session as sessions
from common.postgres.connection import Connection, Statement
from tests.hotel import Hotel, House, charge

pytestmark = pytest.mark.req("TEN-2")

LEFT_OVER = """
SELECT current_user::text, session_user::text, current_setting('search_path'),
       coalesce(current_setting('app.tenant_id', true), ''),
       current_setting('lock_timeout'), current_setting('statement_timeout'),
       current_setting('idle_in_transaction_session_timeout'),
       current_setting('synchronous_commit')
"""
UNTOUCHED = ["billing_function", "billing_function", '"$user", public', "", "0", "0", "0", "on"]
LEFT_LOCKS = (
    "SELECT count(*)::int FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'advisory'"
)


def left_on(connection: Connection) -> list[object]:
    begin, commit = Statement("BEGIN"), Statement("COMMIT")
    left: list[object] = connection.run([begin, Statement(LEFT_OVER), commit])[1][0]
    assert connection.run([begin, Statement(LEFT_LOCKS), commit])[1] == [[0]]
    return left


@pytest.mark.parametrize(
    ("call", "status"),
    [
        (lambda hotel, folio: hotel.post(f"/folios/{folio}/charges", charge()), 201),
        (lambda hotel, folio: hotel.get(f"/folios/{folio}"), 200),
        (lambda hotel, folio: hotel.post(f"/folios/{folio}/charges", charge(cents=0)), 422),
        (lambda hotel, folio: hotel.get("/folios/fol_01" + "0" * 24), 404),
        (lambda hotel, folio: Hotel(hotel.house).get(f"/folios/{folio}"), 403),
    ],
    ids=["committed", "read", "refused", "not found", "never entered"],
)
def test_nothing_of_a_transaction_is_left_on_its_connection(
    house: House, hotel: Hotel, call: Callable[[Hotel, str], object], status: int
) -> None:
    folio = hotel.open_folio()
    instance = house.beside(pool_size=1)
    through = replace(hotel, house=instance)

    for _ in range(2):
        assert call(through, folio).status_code == status  # type: ignore[attr-defined]
        with instance.wiring.pools["main"].connection() as connection:
            assert left_on(connection) == UNTOUCHED
    assert instance.wiring.pools["main"].discarded == 0
    instance.close()


WITHOUT_ROLE = sessions.ENTER.replace("set_config('role', $2, true)", "$2::text")
WITHOUT_PATH = WITHOUT_ROLE.replace("set_config('search_path', $3, true)", "$3::text")


@pytest.fixture
def bare(house: House, monkeypatch: pytest.MonkeyPatch) -> Callable[[], House]:
    """An instance that logs in as the administrator, for whom there are no rights and no policies.

    The application's own guard looks away, too. What is left is the search path.
    """
    monkeypatch.setattr(sessions, "ENTER", WITHOUT_ROLE)
    monkeypatch.setattr(sessions.Session, "_own", lambda self, row: row)
    address = house.server.dsn("postgres", "billing")
    return lambda: house.beside(databases={"main": address}, pool_size=1)


def test_the_search_path_alone_finds_the_tenants_own_tables(
    house: House, bare: Callable[[], House]
) -> None:
    instance = bare()
    mine, theirs = (replace(house.new_hotel(), house=instance) for _ in range(2))
    folio, foreign = mine.open_folio(), theirs.open_folio()

    for _ in range(2):
        assert mine.get(f"/folios/{folio}").status_code == 200
        assert mine.get(f"/folios/{foreign}").status_code == 404
        assert theirs.get(f"/folios/{foreign}").status_code == 200
        assert theirs.get(f"/folios/{folio}").status_code == 404
    instance.close()


def test_with_the_search_path_gone_as_well_the_tables_are_everybodys(
    house: House, bare: Callable[[], House], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: the test above passes because of the search path, and of nothing else."""
    instance = bare()
    mine, theirs = (replace(house.new_hotel(), house=instance) for _ in range(2))
    foreign = theirs.open_folio()
    monkeypatch.setattr(sessions, "ENTER", WITHOUT_PATH)
    with instance.wiring.pools["main"].connection() as connection:
        connection.run([Statement(f"SET search_path = {theirs.schema}")])

    answer = mine.get(f"/folios/{foreign}", token=mine.token(property_ids=[theirs.property_id]))

    assert (answer.status_code, answer.json["folioId"]) == (200, foreign)
    instance.close()
