"""Take the events as they are now for what has been promised.

    python -m tests.contracts_baseline.take

Refuses what would break a promise that was made. One file a type of event; a file is never edited
by hand and never deleted.
"""

import json
import sys
from pathlib import Path
from typing import Any

from common.contracts.asyncapi import schema_of
from common.contracts.events import every_event
from tests.contracts_baseline.compatibility import incompatibilities

FOLDER = Path(__file__).parent


def current() -> dict[str, dict[str, Any]]:
    """The schema of each type of event, as the models have it."""
    return {shape.event_type(): schema_of(shape) for shape, _ in every_event().values()}


def promised() -> dict[str, dict[str, Any]]:
    """The schema of each type of event, as it was taken."""
    return {path.stem: json.loads(path.read_text()) for path in sorted(FOLDER.glob("*.json"))}


def broken() -> list[str]:
    """What was promised and is not kept."""
    now = current()
    found = []
    for event_type, schema in promised().items():
        if event_type not in now:
            found.append(f"{event_type} is gone")
        else:
            found += [
                f"{event_type}: {each}" for each in incompatibilities(schema, now[event_type])
            ]
    return found


def main() -> int:
    found = broken()
    if found:
        sys.stderr.write("\n".join([*found, "A change like this is a new event, `.v2`.", ""]))
        return 1
    for event_type, schema in current().items():
        text = json.dumps(schema, indent=2, sort_keys=True) + "\n"
        (FOLDER / f"{event_type}.json").write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
