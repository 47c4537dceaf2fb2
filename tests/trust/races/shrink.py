"""A red schedule made as short as it goes: the fewest switches and faults that are still red.

Switches and faults are left out, first in halves, then one by one, as long as the play stays red.
Every try is a whole play on the server; the same schedule always gives the same play.
"""

from collections.abc import Callable
from typing import Any

from tests.trust.races.schedule import Written

TRIES_MAX = 200


def shrunk(red: Written, is_red: Callable[[Written], bool]) -> Written:
    """The shortest schedule that was found to be red."""
    parts: list[tuple[str, Any, Any]] = [("fault", *item) for item in red.faults.items()]
    parts += [("switch", *item) for item in red.switches.items()]
    tries = 0
    size = max(1, len(parts) // 2)
    while parts:
        at, left_out = 0, False
        while at < len(parts) and tries < TRIES_MAX:
            rest = parts[:at] + parts[at + size :]
            tries += 1
            if is_red(_schedule(rest)):
                parts, left_out = rest, True
            else:
                at += size
        if tries >= TRIES_MAX or (size == 1 and not left_out):
            break
        size = max(1, size // 2)
    return _schedule(parts)


def _schedule(parts: list[tuple[str, Any, Any]]) -> Written:
    return Written(
        switches={place: other for kind, place, other in parts if kind == "switch"},
        faults={place: fault for kind, place, fault in parts if kind == "fault"},
    )
