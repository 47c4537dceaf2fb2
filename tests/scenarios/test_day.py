"""The hotel's day and the stack around it, as a newcomer meets them: `make run` and README.md."""

import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from common.local.client import Client
from common.local.clock import MovableClock
from common.local.day import TIME_ZONE
from common.local.day_month import DIGITS_AS_LETTERS
from tests.architecture.source_tree import ROOT
from tests.scenarios.laptop import SECONDS_MAX, WITHOUT_THE_MONTH, Laptop

STAND_IN_FOR_CURL = f"{sys.executable} {ROOT / 'tests' / 'scenarios' / 'stand_in_for_curl.py'}"
TENANT = "2f8e7c1a-4b6d-4e3f-9a52-7d1c0b9e8f64"


@pytest.fixture
def laptop() -> Iterator[Laptop]:
    with tempfile.TemporaryDirectory(prefix="billing-laptop-") as folder:
        yield Laptop(Path(folder))


@pytest.fixture(scope="module")
def running() -> Iterator[Laptop]:
    """A stack whose day is over, and that goes on serving."""
    with tempfile.TemporaryDirectory(prefix="billing-laptop-") as folder:
        chosen = Laptop(Path(folder))
        with chosen.serving():
            yield chosen


@pytest.mark.req("LOC-1", "CLI-1", "GW-3", "GW-4", "WH-2", "CRD-5", "SUB-7", "SUB-10", "ANA-1")
def test_plays_the_day_and_does_so_again_on_the_same_folder(laptop: Laptop) -> None:
    """Two invoices a day, whose numbers follow one another as long as the year is the same: a month
    of the platform lies between the two days. Four PDFs of the hotel's lie in the folder."""
    numbers: Counter[str] = Counter()
    for times in (1, 2):
        day = laptop.billing("run", "--once")
        assert day.returncode == 0, day.stdout + day.stderr
        invoices = re.findall(
            r"^  \d+  INV-AF-KBL-(\d{4})-(\d+) +(\S+ USD)  (\S+)$", day.stdout, re.M
        )
        assert [total for _, _, total, _ in invoices] == ["133.99 USD", "121.35 USD"]
        for year, number, _, file in invoices:
            numbers[year] += 1
            assert int(number) == numbers[year]
            assert Path(file).read_bytes().startswith(b"%PDF-")
        assert_the_month_went_well(day.stdout, times)
        assert "valid: true, signature valid" in day.stdout
        assert "403  MELMASTOON.BILLING.CASH_SAME_PERSON" in day.stdout
        assert "403  MELMASTOON.IAM.STEP_UP_REPLAY" in day.stdout
        assert "closed by two: 238.00 USD due, 235.00 USD there, 3.00 USD short" in day.stdout
        assert "200  acknowledged by manager" in day.stdout
        assert "201  promised, asked for, succeeded; balance 0.00 USD" in day.stdout
        assert re.search(r"room 118 owes 90.00 USD; rooms of \d{4}-\d\d-\d\d: ", day.stdout)
        assert "valid: false" in day.stdout
        assert "200  failed: generic_decline; 90.00 USD are owed" in day.stdout
        assert "200  requires_action: the guest goes to " in day.stdout
        assert "200  applied once, 4 duplicates; room 118 owes 0.00 USD" in day.stdout
        assert "400  MELMASTOON.BILLING.WEBHOOK_SIGNATURE_INVALID" in day.stdout
        assert "201  1,100 credits gone; balance 0.00 USD" in day.stdout
        assert "200  2,000 credits taken back" in day.stdout
        assert "4 times, then the processor is left alone" in day.stdout
        assert "503  MELMASTOON.BILLING.GATEWAY_UNAVAILABLE, again in 30 s" in day.stdout
        assert "200  succeeded; the breaker is closed" in day.stdout
        assert "200  succeeded, once; balance -117.00 USD" in day.stdout
        assert re.search(r"201  credit note CN-AF-KBL-\d{4}-\d+, 123.99 USD", day.stdout)
        assert "422  MELMASTOON.BILLING.CREDIT_EXCEEDS_INVOICE" in day.stdout
        assert re.search(r"200  \d{4}-\d\d-\d\d is matched", day.stdout)
    assert len(list((laptop.folder / "documents").rglob("inv_*/*.pdf"))) == 4
    assert not list(laptop.folder.glob("running.json"))


