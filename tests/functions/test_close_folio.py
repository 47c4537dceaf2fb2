"""Closing a folio: settled to zero, numbered, and never without its invoice."""

import hashlib
import json
from functools import partial
from typing import Any

import pytest

from common.runtime.declaration import declaration_of
from functions.folios.close_folio import close_folio
from tests.hotel import Hotel, charge, new_id, usd
from tests.proofs import (
    assert_books_are_right,
    assert_nothing_personal,
    assert_refused,
    state,
    told,
    trail,
)
from tests.together import at_once

RATE = {"base": "EUR", "quote": "USD", "source": "test", "takenAt": "2026-01-01T00:00:00Z"}
REFUSALS = [
    ("FOLIO_UNKNOWN", 404),
    ("FOLIO_CLOSED", 409),
    ("BALANCE_DUE", 409),
    ("FX_RATE_MISSING", 422),
]


def _eur(cents: int) -> dict[str, Any]:
    return {"amountMicro": cents * 10_000, "currency": "EUR"}


def _paid_folio(hotel: Hotel) -> str:
    folio = hotel.open_folio()
    hotel.charged(folio)
    hotel.paid(folio, usd(11_000))
    return folio


@pytest.mark.req("CLO-1", "CLO-2", "INV-1", "INV-3")
def test_settles_closes_and_numbers_in_one_go(hotel: Hotel) -> None:
    """100.00 and 10.00 of tax, paid with 110.00."""
    folio = _paid_folio(hotel)

    answer = hotel.post(f"/folios/{folio}/close")

    assert answer.status_code == 200, answer.text
    closed = answer.json
    assert (closed["folio"]["status"], closed["folio"]["balance"]) == ("closed", usd(0))
    settlement = closed["settlement"]
    assert (settlement["charges"], settlement["payments"]) == (usd(11_000), usd(11_000))
    assert (settlement["residualMicro"], settlement["fx"]) == (0, [])
    year = closed["folio"]["closedAt"][:4]
    assert closed["invoiceNumber"] == f"INV-AF-KBL-{year}-000001"
    ((payload, digest, previous, total),) = hotel.rows(
        "SELECT payload, payload_sha256, previous_sha256, total_micro FROM {s}.invoices"
    )
    assert hashlib.sha256(payload.encode()).digest() == digest
    assert (previous, total) == (None, 110_000_000)
    assert hotel.rows("SELECT invoice_id, attempts FROM {s}.render_queue") == [
        [closed["invoiceId"], 0]
    ]
    assert_books_are_right(hotel)


