"""PgBouncer in transaction mode before the server: two to four connections for everybody."""

import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from common.local.database import LocalDatabase

CONFIGURATION = """\
[databases]
* = host={server}
[pgbouncer]
listen_addr =
unix_socket_dir = {socket}
listen_port = 5432
auth_type = trust
auth_file = {socket}/users
pool_mode = transaction
default_pool_size = {size}
max_client_conn = 200
server_reset_query =
server_login_retry = 1
"""
USERS = ("postgres", "billing_function", "billing_job")


@contextmanager
def pooler(server: LocalDatabase, size: int) -> Iterator[Path]:
    """The folder of the pooler's socket. Needs the program `pgbouncer` (make test-pgbouncer)."""
    program = shutil.which("pgbouncer", path=os.environ.get("PATH", "") + ":/usr/sbin")
    assert program, "pgbouncer is missing: apt-get install pgbouncer"
    with tempfile.TemporaryDirectory(prefix="billing-pool-") as folder:
        socket = Path(folder)
        settings = CONFIGURATION.format(server=server.socket_dir, socket=socket, size=size)
        (socket / "pgbouncer.ini").write_text(settings, encoding="utf-8")
        (socket / "users").write_text("".join(f'"{user}" ""\n' for user in USERS), encoding="utf-8")
        user = server.system_user  # the pooler refuses to run as root
        if user is not None:
            shutil.chown(socket, user)
        process = subprocess.Popen(
            [program, str(socket / "pgbouncer.ini")],
            stderr=subprocess.PIPE,
            text=True,
            user=user,
        )
        assert process.stderr is not None
        said = []
        for line in process.stderr:
            said.append(line)
            if "process up" in line:
                break
        assert process.poll() is None, "".join(said)
        listener = threading.Thread(target=process.stderr.read)  # unread, it would stand still
        listener.start()
        try:
            yield socket
        finally:
            process.terminate()
            process.wait(timeout=60)
            listener.join()
            process.stderr.close()


def dsn(socket: Path, user: str, database: str) -> str:
    """The address of a database behind the pooler."""
    return f"postgresql://{user}@/{database}?host={quote(str(socket), safe='')}"
