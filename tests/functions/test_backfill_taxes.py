"""Back-fill: charges that went untaxed are corrected once there is a rule (TAX-4).

A hotel that may charge untaxed does so; then the rule comes: 10 % VAT, unless it is said otherwise.
"""

import json
from functools import partial
from typing import Any

import pytest

from common.runtime.declaration import declaration_of
from functions.folios.backfill_taxes import backfill_taxes
from tests.crediting import credits, lines_of
from tests.hotel import Hotel, charge, new_id, usd, vat
from tests.proofs import (
    assert_answers_once,
    assert_books_are_right,
    assert_refused,
    state,
    told,
    trail,
)
from tests.reopening import closes, reopened
from tests.together import at_once

pytestmark = pytest.mark.req("TAX-4")

BACKFILL = "/folios/tax-backfill"
REFUSALS = [
    ("FOLIO_UNKNOWN", 404),
    ("UNTAXED_CHARGE_INVOICED", 409),
    ("CHARGE_CREDITED", 409),
    ("CURRENCY_MISMATCH", 422),
]


def _untaxed_allowed(hotel: Hotel, *rules: dict[str, Any]) -> None:
    (house,) = hotel.settings()["properties"]
    properties = [{**house, "allowUntaxed": True, "untaxedUntil": "2099-01-01T00:00:00Z"}]
    hotel.write_settings(taxRules=list(rules), properties=properties)


def _untaxed_folio(hotel: Hotel, *charges: dict[str, Any], **opened: Any) -> str:
    """A folio with charges that went untaxed; then the VAT comes into force."""
    _untaxed_allowed(hotel)
    folio = hotel.open_folio(**opened)
    for each in charges or (charge(),):
        assert hotel.post(f"/folios/{folio}/charges", each).status_code == 201
    hotel.write_settings()
    return folio


def _asked(*folios: str) -> dict[str, Any]:
    return {"folioIds": list(folios), "reason": "The rule came late"}


