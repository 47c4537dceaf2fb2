"""Drills about machines: the database, its migrations, and a detector that nothing waits for."""

import json
import os
import signal
from pathlib import Path
from uuid import uuid4

import psutil
import pytest

from tests.drills.drill import DrillOf, summary
from tests.hotel import charge, usd
from tests.till import Till

pytestmark = pytest.mark.req("OPS-3")
NEWEST = "SELECT max(version) FROM billing_central.schema_migrations WHERE schema_name = :s"
CONTRADICTS = """
CREATE FUNCTION public.contradicts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the data of % contradict a constraint', NEW.schema_name;
END $$;
CREATE TRIGGER contradicts BEFORE INSERT ON billing_central.schema_migrations
FOR EACH ROW WHEN (NEW.schema_name = '{schema}') EXECUTE FUNCTION public.contradicts()
"""
PUT_RIGHT = "DROP FUNCTION public.contradicts() CASCADE"


def test_the_database_is_gone_for_a_moment(drill_of: DrillOf) -> None:
    """It dies between two commands; the one that was refused is sent again under its key."""
    drill = drill_of("database_failover")
    hotel, database = drill.hotel, drill.stack.database
    folio, key = hotel.open_folio(), str(uuid4())
    path = f"/folios/{folio}/charges"
    server = psutil.Process(int((database.data / "postmaster.pid").read_text().split()[0]))

    os.kill(server.pid, signal.SIGQUIT)
    psutil.wait_procs([server], timeout=30)

    assert hotel.get("/health/ready").json["database"] == "down"
    refused = hotel.post(path, charge(), key=key)
    assert (refused.status_code, "Retry-After" in refused.headers) == (503, True)
    typed = drill.first_five_minutes(exits={"billing doctor": 1})
    assert "does not answer" in typed["billing doctor"].stdout
    database.revive()
    drill.loses_sessions()
    answers = [hotel.post(path, charge(), key=key) for _ in range(2)]
    assert [each.status_code for each in answers] == [201, 201]
    assert hotel.get(f"/folios/{folio}").json["balance"] == usd(11_000), "charged once"
    drill.run("billing job run drain_outbox --once")
    drill.is_over()


def test_a_migration_does_not_reach_every_schema(drill_of: DrillOf) -> None:
    """The data of one tenant contradict it; the others are moved on, and that one follows."""
    drill = drill_of("migration_rolled_back")
    tenant, schema = str(drill.hotel.tenant_id), drill.hotel.schema
    newest = drill.house.sql(NEWEST, s=schema)[0][0]
    down = "billing migrate down --scope tenants --target N"
    drill.run(down, put={"N": newest - 1})
    drill.house.sql(CONTRADICTS.format(schema=schema))

    failed = drill.run("billing migrate up --on-failure continue", exits=1)

    assert schema in failed.output
    wrong = {"billing migrate status --json": 1, "billing doctor": 1}
    typed = drill.first_five_minutes(exits=wrong)
    status = json.loads(typed["billing migrate status --json"].stdout)
    behind = [each["schema"] for each in status["schemas"] if each["pending"]]
    assert (status["behind"], behind) == (1, [schema])
    drill.house.sql(PUT_RIGHT)
    drill.page.says("with `--tenant`")
    drill.run("billing migrate up --scope tenants", "--tenant", tenant)
    drill.run("billing migrate up --on-failure continue")
    drill.is_over()


def test_the_detector_of_odd_patterns_is_down(drill_of: DrillOf, tmp_path: Path) -> None:
    """The day has ended and the platform's orchestrator says nothing: the house counts."""
    drill = drill_of("ai_orchestrator_down")
    till = Till.opened(drill.hotel, usd(10_000))
    assert till.initiate(usd(9_500)).status_code == 200
    assert till.close(usd(9_500)).status_code == 200
    drill.waits_for_the_next_day()
    drill.fires("run_night_audit")
    nobody = {
        "BILLING_ORCHESTRATOR_URL": "http://127.0.0.1:9",
        "BILLING_ORCHESTRATOR_KEY": "a key",
        "GOOGLE_APPLICATION_CREDENTIALS": str(tmp_path / "none.json"),
    }

    done = summary(drill.type("job", "run", "detect_cash_patterns", **nobody))
    assert (done["done"], done["failed"]) == (done["due"], 0), "the house counts by itself"

    assert drill.goes_off("detector_down")
    typed = drill.first_five_minutes()
    assert summary(typed["billing job run detect_cash_patterns --dry-run"])["due"] == 0
    drill.waits_for_the_next_day()
    drill.fires("run_night_audit")
    caught_up = summary(drill.run("billing job run detect_cash_patterns"))
    assert (caught_up["done"] > 0, caught_up["failed"]) == (True, 0)
    drill.is_over()
