"""`billing migrate` as an operator meets it: what it prints and how it exits."""

import json
from collections.abc import Callable
from uuid import UUID, uuid4

import pytest
from click.testing import Result
from typer.testing import CliRunner

from common.cli.migrate import migrate
from common.postgres.migrations import provision_tenant
from common.postgres.schemas import schema_of
from tests.migrations.toys import Database

pytestmark = pytest.mark.req("MIG-1", "CLI-1")

Command = Callable[..., Result]


@pytest.fixture
def command(database: Database) -> Command:
    """Run `billing migrate` on the test's database, as the environment names it."""
    runner = CliRunner(env={"BILLING_MIGRATION_DSN": database.dsn, "COLUMNS": "200"})

    def run(*words: str) -> Result:
        return runner.invoke(migrate, list(words))

    return run


@pytest.fixture
def tenant(database: Database, command: Command) -> UUID:
    """A registered tenant at the newest version."""
    assert command("up", "--scope", "central").exit_code == 0
    tenant_id = uuid4()
    session = database.connect()
    provision_tenant(session, tenant_id)
    session.close()
    database.register([tenant_id])
    return tenant_id


def test_brings_an_empty_database_up_and_says_so(command: Command) -> None:
    result = command("up")

    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("1 moved; central: 1 at 0")
    assert command("status").exit_code == 0


def test_shows_what_is_pending_and_fails_a_check(command: Command, tenant: UUID) -> None:
    command("down", "--tenant", str(tenant), "--target", "0")

    result = command("status")

    assert result.exit_code == 1
    assert schema_of(tenant) in result.stdout
    assert "0001_" in result.stdout
    assert "2 schemas, 1 behind or not fitting" in result.stdout


def test_prints_one_json_object(command: Command, tenant: UUID) -> None:
    command("down", "--tenant", str(tenant), "--target", "0", "--json")

    behind = json.loads(command("status", "--json").stdout)
    done = json.loads(command("up", "--json").stdout)

    assert behind["behind"] == 1
    assert behind["schemas"][1]["schema"] == schema_of(tenant)
    assert done["exitCode"] == 0
    assert done["counts"] == {"unchanged": 1, "moved": 1}


def test_exits_1_and_names_the_schema_that_could_not_be_moved(
    database: Database, command: Command, tenant: UUID
) -> None:
    command("down", "--tenant", str(tenant), "--target", "0")
    database.run(f"CREATE TABLE {schema_of(tenant)}.folios (id text)")

    result = command("up")

    assert result.exit_code == 1
    assert "1 failed" in result.stdout
    assert f"first failure in {schema_of(tenant)}" in result.stdout
    assert f"failed {schema_of(tenant)}" in result.stderr


def test_exits_2_for_a_target_that_does_not_say_of_which_sequence(command: Command) -> None:
    result = command("up", "--target", "1")

    assert result.exit_code == 2
    assert "a target asks for scope central or tenants" in result.stderr


def test_exits_1_in_one_line_when_there_is_no_database(command: Command) -> None:
    result = command("status", "--dsn", "postgresql://postgres@/postgres?host=%2Fnowhere")

    assert result.exit_code == 1
    assert result.stderr.startswith("billing migrate: no connection to the database")
    assert len(result.stderr.splitlines()) == 1


def test_asks_for_the_database_when_none_is_named() -> None:
    result = CliRunner().invoke(migrate, ["status"], env={"BILLING_MIGRATION_DSN": ""})

    assert result.exit_code == 2
    assert "--dsn" in result.stderr
