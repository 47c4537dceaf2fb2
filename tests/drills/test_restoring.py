"""The drill of all drills: the database is taken back in time, and the world is ahead of it."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import psutil
import pytest
from werkzeug.test import TestResponse

from common.local.database import LocalDatabase
from common.postgres.address import open_session
from tests.drills.drill import Drill, DrillOf, summary
from tests.hotel import charge, usd
from tests.reconciling import captured, paid_by_card, sandbox
from tests.refunding import SCOPE, context, standing, wanted
from tests.till import OPERATE, Till, counted
from tests.together import until

pytestmark = pytest.mark.req("OPS-3", "INV-2", "SEC-4", "API-4")
SIX_MINUTES = 360
RECOVER = """
restore_command = 'cp "{lost}/pg_wal/%f" "%p"'
recovery_target_time = '{time}'
recovery_target_action = 'promote'
"""
MEGABYTE = 2**20


@dataclass
class Cluster:
    """The stack's server, its backup, and its way back: as Cloud SQL clones to a point in time."""

    database: LocalDatabase

    @property
    def folder(self) -> Path:
        return self.database.folder

    def back_up(self) -> None:
        """A base backup, taken while it serves; what follows is in its write-ahead log."""
        backup = self.folder / "backup"
        backup.mkdir(mode=0o700)
        user = self.database.system_user
        if user is not None:
            shutil.chown(backup, user)
        program = self.database.binary("pg_basebackup")
        command = [str(program), "--host", str(self.database.socket_dir), "--username", "postgres"]
        command += ["--pgdata", str(backup), "--checkpoint", "fast", "--wal-method", "stream"]
        subprocess.run(command, user=user, cwd=backup, check=True, capture_output=True)

    def lose(self) -> None:
        """The server dies at once; only its log and its backup are left."""
        pid = int((self.database.data / "postmaster.pid").read_text().split()[0])
        server = psutil.Process(pid)
        os.kill(pid, signal.SIGQUIT)
        psutil.wait_procs([server], timeout=30)
        self.database.data.rename(self.folder / "lost")

    def clone_to(self, point: str) -> None:
        """Begin with the backup, and go on by the log until the point in time."""
        data = self.database.data
        (self.folder / "backup").rename(data)
        settings = data / "postgresql.auto.conf"
        with settings.open("a", encoding="utf-8") as file:
            file.write(RECOVER.format(lost=self.folder / "lost", time=point))
        (data / "recovery.signal").touch()
        self.database.revive()
        until(self._writes)

    def _writes(self) -> bool:
        """Whether it has come to the point in time, and stands on its own."""
        session = open_session(self.database.dsn())
        try:
            return not session.run("SELECT pg_is_in_recovery()")[0][0]
        finally:
            session.close()

    def megabytes(self) -> int:
        """What had to be restored."""
        files = (each for each in self.database.data.rglob("*") if each.is_file())
        return sum(each.stat().st_size for each in files) // MEGABYTE

    def throw_away(self) -> None:
        shutil.rmtree(self.folder / "lost")


def refunded(drill: Drill, folio: str, body: dict[str, Any]) -> TestResponse:
    """Confirmed anew each time, under the same key."""
    deed = context(drill.hotel, folio, body)
    sent = {**body, "stepUpToken": drill.hotel.confirmation("nadia", SCOPE, deed)}
    access = drill.hotel.token(sub="nadia")
    return drill.hotel.post(f"/folios/{folio}/refunds", sent, token=access, key=body["id"])


def number_of(drill: Drill, invoice: str) -> int:
    """Which place of its series it has."""
    number: str = drill.hotel.get(f"/invoices/{invoice}").json["number"]
    return int(number.rpartition("-")[2])


