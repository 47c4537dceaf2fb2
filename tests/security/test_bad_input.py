"""Bad bodies: each kind has its own problem document, changes nothing, and is not repeated.

The attacks are made from the declarations: every field of every body is filled with what it must
not take, so that a new function is attacked without a line here.
"""

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from werkzeug.test import TestResponse

from common.domain.folio import FolioUnknown
from common.runtime.problems import problem
from tests.hotel import usd
from tests.security.answers import INVALID, MARK, is_problem
from tests.security.calls import Calls, fields_not_given, functions, with_json_body

Place = tuple[str | int, ...]


@dataclass(frozen=True)
class Raw:
    """What stands in the body letter by letter."""

    text: str


def written(document: Any) -> bytes:
    """JSON in which what is raw stands as it is."""
    match document:
        case Raw():
            return document.text.encode()
        case dict():
            members = (
                json.dumps(name).encode() + b":" + written(document[name]) for name in document
            )
            return b"{" + b",".join(members) + b"}"
        case list():
            return b"[" + b",".join(map(written, document)) + b"]"
        case _:
            return json.dumps(document).encode()


def places(document: Any, here: Place = ()) -> Iterator[tuple[Place, Any]]:
    """Every place in a document with what stands there."""
    yield here, document
    if isinstance(document, dict | list):
        named = document.items() if isinstance(document, dict) else enumerate(document)
        for name, part in named:
            yield from places(part, (*here, name))


def put(document: Any, place: Place, value: Any) -> Any:
    """The document with another value at a place."""
    if not place:
        return value
    first, *rest = place
    changed = dict(document) if isinstance(document, dict) else list(document)
    changed[first] = put(document[first] if rest else None, tuple(rest), value)
    return changed


def bad_values(value: Any) -> Iterator[Any]:
    """What must not stand where this stands."""
    yield from ([[[]]], Raw("NaN"), Raw("-Infinity"), Raw("1e400"))
    match value:
        case bool():
            yield from ("true", 1, 0, Raw("1.0"))
        case int():
            yield from (str(value), True, 1.5, Raw("1e2"), Raw("1.0"), 10**30, Raw("9" * 4000))
        case str():
            yield from (f"{MARK}\x00", f"{MARK}\x1b", f"{MARK}\x85", Raw(f'"{MARK}\\ud800"'))
            yield from (5, True, 10**30, MARK * 700)
        case dict():
            yield from ([], 7, {}, {f"{MARK} {MARK}": MARK, **value}, {**value, "noSuchField": 1})
        case list():
            yield from ({}, 7, [*value, None])


def pointed_at(answer: TestResponse, place: Place) -> bool:
    """Whether an error stands at the place, or inside of it, or at what holds it."""
    here = "".join(f"/{step}" for step in place)
    errors = [each["pointer"] for each in answer.json["errors"]]
    return any(each.startswith(here) or here.startswith(each) for each in errors)


@pytest.mark.req("API-2", "API-6")
@pytest.mark.parametrize("name", functions())
def test_every_field_is_given_by_the_good_call(calls: Calls, name: str) -> None:
    """So that nothing is left out of the attacks below; see tests/security/calls.py."""
    assert fields_not_given(calls, name) == set()


@pytest.mark.req("API-6", "API-3", "MON-1")
@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("name", with_json_body())
def test_refuses_what_a_field_must_not_hold(calls: Calls, name: str) -> None:
    good = calls.body(name)
    attacks = 0
    for place, value in places(good):
        for bad in bad_values(value):
            if bad == {} and (place == () or place[-1] in ("routing", "limits")):
                continue  # nothing at all may be asked, nothing be routed, or nothing be limited
            answer = calls.send(name, body=written(put(good, place, bad)))
            is_problem(answer, 400, 422)
            assert pointed_at(answer, place), (place, bad, answer.text)
            attacks += 1
    assert attacks >= 5


@pytest.mark.req("API-6")
@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("name", with_json_body())
def test_refuses_a_field_that_it_does_not_know(calls: Calls, name: str) -> None:
    """At any depth; and a name that no field could have is not repeated."""
    good = calls.body(name)
    for place, value in places(good):
        for unknown, shown in (("noSuchField", "noSuchField"), (f"{MARK} {MARK}", "*")):
            if not isinstance(value, dict):
                continue
            answer = calls.send(name, body=put(good, place, {**value, unknown: 1}))
            is_problem(answer, 400, code=INVALID)
            wanted = "".join(f"/{step}" for step in (*place, shown))
            assert wanted in [each["pointer"] for each in answer.json["errors"]]


