"""A connection sends many statements at once, and after an error of the server it is clean.

Each answer stands at the place of its statement; what was prepared under a name is found under it
again, whatever happened in between (TEN-2b, PERF-1).
"""

from datetime import UTC, date, datetime, timedelta, timezone
from uuid import UUID, uuid4

import pytest

from common.postgres import connection as driver
from common.postgres.connection import Connection, ServerRefused, Statement
from tests.postgres.asking import connect, echo
from tests.postgres.proxy import Proxy

pytestmark = pytest.mark.req("TEN-2b")

PREPARED = "SELECT statement FROM pg_prepared_statements"

# many statements, one round trip


@pytest.mark.req("PERF-1")
@pytest.mark.parametrize("prepares", [True, False])
def test_sends_any_number_of_statements_in_one_round_trip(line: Proxy, prepares: bool) -> None:
    connection = connect(line, prepares=prepares)
    texts = [f"text {number}" for number in range(300)]

    for _ in range(2):
        with line.counting() as count:
            assert echo(connection, *texts) == texts
        assert count.round_trips == 1
    connection.close()


def test_keeps_rows_apart_by_their_statement(connection: Connection) -> None:
    results = connection.run(
        [
            Statement("SELECT generate_series(1, 3)"),
            Statement("SELECT 1 WHERE false"),
            Statement("CREATE TEMP TABLE rooms (number int, floor int)"),
            Statement("INSERT INTO rooms SELECT n, 1 FROM generate_series(1, 2) AS n"),
            Statement(""),
            Statement("SELECT number, floor FROM rooms"),
            Statement("UPDATE rooms SET floor = 2 RETURNING number"),
        ]
    )

    assert results == [[[1], [2], [3]], [], [], [], [], [[1, 1], [2, 1]], [[1], [2]]]


@pytest.mark.parametrize(
    ("sql", "value"),
    [
        ("SELECT $1::text", "Straße, 客人, 🛎, ' \" \\ $1 \x01"),
        ("SELECT $1::text", ""),
        ("SELECT $1::text", None),
        ("SELECT $1::bigint", -(2**63)),
        ("SELECT $1::boolean", True),
        ("SELECT $1::boolean", False),
        ("SELECT $1::bytea", bytes(range(256))),
        ("SELECT $1::bytea", b""),
        ("SELECT $1::date", date(2026, 2, 28)),
        ("SELECT $1::uuid", UUID(int=7)),
        ("SELECT $1::timestamptz", datetime(2026, 3, 1, 12, 0, 0, 123456, UTC)),
        ("SELECT $1::timestamptz", datetime(2026, 3, 1, tzinfo=timezone(timedelta(hours=4.5)))),
    ],
)
def test_a_value_comes_back_as_it_went(connection: Connection, sql: str, value: object) -> None:
    assert connection.run([Statement(sql, (value,))]) == [[[value]]]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("zone", "text"),
    [
        ("UTC", "2026-03-01 12:00:00.04+00"),
        ("UTC", "2026-03-01 12:00:00+00"),
        ("Asia/Kabul", "2026-03-01 16:30:00.000001+04:30"),
        ("America/New_York", "2026-03-01 07:00:00.120000-05"),
    ],
)
def test_an_instant_is_told_in_utc_whatever_zone_the_server_keeps(
    connection: Connection, zone: str, text: str
) -> None:
    set_zone = Statement("SELECT set_config('timezone', $1, false)", (zone,))

    _, [[instant]] = connection.run([set_zone, Statement("SELECT $1::timestamptz", (text,))])

    assert instant == datetime.fromisoformat(text)
    assert instant.utcoffset() == timedelta(0)


def test_a_reply_of_many_packets_comes_back_whole(connection: Connection) -> None:
    rows, after = connection.run(
        [Statement("SELECT repeat('x', 1000) FROM generate_series(1, 5000)"), Statement("SELECT 7")]
    )

    assert len(rows) == 5000
    assert {len(row[0]) for row in rows} == {1000}
    assert after == [[7]]


# an error of the server


@pytest.mark.parametrize("failing", [0, 1, 2])
def test_after_an_error_nothing_more_is_executed_and_the_connection_is_clean(
    connection: Connection, failing: int
) -> None:
    connection.run([Statement("CREATE TEMP TABLE steps (step int)")])
    steps = [Statement("INSERT INTO steps VALUES ($1)", (step,)) for step in range(3)]
    steps[failing] = Statement("SELECT 1 / $1::int", (0,))

    with pytest.raises(ServerRefused) as refused:
        connection.run([Statement("BEGIN"), *steps, Statement("COMMIT")])

    assert refused.value.sqlstate == "22012"
    assert (connection.broken, connection.in_transaction, connection.aborted) == (False, True, True)
    connection.run([Statement("ROLLBACK")])
    assert connection.run([Statement("SELECT step FROM steps")]) == [[]]


