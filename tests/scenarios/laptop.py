"""The laptop's stack as a person starts it: a process, with a folder and a port of its own."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.architecture.source_tree import ROOT

SECONDS_MAX = 240
WITHOUT_THE_MONTH = (
    "import common.local.day_dunning as dunning, common.local.day_month as month\n"
    "dunning.STEPS = month.STEPS = ()"
)
"""Runs before the command of who looks at something else: the month takes as long as the day."""


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
    return port


@dataclass(frozen=True)
class Laptop:
    """A folder and a port. Not in pytest's own folder, which PostgreSQL's user may not enter."""

    folder: Path
    port: int = field(default_factory=free_port)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """The caller's environment without its own settings of the service."""
        inherited = {
            name: value for name, value in os.environ.items() if not name.startswith("BILLING_")
        }
        return inherited | {
            "BILLING_LOCAL_FOLDER": str(self.folder),
            "BILLING_PORT": str(self.port),
            "PYTHONPATH": str(ROOT),
            "COLUMNS": "200",
        }

    def billing(self, *arguments: str, before: str = "") -> subprocess.CompletedProcess[str]:
        """Run the command to its end; `before` is Python that runs first, in its process."""
        program = f"{before}\nfrom common.cli.main import main\nmain()"
        return subprocess.run(
            [sys.executable, "-c", program, *arguments],
            env=self.environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=SECONDS_MAX,
            check=False,
        )

    @contextmanager
    def serving(self, before: str = "") -> Iterator[subprocess.Popen[str]]:
        """`billing run`, from when its day is over until it is interrupted."""
        program = f"{before}\nfrom common.cli.main import main\nmain()"
        with subprocess.Popen(
            [sys.executable, "-c", program, "run"],
            env=self.environment,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            try:
                assert process.stdout is not None
                said = []
                for line in process.stdout:
                    said.append(line)
                    if "Ctrl-C stops" in line:
                        break
                assert said, "it said nothing"
                assert "Ctrl-C stops" in said[-1], "".join(said)
                yield process
            finally:
                process.send_signal(signal.SIGINT)
                process.wait(SECONDS_MAX)
