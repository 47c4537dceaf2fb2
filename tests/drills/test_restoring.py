"""The drill of all drills: the database is taken back in time, and the world is ahead of it."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID, uuid4

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
NEWEST = "SELECT max(recorded_at), clock_timestamp() FROM billing_central.outbox"
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


@dataclass
class Guests:
    """What guests and desk do before the point in time and after it, and try again in the end."""

    drill: Drill
    key: str = field(default_factory=lambda: str(uuid4()))

    def come(self) -> None:
        """Invoice 1; a folio of 110.00, paid by card; a drawer that is opened."""
        hotel = self.drill.hotel
        _, self.first = hotel.closed_folio()
        self.folio = hotel.open_folio()
        hotel.charged(self.folio)
        payment, _ = paid_by_card(hotel, self.folio, 11_000)
        self.till = Till.opened(hotel, usd(10_000))
        self.refund = wanted(payment, usd(1_000))
        self.drill.drains()

    def go_on(self) -> None:
        """Invoice 2 in a guest's hand, a count that was signed, 10.00 given back to the card, a
        charge of 11.00, and 50.00 captured that nobody told of."""
        hotel = self.drill.hotel
        _, self.second = hotel.closed_folio()
        self.drill.drains()
        context = self.till.context(counted(usd(9_500)))
        self.signature = hotel.confirmation(self.till.karim, OPERATE, context)
        assert self.till.initiate(usd(9_500), token=self.signature).status_code == 200
        assert self.refunded().status_code == 201
        assert self.charged().status_code == 201
        captured(hotel, 5_000)
        assert [self.number_of(each) for each in (self.first, self.second)] == [1, 2]

    def try_again(self) -> None:
        """No number, no confirmation and no key of after the point in time works a second time."""
        hotel, refund = self.drill.hotel, self.refund["id"]
        _, third = hotel.closed_folio()
        assert self.number_of(third) == 3, "2 is in a guest's hand"
        replayed = self.till.initiate(usd(9_500), token=self.signature)
        assert replayed.status_code in (401, 403), "it has been used, and is over"
        assert self.refunded().status_code == 201
        assert standing(hotel) == [[refund, "succeeded"]]
        made = [id for id, _ in sandbox(hotel)._refunds() if id == refund]
        assert len(made) == 1, "the processor knows its key"
        assert [self.charged().status_code for _ in range(2)] == [201, 201]
        assert hotel.get(f"/folios/{self.folio}").json["balance"] == usd(1_000 + 1_100)

    def refunded(self) -> TestResponse:
        """The refund with its own id and key; confirmed anew each time."""
        hotel, body = self.drill.hotel, self.refund
        deed = context(hotel, self.folio, body)
        sent = {**body, "stepUpToken": hotel.confirmation("nadia", SCOPE, deed)}
        path, access = f"/folios/{self.folio}/refunds", hotel.token(sub="nadia")
        return hotel.post(path, sent, token=access, key=body["id"])

    def charged(self) -> TestResponse:
        """The charge under its key."""
        path = f"/folios/{self.folio}/charges"
        return self.drill.hotel.post(path, charge("spa", 1_000), key=self.key)

    def number_of(self, invoice: str) -> int:
        """Which place of its series it has."""
        number: str = self.drill.hotel.get(f"/invoices/{invoice}").json["number"]
        return int(number.rpartition("-")[2])

    def only_read(self) -> None:
        """What reads is answered, what writes has to come again; what came later is not known."""
        hotel = self.drill.hotel
        shown = hotel.get(f"/invoices/{self.first}")
        assert shown.status_code == 200
        paper = {"tenant": str(hotel.tenant_id), "hash": shown.json["payloadSha256"]}
        public = hotel.get(f"/invoices/{self.first}/verify", token=None, **paper)
        assert public.status_code == 200, "what is limited by address is counted and answered"
        assert hotel.get(f"/invoices/{self.second}").status_code == 404
        refused = self.charged()
        assert (refused.status_code, "Retry-After" in refused.headers) == (503, True)
        told = {"paymentId": f"psp_{uuid4()}", "folioId": self.folio, "amount": usd(100)}
        event = hotel.deliver("on_payment_captured", told)
        assert event.status_code == 503, "it is not acknowledged, and comes again"
        assert json.loads(self.drill.type("recovery", "status", "--json").stdout)["since"]
        too_early = self.drill.type("recovery", "end", self.drill.stack.folder)
        assert "confirmations may be alive until" in too_early.output


def test_the_database_is_taken_back_to_a_point_in_time(
    drill_of: DrillOf, capsys: pytest.CaptureFixture[str]
) -> None:
    """The server is lost with all that came after the point; what the world has of it stays."""
    drill = drill_of("disaster_recovery")
    guests, cluster = Guests(drill), Cluster(drill.stack.database)
    cluster.back_up()
    guests.come()
    ((committed, point),) = drill.house.sql(NEWEST)
    guests.go_on()

    cluster.lose()
    started = time.monotonic()
    cluster.clone_to(point.isoformat())
    restored = time.monotonic() - started
    drill.run("billing recovery begin")
    drill.loses_sessions()
    drill.first_five_minutes()
    assert drill.house.sql(NEWEST)[0][0] == committed, "all that was committed before it is there"
    guests.only_read()
    agrees(drill)
    took = time.monotonic() - started

    guests.try_again()
    size = cluster.megabytes()
    cluster.throw_away()
    drill.is_over()
    with capsys.disabled():
        sys.stdout.write(
            f"\nrestored {size} MB; RPO 0 s before the point in time; RTO {restored:.1f} s until"
            f" it was back, {took:.1f} s until it wrote again (its six minutes not waited for)\n"
        )


def agrees(drill: Drill) -> None:
    """Database and world are brought to agree as the page says, and it is in ordinary use again."""
    documents = drill.stack.folder / "documents"
    put = {"DOCUMENTS": documents}
    drill.run("billing migrate status")
    stranger = documents / uuid4().hex
    shutil.copytree(documents / drill.hotel.tenant_id.hex, stranger)
    unknown = drill.run("billing recovery end DOCUMENTS", put=put, exits=1)
    assert f"billing tenant create {UUID(stranger.name)}" in unknown.output
    shutil.rmtree(stranger)
    early = drill.run("billing recovery end DOCUMENTS", put=put, exits=1)
    assert "these numbers could be given again: INV-AF-KBL-" in early.output
    assert "1 numbers are lost" in drill.run("billing recovery numbers DOCUMENTS", put=put).stdout
    again = drill.run("billing recovery numbers DOCUMENTS", put=put)
    assert again.stdout == "0 numbers are lost\n"
    assert drill.fires("drain_outbox", exits=1)["outcome"] == "in_recovery"
    drill.waits(2 * 3600)  # the hour is over in which the processor captured
    drill.run("billing job run reconcile_processor")
    drill.run("billing recovery end DOCUMENTS", put=put)
    drill.loses_sessions()
    assert "in ordinary use" in drill.type("recovery", "end", documents).output
    assert summary(drill.run("billing job run check_books"))["failed"] == 0
    differs = drill.hotel.get("/processor-differences", status="open").json["items"]
    assert "payment_not_recorded" in {each["kind"] for each in differs}
