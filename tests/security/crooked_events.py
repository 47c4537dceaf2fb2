"""Events as they are pushed, in every form of a CloudEvent, and ways to make them crooked."""

import base64
import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from tests.functions.pushing import wrapped

Sent = tuple[bytes, dict[str, str]]


def structured(told: dict[str, Any]) -> Sent:
    return json.dumps(told).encode(), {"Content-Type": "application/cloudevents+json"}


def binary(told: dict[str, Any]) -> Sent:
    headers = {f"ce-{name}": in_header(value) for name, value in told.items() if name != "data"}
    return json.dumps(told.get("data")).encode(), headers


def pushed(told: dict[str, Any]) -> Sent:
    attributes = {f"ce-{name}": in_header(value) for name, value in told.items() if name != "data"}
    return wrapped(told, messageId=str(uuid4()), attributes=attributes), {}


def pushed_structured(told: dict[str, Any]) -> Sent:
    data = base64.b64encode(json.dumps(told).encode()).decode()
    attributes = {"content-type": "application/cloudevents+json"}
    return wrapped({}, attributes=attributes, data=data, messageId=str(uuid4())), {}


def in_header(value: Any) -> str:
    """A value as a header can carry it."""
    text = value if isinstance(value, str) else json.dumps(value)
    return text.encode("ascii", "replace").decode().replace("\r", "?").replace("\n", "?")


FORMS: list[Callable[[dict[str, Any]], Sent]] = [structured, binary, pushed, pushed_structured]


def places(document: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The ways to everything within a document."""
    inner: list[tuple[Any, ...]] = []
    if isinstance(document, dict):
        inner = [(*path, name) for name in document]
    elif isinstance(document, list):
        inner = [(*path, place) for place in range(len(document))]
    found = list(inner)
    for each in inner:
        found += places(document[each[-1]], each)
    return found


def changed(event: dict[str, Any], changes: list[tuple[str, int, Any]]) -> dict[str, Any]:
    """An event with some members replaced, left out, or joined by others."""
    document: dict[str, Any] = json.loads(json.dumps(event))
    for kind, number, value in changes:
        ways = places(document)
        if not ways:
            continue
        *way, last = ways[number % len(ways)]
        holder: Any = document
        for step in way:
            holder = holder[step]
        if kind == "put":
            holder[last] = value
        elif kind == "drop":
            del holder[last]
        elif isinstance(holder, dict):
            holder[f"{last}x"] = value
    return document
