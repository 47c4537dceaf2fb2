"""The models of requests and answers as JSON Schema 2020-12, tidied for a reader, with examples.

An example is made from the schema itself: what a field names as its example, else the simplest
value that the schema takes. So an example can never fall behind its model.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

REFERENCE: Final = "#/components/schemas/"
MONEY: Final = "Money"
BY_FORMAT: Final = {
    "date": "2026-03-01",
    "date-time": "2026-03-01T10:15:00Z",
    "time": "03:00:00",
    "uuid": "7c1f0f0e-6f0b-4b8a-9d53-0a4f6e1f0a11",
    "binary": "",
}
BY_NAME: Final[dict[str, Any]] = {
    "category": "S",
    "code": "VAT",
    "corrects": None,
    "copies": 1,
    "copyNumber": 0,
    "database": "up",
    "description": {"en": "Room 204, one night"},
    "documentType": "invoice",
    "error": None,
    "externalReference": None,
    "guestName": "Zarmina Ahmadi",
    "hash": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "issuer": "Hotel Kabul",
    "kind": "room",
    "language": "en",
    "location": "https://documents.example/INV-AF-KBL-2026-000001.pdf",
    "name": "VAT",
    "nextCursor": None,
    "number": "INV-AF-KBL-2026-000001",
    "outboxAgeSeconds": 0,
    "payloadSha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "pdfSha256": "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752",
    "quantity": "1",
    "ratePpm": 100000,
    "reason": None,
    "reservationId": "RES-2026-0117",
    "source": "manual",
    "status": "open",
    "taxId": "AF-1",
    "tenant": "7c1f0f0e-6f0b-4b8a-9d53-0a4f6e1f0a11",
    "type": "charge",
    "untaxed": None,
    "version": 7,
    "window": "guest",
    "windows": ["guest"],
}
"""How a field of this name looks where its schema says no more than its type."""

PYTHON_TYPES: Final = {"string": str, "integer": int, "array": list, "object": dict}

Schema = dict[str, Any]
Mode = Literal["validation", "serialization"]


def schemas_of(
    models: Iterable[tuple[type[BaseModel], Mode]],
) -> tuple[dict[Any, Schema], dict[str, Schema]]:
    """The schema of each model (a reference), and the definitions that they refer to."""
    pairs = list(dict.fromkeys(models))
    references, document = models_json_schema(pairs, ref_template=REFERENCE + "{model}")
    definitions = {name: _tidied(schema) for name, schema in document.get("$defs", {}).items()}
    definitions[MONEY] = _money()
    return references, dict(sorted(definitions.items()))


def example_of(schema: Schema, definitions: Mapping[str, Schema], *, whole: bool) -> Any:
    """A value that the schema takes; `whole` fills in what may be left out, too."""
    reference = schema.get("$ref")
    if reference is not None:
        return example_of(definitions[reference.removeprefix(REFERENCE)], definitions, whole=whole)
    if schema.get("examples"):
        return schema["examples"][0]
    for word in ("const", "default"):
        if schema.get(word) is not None:
            return schema[word]
    if "enum" in schema:
        return schema["enum"][0]
    if "anyOf" in schema:
        return example_of(_present(schema["anyOf"]), definitions, whole=whole)
    match schema.get("type"):
        case "object":
            return _object(schema, definitions, whole=whole)
        case "array":
            items = schema.get("items")
            return [example_of(items, definitions, whole=whole)] if items else []
        case "integer" | "number":
            return schema.get("minimum", 1)
        case "boolean":
            return True
        case "null":
            return None
        case _:
            return BY_FORMAT.get(schema.get("format", ""), "text")


def example_of_field(
    name: str, schema: Schema, definitions: Mapping[str, Schema], *, whole: bool
) -> Any:
    """A value that a field takes: by its schema, or by its name where the schema says little."""
    choices = [each for each in schema.get("anyOf", [schema]) if each.get("type") != "null"]
    plain = choices[0] if len(choices) == 1 else {}
    says_more = plain.keys() & {"$ref", "enum", "const", "default", "examples", "format"}
    shown = BY_NAME.get(name)
    fits = PYTHON_TYPES.get(plain.get("type", "")) in (type(shown), None)
    if name not in BY_NAME or says_more or not (fits or shown is None):
        return example_of(schema, definitions, whole=whole)
    return shown


def without(schema: Schema, names: Iterable[str]) -> Schema:
    """An object's schema without some of its properties."""
    left_out = set(names)
    properties = {
        name: each for name, each in schema.get("properties", {}).items() if name not in left_out
    }
    required = [name for name in schema.get("required", []) if name not in left_out]
    trimmed = {**schema, "properties": properties, "required": required}
    return {key: value for key, value in trimmed.items() if key != "required" or required}


