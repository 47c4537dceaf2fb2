"""A tenant's transaction: who gets in, how long it may take, and that a commit is one."""

from uuid import uuid4

import pytest

from common.ports.identity import Actor
from common.ports.paging import CursorInvalid
from common.ports.transaction import Transaction
from common.ports.transactions import (
    Caller,
    DatabaseUnavailable,
    Opening,
    StoredAnswer,
    TenantUnknown,
    TryAgain,
)
from common.postgres.connection import ServerRefused
from common.postgres.schemas import role_of
from common.runtime.declaration import declaration_of
from common.runtime.execute import Call, Result
from common.runtime.parsing import read
from functions.folios.post_charge import PostCharge, post_charge
from tests.hotel import Hotel, House, charge, usd
from tests.postgres.instances import at
from tests.proofs import assert_books_are_right, told
from tests.together import meanwhile, until

LIMITS = """
SELECT tenant_id, current_setting('lock_timeout'), current_setting('statement_timeout'),
       current_setting('idle_in_transaction_session_timeout')
FROM settings_versions
LIMIT 1
"""
IMPATIENT = "SELECT tenant_id, set_config('statement_timeout', '10ms', true) FROM settings_versions"
NEXT_SETTINGS = """
INSERT INTO settings_versions (version, document, recorded_at)
VALUES (2, '{}', now())
RETURNING tenant_id
"""
WAITING_FOR_A_FUNCTION = """
SELECT count(*)
FROM pg_stat_activity AS waiting
JOIN pg_stat_activity AS function ON function.pid = ANY (pg_blocking_pids(waiting.pid))
WHERE function.usename = 'billing_function' AND waiting.usename = 'postgres'
"""
ENDLESS = "SELECT tenant_id, pg_sleep(60) FROM settings_versions"


def caller(hotel: Hotel) -> Caller:
    return Caller(actor=Actor("clerk", hotel.tenant_id, frozenset(), frozenset(), "pwd"))


# who gets in


@pytest.mark.req("TEN-2", "TEN-5")
def test_a_tenant_that_was_never_born_is_unknown_and_costs_no_connection(house: House) -> None:
    stranger = Hotel(house)
    pool = house.wiring.pools["main"]
    before = pool.discarded

    answer = stranger.get(f"/folios/{'fol_01' + '0' * 24}")

    assert (answer.status_code, answer.json["code"]) == (403, "MELMASTOON.GENERAL.TENANT_UNKNOWN")
    with pytest.raises(TenantUnknown), house.wiring.transactions.open(Opening(tenant_id=uuid4())):
        pytest.fail("nobody lives there")
    assert pool.discarded == before


@pytest.mark.req("TEN-2", "TEN-4")
@pytest.mark.parametrize(
    "state",
    [
        "ALTER SCHEMA {schema} RENAME TO {role}__archived_20260301",
        "REVOKE {role} FROM billing_app",
        "REVOKE USAGE ON SCHEMA {schema} FROM {role}",
    ],
    ids=["archived", "role taken back", "half born"],
)
def test_a_tenant_that_is_archived_or_half_born_is_unknown(hotel: Hotel, state: str) -> None:
    role = role_of(hotel.tenant_id)
    hotel.house.sql(state.format(schema=hotel.schema, role=role))

    assert hotel.get(f"/folios/{'fol_01' + '0' * 24}").status_code == 403


# how long it may take


@pytest.mark.req("TEN-2b")
def test_every_transaction_bounds_its_locks_its_statements_and_its_absence(hotel: Hotel) -> None:
    transactions = hotel.house.wiring.transactions
    with transactions.open(Opening(tenant_id=hotel.tenant_id)) as opened:
        command = opened.command(caller(hotel))
        [limits] = command.rows(LIMITS)

    assert limits[1:] == ["5s", "15s", "30s"]


@pytest.mark.req("TEN-2b")
def test_a_statement_that_takes_too_long_is_a_503_and_leaves_the_connection_clean(
    hotel: Hotel,
) -> None:
    pool = hotel.house.wiring.pools["main"]
    before = pool.discarded
    transactions = hotel.house.wiring.transactions

    with transactions.open(Opening(tenant_id=hotel.tenant_id)) as opened:
        command = opened.command(caller(hotel))
        command.rows(IMPATIENT)
        with pytest.raises(DatabaseUnavailable):
            command.rows(ENDLESS)

    assert pool.discarded == before


@pytest.mark.req("FOL-4", "TEN-2b")
def test_a_folio_that_somebody_holds_for_too_long_is_a_503(
    hotel: Hotel, monkeypatch: pytest.MonkeyPatch
) -> None:
    from common.postgres import session

    monkeypatch.setattr(session, "ENTER", session.ENTER.replace("'5s'", "'50ms'"))
    folio = hotel.open_folio()
    with hotel.house.session() as holder:
        holder.run("BEGIN")
        holder.run(f"SELECT 1 FROM {hotel.schema}.folios FOR UPDATE")
        answer = hotel.post(f"/folios/{folio}/charges", charge())
        holder.run("ROLLBACK")

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    assert hotel.get(f"/folios/{folio}").json["balance"] == usd(0)


# a commit is one


@pytest.mark.req("MON-6")
def test_a_commit_after_a_failed_read_is_no_commit(hotel: Hotel) -> None:
    """PostgreSQL answers ROLLBACK to it, politely; nobody may take that for done."""
    transactions = hotel.house.wiring.transactions

    with transactions.open(Opening(tenant_id=hotel.tenant_id)) as opened:
        command = opened.command(caller(hotel))
        with pytest.raises(ServerRefused):
            command.rows("SELECT tenant_id, 1 / 0 FROM settings_versions")
        command.finish()
        with pytest.raises(TryAgain):
            opened.commit()