def _cents(lines: list[dict[str, Any]]) -> list[tuple[str, int]]:
    return [(line["type"], line["amount"]["amountMicro"] // 10_000) for line in lines]


def test_reverses_an_untaxed_charge_and_posts_it_again_with_its_tax(hotel: Hotel) -> None:
    """100.00 untaxed: back, and 100.00 with 10.00."""
    folio = _untaxed_folio(hotel)
    (untaxed,) = hotel.get(f"/folios/{folio}").json["lines"]

    answer = hotel.post(BACKFILL, _asked(folio))

    assert answer.status_code == 200, answer.text
    (done,) = answer.json["folios"]
    assert _cents(done["lines"]) == [("void", -10_000), ("charge", 10_000), ("tax", 1_000)]
    void, again, tax = done["lines"]
    assert void["corrects"] == again["corrects"] == untaxed["lineId"]
    assert (again["untaxed"], tax["chargeId"]) == (None, again["lineId"])
    assert {line["reason"] for line in (void,)} == {"The rule came late"}
    assert (done["balance"], done["stillUntaxed"]) == (usd(11_000), [])
    assert_books_are_right(hotel)


def test_keeps_what_the_charge_was_for(hotel: Hotel) -> None:
    """Two nights of two adults and a child (7) at 80.00: 3.00 a grown-up and night are 12.00, and
    10 % of 160.00 are 16.00."""
    levy = vat(code="CITY", ratePpm=None, perPersonNight=usd(300), fromAge=18, levy=True)
    nights = charge(
        cents=8_000, quantity="2", nights=2, persons=3, ages=[7], serviceDate="2026-03-01",
        externalReference="PMS-1", source="pms", description={"de": "Zimmer"},
    )  # fmt: skip
    folio = _untaxed_folio(hotel, nights)
    hotel.write_settings(taxRules=[vat(), levy])

    (done,) = hotel.post(BACKFILL, _asked(folio)).json["folios"]

    assert _cents(done["lines"])[1:] == [("charge", 16_000), ("tax", 1_200), ("tax", 1_600)]
    again = done["lines"][1]
    kept = ("kind", "quantity", "unitAmount", "serviceDate", "source", "description", "window")
    before = hotel.get(f"/folios/{folio}").json["lines"][0]
    assert {name: again[name] for name in kept} == {name: before[name] for name in kept}
    assert again["externalReference"] is None  # it is the first one's, for good
    assert_books_are_right(hotel)


def test_corrects_what_is_left_after_an_adjustment(hotel: Hotel) -> None:
    """100.00 less 30.00 are 70.00: with 10 %, 77.00."""
    _untaxed_allowed(hotel)
    folio = hotel.open_folio()
    less = {"chargeId": hotel.charged(folio), "amount": usd(-3_000), "description": "-",
            "reason": "Noise"}  # fmt: skip
    hotel.post(f"/folios/{folio}/adjustments", less)
    hotel.write_settings()

    (done,) = hotel.post(BACKFILL, _asked(folio)).json["folios"]

    assert _cents(done["lines"]) == [
        ("void", -10_000), ("void", 3_000), ("charge", 7_000), ("tax", 700),
    ]  # fmt: skip
    assert done["balance"] == usd(7_700)
    assert_books_are_right(hotel)


def test_takes_the_rule_of_the_day_of_the_service(hotel: Hotel) -> None:
    """Nights of 31 March (10 %) and 1 April (12 %), both at 50.00: 5.00 and 6.00."""
    folio = _untaxed_folio(hotel, charge(nights=2, serviceDate="2026-03-31"))
    changing = [vat(validTo="2026-04-01"), vat(120_000, validFrom="2026-04-01")]
    hotel.write_settings(taxRules=changing)

    (done,) = hotel.post(BACKFILL, _asked(folio)).json["folios"]

    assert _cents(done["lines"])[1:] == [
        ("charge", 5_000), ("tax", 500), ("charge", 5_000), ("tax", 600),
    ]  # fmt: skip
    assert_books_are_right(hotel)


def test_leaves_and_names_what_no_rule_covers_yet(hotel: Hotel) -> None:
    """Only the spa has a rule by now, and the permission to charge untaxed is still on."""
    folio = _untaxed_folio(hotel, charge("room"), charge("spa", 5_000))
    _untaxed_allowed(hotel, vat(chargeKinds=["spa"]))
    room = hotel.get(f"/folios/{folio}").json["lines"][0]["lineId"]

    (done,) = hotel.post(BACKFILL, _asked(folio)).json["folios"]

    assert _cents(done["lines"]) == [("void", -5_000), ("charge", 5_000), ("tax", 500)]
    assert done["stillUntaxed"] == [room]


def test_leaves_the_exempt_the_voided_and_the_taxed_alone_and_is_done_once(hotel: Hotel) -> None:
    _untaxed_allowed(hotel, vat(exemptions=["diplomat"], chargeKinds=["spa"]))
    folio = hotel.open_folio(guest={"name": "H. E.", "exemptions": ["diplomat"]})
    hotel.charged(folio, "spa")
    gone = hotel.charged(folio, "room")
    hotel.post(f"/folios/{folio}/charges/{gone}/void", {"reason": "Not here"})
    hotel.write_settings()
    other = _untaxed_folio(hotel)
    hotel.post(BACKFILL, _asked(other))
    before = state(hotel, without=("idempotency_keys",))

    answer = hotel.post(BACKFILL, _asked(folio, other))

    assert [done["lines"] for done in answer.json["folios"]] == [[], []]
    assert state(hotel, without=("idempotency_keys",)) == before


def test_names_the_folio_whose_untaxed_charge_is_invoiced(hotel: Hotel) -> None:
    """All or none, and the accountant sees which one to leave out."""
    invoiced, good = _prepared(hotel, "UNTAXED_CHARGE_INVOICED"), _untaxed_folio(hotel)

    assert hotel.post(BACKFILL, _asked(good, invoiced)).json["folioId"] == invoiced


def test_an_invoiced_charge_that_no_rule_covers_refuses_nothing(hotel: Hotel) -> None:
    invoiced = _prepared(hotel, "UNTAXED_CHARGE_INVOICED")
    good = _untaxed_folio(hotel, charge("spa", 5_000))
    hotel.write_settings(taxRules=[vat(chargeKinds=["spa"])])

    done = {
        each["folioId"]: each
        for each in hotel.post(BACKFILL, _asked(good, invoiced)).json["folios"]
    }

    assert len(done[good]["lines"]) == 3
    assert done[invoiced]["lines"] == []
    assert len(done[invoiced]["stillUntaxed"]) == 1


def test_touches_the_folios_that_were_asked_for_only(hotel: Hotel) -> None:
    asked, other = _untaxed_folio(hotel), _untaxed_folio(hotel)

    hotel.post(BACKFILL, _asked(asked, asked))

    assert hotel.get(f"/folios/{asked}").json["balance"] == usd(11_000)
    assert hotel.get(f"/folios/{other}").json["balance"] == usd(10_000)


def _prepared(hotel: Hotel, code: str) -> str:
    if code == "FOLIO_UNKNOWN":
        return new_id("fol")
    folio = _untaxed_folio(hotel)
    if code == "CURRENCY_MISMATCH":
        hotel.write_settings(
            taxRules=[vat(ratePpm=None, perNight={"amountMicro": 1_000_000, "currency": "EUR"})]
        )
    if code == "UNTAXED_CHARGE_INVOICED":
        hotel.paid(folio, usd(10_000))
        assert hotel.post(f"/folios/{folio}/close").status_code == 200
    if code == "CHARGE_CREDITED":
        hotel.paid(folio, usd(10_000))
        invoice = closes(hotel, folio)["invoiceId"]
        (line,) = lines_of(hotel, invoice)
        assert credits(hotel, invoice, (line["lineId"], usd(1_000))).status_code == 201
        reopened(hotel, folio)
    return folio


@pytest.mark.req("API-3")
@pytest.mark.parametrize(("code", "status"), REFUSALS)
def test_refuses_all_for_one_and_changes_nothing(hotel: Hotel, code: str, status: int) -> None:
    """Beside the folio that is refused stands one that could have been corrected."""
    wrong = _prepared(hotel, code)
    good = _untaxed_folio(hotel) if code != "CURRENCY_MISMATCH" else wrong
    before = state(hotel)

    answer = hotel.post(BACKFILL, _asked(good, wrong))

    assert_refused(answer, status, code)
    assert state(hotel) == before


@pytest.mark.req("API-3")
def test_every_refusal_that_is_declared_is_tried() -> None:
    declared = {refusal.code for refusal in declaration_of(backfill_taxes).refusals}

    assert declared == {code for code, _ in REFUSALS}


@pytest.mark.req("SEC-2")
def test_takes_an_administrator_of_the_books(hotel: Hotel) -> None:
    folio = _untaxed_folio(hotel)

    answer = hotel.post(BACKFILL, _asked(folio), token=hotel.token("billing.folio.write"))

    assert_refused(answer, 403, "MELMASTOON.IAM.SCOPE_MISSING")


@pytest.mark.req("API-4")
def test_answers_a_retry_with_the_first_answer_and_one_effect(hotel: Hotel) -> None:
    folio, other = _untaxed_folio(hotel), _untaxed_folio(hotel)

    assert_answers_once(hotel, BACKFILL, _asked(folio), _asked(other))


@pytest.mark.req("FOL-4")
def test_at_once_with_itself_in_both_orders_each_charge_is_corrected_once(hotel: Hotel) -> None:
    first, second = _untaxed_folio(hotel), _untaxed_folio(hotel)
    calls = [
        partial(hotel.post, BACKFILL, _asked(*folios), token=hotel.token(sub=f"admin-{n}"))
        for n, folios in enumerate([(first, second), (second, first)] * 3)
    ]

    answers = at_once(calls)

    assert {answer.status_code for answer in answers} == {200}
    written = [len(done["lines"]) for answer in answers for done in answer.json["folios"]]
    assert sorted(written) == [0] * 10 + [3, 3]
    assert_books_are_right(hotel)


@pytest.mark.req("AUD-1", "EVT-2")
def test_tells_the_reversal_and_the_charge_and_who_did_it_why(hotel: Hotel) -> None:
    folio = _untaxed_folio(hotel)

    hotel.post(BACKFILL, _asked(folio), token=hotel.token(sub="nadia"))

    assert told(hotel)[-2:] == ["charge.voided", "charge.posted"]
    by_nadia = [entry for entry in trail(hotel) if entry["actor"] == "nadia"]
    assert [(e["action"], e["reason"]) for e in by_nadia] == [
        ("charge.voided", "The rule came late"),
        ("charge.posted", "The rule came late"),
    ]
    lines = json.loads(by_nadia[1]["detail"])["lines"]
    assert lines[0]["corrects"] == hotel.get(f"/folios/{folio}").json["lines"][0]["lineId"]
    assert_books_are_right(hotel)


def test_an_invoice_shows_the_corrected_charge_alone(hotel: Hotel) -> None:
    folio = _untaxed_folio(hotel)
    hotel.post(BACKFILL, _asked(folio))
    hotel.paid(folio, usd(11_000))

    invoice = hotel.post(f"/folios/{folio}/close").json["invoiceId"]

    (row,) = hotel.get(f"/invoices/{invoice}").json["payload"]["lines"]
    assert (row["netMicro"], row["taxMicro"], row["untaxed"]) == (100_000_000, 10_000_000, None)
    assert_books_are_right(hotel)
