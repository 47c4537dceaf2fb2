"""Card numbers never come in (SEC-6): over HTTP, in every text of every request, and in no log.

The texts are found by walking the models of the requests. A text that holds what a person writes is
searched for card numbers; one that does not look for them is of a form that no card number has, or
of one of three types that hold the ids of other systems. A new field that is neither turns red.
"""

import json
import types
from collections.abc import Iterator
from enum import Enum
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import pytest
from pydantic import BaseModel, Field, StringConstraints, TypeAdapter, ValidationError

from common.contracts.event import EventData
from common.contracts.fields import (
    Cursor,
    FreeText,
    PersonRef,
    TaxNumber,
    Token,
)
from common.contracts.shapes import Request
from common.local.functions import event_declarations
from tests.security.answers import is_problem
from tests.security.calls import Calls, functions, with_json_body
from tests.security.test_bad_input import places, put

GROUPED = "4111 1111 1111 1111"
CARD_NUMBERS = [
    GROUPED,
    "4111111111111111",
    "card_4111111111111111",
    "Paid with 4111-1111-1111-1111, thank you",
    "378282246310005",
    "5555 5555 5555 4444",
    "۴۱۱۱ ۱۱۱۱ ۱۱۱۱ ۱۱۱۱",
]
PLAIN = "Zarmina Ahmadi"
IDS_OF_OTHERS = [
    meta for each in (Token, TaxNumber, Cursor, PersonRef) for meta in get_args(each)[1:]
]
Text = tuple[str, Any]


