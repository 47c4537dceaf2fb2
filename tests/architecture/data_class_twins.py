"""Each data class of the project beside its twin, which the library made: what differs (PERF-1).

    python -m tests.architecture.data_class_twins

Every module of production is loaded while `dataclass` makes two classes of one: ours, and a twin
that has the library's methods from the start and twins for parents. Both are asked the same; each
answer that is not the same is printed, and how many classes there are.
"""

import dataclasses
import importlib
import inspect
import json
import pickle
import sys
from collections.abc import Callable, Iterator
from copy import copy, deepcopy
from typing import Any

from common.domain import dataclass as ours
from tests.architecture.source_tree import PRODUCTION, sources

TWINS: dict[type, type] = {}
OF_THE_KIND = {"__dict__", "__weakref__"}
ORDER = {"__gt__", "__ge__", "__le__"}
"""What `total_ordering` adds to ours only, as it stands before the decorator."""
make_ours: Any = ours.dataclass


def both(cls: type | None = None, /, **options: bool) -> Any:
    """The decorator: what it answers is ours, and its twin is kept."""

    def decorate(plain: type) -> type:
        body = {
            name: copy(value) if isinstance(value, dataclasses.Field) else value
            for name, value in plain.__dict__.items()
            if name not in OF_THE_KIND
        }
        bases = tuple(TWINS.get(base, base) for base in plain.__bases__)
        twin = type(plain)(plain.__name__, bases, body)
        made: type = make_ours(**options)(plain)
        TWINS[made] = dataclasses.dataclass(**options)(twin)
        return made

    return decorate if cls is None else decorate(cls)


def answered(ask: Callable[[], object]) -> object:
    """What is answered, or the kind and the words of what is raised instead."""
    try:
        return ask()
    except Exception as refused:  # noqa: BLE001 # whatever it is, the twin must raise it as well
        return type(refused).__name__, str(refused)


def of_class(cls: Any) -> Iterator[tuple[str, object]]:
    """What a class says of itself, before an instance was made."""
    yield "match", cls.__match_args__
    yield "slots", cls.__dict__.get("__slots__")
    yield "fields", [repr(field) for field in dataclasses.fields(cls)]
    yield "own names", sorted(set(cls.__dict__) - OF_THE_KIND - ORDER)
    yield "abstract", sorted(getattr(cls, "__abstractmethods__", ()))
    yield "parameters", getattr(cls, "__parameters__", None)
    yield "is hashed", (cls.__hash__ is None, cls.__hash__ is object.__hash__)
    yield "is compared", cls.__eq__ is object.__eq__
    yield "signature", str(inspect.signature(cls))
    yield "annotations", repr(cls.__init__.__annotations__)
    for name in ("__init__", "__repr__", "__eq__"):
        yield name, getattr(getattr(cls, name), "__qualname__", None)
        yield name, str(inspect.signature(getattr(cls, name)))


def of_instance(cls: Any) -> Iterator[tuple[str, object]]:
    """What an instance does. Its fields bear their own names, whatever type they have; where a
    __post_init__ does not let that pass, they get past it."""
    names = [field.name for field in dataclasses.fields(cls) if field.init]
    given = {name: f"<{name}>" for name in names}
    yield "made", answered(lambda: repr(cls(**given)))
    yield "missing", answered(lambda: repr(cls()))
    yield "unknown", answered(lambda: cls(**given, unknown=1))
    one, same, other = bare(cls), bare(cls), bare(cls, end="!")
    yield "repr", answered(lambda: repr(one))
    yield "equal", (one == one, one == same, one == other, one == "text", one != same)
    yield "hash", answered(lambda: isinstance(hash(one), int) and len({one, same, other}))
    yield "replace", answered(lambda: repr(dataclasses.replace(one)))
    yield "asdict", answered(lambda: dataclasses.asdict(one))
    yield "copied", answered(lambda: (repr(copy(one)), repr(deepcopy(one))))
    yield "pickled", answered(lambda: pickled(one))
    for name in given:
        yield f"set {name}", answered(lambda name=name: setattr(one, name, "new"))
        yield f"delete {name}", answered(lambda name=name: delattr(one, name))
    yield "left", answered(lambda: repr(one))
    yield "child", answered(lambda: of_child(cls))


def bare(cls: Any, end: str = "") -> Any:
    """An instance that nobody has looked at."""
    one = object.__new__(cls)
    for field in dataclasses.fields(cls):
        object.__setattr__(one, field.name, f"<{field.name}>{end}")
    return one


def pickled(one: Any) -> str:
    """What comes back; its class is found under the name that ours has."""
    module, name = sys.modules[type(one).__module__], type(one).__qualname__
    holder: Any = module
    *outer, last = name.split(".")
    for each in outer:
        holder = getattr(holder, each)
    found = getattr(holder, last)
    setattr(holder, last, type(one))
    try:
        return repr(pickle.loads(pickle.dumps(one)))
    finally:
        setattr(holder, last, found)


def of_child(cls: Any) -> list[object]:
    """A child that is not decorated: it has what it inherits, and what it adds is its own. (With
    slots the library's own refuses that by a mistake: it asks for a class that it has replaced.)"""
    child = type("Child", (cls,), {})
    one, same = bare(child), bare(child)
    told: list[object] = [repr(one), one == same, one == bare(cls)]
    if "__slots__" not in cls.__dict__:
        told += [answered(lambda: setattr(one, "besides", 1)), one.__dict__.get("besides")]
        told += [answered(lambda: delattr(one, "besides"))]
    return [
        *told,
        *(answered(lambda n=f.name: setattr(one, n, 1)) for f in dataclasses.fields(cls)),
    ]


def differences() -> Iterator[str]:
    """Where a class and its twin do not agree."""
    for made, twin in TWINS.items():
        for ask in (of_class, of_instance):
            for (about, one), (_, other) in zip(ask(made), ask(twin), strict=True):
                if one != other:
                    yield f"{made.__module__}.{made.__qualname__} {about}: {one!r} {other!r}"


def main() -> None:
    """Load all, compare, and say what there is."""
    ours.dataclass = both
    for source in sources(*PRODUCTION):
        if source.path not in {"common/domain/dataclass.py", "common/cli/__main__.py"}:
            importlib.import_module(
                source.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
            )
    json.dump({"classes": len(TWINS), "differences": list(differences())}, sys.stdout)


if __name__ == "__main__":
    main()
