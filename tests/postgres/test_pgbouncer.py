"""Behind PgBouncer in transaction mode: the next transaction is somebody else's (TEN-2, TEN-2b).

Twenty-four clients share three connections of the server. Nothing that one of them says may be
heard by another: no row, no setting, no prepared statement.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier

import pytest

from common.postgres import connection as driver
from common.postgres.connection import Connection, Statement
from tests.hotel import Hotel, House, charge, usd
from tests.postgres.pooler import dsn, pooler
from tests.proofs import assert_books_are_right

pytestmark = [pytest.mark.pgbouncer, pytest.mark.req("TEN-2", "TEN-2b")]

CLIENTS = 24
TENANTS = 6
STAYS_EACH = 2
SERVER_CONNECTIONS = 3
LEFT_OVER = """
SELECT pg_backend_pid(), current_user::text, current_setting('search_path'),
       coalesce(current_setting('app.tenant_id', true), ''), current_setting('lock_timeout'),
       current_setting('statement_timeout'), current_setting('synchronous_commit'),
       (SELECT count(*)::int FROM pg_prepared_statements),
       (SELECT count(*)::int FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'advisory')
"""
UNTOUCHED = ["billing_function", '"$user", public', "", "0", "0", "on", 0, 0]


@pytest.fixture(scope="module")
def pooled(house: House) -> Iterator[House]:
    """The service behind the pooler."""
    with pooler(house.server, SERVER_CONNECTIONS) as socket:
        address = dsn(socket, "billing_function", "billing")
        instance = house.beside(databases={"main": address}, pooled=True, pool_size=CLIENTS)
        yield instance
        instance.close()


def stay(hotel: Hotel, guest: str) -> list[str]:
    """A stay from the first night to the invoice; everything that was answered on the way.

    Two nights of 100.00 and a dinner of 30.00 that is taken back, with 10 %: 220.00.
    """
    token = hotel.token(sub=f"clerk-{guest}")
    answers = []

    def say(method: str, path: str, body: object = None, status: int = 201) -> dict[str, object]:
        answer = hotel.call(method, path, body, token=token)
        assert answer.status_code == status, answer.text
        answers.append(answer.text)
        document: dict[str, object] = answer.json
        return document

    opened = say(
        "POST", "/folios", {"propertyId": str(hotel.property_id), "guest": {"name": guest}}
    )
    folio = f"/folios/{opened['folioId']}"
    for _ in range(2):
        say("POST", f"{folio}/charges", charge("room", 10_000, description=guest))
    dinner = say("POST", f"{folio}/charges", charge("food_beverage", 3_000, description=guest))
    line = dinner["lines"][0]["lineId"]  # type: ignore[index]
    say("POST", f"{folio}/charges/{line}/void", {"reason": guest})
    assert say("GET", folio, status=200)["balance"] == usd(22_000)
    say("POST", f"{folio}/payments", {"method": "bank_transfer", "amount": usd(22_000)})
    closed = say("POST", f"{folio}/close", {}, status=200)
    say("GET", f"/invoices/{closed['invoiceId']}", status=200)
    return answers


def test_full_stays_of_six_tenants_over_three_connections_mix_nothing(
    house: House, pooled: House
) -> None:
    hotels = [replace(house.new_hotel(), house=pooled) for _ in range(TENANTS)]
    start = Barrier(CLIENTS)

    def client(number: int) -> list[str]:
        start.wait(60)
        hotel = hotels[number % TENANTS]
        return [
            text
            for turn in range(STAYS_EACH)
            for text in stay(hotel, f"guest-{number % TENANTS}-{number}-{turn}")
        ]

    with ThreadPoolExecutor(CLIENTS) as threads:
        came = list(threads.map(client, range(CLIENTS)))

    for number, texts in enumerate(came):
        others = {str(hotels[other].tenant_id) for other in range(TENANTS)} - {
            str(hotels[number % TENANTS].tenant_id)
        }
        everything = "".join(texts)
        assert not [other for other in others if other in everything]
        named = {f"guest-{other}-" for other in range(TENANTS)} - {f"guest-{number % TENANTS}-"}
        assert not [other for other in named if other in everything]
    for hotel in hotels:
        near = replace(hotel, house=house)
        assert_books_are_right(near)
        stays = CLIENTS // TENANTS * STAYS_EACH
        assert near.rows("SELECT count(*)::int FROM {s}.folios WHERE status = 'closed'") == [
            [stays]
        ]
        numbers = near.rows("SELECT series_number FROM {s}.invoices ORDER BY 1")
        assert [number for (number,) in numbers] == list(range(1, stays + 1))
    assert pooled.wiring.pools["main"].discarded == 0


def test_nothing_is_left_on_the_servers_connections(pooled: House, house: House) -> None:
    """All of them are looked at: as many transactions at once as there are connections."""
    hotel = replace(house.new_hotel(), house=pooled)
    stay(hotel, "guest")
    pool = pooled.wiring.pools["main"]
    together = Barrier(SERVER_CONNECTIONS)

    def look(_: int) -> list[object]:
        with pool.connection() as connection:
            connection.run([Statement("BEGIN")])
            together.wait(60)
            left: list[object] = connection.run([Statement(LEFT_OVER), Statement("COMMIT")])[0][0]
            return left

    with ThreadPoolExecutor(SERVER_CONNECTIONS) as threads:
        seen = list(threads.map(look, range(SERVER_CONNECTIONS)))

    assert len({left[0] for left in seen}) == SERVER_CONNECTIONS
    assert [left[1:] for left in seen] == [UNTOUCHED] * SERVER_CONNECTIONS


def test_no_statement_of_ours_runs_outside_a_transaction(
    pooled: House, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Outside of one, the pooler gives each message to whichever connection is free."""
    lists: list[list[str]] = []
    honest = Connection.run

    def run(self: Connection, statements: list[Statement], *, scope: str = "") -> object:
        lists.append([*(["(inside)"] if self.in_transaction else []), *(s.sql for s in statements)])
        return honest(self, statements, scope=scope)

    monkeypatch.setattr(Connection, "run", run)
    hotel = replace(house.new_hotel(), house=pooled)
    stay(hotel, "guest")
    hotel.get("/health/ready")

    assert lists
    assert [each for each in lists if not each[0].startswith(("BEGIN", "(inside)"))] == []


def test_a_poisoned_request_through_the_pooler_is_nobody_elses_trouble(
    pooled: House, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its connection is cut in the middle of an answer; the pooler's own is cleaned or dropped."""
    mine, theirs = (replace(house.new_hotel(), house=pooled) for _ in range(2))
    folio, other = (
        mine.open_folio(guest={"name": "Mine"}),
        theirs.open_folio(guest={"name": "Theirs"}),
    )
    pool = pooled.wiring.pools["main"]
    honest, before = driver._decode, pool.discarded

    def decode(body: bytes, decoders: object) -> object:
        if poisoned:
            poisoned.pop()
            raise ValueError("a value that cannot be read")
        return honest(body, decoders)  # type: ignore[arg-type]

    poisoned: list[int] = []
    monkeypatch.setattr(driver, "_decode", decode)
    for turn in range(60):
        if turn % 3 == 0:
            poisoned.append(turn)
        hotel, own, foreign = ((mine, folio, other), (theirs, other, folio))[turn % 2]
        answer = hotel.get(f"/folios/{own}")
        assert (answer.status_code, answer.json["folioId"]) == (200, own)
        assert foreign not in answer.text

    assert pool.discarded - before == 20
