"""The sandbox may be down: as long as a file lies in its folder, no request is answered (GW-4).

A file, so that every process that shares the folder finds the processor as the others do. Nothing
of what is asked meanwhile is done, as when no connection comes about; the guest at the bank and
the card terminal reach the processor by ways of their own.
"""

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, Concatenate, Final, ParamSpec, Protocol, TypeVar

from common.ports.answers import Unreachable

DOWN_FILE: Final = "down"
P = ParamSpec("P")
T = TypeVar("T")


class InFolder(Protocol):
    """Whoever keeps what was done in a folder."""

    _folder: Path


S = TypeVar("S", bound=InFolder)


def unless_down(
    method: Callable[Concatenate[S, P], T],
) -> Callable[Concatenate[S, P], T | Unreachable]:
    """Let the method answer; while the sandbox is down, nobody does."""

    @wraps(method)
    def answered(self: S, /, *arguments: P.args, **named: P.kwargs) -> T | Unreachable:
        if self._folder.joinpath(DOWN_FILE).exists():
            return Unreachable()
        return method(self, *arguments, **named)

    return answered


class SandboxOutage:
    """The switch, for whoever plays an outage."""

    def __init__(self, folder: Path, write_once: Callable[[Path, bytes], Any]) -> None:
        self._file = folder.joinpath(DOWN_FILE)
        self._write_once = write_once

    def begin(self) -> None:
        """From now on nobody is answered."""
        self._write_once(self._file, b"")

    def end(self) -> None:
        """Whoever asks is answered again."""
        self._file.unlink(missing_ok=True)
