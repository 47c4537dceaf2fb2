"""A PostgreSQL server of the chaos's own, which is stopped at once, killed, and started again."""

import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
from pg8000.exceptions import DatabaseError, InterfaceError

from common.local.database import LocalDatabase, start_database
from common.postgres.address import open_session

BACK_SECONDS_MAX = 60.0
LOOK_SECONDS = 0.02
LOCK_FILE = "postmaster.pid"
SYNC_AT_ONCE = "ALTER SYSTEM SET recovery_init_sync_method = 'syncfs'"
"""A recovery begins by syncing the folder: its file system in one call, not each file of it.

Linux alone has that call.
"""
BACKEND = """
SELECT pid FROM pg_stat_activity WHERE usename = 'billing_function'
ORDER BY state = 'active' DESC, state_change DESC LIMIT 1
"""
END_BACKEND = f"SELECT pg_terminate_backend(pid) FROM ({BACKEND}) AS backend"
UNDER_WAY = """
SELECT count(*) FROM pg_stat_activity
WHERE usename = 'billing_function' AND state <> 'idle'
"""
LEASES_RUN_OUT = "UPDATE billing_central.outbox_leases SET leased_until = '-infinity'"
WAITING = "SELECT count(*) FROM billing_central.outbox WHERE published_at IS NULL"


class Cluster:
    """The server of a folder, whichever process it is just now."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.database: LocalDatabase = start_database(folder)
        if sys.platform == "linux":
            self.sql(SYNC_AT_ONCE, database="postgres")

    @property
    def socket(self) -> Path:
        return self.database.socket

    @property
    def postmaster(self) -> int:
        """The process id of the server."""
        lock_file = self.database.data / LOCK_FILE
        return int(lock_file.read_text(encoding="utf-8").splitlines()[0])

    def sql(self, sql: str, database: str = "billing") -> list[list[Any]]:
        """Ask as the administrator, on a session of its own."""
        session = open_session(self.database.dsn(database=database))
        try:
            return session.run(sql) or []
        finally:
            with suppress(InterfaceError, OSError):
                session.close()

    def strike(self, how: signal.Signals) -> None:
        """Signal the server: SIGQUIT stops it at once, SIGKILL leaves its backends behind."""
        os.kill(self.postmaster, how)

    def restart(self) -> None:
        """Start it again once it is gone, with all of its backends.

        A killed server that nobody has reaped stands in the table of processes, and its lock files
        would be believed: they are taken away, now that nobody is left who could hold them.
        """
        self._wait(lambda: not self._left(), "the database does not end")
        self.database.kill()
        (self.database.data / LOCK_FILE).unlink(missing_ok=True)
        self.socket.with_name(self.socket.name + ".lock").unlink(missing_ok=True)
        self.database = start_database(self._folder)

    def _left(self) -> bool:
        """Whether any of its processes is there; all of them stand in its folder."""
        for process in psutil.process_iter(["name", "status"]):
            if not process.info["name"].startswith("postgres"):
                continue
            with suppress(psutil.Error):
                ended = process.info["status"] == psutil.STATUS_ZOMBIE
                if not ended and Path(process.cwd()) == self.database.data:
                    return True
        return False

    def kill_backend(self) -> bool:
        """SIGKILL to a function's backend, one at work if there is one; False without any.

        The server throws all others out, and recovers by itself.
        """
        for (backend,) in self._asked(BACKEND):
            with suppress(ProcessLookupError):
                os.kill(backend, signal.SIGKILL)
                self._wait(lambda: bool(self._asked("SELECT 1")), "the database does not come back")
                return True
        return False

    def end_backend(self) -> bool:
        """The administrator ends a function's session; False without any."""
        return self._asked(END_BACKEND) == [[True]]

    def wait_until_nothing_is_under_way(self) -> None:
        """No transaction of a function is open any more."""
        self._wait(lambda: not self.sql(UNDER_WAY)[0][0], "a dead process's transaction is open")

    def wait_until_all_is_told(self) -> None:
        """No event waits to be published any more."""
        self._wait(lambda: not self.sql(WAITING)[0][0], "the outbox does not drain")

    def _asked(self, sql: str) -> list[list[Any]]:
        """What the server answers; nothing while it is down."""
        with suppress(DatabaseError, InterfaceError, OSError):
            return self.sql(sql)
        return []

    def _wait(self, happened: Callable[[], bool], otherwise: str) -> None:
        give_up = time.monotonic() + BACK_SECONDS_MAX
        while not happened():
            assert time.monotonic() < give_up, otherwise
            time.sleep(LOOK_SECONDS)

    def let_leases_run_out(self) -> None:
        """Half a minute passes for the drainers; none while the database is down."""
        self._asked(LEASES_RUN_OUT)

    def stop(self) -> None:
        self.database.stop()
