"""The laptop's stack: the whole service in one process, on a real PostgreSQL (LOC-1, LOC-2).

    database    embedded PostgreSQL, migrated at the start
    server      every function behind the gateway, and the laptop's own routes under /dev
    scheduler   every job on its schedule: the outbox's drainer among them, pushing events over HTTP
    neighbours  the other services of the platform, as far as events come from them

What differs from a deployment is what `common.wiring` picks: files in place of Cloud KMS and Cloud
Storage, pushes in place of Pub/Sub, a clock that can be moved. As in a deployment, functions and
jobs log in under roles of their own.
"""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from common.domain.dataclass import dataclass
from common.local.clock import MovableClock
from common.local.database import start_database
from common.local.demo_hotel import PROPERTY_IDS, TENANT_ID, Neighbours
from common.local.development import PREFIX, Development
from common.local.documents import DocumentFolder
from common.local.doors import PUSHED_PATH, Doors
from common.local.functions import declarations, job_declarations
from common.local.gateway import Gateway, WsgiApplication
from common.local.identity import LocalIdentity
from common.local.operations import PREFIX as OPERATIONS
from common.local.operations import Operations
from common.local.running import left_word
from common.local.scheduler import Scheduler
from common.local.server import HOST, THREADS, Server
from common.runtime.job import Orders
from common.runtime.logging import Origin
from common.runtime.settings import ProcessSettings
from common.wiring import Wiring

if TYPE_CHECKING:
    from common.local.database import LocalDatabase
    from common.runtime.declaration import JobDeclaration

DATABASE: Final = "billing"
FUNCTION_LOGIN: Final = "billing_function"
JOB_LOGIN: Final = "billing_job"
OIDC_ACCOUNT: Final = "push@laptop.invalid"
TRIALS_A_DAY: Final = 1_000
"""Whoever calls a laptop does so from one address, and each day that is played has its trial."""


class MigrationsFailed(RuntimeError):
    """The database could not be brought to the newest version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """What runs, and where."""

    folder: Path
    url: str
    neighbours: Neighbours
    database: "LocalDatabase"
    functions: Wiring
    gateway: Gateway

    def file_of(self, document: bytes) -> Path | None:
        """Where in the folder a document lies that somebody downloaded."""
        stored = (self.folder / "documents").rglob("*.pdf")
        return next((file for file in stored if file.read_bytes() == document), None)


@contextmanager
def running_stack(folder: Path, port: int, *, schedules: bool = True) -> Iterator[Stack]:
    """Start everything, let the demo hotel settle in, and stop in good order on the way out.

    Without `schedules` no job is fired: whoever wants one runs it by hand.

    Raises FolderHeld, DatabaseDidNotStart, MigrationsFailed, PortTaken, NeighbourRefused.
    """
    folder = folder.expanduser().resolve()
    url = f"http://{HOST}:{port}"
    with ExitStack() as opened:
        database = start_database(folder / "database")
        opened.callback(database.stop)
        _migrate(database)
        functions = Wiring(ProcessSettings.of(environment(folder, url, database, FUNCTION_LOGIN)))
        jobs = Wiring(ProcessSettings.of(environment(folder, url, database, JOB_LOGIN)))
        opened.enter_context(closing(functions))
        opened.enter_context(closing(jobs))
        clock = MovableClock(folder / "clock")
        functions.sandbox_outage.end()  # a day that was broken off may have left it down
        development = _development(folder, functions, clock)
        operations = Operations(processes={"functions": functions, "jobs": jobs})
        mounts: dict[str, WsgiApplication] = {PREFIX: development, OPERATIONS: operations}
        gateway = Gateway(functions, declarations(), mounts)
        opened.enter_context(Server(gateway, port))
        scheduled = job_declarations() if schedules else []
        scheduler = Scheduler(scheduled, lambda job, stop: _run(jobs, job, stop), clock.now)
        opened.enter_context(scheduler)
        opened.enter_context(left_word(folder, _for_commands(folder, url, database)))
        neighbours = Neighbours(functions.publisher, clock.now)
        neighbours.settle_in()
        yield Stack(
            folder=folder,
            url=url,
            neighbours=neighbours,
            database=database,
            functions=functions,
            gateway=gateway,
        )


def environment(folder: Path, url: str, database: "LocalDatabase", login: str) -> dict[str, str]:
    """The settings of one of the stack's processes, under their names in the environment."""
    return {
        "BILLING_STACK": "local",
        "BILLING_DATABASE": database.dsn(login, DATABASE),
        "BILLING_PROVISIONER": database.dsn(database=DATABASE),
        "BILLING_POOL_SIZE": str(THREADS),
        "BILLING_TOKEN_ISSUER": f"{url}/dev",
        "BILLING_JWKS_URL": f"{url}/dev/jwks.json",
        "BILLING_OIDC_AUDIENCE": url,
        "BILLING_OIDC_ACCOUNT": OIDC_ACCOUNT,
        "BILLING_PUBLIC_URL": url,
        "BILLING_LOCAL_FOLDER": str(folder),
        "BILLING_DOORS_URL": f"{url}{PUSHED_PATH}",
        "BILLING_QUOTAS": f"start_trial/address={TRIALS_A_DAY}",
        "BILLING_TELEMETRY": "memory",
    }


def _for_commands(folder: Path, url: str, database: "LocalDatabase") -> dict[str, str]:
    """What `billing job`, `billing dlq`, `billing doctor` ... need to work on this stack."""
    return environment(folder, url, database, JOB_LOGIN) | {
        "BILLING_TELEMETRY": "",
        "BILLING_MIGRATION_DSN": database.dsn(database=DATABASE),
        "BILLING_URL": url,
    }


def _migrate(database: "LocalDatabase") -> None:
    from common.postgres.address import open_session
    from common.postgres.migrations import Migrator

    if not database.exists(DATABASE):
        database.create(DATABASE)
    summary = Migrator(lambda: open_session(database.dsn(database=DATABASE))).up()
    if summary.exit_code:
        raise MigrationsFailed(summary.sentence())


def _development(folder: Path, functions: Wiring, clock: MovableClock) -> Development:
    settings = functions.settings
    identity = LocalIdentity(folder / "identity", issuer=settings.token_issuer, clock=clock.now)
    return Development(
        identity=identity,
        clock=clock,
        documents=DocumentFolder(folder / "documents", settings.public_url, clock.now),
        processor=functions.sandbox,
        cards=functions.sandbox_cards,
        outage=functions.sandbox_outage,
        webhook_secret=functions.webhook_secrets[0],
        doors=Doors(),
        tenant_id=TENANT_ID,
        property_ids=PROPERTY_IDS,
    )


def _run(wiring: Wiring, job: "JobDeclaration", stop: threading.Event) -> None:
    """One run of a job, as its schedule fires it; how it ended stands in the log."""
    origin = Origin(route=f"jobs/{job.name}")
    try:
        ended = wiring.job_shell.run(job, Orders(), stop=stop, tell=lambda _: None)
    except Exception as error:  # noqa: BLE001 - the next run of it may find the trouble gone
        wiring.log.problem(origin, code=type(error).__name__, error=error)
        return
    wiring.log.job(
        origin,
        job=job.name,
        outcome=ended.outcome,
        done=ended.done,
        failed=ended.failed,
        latency_ms=ended.seconds * 1000,
    )