@pytest.mark.req("MON-6")
def test_a_question_can_change_nothing_whatever_it_tries(hotel: Hotel) -> None:
    asking = Opening(tenant_id=hotel.tenant_id, reads_only=True)

    with hotel.house.wiring.transactions.open(asking) as opened:
        command = opened.command(caller(hotel))
        with pytest.raises(DatabaseUnavailable, match="25006"):  # read_only_sql_transaction
            command.rows(NEXT_SETTINGS)


@pytest.mark.req("FOL-5", "MON-6")
def test_a_command_that_is_refused_at_its_end_leaves_nothing_to_those_beside_it(
    hotel: Hotel,
) -> None:
    """It has charged, posted and told when it is refused; one before it and one behind it in the
    same transaction are not: 110.00 each."""
    folio = hotel.open_folio()
    clerk = Actor("clerk", hotel.tenant_id, frozenset({hotel.property_id}), frozenset(), "pwd")

    charge_it = declaration_of(post_charge).use_case

    def charge_and_refuse(request: PostCharge, tx: Transaction) -> None:
        charge_it(request, tx)
        raise CursorInvalid

    results = hotel.house.wiring.runner.run_together(
        [
            Call(
                use_case=use_case,
                request=read(PostCharge, {"folioId": folio, **charge()}),
                caller=Caller(actor=clerk),
                tenant_id=hotel.tenant_id,
                answer=lambda _: StoredAnswer(b"", 201, {}, ""),
            )
            for use_case in (charge_it, charge_and_refuse, charge_it)
        ]
    )

    assert [type(result) for result in results] == [Result, CursorInvalid, Result]
    assert hotel.get(f"/folios/{folio}").json["balance"] == usd(22_000)
    assert told(hotel) == ["folio.opened", "charge.posted", "charge.posted"]
    assert hotel.rows("SELECT count(DISTINCT xmin::text) FROM {s}.folio_lines") == [[1]]
    assert_books_are_right(hotel)


@pytest.mark.req("FOL-4", "MON-6")
def test_a_deadlock_is_not_noticed_by_the_caller(hotel: Hotel) -> None:
    """A payment holds its folio and waits to read; somebody who holds the ledger waits for the
    folio. When the payment goes on, it closes the circle, and is the one that the server ends."""
    folio = hotel.open_folio()
    hotel.charged(folio)
    body = {"method": "card", "amount": usd(11_000), "paymentId": "pp-1"}
    with hotel.house.session() as reading, hotel.house.session() as other:
        reading.run("BEGIN")
        reading.run(f"LOCK TABLE {hotel.schema}.payments")
        other.run("SET deadlock_timeout = '10min'")
        other.run("BEGIN")
        other.run(f"LOCK TABLE {hotel.schema}.ledger_entries IN SHARE MODE")
        with meanwhile(lambda: hotel.post(f"/folios/{folio}/payments", body)) as paid:
            hotel.house.until_waiting(reading)
            with meanwhile(lambda: other.run(f"SELECT 1 FROM {hotel.schema}.folios FOR UPDATE")):
                until(lambda: hotel.house.sql(WAITING_FOR_A_FUNCTION)[0][0] == 1)
                reading.run("ROLLBACK")
            other.run("ROLLBACK")

    assert paid().status_code == 201, paid().text
    assert hotel.get(f"/folios/{folio}").json["balance"] == usd(0)
    assert_books_are_right(hotel)


@pytest.mark.req("MIG-1", "TEN-2b")
def test_a_migration_that_makes_statements_stale_is_not_noticed_by_anybody(house: House) -> None:
    """Both connections of the pool have the statement; one request finds out for both."""
    hotel = house.new_hotel()
    folio = hotel.open_folio()
    instance = house.beside(pool_size=2)
    through = at(instance, hotel)
    for _ in range(2):
        with instance.wiring.pools["main"].connection(hotel.schema):
            assert through.get(f"/folios/{folio}").status_code == 200

    hotel.rows("ALTER TABLE {s}.folios ALTER COLUMN window_name TYPE varchar")

    assert [through.get(f"/folios/{folio}").status_code for _ in range(4)] == [200] * 4
    assert through.post(f"/folios/{folio}/charges", charge()).status_code == 201
    instance.close()


@pytest.mark.req("TEN-2", "TEN-4")
def test_settings_of_another_tenant_are_never_taken_for_ones_own(
    house: House, hotel: Hotel
) -> None:
    """A process that has cached the tenant's settings asks for newer ones: of that tenant only."""
    other = house.new_hotel(taxRules=[])
    folio, instance = hotel.open_folio(), house.beside()
    for each in (other, hotel, other, hotel):
        at(instance, each).open_folio()

    answer = at(instance, hotel).post(f"/folios/{folio}/charges", charge())

    assert answer.json["balance"] == usd(11_000)
    instance.close()


@pytest.mark.req("API-4")
def test_the_same_key_still_running_is_told_to_come_back(hotel: Hotel) -> None:
    """The first holds its key while it waits for the folio."""
    folio = hotel.open_folio()
    path = f"/folios/{folio}/charges"
    with hotel.house.session() as holder:
        holder.run("BEGIN")
        holder.run(f"SELECT 1 FROM {hotel.schema}.folios FOR UPDATE")
        with meanwhile(lambda: hotel.post(path, charge(), key="k")) as first:
            hotel.house.until_waiting(holder)
            second = hotel.post(path, charge(), key="k")
            holder.run("ROLLBACK")

    assert (second.status_code, second.headers["Retry-After"]) == (409, "1")
    assert second.json["code"] == "MELMASTOON.GENERAL.IDEMPOTENCY_IN_PROGRESS"
    assert first().status_code == 201
    assert hotel.get(f"/folios/{folio}").json["balance"] == usd(11_000)
