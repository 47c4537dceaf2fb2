"""The service as it is deployed: each function a process, the drainer, the way to the database.

Every function is a real process of functions-framework, with the settings that its container has.
The drainer is the real job, with a pipe for a broker. Both reach PostgreSQL by the wire.
"""

import os
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any

from common.local.functions import declarations
from tests.benchmarks.servers import jwks
from tests.hotel import ISSUER, Hotel, House
from tests.postgres.pooler import pooler
from tests.trust.chaos.cards import Wallet, a_wallet
from tests.trust.chaos.cluster import Cluster
from tests.trust.chaos.history import Arrived, History
from tests.trust.chaos.processes import Supervised, free_port
from tests.trust.chaos.wire import Wire

FUNCTIONS = (
    *("open_folio", "post_charge", "record_payment", "void_charge", "close_folio"),
    *("refund_payment", "transfer_lines"),
    *("grant_credits", "transfer_credits", "deduct_credits"),
    *("create_payment_intent", "confirm_payment", "take_stripe_event"),
)
THREADS = 8
POOLED_CONNECTIONS = 12
SOCKET_TIMEOUT_SECONDS = 20


@dataclass
class Deployment:
    """Everything that runs, and the hotels that are served."""

    cluster: Cluster
    house: House
    hotels: list[Hotel]
    wire: Wire
    wallets: dict[str, Wallet]
    """Each hotel's only guest with cards."""
    functions: dict[str, Supervised] = field(default_factory=dict)
    event_came: threading.Event = field(default_factory=threading.Event)
    drainer: Supervised = field(init=False)

    @property
    def processor(self) -> Path:
        """Where the sandbox keeps what it has done."""
        return Path(self.house.wiring.settings.local_folder) / "processor"

    def hotels_now(self) -> list[Hotel]:
        """The hotels, seen through a house that knows the server as it runs now."""
        house = replace(self.house, server=self.cluster.database, _admin=None)
        return [replace(hotel, house=house) for hotel in self.hotels]

    def lights_out(self) -> None:
        """All functions die; none of their transactions is left. They are started again."""
        for function in self.functions.values():
            function.kill()
        self.cluster.wait_until_nothing_is_under_way()

    def let_all_be_told(self) -> None:
        """The outbox drains, and the drainer ends; what it has published has arrived."""
        self.cluster.let_leases_run_out()
        self.cluster.wait_until_all_is_told()
        self.drainer.finish()


@contextmanager
def deployed(
    folder: Path, history: History, seed: int, *, hotels: int, pooled: bool = False
) -> Iterator[Deployment]:
    """The service, serving; whatever happens, nothing of it is left at the end.

    The server's folder is a short temporary one: its own user has to be let in. Behind the pooler,
    the wire stands between the functions and PgBouncer.
    """
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="billing-chaos-")))
        cluster = Cluster(home)
        stack.callback(cluster.stop)
        house = House.build(cluster.database, folder / "local")
        served = [house.new_hotel(riskRules={"rules": []}) for _ in range(hotels)]
        wallets = {str(hotel.tenant_id): a_wallet(hotel) for hotel in served}
        house.close()
        server: Any = cluster
        if pooled:
            server = _Pooler(stack.enter_context(pooler(cluster.database, POOLED_CONNECTIONS)))
        wire = Wire(server, history, seed)
        stack.callback(wire.stop)
        deployment = Deployment(cluster, house, served, wire, wallets)
        settings = _settings(house, stack.enter_context(jwks(house)), pooled)
        for name in FUNCTIONS:
            function = _function(name, settings, deployment, folder, history)
            deployment.functions[name] = stack.enter_context(function.running())
        deployment.drainer = _drainer(settings, deployment, folder, history)
        stack.enter_context(deployment.drainer.running())
        for each in deployment.functions.values():
            each.wait_until_it_listens()
        yield deployment


@dataclass(frozen=True)
class _Pooler:
    """What listens at the pooler's socket."""

    folder: Path

    @property
    def socket(self) -> Path:
        return self.folder / ".s.PGSQL.5432"


def _settings(house: House, keys: str, pooled: bool) -> dict[str, str]:
    """What a container finds in its environment, but for its database's address."""
    environment = {
        **os.environ,
        "PYTHONPATH": ".",
        "THREADS": str(THREADS),
        "BILLING_STACK": "local",
        "BILLING_POOLED": "true" if pooled else "false",
        "BILLING_SOCKET_TIMEOUT_SECONDS": str(SOCKET_TIMEOUT_SECONDS),
        "BILLING_TOKEN_ISSUER": ISSUER,
        "BILLING_JWKS_URL": keys,
        "BILLING_LOCAL_FOLDER": house.wiring.settings.local_folder,
    }
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # the image holds compiled bytecode
    return environment


def _function(
    name: str, settings: dict[str, str], deployment: Deployment, folder: Path, history: History
) -> Supervised:
    source = next(each.module for each in declarations() if each.name == name)
    port = free_port()
    command = [sys.executable, "-m", "functions_framework", "--target", name]
    command += ["--source", source.replace(".", "/") + ".py"]
    command += ["--host", "127.0.0.1", "--port", str(port)]
    database = {"BILLING_DATABASE": deployment.wire.dsn()}
    return Supervised(name, command, settings | database, folder / f"{name}.log", history, port)


def _drainer(
    settings: dict[str, str], deployment: Deployment, folder: Path, history: History
) -> Supervised:
    log = folder / "drain_outbox.log"

    def hear(output: IO[bytes]) -> None:
        """Events, and between them the lines of its log."""
        with log.open("ab") as said:
            for line in output:
                if line.startswith(b"{"):
                    said.write(line)
                    continue
                key, sequence, event_id = line.decode().split()
                history.tell(Arrived(key, int(sequence), event_id))
                deployment.event_came.set()

    return Supervised(
        "drain_outbox",
        [sys.executable, "-m", "tests.jobs.piping_drainer", "0", "watch"],
        settings | {"BILLING_DATABASE": deployment.wire.dsn("billing_job")},
        log,
        history,
        read=hear,
        after=deployment.cluster.let_leases_run_out,
    )