def assert_the_month_went_well(said: str, times: int) -> None:
    """29.00 for Pro, what Team is more for the rest of the month, 99.00; each year's invoices are
    counted anew. Whoever was subscribed the time before still is, at 99.00 a month."""
    assert "409  MELMASTOON.BILLING.TRIAL_USED" in said
    assert "200  3 requests, though five were told" in said
    assert "melmastoon.billing.subscription.trial_will_end.v1" in said
    assert re.search(r"MEL-\d{4}-\d+: 29.00 USD paid; 1,000 credits", said)
    (quoted,) = re.findall(r"200  (\S+ USD); nothing is changed", said)
    assert re.search(rf"200  MEL-\d{{4}}-\d+: {quoted}, as was quoted", said)
    assert re.search(r"MEL-\d{4}-\d+: 99.00 USD; 5,000 credits came", said)
    assert "declined 6 times in 10 days; suspended" in said
    assert "204  melmastoon.billing.subscription.suspended.v1; access read_only" in said
    assert re.search(r"MEL-\d{4}-\d+: 99.00 USD paid; access full", said)
    bridge = (
        f"200  {99 * (times - 1)}.00 USD and now {99 * times}.00 USD: new 29.00 USD, expansion"
        " 70.00 USD, churn -99.00 USD, reactivation 99.00 USD; unexplained 0.00 USD"
    )
    assert bridge in said
    invoices = re.findall(r"^  MEL-\d{4}-\d+ +(\S+ USD)  (\S+)$", said, re.M)
    assert [total for total, _ in invoices] == ["29.00 USD", quoted, "99.00 USD"]
    assert all(Path(file).read_bytes().startswith(b"%PDF-") for _, file in invoices)


@pytest.mark.req("LOC-1", "CASH-11")
@pytest.mark.parametrize("hour", [1, 4], ids=["before_day_close", "after_day_close"])
def test_plays_the_day_at_whatever_hour_it_is_started(laptop: Laptop, hour: int) -> None:
    """The morning that comes is that after the business date, and not the next one at the wall."""
    clock = MovableClock(laptop.folder / "clock")
    here = clock.now().astimezone(TIME_ZONE)
    clock.move(int((here.replace(hour=hour, minute=20) - here).total_seconds()))
    day = laptop.billing("run", "--once", before=WITHOUT_THE_MONTH)
    assert day.returncode == 0, day.stdout + day.stderr
    assert re.search(rf"^✓ \d\d \w{{3}} 0{hour}:\d\d  load balancer", day.stdout, re.M)
    assert "201  credit note" in day.stdout
    assert " is matched" in day.stdout


@pytest.mark.req("LOC-1")
def test_names_the_step_that_went_otherwise_and_ends_with_1(laptop: Laptop) -> None:
    """The tax rules say 5 %: the night in room 204 bears 6.00 instead of 12.00."""
    day = laptop.billing(
        "run", "--once", before="import common.local.demo_hotel as hotel; hotel.VAT_PPM = 50_000"
    )

    assert day.returncode == 1
    assert "✗ night audit (farid) charges the night in room 204" in day.stdout
    assert "120.00 + 2.00 + 6.00 were posted, not 120.00 + 2.00 + 12.00" in day.stdout


@pytest.mark.req("LOC-1")
def test_ends_in_good_order_when_it_is_interrupted(laptop: Laptop) -> None:
    with laptop.serving(WITHOUT_THE_MONTH) as process:
        pass

    assert process.returncode == 0
    assert not (laptop.folder / "running.json").exists()
    assert not (laptop.folder / "database" / "data" / "postmaster.pid").exists()


@pytest.mark.req("LOC-1")
def test_says_that_it_runs_already(running: Laptop) -> None:
    second = running.billing("run")

    assert second.returncode == 75
    assert f"it runs already, at {running.url}" in second.stderr


@pytest.mark.req("LOC-1")
def test_says_that_the_port_is_taken(running: Laptop, laptop: Laptop) -> None:
    other = Laptop(laptop.folder, running.port)

    refused = other.billing("run", "--once")

    assert refused.returncode == 1
    assert f"Port {running.port} is taken" in refused.stderr


CURLS = [name for name in (shutil.which("curl"),) if name] + [STAND_IN_FOR_CURL]


