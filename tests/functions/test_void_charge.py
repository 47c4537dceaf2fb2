"""Voiding a charge: reversed once with all that hangs on it, never deleted."""

from functools import partial
from typing import Any

import pytest

from common.runtime.declaration import declaration_of
from functions.folios.void_charge import void_charge
from tests.hotel import Hotel, charge, new_id, usd
from tests.proofs import (
    assert_answers_once,
    assert_books_are_right,
    assert_refused,
    state,
    told,
    trail,
)
from tests.together import at_once

WRONG_ROOM = {"reason": "Posted to the wrong room"}
REFUSALS = [
    ("FOLIO_UNKNOWN", 404),
    ("FOLIO_CLOSED", 409),
    ("CHARGE_UNKNOWN", 404),
    ("CHARGE_ALREADY_VOIDED", 409),
]


def _path(folio: str, charge_id: str) -> str:
    return f"/folios/{folio}/charges/{charge_id}/void"


@pytest.mark.req("FOL-6", "FOL-4")
def test_reverses_a_charge_and_its_tax_by_lines_that_name_them(hotel: Hotel) -> None:
    """100.00 and 10.00 are taken back; the minibar's 5.00 and 0.50 stay."""
    folio = hotel.open_folio()
    charged = hotel.charged(folio, "room", 10_000)
    hotel.charged(folio, "minibar", 500)
    before = hotel.get(f"/folios/{folio}").json["lines"]

    answer = hotel.post(_path(folio, charged), WRONG_ROOM)

    assert answer.status_code == 201, answer.text
    assert answer.json["balance"] == usd(550)
    lines = answer.json["lines"]
    assert [line["amount"] for line in lines] == [usd(-10_000), usd(-1_000)]
    assert [line["corrects"] for line in lines] == [before[0]["lineId"], before[1]["lineId"]]
    assert {line["type"] for line in lines} == {"void"}
    assert {line["reason"] for line in lines} == {"Posted to the wrong room"}
    assert hotel.get(f"/folios/{folio}").json["lines"] == [*before, *lines]
    assert_books_are_right(hotel)


@pytest.mark.req("FOL-6")
def test_reverses_the_adjustments_too(hotel: Hotel) -> None:
    """100.00 less 20.00, with 10 %: 88.00 are taken back, nothing is left."""
    folio = hotel.open_folio()
    charged = hotel.charged(folio, "room", 10_000)
    body = {
        "chargeId": charged, "amount": usd(-2_000), "description": "Noise", "reason": "Noise",
    }  # fmt: skip
    hotel.post(f"/folios/{folio}/adjustments", body)

    answer = hotel.post(_path(folio, charged), WRONG_ROOM)

    amounts = [line["amount"]["amountMicro"] // 10_000 for line in answer.json["lines"]]
    assert amounts == [-10_000, -1_000, 2_000, 200]
    assert answer.json["balance"] == usd(0)
    assert_books_are_right(hotel)


def _prepared(hotel: Hotel, code: str) -> tuple[str, str]:
    folio = hotel.open_folio()
    charged = hotel.charged(folio)
    other = hotel.charged(hotel.open_folio())
    if code in ("FOLIO_CLOSED", "CHARGE_ALREADY_VOIDED"):
        assert hotel.post(_path(folio, charged), WRONG_ROOM).status_code == 201
    if code == "FOLIO_CLOSED":
        assert hotel.post(f"/folios/{folio}/close").status_code == 200
    folio = new_id("fol") if code == "FOLIO_UNKNOWN" else folio
    return folio, other if code == "CHARGE_UNKNOWN" else charged


@pytest.mark.req("FOL-6", "API-3")
@pytest.mark.parametrize(("code", "status"), REFUSALS)
def test_refuses_and_changes_nothing(hotel: Hotel, code: str, status: int) -> None:
    """The unknown charge is another folio's."""
    path = _path(*_prepared(hotel, code))
    before = state(hotel)

    answer = hotel.post(path, WRONG_ROOM)

    assert_refused(answer, status, code)
    assert state(hotel) == before


@pytest.mark.req("FOL-6")
@pytest.mark.parametrize("body", [{}, {"reason": ""}, {"reason": None}])
def test_asks_for_a_reason(hotel: Hotel, body: dict[str, Any]) -> None:
    folio = hotel.open_folio()
    path = _path(folio, hotel.charged(folio))
    before = state(hotel)

    answer = hotel.post(path, body)

    assert_refused(answer, 400, "MELMASTOON.GENERAL.VALIDATION_FAILED")
    assert answer.json["errors"][0]["pointer"] == "/reason"
    assert state(hotel) == before


@pytest.mark.req("API-3")
def test_every_refusal_that_is_declared_is_tried() -> None:
    """What was credited: test_corrections_of_what_was_billed.py tries that one."""
    declared = {refusal.code for refusal in declaration_of(void_charge).refusals}

    assert declared - {"CHARGE_CREDITED"} <= {code for code, _ in REFUSALS}


@pytest.mark.req("API-4")
def test_answers_a_retry_with_the_first_answer_and_one_effect(hotel: Hotel) -> None:
    folio = hotel.open_folio()
    path = _path(folio, hotel.charged(folio))

    assert_answers_once(hotel, path, WRONG_ROOM, {"reason": "Another"})


@pytest.mark.req("FOL-6")
def test_voids_a_charge_once_when_two_clerks_try_at_once(hotel: Hotel) -> None:
    folio = hotel.open_folio()
    void = partial(hotel.post, _path(folio, hotel.charged(folio)), WRONG_ROOM)

    answers = at_once([void] * 6)

    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409, 409]
    assert hotel.get(f"/folios/{folio}").json["balance"] == usd(0)
    assert_books_are_right(hotel)