@pytest.mark.req("API-1", "API-6")
@pytest.mark.usefixtures("unchanged")
def test_takes_no_other_spelling_of_a_name(calls: Calls) -> None:
    good = calls.body("post_charge")
    good["unit_amount"] = good.pop("unitAmount")

    answer = calls.send("post_charge", body=good)

    is_problem(answer, 400, code=INVALID)
    pointers = {each["pointer"] for each in answer.json["errors"]}
    assert pointers == {"/unitAmount", "/unit_amount"}


BEYOND = [2**53, -(2**53), 10**30, int("9" * 4000)]
FINER = [(500_000, "JPY"), (9_999, "USD"), (999, "KWD"), (1, "AFN"), (1, "CLF")]


@pytest.mark.req("MON-1", "API-3")
@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("amount_micro", BEYOND, ids=["2^53", "-2^53", "10^30", "4000 digits"])
@pytest.mark.parametrize("field", ["amount", "unitAmount"])
def test_refuses_an_amount_beyond_what_json_keeps(
    calls: Calls, field: str, amount_micro: int
) -> None:
    body = calls.body("post_charge")
    body[field] = {"amountMicro": amount_micro, "currency": "USD"}

    answer = calls.send("post_charge", body=body)

    is_problem(answer, 422, code="MELMASTOON.BILLING.AMOUNT_OUT_OF_RANGE")
    assert [each["pointer"] for each in answer.json["errors"]] == [f"/{field}"]


@pytest.mark.req("MON-1", "API-3")
@pytest.mark.usefixtures("unchanged")
def test_refuses_a_batch_for_what_is_wrong_in_it_and_nothing_else(calls: Calls) -> None:
    """A list is not told to be too short when all that it holds is wrong."""
    beyond = put(calls.body("post_charge"), ("amount", "amountMicro"), 2**53)
    crooked = {**calls.body("post_charge"), "kind": MARK, "nights": "1"}

    amounts = calls.send("post_charge_batch", body={"charges": [beyond, beyond]})
    fields = calls.send("post_charge_batch", body={"charges": [crooked]})
    none = calls.send("post_charge_batch", body={"charges": []})

    is_problem(amounts, 422, code="MELMASTOON.BILLING.AMOUNT_OUT_OF_RANGE")
    is_problem(fields, 400, code=INVALID)
    is_problem(none, 400, code=INVALID)
    pointers = [[e["pointer"] for e in each.json["errors"]] for each in (amounts, fields, none)]
    assert pointers == [
        ["/charges/0/amount", "/charges/1/amount"],
        ["/charges/0/kind", "/charges/0/nights"],
        ["/charges"],
    ]


@pytest.mark.req("MON-1", "API-6")
@pytest.mark.usefixtures("unchanged")
def test_refuses_a_number_of_5000_digits_before_it_is_one(calls: Calls) -> None:
    body = put(calls.body("post_charge"), ("amount", "amountMicro"), Raw("9" * 5000))

    is_problem(calls.send("post_charge", body=written(body)), 400, code=INVALID)


@pytest.mark.req("MON-2")
@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize(("amount_micro", "currency"), FINER)
@pytest.mark.parametrize("name", ["post_charge", "post_adjustment", "record_payment"])
def test_refuses_an_amount_finer_than_its_minor_unit(
    calls: Calls, name: str, amount_micro: int, currency: str
) -> None:
    body = {**calls.body(name), "amount": {"amountMicro": amount_micro, "currency": currency}}

    answer = calls.send(name, body=body)

    is_problem(answer, 422, code="MELMASTOON.BILLING.AMOUNT_NOT_IN_MINOR_UNITS")
    assert [each["pointer"] for each in answer.json["errors"]] == ["/amount"]


