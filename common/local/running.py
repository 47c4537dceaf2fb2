"""The word that a running stack leaves in its folder: how the commands reach it.

Deployed commands look for it as well and find none, so nothing of the stack is imported here.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

RUNNING_FILE: Final = "running.json"


@contextmanager
def left_word(folder: Path, environment: dict[str, str]) -> Iterator[None]:
    """Say under which settings the stack is reached, as long as it runs."""
    file = folder / RUNNING_FILE
    file.touch(mode=0o600)
    file.write_text(json.dumps({"pid": os.getpid(), "environment": environment}))
    try:
        yield
    finally:
        file.unlink(missing_ok=True)


def running_environment(folder: Path) -> dict[str, str]:
    """The settings of the stack that runs on a folder; empty when none does."""
    try:
        document = json.loads((folder / RUNNING_FILE).read_text())
        os.kill(int(document["pid"]), 0)
    except (FileNotFoundError, NotADirectoryError, ProcessLookupError, PermissionError):
        return {}
    found: dict[str, str] = document["environment"]
    return found
