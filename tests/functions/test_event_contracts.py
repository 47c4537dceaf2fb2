"""Events keep what was promised to those who listen (EVT-1)."""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from common.contracts.asyncapi import asyncapi, schema_of
from common.contracts.events import every_event
from common.contracts.folio_events import ChargePostedV1
from tests.contracts_baseline.compatibility import incompatibilities
from tests.contracts_baseline.take import broken, current, promised
from tests.hotel import Hotel, charge

pytestmark = pytest.mark.req("EVT-1")
Schema = dict[str, Any]
HOW = "run `python -m tests.contracts_baseline.take`"


def test_no_promise_is_broken() -> None:
    assert broken() == [], "a change like this is a new event, `.v2`"


def test_every_event_as_it_is_now_is_a_promise() -> None:
    assert promised() == current(), HOW


def test_every_event_is_in_the_document_under_its_type() -> None:
    document = asyncapi()
    messages = document["components"]["messages"]

    assert {each["name"] for each in messages.values()} == {
        f"melmastoon.billing.{fact}.v1" for fact in every_event()
    }
    assert set(document["channels"]["billingEvents"]["messages"]) == set(messages)
    for each in messages.values():
        name = each["payload"]["$ref"].rsplit("/", 1)[-1]
        Draft202012Validator.check_schema(document["components"]["schemas"][name])


def test_what_is_published_keeps_to_the_document(hotel: Hotel) -> None:
    """Real events of a folio against the schemas, headers included."""
    from tests.jobs.cell import as_message

    folio = hotel.open_folio()
    hotel.post(f"/folios/{folio}/charges", charge())
    messages = {each["name"]: each for each in asyncapi()["components"]["messages"].values()}
    shapes = {shape.event_type(): shape for shape, _ in every_event().values()}

    events = hotel.events()
    assert len(events) >= 2
    for event in events:
        message = as_message(event, (hotel.tenant_id, folio))
        headers = messages[event["type"]]["headers"]
        Draft202012Validator(headers).validate(dict(message.attributes))
        Draft202012Validator(schema_of(shapes[event["type"]])).validate(json.loads(message.data))


def added(schema: Schema) -> None:
    schema["properties"]["note"] = {"type": "string"}


def described(schema: Schema) -> None:
    schema["properties"]["balance"]["description"] = "What the guest owes."


@pytest.mark.parametrize("change", [added, described])
def test_lets_an_event_gain_an_optional_field(change: Callable[[Schema], None]) -> None:
    old = schema_of(ChargePostedV1)
    new = copy.deepcopy(old)
    change(new)

    assert incompatibilities(old, new) == []


def taken_away(schema: Schema) -> None:
    del schema["properties"]["balance"]


def optional_now(schema: Schema) -> None:
    schema["required"].remove("balance")


def new_and_required(schema: Schema) -> None:
    added(schema)
    schema["required"].append("note")


def of_another_type(schema: Schema) -> None:
    schema["properties"]["folioId"]["type"] = "integer"


def of_another_pattern(schema: Schema) -> None:
    schema["properties"]["folioId"]["pattern"] = ".*"


def deep_inside(schema: Schema) -> None:
    del schema["properties"]["lines"]["items"]["properties"]["kind"]


def may_be_null(schema: Schema) -> None:
    schema["properties"]["folioId"] = {"anyOf": [schema["properties"]["folioId"], {"type": "null"}]}


def never_null(schema: Schema) -> None:
    line = schema["properties"]["lines"]["items"]["properties"]
    line["taxCode"] = line["taxCode"]["anyOf"][0]


@pytest.mark.parametrize(
    "change",
    [
        taken_away,
        optional_now,
        new_and_required,
        of_another_type,
        of_another_pattern,
        deep_inside,
        may_be_null,
        never_null,
    ],
)
def test_finds_what_breaks_a_consumer(change: Callable[[Schema], None]) -> None:
    old = schema_of(ChargePostedV1)
    new = copy.deepcopy(old)
    change(new)

    assert len(incompatibilities(old, new)) == 1
