"""Adjusting a charge: a signed correction with a reason, taxed as the charge was."""

from functools import partial
from typing import Any

import pytest

from common.runtime.declaration import declaration_of
from functions.folios.post_adjustment import post_adjustment
from tests.hotel import Hotel, new_id, usd, vat
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

REFUSALS: list[tuple[str, int, dict[str, Any]]] = [
    ("AMOUNT_NOT_POSITIVE", 422, usd(0)),
    ("ADJUSTMENT_EXCEEDS_CHARGE", 422, usd(-10_001)),
    ("CURRENCY_MISMATCH", 422, {"amountMicro": -10_000, "currency": "EUR"}),
    ("AMOUNT_NOT_IN_MINOR_UNITS", 422, {"amountMicro": -10_001, "currency": "USD"}),
    ("FOLIO_UNKNOWN", 404, usd(-100)),
    ("FOLIO_CLOSED", 409, usd(-100)),
    ("CHARGE_UNKNOWN", 404, usd(-100)),
    ("CHARGE_ALREADY_VOIDED", 409, usd(-100)),
]


def adjustment(charge_id: str, amount: dict[str, Any], **more: Any) -> dict[str, Any]:
    words = {"description": "Noise at night", "reason": "Lift works until two"}
    return {"chargeId": charge_id, "amount": amount, **words, **more}


@pytest.mark.req("FOL-6", "TAX-1")
def test_lowers_a_charge_and_the_tax_with_it(hotel: Hotel) -> None:
    """100.00 and 10.00, less 25.00 and 2.50: 82.50."""
    folio = hotel.open_folio()
    charged = hotel.charged(folio)

    answer = hotel.post(f"/folios/{folio}/adjustments", adjustment(charged, usd(-2_500)))

    assert answer.status_code == 201, answer.text
    line, tax = answer.json["lines"]
    assert (line["type"], line["amount"], tax["amount"]) == ("adjustment", usd(-2_500), usd(-250))
    assert (line["corrects"], line["chargeId"], tax["chargeId"]) == (charged,) * 3
    assert line["description"] == {"und": "Noise at night"}
    assert answer.json["balance"] == usd(8_250)
    assert_books_are_right(hotel)


@pytest.mark.req("FOL-6")
def test_raises_a_charge_and_takes_all_of_it_away_again(hotel: Hotel) -> None:
    """100.00 and 1.00 more, then 101.00 less: nothing, and 0.01 less than nothing is refused."""
    folio = hotel.open_folio()
    charged = hotel.charged(folio)
    path = f"/folios/{folio}/adjustments"

    more = hotel.post(path, adjustment(charged, usd(100)))
    less = hotel.post(path, adjustment(charged, usd(-10_100)))
    below = hotel.post(path, adjustment(charged, usd(-1)))

    assert (more.json["balance"], less.json["balance"]) == (usd(11_110), usd(0))
    assert_refused(below, 422, "ADJUSTMENT_EXCEEDS_CHARGE")
    assert_books_are_right(hotel)


@pytest.mark.req("FOL-6", "TAX-1", "FOL-12")
def test_taxes_it_as_the_charge_was_whatever_the_rules_are_now(hotel: Hotel) -> None:
    """Posted at 10 %, adjusted while 20 % is in force, then while nothing is: 10 % both times."""
    folio = hotel.open_folio()
    charged = hotel.charged(folio)
    path = f"/folios/{folio}/adjustments"

    hotel.write_settings(taxRules=[vat(200_000)])
    first = hotel.post(path, adjustment(charged, usd(-1_000)))
    hotel.write_settings(taxRules=[])
    second = hotel.post(path, adjustment(charged, usd(-1_000)))

    for answer in (first, second):
        assert [line["amount"] for line in answer.json["lines"]] == [usd(-1_000), usd(-100)]


@pytest.mark.req("FOL-6", "API-3")
@pytest.mark.parametrize(("code", "status", "amount"), REFUSALS)
def test_refuses_and_changes_nothing(
    hotel: Hotel, code: str, status: int, amount: dict[str, Any]
) -> None:
    folio = hotel.open_folio()
    charged = hotel.charged(folio)
    other = hotel.charged(hotel.open_folio())
    if code in ("FOLIO_CLOSED", "CHARGE_ALREADY_VOIDED"):
        hotel.post(f"/folios/{folio}/charges/{charged}/void", {"reason": "Wrong"})
    if code == "FOLIO_CLOSED":
        hotel.post(f"/folios/{folio}/close")
    before = state(hotel)

    asked = new_id("fol") if code == "FOLIO_UNKNOWN" else folio
    which = other if code == "CHARGE_UNKNOWN" else charged
    answer = hotel.post(f"/folios/{asked}/adjustments", adjustment(which, amount))

    assert_refused(answer, status, code)
    assert state(hotel) == before


@pytest.mark.req("API-3")
def test_every_refusal_that_is_declared_is_tried() -> None:
    """What was credited: test_corrections_of_what_was_billed.py tries that one."""
    declared = {refusal.code for refusal in declaration_of(post_adjustment).refusals}

    assert declared - {"CHARGE_CREDITED"} <= {code for code, _, _ in REFUSALS}


@pytest.mark.req("API-4")
def test_answers_a_retry_with_the_first_answer_and_one_effect(hotel: Hotel) -> None:
    folio = hotel.open_folio()
    charged = hotel.charged(folio)

    assert_answers_once(
        hotel,
        f"/folios/{folio}/adjustments",
        adjustment(charged, usd(-100)),
        adjustment(charged, usd(-200)),
    )


@pytest.mark.req("FOL-6")
def test_never_takes_more_than_the_charge_when_many_adjust_at_once(hotel: Hotel) -> None:
    """Five times 30.00 off 100.00: three fit, 10.00 and 1.00 of tax are left."""
    folio = hotel.open_folio()
    body = adjustment(hotel.charged(folio), usd(-3_000))

    answers = at_once([partial(hotel.post, f"/folios/{folio}/adjustments", body)] * 5)

    assert sorted(answer.status_code for answer in answers) == [201, 201, 201, 422, 422]
    assert hotel.get(f"/folios/{folio}").json["balance"] == usd(1_100)
    assert_books_are_right(hotel)


@pytest.mark.req("EVT-1", "AUD-1")
def test_tells_what_was_adjusted_and_why(hotel: Hotel) -> None:
    folio = hotel.open_folio(guest={"name": "Zarmina Ahmadi"})
    body = adjustment(hotel.charged(folio), usd(-100), description="For Zarmina")

    hotel.post(f"/folios/{folio}/adjustments", body, token=hotel.token(sub="laila"))

    assert told(hotel) == ["folio.opened", "charge.posted", "charge.adjusted"]
    assert hotel.events("charge.adjusted")[0]["data"]["balance"] == usd(10_890)
    (entry,) = trail(hotel, "charge.adjusted")
    assert (entry["actor"], entry["reason"]) == ("laila", "Lift works until two")
    assert_books_are_right(hotel)
    assert_nothing_personal(hotel, "Zarmina")