def texts(annotation: Any, where: str = "") -> Iterator[Text]:
    """Every text in a type: where it stands, and its own type with all that is asked of it."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        inner = arguments[0]
        yield from [(where, annotation)] if is_text(inner) else texts(inner, where)
    elif origin in (Union, types.UnionType):
        for each in arguments:
            yield from texts(each, where)
    elif origin is dict:
        yield from texts(arguments[0], f"{where}/(name)")
        yield from texts(arguments[1], f"{where}/*")
    elif origin in (tuple, list, set, frozenset):
        for each in arguments:
            yield from texts(each, f"{where}/*") if each is not Ellipsis else ()
    elif annotation is Any or annotation is object:
        yield where, annotation
    elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
        hints = get_type_hints(annotation, include_extras=True)
        for name in annotation.model_fields:
            yield from texts(hints[name], f"{where}/{name}")
    elif is_text(annotation):
        yield where, annotation


def is_text(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, str) and not issubclass(kind, Enum)


def holds(kind: Any, text: str) -> bool:
    """Whether a text passes for this type."""
    try:
        TypeAdapter(kind).validate_json(json.dumps(text))
    except ValidationError:
        return False
    return True


def is_an_id_of_others(kind: Any) -> bool:
    return any(meta in IDS_OF_OTHERS for meta in get_args(kind)[1:])


def unsearched(model: type[BaseModel]) -> set[str]:
    """The texts of a model into which a card number would go."""
    return {
        where
        for where, kind in texts(model)
        if not is_an_id_of_others(kind) and any(holds(kind, number) for number in CARD_NUMBERS)
    }


REQUESTS = {
    **{name: declaration.request for name, declaration in functions().items()},
    **{each.name: each.request for each in event_declarations()},
}
OTHERS_TELL = [name for name, each in REQUESTS.items() if not issubclass(each, EventData)]


@pytest.mark.req("SEC-6")
@pytest.mark.parametrize("name", OTHERS_TELL)
def test_no_text_of_a_request_takes_a_card_number(name: str) -> None:
    assert unsearched(REQUESTS[name]) == set(), "use FreeText or Name of common/contracts/fields.py"


@pytest.mark.req("SEC-6")
def test_only_events_of_our_own_are_not_looked_at() -> None:
    assert REQUESTS.keys() - set(OTHERS_TELL) == {
        "on_invoice_generated",
        "on_credit_note_issued",
    }


@pytest.mark.req("SEC-6")
def test_a_new_text_that_is_not_searched_is_found_wherever_it_stands() -> None:
    class Part(BaseModel):
        note: str
        searched: FreeText

    class Planted(Request):
        id: Token
        remark: str | None = None
        short: Annotated[str, Field(max_length=40)] = ""
        coloured: Annotated[str, StringConstraints(pattern="^[0-9a-f]+$")] = ""
        shown: Literal["a"] | bool = "a"
        parts: tuple[Part, ...] = ()
        labels: dict[str, FreeText] = {}
        metadata: dict[FreeText, str | int] = {}
        anything: dict[FreeText, Any] = {}

    assert unsearched(Planted) == {
        "/remark",
        "/short",
        "/coloured",
        "/parts/*/note",
        "/labels/(name)",
        "/metadata/*",
        "/anything/*",
    }


def free_places(calls: Calls, name: str) -> list[tuple[str | int, ...]]:
    """Where the good body of a function holds what a person could have written."""
    snake = {
        where.replace("_", "").lower(): kind for where, kind in texts(functions()[name].request)
    }
    found = []
    for place, value in places(calls.body(name)):
        if not isinstance(value, str):
            continue
        kind = next((snake[each] for each in _forms(place) if each in snake), None)
        if kind is not None and holds(kind, PLAIN):
            found.append(place)
    return found


def _forms(place: tuple[str | int, ...]) -> Iterator[str]:
    """A place as the walk names it: items of a list, and members of a map, are `*`."""
    steps = ["*" if isinstance(step, int) else step.lower() for step in place]
    yield "".join(f"/{step}" for step in steps)
    yield "".join(f"/{step}" for step in [*steps[:-1], "*"])
    yield "".join(f"/{step}" for step in [*steps[:-2], "*", *steps[-1:]])


@pytest.mark.req("SEC-6", "API-3")
@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("name", with_json_body())
def test_refuses_a_card_number_in_every_free_text_and_keeps_none_of_it(
    calls: Calls, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    good = calls.body(name)
    for place in free_places(calls, name):
        for number in CARD_NUMBERS:
            answer = calls.send(name, body=put(good, place, number))
            is_problem(answer, 422, code="MELMASTOON.BILLING.PAN_DETECTED")
            (error,) = answer.json["errors"]
            assert error["pointer"] == "".join(f"/{step}" for step in place)
            assert number not in json.dumps(answer.json, ensure_ascii=False)
    told = capsys.readouterr().out
    assert not any(number in told for number in CARD_NUMBERS)


FREE_TEXTS = {
    "open_folio": 4,
    "post_charge": 2,
    "post_charge_batch": 4,
    "post_adjustment": 2,
    "record_payment": 1,
    "refund_payment": 2,
    "transfer_lines": 1,
    "transfer_deposit": 1,
    "void_charge": 1,
    "close_folio": 0,
    "reopen_folio": 1,
    "regenerate_invoice": 0,
    "create_drawer": 1,
    "change_drawer": 2,
    "open_session": 0,
    "post_movement": 1,
    "initiate_close": 0,
    "close_session": 0,
    "return_to_open": 1,
    "recount_stuck_session": 0,
    "acknowledge_discrepancy": 1,
    "resolve_reconciliation": 1,
    "connect_payout_account": 0,
    "request_payout": 0,
    "approve_payout": 0,
    "reject_payout": 1,
    "own_processor_difference": 0,
    "resolve_processor_difference": 1,
    "backfill_taxes": 1,
    "issue_credit_note": 1,
    "void_invoice": 1,
    "send_invoice": 0,
    "send_credit_note": 0,
    "review_signal": 1,
    "open_company_account": 2,
    "change_company_account": 3,
    "record_company_payment": 1,
    "allocate_credit": 0,
    "set_off_credit_note": 0,
    "reverse_allocation": 1,
    "write_off_receivable": 1,
    "reverse_write_off": 1,
    "deduct_credits": 0,
    "hold_credits": 0,
    "capture_credits": 0,
    "release_credits": 0,
    "transfer_credits": 1,
    "grant_credits": 1,
    "claw_back_credits": 1,
    "waive_credit_debt": 1,
    "reverse_claw_back": 1,
    "replay_webhook": 0,
    "purchase_credits": 0,
    "set_auto_top_up": 0,
    "create_customer": 1,
    "change_customer": 1,
    "add_payment_method": 0,
    "create_plan": 1,
    "publish_plan_version": 1,
    "publish_platform_tax_rules": 4,
    "create_subscription": 1,
    "change_subscription": 1,
    "cancel_subscription": 1,
    "pause_subscription": 1,
    "resume_subscription": 1,
    "reactivate_subscription": 1,
    "cycle_subscription": 0,
    "record_usage": 0,
    "record_usage_batch": 0,
    "start_trial": 0,
    "choose_payment_method": 0,
    "choose_own_payment_method": 0,
    "refund_subscription_invoice": 1,
    "declare_platform_incident": 1,
    "end_platform_incident": 1,
    "remove_payment_method": 0,
    "create_payment_intent": 0,
    "cancel_payment": 0,
    "confirm_payment": 0,
    "decide_review": 1,
}
"""How many free texts each function takes, counted by hand."""


@pytest.mark.req("SEC-6")
def test_the_free_texts_of_the_desk_are_all_tried(calls: Calls) -> None:
    """What a clerk types, counted by hand: two languages of a description, a name, two lines of an
    address, who publishes a rate, a reason."""
    tried = {name: len(free_places(calls, name)) for name in with_json_body()}

    assert tried == FREE_TEXTS


@pytest.mark.req("SEC-6")
@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("number", CARD_NUMBERS)
def test_refuses_a_card_number_as_a_name_or_in_place_of_something_else(
    calls: Calls, number: str, capsys: pytest.CaptureFixture[str]
) -> None:
    opening, payment = calls.body("open_folio"), calls.body("record_payment")
    charge = calls.body("post_charge")
    asked = [
        ("open_folio", {**opening, "routing": {number: "guest"}}),
        ("open_folio", {**opening, "routing": {"room": number}}),
        ("open_folio", {**opening, "window": number}),
        ("open_folio", {**opening, "windows": [number]}),
        ("open_folio", {**opening, number: "x"}),
        ("open_folio", {**opening, "note": number}),
        ("post_charge", {**charge, "description": {number: "Massage"}}),
        ("post_charge", {**charge, "kind": number}),
        ("post_charge", {**charge, "quantity": number}),
        ("post_charge", {**charge, "amount": number}),
        ("record_payment", {**payment, "paymentMethodToken": number}),
        ("record_payment", {**payment, "amount": {"amountMicro": 10**6, "currency": number}}),
    ]
    for name, body in asked:
        answer = calls.send(name, body=body)
        is_problem(answer, 400, 422)
        assert number not in json.dumps(answer.json, ensure_ascii=False)
    assert number not in capsys.readouterr().out
