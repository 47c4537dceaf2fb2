"""SQL stands in common/postgres and in the migrations; schema names in one module of it (TEN-2)."""

import re
from collections.abc import Callable, Iterator
from typing import Final

import pytest

from tests.architecture.source_tree import PRODUCTION, Source, sources, strings

pytestmark = pytest.mark.req("TEN-2")

SQL: Final = re.compile(
    r"\bSELECT\b|\bINSERT INTO\b|\bDELETE FROM\b|\bUPDATE \w+\s+SET\b|\bTRUNCATE\b"
    r"|\b(CREATE|ALTER|DROP) (TABLE|ROLE|SCHEMA|INDEX|POLICY|FUNCTION|VIEW|DATABASE)\b"
    r"|\bSET (LOCAL|SESSION)\b|\bGRANT \w+ (ON|TO)\b"
    r"|(?i:^\s*(select\s.+\sfrom\s|insert\s+into\s|update\s+\w+\s+set\s|delete\s+from\s))"
)
ROOM_OF_SQL: Final = "common/postgres"
ONE_PLACE: Final = "common/postgres/schemas.py"
TENANT_NAME: Final = re.compile(r"tenant_([0-9a-f]{32}|\{\w*\}|%s)|\}_billing\b|__archived_")
QUALIFIED: Final = re.compile(
    r"\b(?:FROM|JOIN|INTO|UPDATE|TABLE|REFERENCES)\s+(?:ONLY\s+)?(\w+|\{\w*\})\.\w", re.IGNORECASE
)
KNOWN_SCHEMAS: Final = {"billing_central", "pg_catalog", "information_schema"}
Lint = Callable[[Source], Iterator[str]]


def stray_sql(source: Source) -> Iterator[str]:
    if source.lies_in(ROOM_OF_SQL):
        return
    for node, text in strings(source.tree):
        if SQL.search(text):
            yield (
                f"{source.at(node)}: SQL outside {ROOM_OF_SQL}. Give the question a name there, "
                "as a constant beside the mapping of its rows, and ask it through a port."
            )


def built_schema_names(source: Source) -> Iterator[str]:
    if source.path == ONE_PLACE:
        return
    for node, text in strings(source.tree):
        if TENANT_NAME.search(text):
            yield (
                f"{source.at(node)}: a tenant's schema or role is named here. Call schema_of or "
                f"role_of of {ONE_PLACE}: they take the digits of a UUID and nothing else."
            )


def qualified_names(source: Source) -> Iterator[str]:
    texts = (
        [(f"{source.path}:1", source.text)]
        if source.path.endswith(".sql")
        else [(source.at(node), text) for node, text in strings(source.tree) if SQL.search(text)]
    )
    for place, text in texts:
        for schema in QUALIFIED.findall(text):
            if schema not in KNOWN_SCHEMAS:
                yield (
                    f"{place}: a table is read from schema {schema}. The transaction's search_path "
                    "says which tenant is meant; only billing_central is named."
                )


def test_sql_stands_in_its_room_only() -> None:
    offences = [each for source in sources(*PRODUCTION) for each in stray_sql(source)]

    assert not offences, "\n" + "\n".join(offences)


def test_schema_names_are_made_in_one_place_only() -> None:
    offences = [
        each
        for source in sources(*PRODUCTION)
        for lint in (built_schema_names, qualified_names)
        for each in lint(source)
    ]

    assert not offences, "\n" + "\n".join(offences)


def test_migrations_name_no_schema_but_the_central_one() -> None:
    offences = [
        each for source in sources("migrations", ending=".sql") for each in qualified_names(source)
    ]

    assert not offences, "\n" + "\n".join(offences)


@pytest.mark.parametrize(
    ("lint", "text"),
    [
        (stray_sql, 'sql = "SELECT 1"'),
        (stray_sql, 'sql = f"select id from {table}"'),
        (stray_sql, 'run("SET LOCAL ROLE x")'),
        (built_schema_names, 'name = f"tenant_{tenant.hex}_billing"'),
        (built_schema_names, 'name = "tenant_%s" % tenant'),
        (built_schema_names, 'name = f"{prefix}_billing"'),
        (built_schema_names, f'name = "tenant_{"0" * 32}"'),
        (qualified_names, 'sql = f"SELECT id FROM {schema}.folios"'),
        (qualified_names, 'sql = "SELECT id FROM hotel.folios"'),
    ],
)
def test_finds_sql_and_names_out_of_place(lint: Lint, text: str) -> None:
    assert len(list(lint(Source("common/runtime/planted.py", text)))) == 1


@pytest.mark.parametrize(
    "text",
    [
        '"""SELECT is named in a docstring only."""',
        'message = "Update the folio, then select a window from the list."',
        'scope = "billing.folio.read"',
        'header = "tenant_id"',
    ],
)
def test_leaves_plain_words_alone(text: str) -> None:
    source = Source("common/runtime/planted.py", text)

    for lint in (stray_sql, built_schema_names, qualified_names):
        assert list(lint(source)) == []