@pytest.mark.req("MON-1", "MON-2")
@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("code", ["XXX", "XAU", "usd", "UЅD", "US", "DOLLAR", MARK, "", "USD "])
def test_refuses_a_currency_that_is_none(calls: Calls, code: str) -> None:
    """The third is lower case, in the fourth the middle letter is Cyrillic."""
    body = {**calls.body("record_payment"), "amount": {**usd(100), "currency": code}}

    answer = calls.send("record_payment", body=body)

    is_problem(answer, 422, code="MELMASTOON.BILLING.CURRENCY_UNKNOWN")
    assert [each["pointer"] for each in answer.json["errors"]] == ["/amount/currency"]


GOOD = b'{"reason":"Wrong room"}'
NESTED = 100_000
BODIES: dict[str, tuple[bytes, int]] = {
    "nothing": (b"", 400),
    "null": (b"null", 400),
    "an array": (b"[" + GOOD + b"]", 400),
    "a text": (b'"' + MARK.encode() + b'"', 400),
    "two objects": (GOOD + GOOD, 400),
    "something after the end": (GOOD + b" " + MARK.encode(), 400),
    "cut off": (GOOD[:-1], 400),
    "a key twice": (b'{"reason":"a","reason":"' + MARK.encode() + b'"}', 400),
    "a key twice, once escaped": (b'{"reason":"a","\\u0072eason":"b"}', 400),
    "a key twice far inside": (b'{"reason":"a","x":[{"y":{"z":1,"z":2}}]}', 400),
    "not UTF-8": (b'{"reason":"' + MARK.encode() + b'\xff"}', 400),
    "a raw surrogate": (b'{"reason":"\xed\xa0\x80"}', 400),
    "an overlong form": (b'{"reason":"\xc0\xaf"}', 400),
    "half a pair": (b'{"reason":"\\udc00' + MARK.encode() + b'"}', 400),
    "half a pair in a name": (b'{"reason":"a","\\ud83d":1}', 400),
    "a raw control character": (b'{"reason":"' + MARK.encode() + b'\x00"}', 400),
    "UTF-16": (GOOD.decode().encode("utf-16"), 400),
    "UTF-16 without a mark": (GOOD.decode().encode("utf-16-le"), 400),
    "UTF-32": (GOOD.decode().encode("utf-32"), 400),
    "a byte order mark": (b"\xef\xbb\xbf" + GOOD, 400),
    "2 MiB": (b'{"reason":"' + b"a" * 2**21 + b'"}', 413),
    "2 MiB of blanks": (b" " * 2**21 + GOOD, 413),
    "arrays in arrays": (b'{"reason":' + b"[" * NESTED + b"]" * NESTED + b"}", 400),
    "objects in objects": (b'{"reason":' + b'{"a":' * NESTED + b"1" + b"}" * (NESTED + 1), 400),
    "single quotes": (GOOD.replace(b'"', b"'"), 400),
    "a comment": (GOOD + b"//", 400),
    "compressed": (gzip.compress(GOOD), 400),
    "a form": (b"reason=" + MARK.encode(), 400),
}


@pytest.mark.req("API-6", "API-3", "TEN-2b")
@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("kind", BODIES)
def test_refuses_a_body_that_is_not_one_json_object(calls: Calls, kind: str) -> None:
    body, status = BODIES[kind]
    for name in ("void_charge", "post_charge", "open_folio"):
        answer = calls.send(name, body=body)
        is_problem(answer, status)
        assert answer.json.get("errors") or status == 413


@pytest.mark.req("API-6")
@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("depth", [150, 200, 250, 400, 480, 490, 500, 900, 1000, 5000])
def test_refuses_nesting_of_any_depth_without_falling_over(calls: Calls, depth: int) -> None:
    """Each reader has a depth at which it gives up; none of them answers 500."""
    for opened, closed in ((b"[", b"]"), (b'{"a":', b"}")):
        body = b'{"reason":' + opened * depth + b"1" + closed * depth + b"}"
        is_problem(calls.send("void_charge", body=body), 400, code=INVALID)


@pytest.mark.req("API-3")
def test_what_a_refusal_says_besides_takes_the_place_of_nothing() -> None:
    refused = FolioUnknown(status="open", code="x", folioId="fol_x")

    document = json.loads(problem(refused, instance="/", trace_id="t"))

    assert (document["status"], document["folioId"]) == (404, "fol_x")
    assert document["code"] == "MELMASTOON.BILLING.FOLIO_UNKNOWN"
