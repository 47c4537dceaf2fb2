"""Posting many charges at once: all of them, or none."""

from functools import partial
from typing import Any

import pytest

from common.runtime.declaration import declaration_of
from functions.folios.post_charge_batch import post_charge_batch
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

GOOD = charge("minibar", 500)
REFUSALS: list[tuple[str, int, list[dict[str, Any]]]] = [
    ("AMOUNT_NOT_POSITIVE", 422, [GOOD, charge(cents=0)]),
    ("AMOUNT_DIFFERS", 422, [GOOD, charge(amount=usd(9_999))]),
    ("CURRENCY_MISMATCH", 422, [GOOD, charge(unitAmount={**usd(1), "currency": "EUR"})]),
    ("TAX_RULE_MISSING", 422, [GOOD, charge("deposit")]),
    ("WINDOW_UNKNOWN", 422, [GOOD, charge(window="company")]),
    ("EXTERNAL_REFERENCE_POSTED", 409, [charge(externalReference="same")] * 2),
    ("FOLIO_UNKNOWN", 404, [GOOD]),
    ("FOLIO_CLOSED", 409, [GOOD]),
]


def batch(*charges: dict[str, Any]) -> dict[str, Any]:
    return {"charges": list(charges)}


@pytest.mark.req("FOL-3", "FOL-4", "TAX-1")
def test_posts_all_charges_in_their_order(hotel: Hotel) -> None:
    """7.00, 11.00 and 13.00 with 10 % each: 0.70, 1.10 and 1.30; 34.10 in all."""
    folio = hotel.open_folio()
    charges = [charge("minibar", 700), charge("spa", 1_100), charge("laundry", 1_300)]

    answer = hotel.post(f"/folios/{folio}/charges/batch", batch(*charges))

    assert answer.status_code == 201, answer.text
    assert answer.json["balance"] == usd(3_410)
    assert [line["amount"] for line in answer.json["lines"]] == [
        usd(cents) for cents in (700, 70, 1_100, 110, 1_300, 130)
    ]
    assert [line["sequence"] for line in answer.json["lines"]] == [1, 2, 3, 4, 5, 6]
    assert answer.headers["ETag"] == '"4"'
    assert_books_are_right(hotel)


@pytest.mark.req("FOL-4")
def test_takes_five_hundred_charges_and_not_one_more(hotel: Hotel) -> None:
    """500 times 0.10 and 0.01 of tax: 55.00."""
    path = f"/folios/{hotel.open_folio()}/charges/batch"
    before = state(hotel)

    none = hotel.post(path, batch())
    too_many = hotel.post(path, batch(*[charge(cents=10)] * 501))

    assert_refused(none, 400, "MELMASTOON.GENERAL.VALIDATION_FAILED")
    assert_refused(too_many, 400, "MELMASTOON.GENERAL.VALIDATION_FAILED")
    assert state(hotel) == before
    assert hotel.post(path, batch(*[charge(cents=10)] * 500)).json["balance"] == usd(5_500)
    assert_books_are_right(hotel)


@pytest.mark.req("FOL-3", "TAX-2", "API-3")
@pytest.mark.parametrize(("code", "status", "charges"), REFUSALS)
def test_refuses_them_all_for_one(
    hotel: Hotel, code: str, status: int, charges: list[dict[str, Any]]
) -> None:
    folio = hotel.open_folio()
    if code == "FOLIO_CLOSED":
        hotel.post(f"/folios/{folio}/close")
    noted = ("folios", "audit_entries", "outbox") if code == "TAX_RULE_MISSING" else ()
    before = state(hotel, without=noted)

    asked = new_id("fol") if code == "FOLIO_UNKNOWN" else folio
    answer = hotel.post(f"/folios/{asked}/charges/batch", batch(*charges))

    assert_refused(answer, status, code)
    assert state(hotel, without=noted) == before


@pytest.mark.req("API-3")
def test_every_refusal_that_is_declared_is_tried() -> None:
    declared = {refusal.code for refusal in declaration_of(post_charge_batch).refusals}

    assert declared <= {code for code, _, _ in REFUSALS}


@pytest.mark.req("API-4")
def test_answers_a_retry_with_the_first_answer_and_one_effect(hotel: Hotel) -> None:
    path = f"/folios/{hotel.open_folio()}/charges/batch"

    assert_answers_once(hotel, path, batch(GOOD, GOOD), batch(GOOD))


@pytest.mark.req("FOL-4")
def test_keeps_batches_whole_that_come_at_once(hotel: Hotel) -> None:
    """8 batches of 5 times 5.00 with 0.50 of tax: 220.00."""
    folio = hotel.open_folio()
    post = partial(hotel.post, f"/folios/{folio}/charges/batch", batch(*[GOOD] * 5))

    answers = at_once([post] * 8)

    assert {answer.status_code for answer in answers} == {201}
    firsts = sorted(answer.json["lines"][0]["sequence"] for answer in answers)
    assert firsts == [1, 11, 21, 31, 41, 51, 61, 71]
    for answer in answers:
        sequences = [line["sequence"] for line in answer.json["lines"]]
        assert sequences == list(range(sequences[0], sequences[0] + 10))
    assert hotel.get(f"/folios/{folio}").json["balance"] == usd(22_000)
    assert_books_are_right(hotel)


@pytest.mark.req("API-9", "FOL-4")
def test_takes_the_ids_that_a_desktop_gave_once(hotel: Hotel) -> None:
    path = f"/folios/{hotel.open_folio()}/charges/batch"
    mine = charge(id=new_id("chg"))

    first = hotel.post(path, batch(mine, GOOD))
    before = state(hotel)
    again = hotel.post(path, batch(GOOD, mine))

    assert first.status_code == 201
    assert_refused(again, 409, "MELMASTOON.GENERAL.ID_CONFLICT")
    assert state(hotel) == before


@pytest.mark.req("EVT-1", "AUD-1")
def test_tells_each_charge_by_itself(hotel: Hotel) -> None:
    folio = hotel.open_folio(guest={"name": "Zarmina Ahmadi"})
    secret = charge("spa", 1_000, description="Massage for Zarmina")

    hotel.post(f"/folios/{folio}/charges/batch", batch(secret, GOOD))

    assert told(hotel) == ["folio.opened", "charge.posted", "charge.posted"]
    balances = [event["data"]["balance"] for event in hotel.events("charge.posted")]
    assert balances == [usd(1_100), usd(1_650)]
    assert len(trail(hotel, "charge.posted")) == 2
    assert_books_are_right(hotel)
    assert_nothing_personal(hotel, "Zarmina", "Massage")
