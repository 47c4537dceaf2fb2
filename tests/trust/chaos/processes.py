"""A process that is started again whenever it ends, as its platform does, until it is let go."""

import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import psutil

from common.local.functions import ROOT
from tests.trust.chaos.history import History, Risen

LOOK_SECONDS = 0.02
START_SECONDS_MAX = 60.0


@dataclass
class Supervised:
    """One process at a time, in a group of its own.

    `read` consumes its standard output to the end, before the next one starts. `after` is what
    passes between the end of one and the start of the next. With a port, it is up when it listens.
    """

    name: str
    command: list[str]
    environment: dict[str, str]
    log: Path
    history: History
    port: int | None = None
    read: Callable[[IO[bytes]], None] | None = None
    after: Callable[[], None] = lambda: None
    starts: int = 0
    _process: "subprocess.Popen[bytes] | None" = None
    _struck_at: float | None = None
    _thread: threading.Thread | None = None
    _ending: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def running(self) -> Iterator["Supervised"]:
        """Started, and started again; at the end nothing of it is left."""
        thread = self._thread = threading.Thread(target=self._supervise)
        thread.start()
        try:
            yield self
        finally:
            self.finish()

    def finish(self) -> None:
        """End it for good; what it wrote has been read."""
        self._ending.set()
        self.kill()
        if self._thread is not None:
            self._thread.join()

    def is_in(self, process: int) -> bool:
        """Whether a process is of this one's group."""
        with suppress(ProcessLookupError):
            return self._process is not None and os.getpgid(process) == self._process.pid
        return False

    def kill(self) -> None:
        """SIGKILL to all of it, as when its container is taken away."""
        with self._lock:
            process = self._process
            if process is None or process.poll() is not None:
                return
            if self._struck_at is None:
                self._struck_at = time.monotonic()
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)

    def kill_worker(self) -> None:
        """SIGKILL to what its master has forked, as when memory runs out."""
        with self._lock, suppress(psutil.NoSuchProcess):
            if self._process is not None:
                for worker in psutil.Process(self._process.pid).children():
                    worker.kill()

    def listens(self) -> bool:
        if self.port is None:
            return self._process is not None
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def wait_until_it_listens(self) -> None:
        give_up = time.monotonic() + START_SECONDS_MAX
        while not self.listens():
            ended = self._process is not None and self._process.poll() is not None
            if self._ending.wait(LOOK_SECONDS) or ended:
                return
            assert time.monotonic() < give_up, f"{self.name} does not begin to listen: {self.log}"

    def _supervise(self) -> None:
        while not self._ending.is_set():
            with self.log.open("ab") as output:
                self._run_once(output)
            self.after()
            self._ending.wait(LOOK_SECONDS)

    def _run_once(self, output: IO[bytes]) -> None:
        with self._lock:
            if self._ending.is_set():
                return
            process = self._process = subprocess.Popen(
                self.command,
                cwd=ROOT,
                env=self.environment,
                stdout=subprocess.PIPE if self.read else output,
                stderr=output,
                start_new_session=True,
            )
            self.starts += 1
        try:
            if self.port is not None:
                self._tell_when_it_listens()
            if self.read and process.stdout:
                self.read(process.stdout)
        finally:
            process.wait()
            if process.stdout:
                process.stdout.close()
            while self.port is not None and self.listens():
                if self._ending.wait(LOOK_SECONDS):  # what it forked dies a moment after it
                    break

    def _tell_when_it_listens(self) -> None:
        self.wait_until_it_listens()
        if not self.listens():
            return
        with self._lock:
            struck, self._struck_at = self._struck_at, None
        if struck is not None:
            self.history.tell(Risen(self.name, time.monotonic() - struck))


def free_port() -> int:
    """A port of the loopback interface that nobody listens at."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
