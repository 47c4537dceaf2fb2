"""A runner that is killed at one of its statements: `killed_runner.py DSN FOLDER NUMBER WHEN`.

Run as a process of its own, because what is killed with SIGKILL cannot tidy up.
"""

import os
import signal
import sys
from pathlib import Path
from typing import Any

from common.postgres.address import open_session
from common.postgres.migrations import Migrator


class Mortal:
    """A session whose process dies before or after its numbered statement."""

    statements = 0

    def __init__(self, dsn: str, number: int, when: str) -> None:
        self._session = open_session(dsn)
        self._number = number
        self._when = when

    def run(self, sql: str, **parameters: object) -> Any:
        Mortal.statements += 1
        dying = Mortal.statements == self._number
        if dying and self._when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        answer = self._session.run(sql, **parameters)
        if dying:
            os.kill(os.getpid(), signal.SIGKILL)
        return answer

    def close(self) -> None:
        self._session.close()


if __name__ == "__main__":
    dsn, folder, number, when = sys.argv[1:]
    Migrator(lambda: Mortal(dsn, int(number), when), Path(folder)).up()
