"""What a consumer that we do not know may rely on, and which change of an event takes it away.

Compatible: a field more, that may be left out. Anything else breaks somebody: a field that is gone
or may be gone, another type, a pattern or a list of values that has become another one.
"""

from typing import Any

WORDS = frozenset({"title", "description", "examples", "default", "deprecated"})
FIELDS = ("properties", "required")
Schema = dict[str, Any]


def incompatibilities(old: Any, new: Any, place: str = "") -> list[str]:
    """What was promised and is not kept, by its place."""
    match old, new:
        case {"properties": dict(promised)}, {"properties": dict(told)}:
            return [
                *_of_fields(promised, told, place),
                *_of_required(old, new, promised, place),
                *_of_rest(_but(old, *FIELDS), _but(new, *FIELDS), place),
            ]
        case {"items": dict(one)}, {"items": dict(other)}:
            return [
                *incompatibilities(one, other, f"{place}/*"),
                *_of_rest(_but(old, "items"), _but(new, "items"), place),
            ]
        case {"anyOf": list(ones)}, {"anyOf": list(others)} if len(ones) == len(others):
            return [
                found
                for one, other in zip(ones, others, strict=True)
                for found in incompatibilities(one, other, place)
            ]
        case _:
            return _of_rest(old, new, place)


def _of_fields(promised: Schema, told: Schema, place: str) -> list[str]:
    found = [f"{place}/{name} is gone" for name in promised if name not in told]
    for name in promised.keys() & told.keys():
        found += incompatibilities(promised[name], told[name], f"{place}/{name}")
    return found


def _of_required(old: Schema, new: Schema, promised: Schema, place: str) -> list[str]:
    before, now = set(old.get("required", ())), set(new.get("required", ()))
    return [
        *(f"{place}/{name} may be left out now" for name in sorted(before - now)),
        *(f"{place}/{name} is new and not optional" for name in sorted(now - promised.keys())),
    ]


def _of_rest(old: Any, new: Any, place: str) -> list[str]:
    before, now = _meaning(old), _meaning(new)
    return [] if before == now else [f"{place or '/'} was {before} and is {now}"]


def _but(schema: Schema, *names: str) -> Schema:
    return {key: value for key, value in schema.items() if key not in names}


def _meaning(schema: Any) -> Any:
    """The schema without the words about it."""
    match schema:
        case dict():
            return {key: _meaning(each) for key, each in schema.items() if key not in WORDS}
        case list():
            return [_meaning(each) for each in schema]
        case _:
            return schema