@pytest.mark.req("INV-3", "TAX-3", "GDPR-1")
def test_writes_an_invoice_that_says_everything_but_who_it_is_for(hotel: Hotel) -> None:
    """The hash of salt and person binds the payload to Zarmina; her name stands beside it."""
    folio = hotel.open_folio(guest={"name": "Zarmina Ahmadi", "taxId": "T-4711"})
    hotel.charged(folio, cents=333, description={"en": "Night", "de": "Nacht"})
    hotel.paid(folio, usd(366))

    hotel.post(f"/folios/{folio}/close")

    ((text, salt, person),) = hotel.rows(
        "SELECT payload, salt, document FROM {s}.invoices"
        " JOIN {s}.invoice_persons ON invoice_id = id"
    )
    payload = json.loads(text)
    assert text == json.dumps(payload, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert payload["totals"] == {
        "netMicro": 3_330_000,
        "taxMicro": 330_000,
        "grossMicro": 3_660_000,
        "paidMicro": 3_660_000,
        "roundingMicro": 0,
        "dueMicro": 0,
    }
    assert [row["amountMicro"] for row in payload["taxBreakdown"]] == [330_000]
    assert [line["description"] for line in payload["lines"]] == ["Night"]
    assert person == {"name": "Zarmina Ahmadi", "addressLines": [], "taxId": "T-4711"}
    committed = json.dumps(person, sort_keys=True, separators=(",", ":")).encode()
    assert payload["customer"] == {"commitment": hashlib.sha256(salt + committed).hexdigest()}
    assert_nothing_personal(hotel, "Zarmina", "T-4711")


@pytest.mark.req("CLO-2", "INV-2")
def test_puts_every_line_on_the_invoice(hotel: Hotel) -> None:
    """A voided charge is on it by its ids alone: the rows are what stands."""
    folio = hotel.open_folio()
    voided = hotel.charged(folio, "spa", 9_900)
    hotel.post(f"/folios/{folio}/charges/{voided}/void", {"reason": "Wrong guest"})
    hotel.charged(folio, "room", 10_000)
    hotel.paid(folio, usd(11_000))

    hotel.post(f"/folios/{folio}/close")

    lines = [line["lineId"] for line in hotel.get(f"/folios/{folio}").json["lines"]]
    payload = json.loads(hotel.rows("SELECT payload FROM {s}.invoices")[0][0])
    assert payload["lineIds"] == lines
    assert [row["kind"] for row in payload["lines"]] == ["room"]
    on_it = hotel.rows("SELECT line_id FROM {s}.invoice_lines")
    assert sorted(row[0] for row in on_it) == sorted(lines)


@pytest.mark.req("CLO-1", "MON-5", "PAY-1")
def test_absorbs_what_only_conversion_leaves_over(hotel: Hotel) -> None:
    """90.91 and 9.09 of tax, at 3.00 a euro: 33.33 EUR are 99.99 and leave 0.01."""
    hotel.write_settings(fxRates=[{**RATE, "rate": "3"}])
    folio = hotel.open_folio()
    hotel.charged(folio, cents=9_091)
    hotel.paid(folio, _eur(3_333))
    assert hotel.get(f"/folios/{folio}").json["balance"] == usd(1)

    answer = hotel.post(f"/folios/{folio}/close")

    assert answer.status_code == 200, answer.text
    assert answer.json["settlement"]["residualMicro"] == 10_000
    rounding = hotel.get(f"/folios/{folio}").json["lines"][-1]
    assert (rounding["type"], rounding["amount"]) == ("rounding", usd(-1))
    payload = json.loads(hotel.rows("SELECT payload FROM {s}.invoices")[0][0])
    assert payload["totals"]["roundingMicro"] == -10_000
    assert payload["totals"]["dueMicro"] == 0
    assert_books_are_right(hotel)


@pytest.mark.req("CLO-1")
def test_absorbs_nothing_that_conversion_did_not_leave(hotel: Hotel) -> None:
    """0.01 too little in dollars is owed; 0.02 after one payment in euros is more than 0.01."""
    owing = hotel.open_folio()
    hotel.charged(owing)
    hotel.paid(owing, usd(10_999))
    foreign = hotel.open_folio()
    hotel.charged(foreign)
    hotel.paid(foreign, _eur(9_998))  # 109.978: 109.98

    for folio, due in ((owing, 10_000), (foreign, 20_000)):
        answer = hotel.post(f"/folios/{folio}/close")
        assert_refused(answer, 409, "BALANCE_DUE")
        assert answer.json["balanceMicro"] == due


@pytest.mark.req("CLO-1")
def test_goes_by_the_tenants_tolerance(hotel: Hotel) -> None:
    """Three units for each foreign payment take up 0.02 after one payment in euros."""
    hotel.write_settings(residualMinorUnitsPerForeignPayment=3)
    folio = hotel.open_folio()
    hotel.charged(folio)
    hotel.paid(folio, _eur(9_998))

    answer = hotel.post(f"/folios/{folio}/close")

    assert answer.json["settlement"]["residualMicro"] == 20_000


@pytest.mark.req("CLO-3", "MON-5")
def test_shows_the_pinned_rate_beside_todays(hotel: Hotel) -> None:
    """100 EUR counted 110.00 by the pinned 1.10; by today's 1.25 they were 125.00."""
    hotel.write_settings(showFxAtClose=True)
    folio = hotel.open_folio()
    hotel.charged(folio)
    hotel.paid(folio, _eur(10_000))
    hotel.write_settings(showFxAtClose=True, fxRates=[{**RATE, "rate": "1.25"}])

    answer = hotel.post(f"/folios/{folio}/close")

    (shown,) = answer.json["settlement"]["fx"]
    assert (shown["pinned"]["rate"], shown["today"]["rate"]) == ("1.10", "1.25")
    assert shown["difference"] == usd(1_500)
    payload = json.loads(hotel.rows("SELECT payload FROM {s}.invoices")[0][0])
    assert payload["fx"]["differenceMicro"] == 15_000_000
    assert payload["fx"]["snapshots"][0]["takenAt"] == "2026-01-01T00:00:00.000000Z"


def _owes_tax_in_afghanis(hotel: Hotel, **changes: Any) -> None:
    (house,) = hotel.settings()["properties"]
    hotel.write_settings(properties=[{**house, "taxCurrency": "AFN"}], **changes)


@pytest.mark.req("INV-9", "CLO-2")
def test_says_tax_in_the_currency_of_the_tax_office_as_well(hotel: Hotel) -> None:
    """10.00 of VAT at 0.0142 dollars an afghani are 704.225...: 704.23."""
    _owes_tax_in_afghanis(hotel, fxRates=[{**RATE, "base": "AFN", "rate": "0.0142"}])
    folio = _paid_folio(hotel)

    answer = hotel.post(f"/folios/{folio}/close")

    assert answer.status_code == 200, answer.text
    payload = json.loads(hotel.rows("SELECT payload FROM {s}.invoices")[0][0])
    told = payload["taxInHomeCurrency"]
    assert (told["currency"], told["taxMicro"], told["rate"]["rate"]) == (
        "AFN",
        704_230_000,
        "0.0142",
    )
    hotel.render(answer.json["invoiceId"])
    assert hotel.rows("SELECT count(*) FROM {s}.invoice_renditions") == [[1]]
    assert_books_are_right(hotel)


@pytest.mark.req("CLO-1", "API-3")
@pytest.mark.parametrize(("code", "status"), REFUSALS)
def test_refuses_and_changes_nothing(hotel: Hotel, code: str, status: int) -> None:
    """Nothing but the word that something is due, and its place in the folio's trail."""
    folio = _paid_folio(hotel)
    match code:
        case "FOLIO_UNKNOWN":
            folio = new_id("fol")
        case "FOLIO_CLOSED":
            hotel.post(f"/folios/{folio}/close")
        case "FX_RATE_MISSING":
            _owes_tax_in_afghanis(hotel)
        case _:
            hotel.charged(folio, cents=1)
    noted = ("folios", "audit_entries", "outbox")
    before, whole = state(hotel, without=noted), state(hotel)

    answer = hotel.post(f"/folios/{folio}/close")

    assert_refused(answer, status, code)
    assert state(hotel, without=noted) == before
    assert (state(hotel) == whole) is (code != "BALANCE_DUE")
    assert_books_are_right(hotel)


@pytest.mark.req("API-3")
def test_every_refusal_that_is_declared_is_tried() -> None:
    """A pending refund needs a processor that is silent: test_card_refunds.py tries that one,
    payments/test_one_collection.py a payment that is under way, and test_nights_at_the_desk.py
    what a night lacks that is charged."""
    declared = {refusal.code for refusal in declaration_of(close_folio).refusals}

    elsewhere = {"REFUND_PENDING", "PAYMENT_UNDER_WAY", "TAX_RULE_MISSING", "CURRENCY_MISMATCH"}
    assert declared - elsewhere <= {code for code, _ in REFUSALS}


@pytest.mark.req("CLO-1", "EVT-2")
def test_tells_once_for_each_attempt_that_something_is_due(hotel: Hotel) -> None:
    folio = hotel.open_folio()
    hotel.charged(folio)

    for _ in range(2):
        hotel.post(f"/folios/{folio}/close")

    assert told(hotel)[2:] == ["folio.balance_due"] * 2
    for event in hotel.events("folio.balance_due"):
        assert (event["subject"], event["data"]["balance"]) == (folio, usd(11_000))
    shown = hotel.get(f"/folios/{folio}").json
    assert (shown["status"], shown["balance"], len(shown["lines"])) == ("open", usd(11_000), 2)
    assert_books_are_right(hotel)


@pytest.mark.req("API-4")
def test_stores_no_refused_attempt_so_that_the_same_key_closes_later(hotel: Hotel) -> None:
    folio = hotel.open_folio()
    hotel.charged(folio)

    refused = hotel.post(f"/folios/{folio}/close", key="check-out")
    hotel.paid(folio, usd(11_000))
    closed = hotel.post(f"/folios/{folio}/close", key="check-out")

    assert (refused.status_code, closed.status_code) == (409, 200)
    assert "Idempotency-Replayed" not in closed.headers


@pytest.mark.req("API-4", "INV-1")
def test_answers_a_retry_with_the_first_answer_and_one_effect(hotel: Hotel) -> None:
    """The fields of the path belong to the request: another folio under the key is refused."""
    folio = _paid_folio(hotel)
    other = _paid_folio(hotel)

    first = hotel.post(f"/folios/{folio}/close", key="k")
    before = state(hotel)
    again = hotel.post(f"/folios/{folio}/close", key="k")
    reused = hotel.post(f"/folios/{other}/close", key="k")

    assert again.headers["Idempotency-Replayed"] == "true"
    assert (again.status_code, again.data) == (first.status_code, first.data)
    assert_refused(reused, 422, "MELMASTOON.GENERAL.IDEMPOTENCY_KEY_REUSED")
    assert state(hotel) == before


@pytest.mark.req("CLO-1", "FOL-3")
def test_closes_once_when_two_close_and_one_charges_at_once(hotel: Hotel) -> None:
    """Whoever comes first: one invoice at most, and no line that is on none."""
    folio = _paid_folio(hotel)
    close = partial(hotel.post, f"/folios/{folio}/close")
    late = partial(hotel.post, f"/folios/{folio}/charges", charge("minibar", 100))

    *closings, charged = at_once([close, close, close, late])

    statuses = sorted(answer.status_code for answer in closings)
    if charged.status_code == 201:
        assert statuses == [409, 409, 409]
    else:
        assert_refused(charged, 409, "FOLIO_CLOSED")
        assert statuses == [200, 409, 409]
    invoices = hotel.rows("SELECT count(*) FROM {s}.invoices")[0][0]
    assert invoices == statuses.count(200)
    assert_books_are_right(hotel)


@pytest.mark.req("EVT-1", "AUD-1", "AUD-2")
def test_tells_that_it_closed_and_was_invoiced(hotel: Hotel) -> None:
    folio = _paid_folio(hotel)

    answer = hotel.post(f"/folios/{folio}/close", token=hotel.token(sub="laila"))

    assert told(hotel)[-2:] == ["folio.closed", "invoice.generated"]
    issued = hotel.events("invoice.generated")[0]
    assert (issued["subject"], issued["sequence"]) == (answer.json["invoiceId"], "1")
    assert issued["data"]["number"] == answer.json["invoiceNumber"]
    assert [entry["actor"] for entry in trail(hotel, "invoice.generated")] == ["laila"]
    assert_books_are_right(hotel)