@pytest.mark.req("LOC-1", "CLI-1")
@pytest.mark.parametrize("curl", CURLS)
def test_the_stay_by_hand_works_as_the_readme_has_it(
    running: Laptop, tmp_path: Path, curl: str
) -> None:
    """Every line, with this stack's address and command in place of the usual ones.

    A machine needs no curl to run the tests: a stand-in plays the same lines as well.
    """
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^```bash\n(.*?)^```", readme, re.M | re.S)
    block = block.replace("http://127.0.0.1:8080", running.url)
    block = block.replace(".venv/bin/billing", f"{sys.executable} -m common.cli")
    block = re.sub(r"\bcurl\b", curl, block)

    played = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block],
        cwd=tmp_path,
        env=running.environment,
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
        check=False,
    )

    assert played.returncode == 0, played.stdout + played.stderr
    said = played.stdout
    assert '"balance":{"amountMicro":112000000,"currency":"USD"}' in said
    assert '"balance":{"amountMicro":0,"currency":"USD"}' in said
    assert said.count('"valid":true') == 2
    assert "payload         is the PDF's" in said
    assert "NOT WELL" not in said


@pytest.mark.req("CLI-1")
def test_a_token_of_the_command_opens_the_door_and_no_other(running: Laptop) -> None:
    token = running.billing("token", "--sub", "bar", "--scope", "billing.folio.read").stdout.strip()
    client = Client(running.url)

    assert client.get("/api/v1/folios", token).status == 200
    assert client.get("/api/v1/invoices", token).expect(403, "SCOPE_MISSING")


@pytest.mark.req("LOC-3")
def test_time_moves_for_every_process_of_the_stack(running: Laptop) -> None:
    """A token of an hour is over after two."""
    token = running.billing("token").stdout.strip()
    client = Client(running.url)
    assert client.get("/api/v1/folios", token).status == 200

    client.post("/dev/clock", {"moveSeconds": 7200}).expect(200)

    client.get("/api/v1/folios", token).expect(401, "TOKEN_EXPIRED")


@pytest.mark.req("LOC-1", "SUB-10")
def test_the_day_can_be_played_as_often_as_one_likes(running: Laptop) -> None:
    """A day has a trial, and five a day of an address are usual: a laptop has one address."""
    client, statuses = Client(running.url), []
    for _ in range(6):
        word = uuid4().hex.translate(DIGITS_AS_LETTERS)
        who = {"sub": word, "scopes": [], "email": f"{word}@house.example"}
        token = client.post("/dev/token", who).json["accessToken"]
        asked = {"plan": "gold", "device": f"device-{word}"}
        statuses.append(client.post("/api/v1/trials", asked, token).status)

    assert statuses == [404] * 6


@pytest.mark.req("CLI-1")
def test_the_operators_commands_find_the_running_stack(running: Laptop) -> None:
    doctor = json.loads(running.billing("doctor", "--json").stdout)
    tenants = json.loads(running.billing("tenant", "list", "--json").stdout)["tenants"]
    shown = json.loads(running.billing("tenant", "show", TENANT, "--json").stdout)
    behind = json.loads(running.billing("migrate", "status", "--json").stdout)["behind"]
    jobs = running.billing("job", "run", "render_invoice_backlog")

    assert doctor["well"] is True
    assert {each["check"] for each in doctor["findings"]} >= {"database", "outbox", "books"}
    assert TENANT in [each["tenantId"] for each in tenants]
    assert (shown["status"], shown["invoices"] >= 2) == ("active", True)
    assert behind == 0
    assert jobs.returncode == 0, jobs.stderr


@pytest.mark.req("CLI-1", "TEN-4")
def test_a_tenant_is_created_once_however_often_it_is_asked_for(running: Laptop) -> None:
    tenant = running.billing("tenant", "create").stdout.strip()

    again = running.billing("tenant", "create", tenant)
    shown = json.loads(running.billing("tenant", "show", tenant, "--json").stdout)

    assert (again.returncode, again.stdout.strip()) == (0, tenant)
    assert (shown["openFolios"], shown["settingsVersion"]) == (0, 0)


@pytest.mark.req("CLI-1")
def test_says_that_there_is_no_such_tenant(running: Laptop) -> None:
    missing = running.billing("tenant", "show", "00000000-0000-4000-8000-000000000000")

    assert missing.returncode == 1
    assert "there is no tenant" in missing.stderr
