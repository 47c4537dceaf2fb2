"""A round trip to the database as a span: what it did, never with which values (OPS-4).

Statements are constants of ours with $1, $2 in the place of values, so that their text tells
nothing of a guest. A round trip carries several; it is named after what they do, in their order.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from time import perf_counter
from typing import Final

from common.ports.telemetry import STATEMENTS, Noted, measure, step

TEXT_MAX: Final = 4_000
SYSTEM: Final = "postgresql"


@contextmanager
def round_trip(statements: Sequence[str]) -> Iterator[Noted]:
    """Watch one round trip; whoever is inside says what the server refused."""
    name, started = name_of(statements), perf_counter()
    with step(name, "client") as noted:
        noted.attributes |= {
            "db.system.name": SYSTEM,
            "db.operation.name": name,
            "db.operation.batch.size": len(statements),
            "db.query.text": "; ".join(" ".join(sql.split()) for sql in statements)[:TEXT_MAX],
        }
        try:
            yield noted
        finally:
            about = {"db.system.name": SYSTEM, "db.operation.name": name}
            measure(STATEMENTS, perf_counter() - started, about)


def name_of(statements: Sequence[str]) -> str:
    """The first words of the statements, each once: `BEGIN SELECT`, `INSERT UPDATE COMMIT`."""
    words = (sql.split(maxsplit=1)[0].upper() for sql in statements if sql.strip())
    return " ".join(dict.fromkeys(words)) or "EMPTY"