@pytest.mark.parametrize(
    "wrong",
    [
        Statement("SELECT nonsense"),
        Statement("SELEC 1"),
        Statement("SELECT $1::int", ("seven",)),
        Statement("SELECT $1::int / 0", (1,)),
        Statement("SELECT $1::text", ("before\x00after",)),
    ],
    ids=["does not parse", "is no SQL", "does not bind", "does not execute", "NUL in a text"],
)
def test_prepared_names_stay_right_after_an_error_at_any_step(
    connection: Connection, wrong: Statement
) -> None:
    """What was prepared before the error is used again; what came after it is prepared anew."""
    before, after = Statement("SELECT 'before', $1::int", (1,)), Statement("SELECT 'after'")

    for _ in range(3):
        with pytest.raises(ServerRefused):
            connection.run([before, wrong, after])
        assert not connection.broken
        assert connection.run([after, before]) == [[["after"]], [["before", 1]]]

    assert len(connection.run([Statement(PREPARED)])[0]) <= 4


def test_tells_which_rule_was_violated(connection: Connection) -> None:
    connection.run(
        [Statement("CREATE TEMP TABLE doors (key int CONSTRAINT one_key_per_door PRIMARY KEY)")]
    )
    insert = Statement("INSERT INTO doors VALUES (1)")

    with pytest.raises(ServerRefused) as refused:
        connection.run([insert, insert])

    assert (refused.value.sqlstate, refused.value.constraint) == ("23505", "one_key_per_door")
    assert refused.value.table == "doors"


# prepared statements come and go


def test_statements_that_are_not_used_any_more_make_room(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(driver, "PREPARED_STATEMENTS_MAX", 3)
    statements = [Statement(f"SELECT {number}") for number in range(10)]

    for _ in range(3):
        for statement in statements:
            assert connection.run([statement]) == [[[int(statement.sql[7:])]]]
        assert connection.run(statements) == [[[number]] for number in range(10)]

    assert len(connection.run([Statement(PREPARED)])[0]) <= 4


def test_a_list_longer_than_the_room_for_prepared_statements_is_answered_in_order(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each statement stands in the list twice, and is pushed out in between."""
    monkeypatch.setattr(driver, "PREPARED_STATEMENTS_MAX", 2)
    numbers = [*range(5), *range(5)]

    for _ in range(2):
        results = connection.run([Statement(f"SELECT {number}") for number in numbers])
        assert results == [[[number]] for number in numbers]


def test_the_same_words_mean_another_table_under_another_search_path(
    connection: Connection,
) -> None:
    connection.run(
        [Statement(f"CREATE SCHEMA IF NOT EXISTS hotel_{name}") for name in ("east", "west")]
    )
    for name in ("east", "west"):
        create = f"CREATE TABLE IF NOT EXISTS hotel_{name}.sign AS SELECT '{name}'::text AS text"
        connection.run([Statement(create)])

    def read(name: str) -> str:
        path = Statement("SELECT set_config('search_path', $1, true)", (f"hotel_{name}",), True)
        begin, commit = Statement("BEGIN", (), True), Statement("COMMIT", (), True)
        statements = [begin, path, Statement("SELECT text FROM sign"), commit]
        text: str = connection.run(statements, scope=f"hotel_{name}")[2][0][0]
        return text

    assert [read(name) for name in ("east", "west", "east", "west")] == ["east", "west"] * 2
    prepared = [row[0] for row in connection.run([Statement(PREPARED)])[0]]
    assert prepared.count("SELECT text FROM sign") == 2
    assert prepared.count("BEGIN") == prepared.count("COMMIT") == 1
    connection.run([Statement(f"DROP SCHEMA hotel_{name} CASCADE") for name in ("east", "west")])


def test_a_statement_that_a_migration_made_stale_costs_the_connection(
    connection: Connection, line: Proxy
) -> None:
    """Its sisters hold the same statement: they are thrown away as if the network had failed."""
    table = f"stale_{uuid4().hex}"
    read = Statement(f"SELECT number FROM {table}")
    connection.run([Statement(f"CREATE TABLE {table} (number int)"), read])
    other = connect(line)
    other.run([Statement(f"ALTER TABLE {table} ALTER COLUMN number TYPE bigint")])

    with pytest.raises(ServerRefused, match="cached plan"):
        connection.run([read])

    assert (connection.broken, connection.lost) == (True, True)
    other.run([Statement(f"DROP TABLE {table}")])
    other.close()


def test_a_new_column_makes_no_statement_stale(connection: Connection) -> None:
    """The version before a migration goes on working while the new one is rolled out."""
    insert = (
        "INSERT INTO rooms (number) SELECT number FROM json_populate_recordset(NULL::rooms, $1)"
    )
    connection.run([Statement("CREATE TEMP TABLE rooms (number int)")])
    statements = [Statement(insert, ('[{"number": 7}]',)), Statement("SELECT number FROM rooms")]
    connection.run(statements)

    connection.run([Statement("ALTER TABLE rooms ADD COLUMN floor int NOT NULL DEFAULT 1")])

    assert connection.run(statements)[1] == [[7], [7]]