def test_the_database_is_taken_back_to_a_point_in_time(
    drill_of: DrillOf, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before the point: invoice 1, a folio paid by card. After it: invoice 2 in a guest's hand, a
    count that was signed, 10.00 given back to the card, 50.00 captured. Then all of it is gone.
    """
    drill = drill_of("disaster_recovery")
    hotel, cluster = drill.hotel, Cluster(drill.stack.database)
    documents = drill.stack.folder / "documents"
    cluster.back_up()
    _, first = hotel.closed_folio()
    folio = hotel.open_folio()
    hotel.charged(folio)
    payment, _ = paid_by_card(hotel, folio, 11_000)
    till = Till.opened(hotel, usd(10_000))
    drill.drains()
    newest = "SELECT max(recorded_at), clock_timestamp() FROM billing_central.outbox"
    ((committed, point),) = drill.house.sql(newest)

    _, second = hotel.closed_folio()
    drill.drains()
    signature = hotel.confirmation(till.karim, OPERATE, till.context(counted(usd(9_500))))
    assert till.initiate(usd(9_500), token=signature).status_code == 200
    refund = wanted(payment, usd(1_000))
    assert refunded(drill, folio, refund).status_code == 201
    silent = captured(hotel, 5_000)
    key, path = str(uuid4()), f"/folios/{folio}/charges"
    assert hotel.post(path, charge("spa", 1_000), key=key).status_code == 201
    assert [number_of(drill, each) for each in (first, second)] == [1, 2]

    cluster.lose()
    started = time.monotonic()
    cluster.clone_to(point.isoformat())
    restored = time.monotonic() - started
    drill.run("billing recovery begin")
    drill.loses_sessions()
    drill.first_five_minutes()
    ((there, _),) = drill.house.sql(newest)
    assert there == committed, "nothing is lost that was committed before the point in time"
    reads_only(drill, folio, first, second)

    drill.run("billing migrate status")
    put = {"DOCUMENTS": documents}
    early = drill.run("billing recovery end DOCUMENTS", put=put, exits=1)
    assert "these numbers could be given again: INV-AF-KBL-" in early.output
    lost = drill.run("billing recovery numbers DOCUMENTS", put=put)
    assert "1 numbers are lost" in lost.stdout
    assert "0 numbers are lost" in drill.run("billing recovery numbers DOCUMENTS", put=put).stdout
    drill.waits(2 * 3600)  # the hour is over at which the processor is asked
    drill.run("billing job run reconcile_processor")
    drill.run("billing recovery end DOCUMENTS", put=put)
    drill.loses_sessions()
    took = time.monotonic() - started
    assert summary(drill.run("billing job run check_books"))["failed"] == 0
    assert "in ordinary use" in drill.type("recovery", "end", documents).output

    differs = hotel.get("/processor-differences", status="open").json["items"]
    assert {each["kind"] for each in differs} >= {"payment_not_recorded"}, silent
    _, third = hotel.closed_folio()
    assert number_of(drill, third) == 3, "no number is given twice"
    replayed = till.initiate(usd(9_500), token=signature)
    assert replayed.status_code in (401, 403), "no confirmation is used twice"
    again = refunded(drill, folio, refund)
    assert again.status_code == 201, again.text
    assert standing(hotel) == [[refund["id"], "succeeded"]]
    made = [id for id, _ in sandbox(hotel)._refunds() if id == refund["id"]]
    assert len(made) == 1, "no key makes the processor pay twice"
    for _ in range(2):
        assert hotel.post(path, charge("spa", 1_000), key=key).status_code == 201
    assert hotel.get(f"/folios/{folio}").json["balance"] == usd(1_100 + 1_000)
    size = cluster.megabytes()
    cluster.throw_away()
    drill.is_over()
    with capsys.disabled():
        sys.stdout.write(
            f"\nrestored {size} MB; RPO 0 s before the point in time; RTO {restored:.1f} s until"
            f" it was back, {took:.1f} s until it wrote again (its six minutes not waited for)\n"
        )


def reads_only(drill: Drill, folio: str, first: str, second: str) -> None:
    """What reads is answered, what writes is told to come again; what came later is not known."""
    hotel = drill.hotel
    assert hotel.get(f"/invoices/{first}").status_code == 200
    assert hotel.get(f"/invoices/{second}").status_code == 404
    refused = hotel.post(f"/folios/{folio}/charges", charge())
    assert (refused.status_code, "Retry-After" in refused.headers) == (503, True)
    told = {"paymentId": f"psp_{uuid4()}", "folioId": folio, "amount": usd(100)}
    event = hotel.deliver("on_payment_captured", told)
    assert event.status_code == 503, "it is not acknowledged, and comes again"
    since = json.loads(drill.type("recovery", "status", "--json").stdout)["since"]
    assert since is not None
    too_early = drill.type("recovery", "end", drill.stack.folder)
    assert "confirmations may be alive until" in too_early.output