@pytest.mark.req("TAX-3", "FOL-6")
def test_takes_back_what_was_asked_where_tax_is_rounded_per_invoice(hotel: Hotel) -> None:
    """10 % of 0.04 is 0.004: three charges owe 0.012 of tax, rounded 0.01; two owe 0.008: 0.01."""
    hotel.write_settings(roundsTaxPerInvoice=True)
    folio = hotel.open_folio()
    charged = [hotel.charged(folio, "minibar", 4) for _ in range(3)]
    assert hotel.get(f"/folios/{folio}").json["balance"] == usd(13)

    answer = hotel.post(_path(folio, charged[1]), WRONG_ROOM)

    assert answer.json["balance"] == usd(9)
    for last in (charged[0], charged[2]):
        answer = hotel.post(_path(folio, last), WRONG_ROOM)
    assert answer.json["balance"] == usd(0)
    assert_books_are_right(hotel)


@pytest.mark.req("EVT-1", "AUD-1")
def test_tells_what_was_voided_and_why(hotel: Hotel) -> None:
    folio = hotel.open_folio()
    charged = hotel.charged(folio)

    hotel.post(_path(folio, charged), WRONG_ROOM, token=hotel.token(sub="laila"))

    assert told(hotel) == ["folio.opened", "charge.posted", "charge.voided"]
    event = hotel.events("charge.voided")[0]
    assert event["data"]["lines"][0]["corrects"] == charged
    assert event["data"]["reason"] == "Posted to the wrong room"
    (entry,) = trail(hotel, "charge.voided")
    assert (entry["actor"], entry["reason"]) == ("laila", "Posted to the wrong room")
    assert_books_are_right(hotel)


@pytest.mark.req("FOL-6", "FOL-3")
def test_frees_no_external_reference(hotel: Hotel) -> None:
    """The point of sale's slip stays posted once, voided or not."""
    folio = hotel.open_folio()
    slip = {"source": "pos", "externalReference": "bon-3"}
    hotel.post(_path(folio, hotel.charged(folio, **slip)), WRONG_ROOM)

    answer = hotel.post(f"/folios/{folio}/charges", charge(**slip))

    assert_refused(answer, 409, "EXTERNAL_REFERENCE_POSTED")
