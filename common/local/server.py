"""The laptop's HTTP server: waitress, in this process, on this machine's own address only.

A day at the desk is many requests at once, and the service calls itself (the broker's pushes), so
the server needs threads. Waitress has them, a bounded queue and time-outs, in plain Python without
dependencies, and it can be started and stopped within a process. Gunicorn, which serves a deployed
function, forks and wants to be the main program; werkzeug's own server is not meant to be leant on.
"""

import errno
import threading
from typing import Any, Final, Self

from waitress.server import create_server
from waitress.wasyncore import close_all

from common.local.gateway import WsgiApplication

HOST: Final = "127.0.0.1"
THREADS: Final = 32
BODY_BYTES_MAX: Final = 16 * 2**20  # the functions' own limits are below
STOP_SECONDS_MAX: Final = 10


class PortTaken(RuntimeError):
    """Somebody listens on the port already."""

    def __init__(self, port: int) -> None:
        super().__init__(f"Port {port} is taken. Choose another one: BILLING_PORT={port + 1}")


class Server:
    """A server that listens from its making on, and answers while its context lasts."""

    def __init__(self, application: WsgiApplication, port: int, threads: int = THREADS) -> None:
        """Raises PortTaken."""
        try:
            self._server: Any = create_server(
                application,
                host=HOST,
                port=port,
                threads=threads,
                ident="",
                max_request_body_size=BODY_BYTES_MAX,
            )
        except OSError as failure:
            if failure.errno != errno.EADDRINUSE:
                raise
            raise PortTaken(port) from failure
        self._thread = threading.Thread(target=self._server.run, name="server", daemon=True)

    def __enter__(self) -> Self:
        """Answer requests, in threads of its own."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Let requests that are being answered end, then close every connection."""
        self._server.task_dispatcher.shutdown(timeout=STOP_SECONDS_MAX)
        # The loop ends when its last socket is closed, and closes them in its own thread.
        self._server.trigger.pull_trigger(lambda: close_all(self._server._map))
        self._thread.join(STOP_SECONDS_MAX)
