"""Posting a charge: the five tests of a use case, over HTTP on a real PostgreSQL."""

from functools import partial
from typing import Any
from uuid import uuid4

import pytest

from common.runtime.declaration import declaration_of
from functions.folios.post_charge import post_charge
from tests.hotel import Hotel, charge, new_id, usd
from tests.proofs import (
    assert_answers_once,
    assert_books_are_right,
    assert_nothing_personal,
    assert_refused,
    state,
    told,
    trail,
)
from tests.together import at_once

EUR = {"amountMicro": 1_000_000, "currency": "EUR"}
REFUSALS: list[tuple[str, int, dict[str, Any]]] = [
    ("AMOUNT_NOT_POSITIVE", 422, charge(cents=0)),
    ("AMOUNT_NOT_POSITIVE", 422, charge(cents=-100)),
    ("AMOUNT_DIFFERS", 422, charge(quantity="2", amount=usd(10_000))),
    ("AMOUNT_NOT_IN_MINOR_UNITS", 422, charge(amount={"amountMicro": 1, "currency": "USD"})),
    ("CURRENCY_MISMATCH", 422, charge(unitAmount=EUR)),
    ("TAX_RULE_MISSING", 422, charge("deposit")),
    ("WINDOW_UNKNOWN", 422, charge(window="company")),
    ("EXTERNAL_REFERENCE_POSTED", 409, charge(source="pos", externalReference="bon-1")),
    ("FOLIO_UNKNOWN", 404, charge()),
    ("FOLIO_CLOSED", 409, charge()),
]


@pytest.mark.req("FOL-3", "FOL-4", "TAX-1")
def test_posts_a_charge_with_its_tax_and_answers_the_balance(hotel: Hotel) -> None:
    """100.00 and 10 % of it: 110.00."""
    folio = hotel.open_folio()

    answer = hotel.post(f"/folios/{folio}/charges", charge("room", 10_000))

    assert answer.status_code == 201, answer.text
    assert answer.json["balance"] == usd(11_000)
    assert [line["amount"] for line in answer.json["lines"]] == [usd(10_000), usd(1_000)]


@pytest.mark.req("FOL-3", "MON-2", "TAX-1")
def test_posts_all_that_a_charge_can_say(hotel: Hotel) -> None:
    """2.5 hours at 0.333 333 are 0.833 332 5, rounded once 0.83; 10 % of it 0.083: 0.08."""
    folio = hotel.open_folio(windows=["company"], routing={"spa": "company"})
    given = charge(
        "spa",
        unitAmount={"amountMicro": 333_333, "currency": "USD"},
        quantity="2.5",
        amount=usd(83),
        description={"en": "Massage", "fa-AF": "ماساژ"},
        serviceDate="2026-02-27",
        source="pos",
        externalReference="bon-77",
        id=new_id("chg"),
    )

    answer = hotel.post(f"/folios/{folio}/charges", given)

    line, tax = answer.json["lines"]
    shown = {name: line[name] for name in given if name not in ("id", "amount")}
    assert shown == {name: given[name] for name in shown}
    assert (line["lineId"], line["amount"], line["window"]) == (given["id"], usd(83), "company")
    assert (tax["type"], tax["chargeId"], tax["amount"]) == ("tax", given["id"], usd(8))
    assert tax["tax"] == {
        "code": "VAT",
        "name": "VAT",
        "ratePpm": 100_000,
        "base": usd(83),
        "inclusive": False,
        "category": "S",
        "levy": False,
    }
    shown_later = hotel.get(f"/folios/{folio}").json
    assert shown_later["lines"] == answer.json["lines"]
    assert shown_later["balance"] == answer.json["balance"] == usd(91)


def _refused_folio(hotel: Hotel, code: str) -> str:
    folio = hotel.open_folio()
    posted = hotel.open_folio()
    hotel.post(f"/folios/{posted}/charges", charge(source="pos", externalReference="bon-1"))
    match code:
        case "FOLIO_UNKNOWN":
            return new_id("fol")
        case "FOLIO_CLOSED":
            assert hotel.post(f"/folios/{folio}/close").status_code == 200
    return folio


@pytest.mark.req("FOL-3", "TAX-2", "MON-2", "MON-4", "API-3")
@pytest.mark.parametrize(("code", "status", "body"), REFUSALS)
def test_refuses_and_changes_nothing(
    hotel: Hotel, code: str, status: int, body: dict[str, Any]
) -> None:
    folio = _refused_folio(hotel, code)
    noted = ("folios", "audit_entries", "outbox") if code == "TAX_RULE_MISSING" else ()
    before = state(hotel, without=noted)

    answer = hotel.post(f"/folios/{folio}/charges", body)

    assert_refused(answer, status, code)
    assert state(hotel, without=noted) == before