def inlined(schema: Any, definitions: Mapping[str, Schema]) -> Any:
    """The schema with everything that it refers to written out."""
    match schema:
        case {"$ref": str(reference)}:
            return {reference: inlined(definitions[reference.removeprefix(REFERENCE)], definitions)}
        case dict():
            return {key: inlined(value, definitions) for key, value in schema.items()}
        case list():
            return [inlined(each, definitions) for each in schema]
        case _:
            return schema


def referred(document: Any, definitions: Mapping[str, Schema]) -> set[str]:
    """The names of the definitions that a document refers to, and those that they refer to."""
    names: set[str] = set()
    waiting = [document]
    while waiting:
        match waiting.pop():
            case {"$ref": str(reference)} if reference.startswith(REFERENCE):
                name = reference.removeprefix(REFERENCE)
                if name not in names:
                    names.add(name)
                    waiting.append(definitions[name])
            case dict() as part:
                waiting.extend(part.values())
            case list() as parts:
                waiting.extend(parts)
            case _:
                pass
    return names


def _object(schema: Schema, definitions: Mapping[str, Schema], *, whole: bool) -> dict[str, Any]:
    required = schema.get("required", [])
    return {
        name: example_of_field(name, each, definitions, whole=whole)
        for name, each in schema.get("properties", {}).items()
        if whole or name in required
    }


def _present(choices: list[Schema]) -> Schema:
    return next((choice for choice in choices if choice.get("type") != "null"), choices[0])


def _tidied(schema: Any) -> Any:
    """Without the titles that only repeat a name, and with money named as such."""
    match schema:
        case {"properties": {"amountMicro": _, "currency": _, **others}} if not others:
            return {"$ref": REFERENCE + MONEY}
        case {"properties": properties}:
            rest = {key: _tidied(value) for key, value in schema.items() if key != "properties"}
            named = {name: _tidied(each) for name, each in properties.items()}
            return {**_plain(rest), "properties": named}
        case dict():
            return _plain({key: _tidied(value) for key, value in schema.items()})
        case list():
            return [_tidied(each) for each in schema]
        case _:
            return schema


def _plain(schema: Schema) -> Schema:
    """A field that may be null says so by its type; that null is then its default is no news."""
    noise = {"title"} | ({"default"} if schema.get("default", "") is None else set())
    return {key: value for key, value in schema.items() if key not in noise}


def _money() -> Schema:
    from common.domain.money import MAX_AMOUNT_MICRO

    return {
        "type": "object",
        "description": "An amount in millionths of its currency's unit: 12500000 USD is 12.50 USD.",
        "properties": {
            "amountMicro": {
                "type": "integer",
                "minimum": -MAX_AMOUNT_MICRO,
                "maximum": MAX_AMOUNT_MICRO,
            },
            "currency": {"type": "string", "pattern": "^[A-Z]{3}$", "description": "ISO 4217"},
        },
        "required": ["amountMicro", "currency"],
        "additionalProperties": False,
        "examples": [{"amountMicro": 12500000, "currency": "USD"}],
    }
