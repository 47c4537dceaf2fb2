"""A program that starts every function alone, as its container does, and tells how that went.

It loads functions-framework and what others wrote once, and forks for each function, so that every
one of them is imported by its path into a process that holds nothing of this project, nor the
driver of the database. While it is imported, reads of the environment by the project's own code
and all sockets and threads are noted.

    python tests/functions/alone.py functions/folios/post_charge.py ... < settings as JSON
"""

import gc
import json
import os
import sys
import threading
from importlib import import_module
from pathlib import Path
from typing import Any

import functions_framework

ROOT = Path(__file__).parents[2]
FOREIGN = (
    "asn1crypto.x509",
    "dateutil.parser",
    "flask.testing",
    "jwt.algorithms",
    "pydantic._internal._validators",
    "pydantic.alias_generators",
    "pydantic.deprecated.class_validators",
    "pydantic.fields",
    "pydantic.json_schema",
    "pydantic.type_adapter",
    "pydantic.types",
    "scramp",
    "ulid",
)
"""What most of them import besides: loaded once, it is not loaded sixty times."""
OURS = tuple(f"{ROOT}/{room}/" for room in ("common", "functions", "jobs", "tests"))  # no .venv


class Watched(dict[str, str]):
    """An environment that knows which files of this project have read it."""

    readers: set[str]

    def __getitem__(self, name: str) -> str:
        self.note()
        return super().__getitem__(name)

    def get(self, name: str, default: Any = None) -> Any:
        self.note()
        return super().get(name, default)

    def items(self) -> Any:
        self.note()
        return super().items()

    def note(self) -> None:
        place = sys._getframe(2).f_code.co_filename
        if place.startswith(OURS) and place != __file__:
            self.readers.add(place)


def watch() -> tuple[Watched, list[str]]:
    """From now on, note who reads the environment, and every socket that is made or connected."""
    sockets: list[str] = []
    watched = Watched(os.environ)
    watched.readers = set()
    os.environ = watched  # type: ignore[assignment] # noqa: B003 - until this process ends
    sys.addaudithook(lambda event, _: sockets.append(event) if "socket." in event else None)
    return watched, sockets


def start(source: Path, settings: dict[str, str]) -> dict[str, Any]:
    """Import one function by its path, and then let it answer a stranger."""
    watched, sockets = watch()
    app = functions_framework.create_app(source.stem, str(source), "http")
    target = app.view_functions["run"]
    told = {
        "target": target.__name__,
        "declared": target.declaration.name,
        "readers": sorted(watched.readers),
        "sockets": sockets[:],
        "threads": threading.active_count() - 1,
        "wired": "common.wiring" in sys.modules or "pg8000" in sys.modules,
    }
    os.environ.update(settings)
    method = getattr(target.declaration, "method", "POST")
    path = getattr(target.declaration, "full_path", f"/events/{source.stem}")
    path = path.replace("{invoice_id}", "inv_01K9ZQ0M8Y" + "0" * 16)
    path = path.replace("{credit_note_id}", "cn_01K9ZQ0M8Y" + "0" * 16)
    query = {"tenant": "7c1f0f0e-6f0b-4b8a-9d53-0a4f6e1f0a11"}
    if source.stem in ("verify_invoice", "verify_credit_note"):
        query["hash"] = "0" * 64
    public = getattr(target.declaration, "scope", "") is None
    answer = app.test_client().open(
        path,
        method=method,
        query_string=query if public else None,
        data=b"" if method == "POST" else None,
    )
    return {**told, "status": answer.status_code, "type": answer.content_type}


def main() -> None:
    settings = json.load(sys.stdin)
    for name in FOREIGN:
        import_module(name)
    gc.freeze()
    gc.disable()  # each of the processes that begin here ends soon
    for argument in sys.argv[1:]:
        reading, writing = os.pipe()
        if os.fork() == 0:
            os.close(reading)
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # its log is read elsewhere
            with os.fdopen(writing, "w") as report:
                json.dump(start(ROOT / argument, settings), report)
            os._exit(0)
        os.close(writing)
        with os.fdopen(reading) as report:
            told = {"source": argument, **json.load(report)}
        sys.stdout.write(json.dumps(told) + "\n")
        os.wait()


if __name__ == "__main__":
    main()