@pytest.mark.req("API-3")
def test_every_refusal_that_is_declared_is_tried() -> None:
    declared = {refusal.code for refusal in declaration_of(post_charge).refusals}

    assert declared <= {code for code, _, _ in REFUSALS}


@pytest.mark.req("FOL-3")
def test_takes_the_same_reference_from_another_source(hotel: Hotel) -> None:
    folio = hotel.open_folio()

    answers = [
        hotel.post(f"/folios/{folio}/charges", charge(source=source, externalReference="7"))
        for source in ("pos", "pms", "manual")
    ]

    assert [answer.status_code for answer in answers] == [201, 201, 201]


@pytest.mark.req("API-4")
def test_answers_a_retry_with_the_first_answer_and_one_effect(hotel: Hotel) -> None:
    path = f"/folios/{hotel.open_folio()}/charges"

    assert_answers_once(hotel, path, charge(cents=5_000), charge(cents=5_001))


@pytest.mark.req("FOL-4", "MON-6")
def test_posts_two_hundred_at_once_and_loses_none(hotel: Hotel) -> None:
    """1.00 to 200.00 are 20,100.00; each bears 10 %, exactly, in sum 2,010.00."""
    folio = hotel.open_folio()
    path = f"/folios/{folio}/charges"

    answers = at_once(
        [partial(insisting, hotel, path, charge("minibar", 100 * n)) for n in range(1, 201)]
    )

    assert {answer.status_code for answer in answers} == {201}
    shown = hotel.get(f"/folios/{folio}").json
    assert shown["balance"] == usd(2_211_000)
    assert [line["sequence"] for line in shown["lines"]] == list(range(1, 401))
    assert {answer.json["version"] for answer in answers} == set(range(2, 202))
    running = {
        line["sequence"]: sum(each["amount"]["amountMicro"] for each in shown["lines"][: n + 1])
        for n, line in enumerate(shown["lines"])
    }
    for answer in answers:
        last = answer.json["lines"][-1]["sequence"]
        assert answer.json["balance"]["amountMicro"] == running[last]
    assert_books_are_right(hotel)


def insisting(hotel: Hotel, path: str, body: dict[str, Any]) -> Any:
    """What a till does that is told to come again (503): the same, with the same key."""
    key = str(uuid4())
    answers = (hotel.post(path, body, key=key) for _ in range(100))
    return next(answer for answer in answers if answer.status_code != 503)


@pytest.mark.req("FOL-3")
def test_posts_an_external_reference_once_when_it_comes_twice_at_once(hotel: Hotel) -> None:
    folios = [hotel.open_folio(), hotel.open_folio()]
    body = charge(source="pos", externalReference="bon-9")

    answers = at_once([partial(hotel.post, f"/folios/{f}/charges", body) for f in folios])

    assert sorted(answer.status_code for answer in answers) == [201, 409]
    assert hotel.rows("SELECT count(*) FROM {s}.folio_lines WHERE type = 'charge'") == [[1]]
    assert_books_are_right(hotel)


@pytest.mark.req("EVT-1", "EVT-4", "AUD-1", "AUD-2", "API-7")
def test_tells_what_was_posted_and_who_did_it(hotel: Hotel) -> None:
    folio = hotel.open_folio(guest={"name": "Zarmina Ahmadi", "addressLines": ["Flower Street"]})
    parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    text = charge("room", 10_000, description="A quiet room for Zarmina")

    answer = hotel.post(
        f"/folios/{folio}/charges", text, token=hotel.token(sub="laila"),
        headers={"traceparent": parent},
    )  # fmt: skip

    assert told(hotel) == ["folio.opened", "charge.posted"]
    event = hotel.events("charge.posted")[0]
    assert event["subject"] == event["data"]["folioId"] == folio
    assert event["data"]["balance"] == usd(11_000)
    assert [line["type"] for line in event["data"]["lines"]] == ["charge", "tax"]
    assert event["traceparent"][3:35] == answer.headers["traceresponse"][3:35] == parent[3:35]
    (entry,) = trail(hotel, "charge.posted")
    assert (entry["actor"], entry["auth_strength"], entry["trace_id"]) == (
        "laila", "pwd", parent[3:35],
    )  # fmt: skip
    assert entry["digest_before"] != entry["digest_after"]
    assert_books_are_right(hotel)
    assert_nothing_personal(hotel, "Zarmina", "Flower", "quiet")
