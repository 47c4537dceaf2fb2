"""What we tell the world, as one AsyncAPI 3 document made from the events' own models (EVT-1).

It is written for those who listen: a consumer that reads it has to live with fields that it does
not know yet, so the schemas close nothing, although we ourselves write no field that is not there.
"""

import re
from typing import Any, Final

from pydantic.json_schema import models_json_schema

from common.contracts.event import EventData
from common.contracts.events import every_event

VERSION: Final = "1.0.0"
SCHEMAS: Final = "#/components/schemas/"
MONEY: Final = "Money"
CHANNEL: Final = "billingEvents"
CONTENT_TYPE: Final = "application/json"
DESCRIPTION: Final = (
    "Facts of folios, payments and invoices, told once they are committed. Events are CloudEvents"
    " 1.0 in the binary mode of the binding for Pub/Sub: attributes of the message and of the"
    " envelope have the prefix `ce-`, the body is the event's data. Every event is delivered at"
    " least once, those of one aggregate in the order of their `ce-sequence`; an event is known by"
    " its `ce-id`. Fields may be added to an event; none is taken away or changes its meaning."
)
ATTRIBUTES: Final[dict[str, dict[str, Any]]] = {
    "ce-specversion": {"type": "string", "const": "1.0"},
    "ce-id": {
        "type": "string",
        "pattern": "^evt_[0-7][0-9A-HJKMNP-TV-Z]{25}$",
        "description": "Names the event; a second delivery has the same.",
    },
    "ce-source": {"type": "string", "description": "`/billing/tenants/<tenant>`"},
    "ce-subject": {"type": "string", "description": "The aggregate, and the ordering key."},
    "ce-time": {"type": "string", "format": "date-time"},
    "ce-tenantid": {"type": "string", "format": "uuid"},
    "ce-sequence": {
        "type": "string",
        "pattern": "^[1-9][0-9]*$",
        "description": "The number of the fact on its aggregate. Facts that stay in the house have"
        " numbers too, so that numbers rise and may leave some out.",
    },
    "ce-traceparent": {"type": "string", "description": "W3C Trace Context."},
    "content-type": {"type": "string", "const": CONTENT_TYPE},
}

Schema = dict[str, Any]


def asyncapi() -> dict[str, Any]:
    """The document of all events that we publish."""
    shapes = sorted(
        (shape for shape, _ in every_event().values()), key=lambda shape: shape.event_type()
    )
    names = [shape.__name__ for shape in shapes]
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Billing events", "version": VERSION, "description": DESCRIPTION},
        "defaultContentType": CONTENT_TYPE,
        "channels": {
            CHANNEL: {
                "address": "projects/{project}/topics/{topic}",
                "title": "The topic of all billing events",
                "parameters": {
                    "project": {"description": "The platform's project."},
                    "topic": {"description": "The topic, one for each environment."},
                },
                "messages": {name: _reference("components/messages", name) for name in names},
            }
        },
        "operations": {
            "tell": {
                "action": "send",
                "summary": "We tell what has happened.",
                "channel": _reference("channels", CHANNEL),
                "messages": [_reference(f"channels/{CHANNEL}/messages", name) for name in names],
            }
        },
        "components": {
            "messages": {shape.__name__: _message(shape) for shape in shapes},
            "schemas": _schemas(shapes),
        },
    }


def schema_of(shape: type[EventData]) -> Schema:
    """The schema of one event's data, with everything that it refers to written out."""
    schemas = _schemas([shape])
    written: Schema = _written_out(schemas[shape.__name__], schemas)
    return written


def _message(shape: type[EventData]) -> dict[str, Any]:
    event_type = {"type": "string", "const": shape.event_type()}
    return {
        "name": shape.event_type(),
        "title": shape.__name__,
        "summary": re.sub(r"[._]", " ", shape.fact).capitalize() + ".",
        "contentType": CONTENT_TYPE,
        "headers": {
            "type": "object",
            "required": sorted(({"ce-type"} | ATTRIBUTES.keys()) - {"ce-traceparent"}),
            "properties": {"ce-type": event_type, **ATTRIBUTES},
        },
        "payload": {"$ref": SCHEMAS + shape.__name__},
    }


def _schemas(shapes: list[type[EventData]]) -> dict[str, Schema]:
    _, document = models_json_schema(
        [(shape, "validation") for shape in shapes], ref_template=SCHEMAS + "{model}"
    )
    found = {name: _tidied(schema) for name, schema in document.get("$defs", {}).items()}
    found[MONEY] = {
        "type": "object",
        "description": "An amount of a currency.",
        "required": ["amountMicro", "currency"],
        "properties": {
            "amountMicro": {"type": "integer", "description": "Millionths of the unit."},
            "currency": {"type": "string", "pattern": "^[A-Z]{3}$", "description": "ISO 4217."},
        },
    }
    return dict(sorted(found.items()))


def _tidied(schema: Any) -> Any:
    """Open to fields that will be added, without titles that repeat a name, money as such."""
    match schema:
        case {"properties": {"amountMicro": _, "currency": _, **others}} if not others:
            return {"$ref": SCHEMAS + MONEY}
        case dict():
            return {
                key: {name: _tidied(each) for name, each in value.items()}
                if key == "properties"
                else _tidied(value)
                for key, value in schema.items()
                if key not in ("title", "additionalProperties") or not _is_noise(key, value)
            }
        case list():
            return [_tidied(each) for each in schema]
        case _:
            return schema


def _is_noise(key: str, value: object) -> bool:
    return (key == "title" and isinstance(value, str)) or value is False


def _written_out(schema: Any, schemas: dict[str, Schema]) -> Any:
    match schema:
        case {"$ref": str(reference)}:
            return _written_out(schemas[reference.removeprefix(SCHEMAS)], schemas)
        case dict():
            return {key: _written_out(value, schemas) for key, value in schema.items()}
        case list():
            return [_written_out(each, schemas) for each in schema]
        case _:
            return schema


def _reference(place: str, name: str) -> dict[str, str]:
    return {"$ref": f"#/{place}/{name}"}
