"""Taxes of a charge at the desk: which rules, on which day, and what happens without one."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.hotel import Hotel, charge, usd, vat
from tests.proofs import assert_books_are_right, assert_refused, state, trail

Clock = Callable[[str], None]
NOTED = ("folios", "audit_entries", "outbox")
"""Where it is noted that a rule was missing."""
LEVY = {
    "code": "CITY",
    "name": "City levy",
    "jurisdiction": "AF-KBL",
    "chargeKinds": ["room"],
    "perPersonNight": usd(150),
    "validFrom": "2020-01-01",
}


def _cents(answer: Any) -> list[int]:
    return [line["amount"]["amountMicro"] // 10_000 for line in answer.json["lines"]]


@pytest.mark.req("TAX-1")
def test_each_tax_is_a_line_of_its_own_tied_to_the_charge(hotel: Hotel) -> None:
    """100.00; 2 persons at 1.50 are 3.00; 10 % are 10.00; 2 % on all of this, 113.00, are 2.26."""
    service = vat(20_000, code="SVC", name="Service", order=1)
    hotel.write_settings(taxRules=[vat(), service, LEVY])
    folio = hotel.open_folio()

    answer = hotel.post(f"/folios/{folio}/charges", charge(persons=2))

    lines = answer.json["lines"]
    assert _cents(answer) == [10_000, 300, 1_000, 226]
    assert [line["tax"] and line["tax"]["code"] for line in lines] == [None, "CITY", "VAT", "SVC"]
    assert {line["chargeId"] for line in lines} == {lines[0]["lineId"]}
    assert answer.json["balance"] == usd(11_526)


@pytest.mark.req("TAX-1")
def test_a_price_that_contains_its_tax_is_taken_apart(hotel: Hotel) -> None:
    """110.00 with 10 % in it are 100.00 and 10.00."""
    hotel.write_settings(taxRules=[vat(inclusive=True)])

    answer = hotel.post(f"/folios/{hotel.open_folio()}/charges", charge(cents=11_000))

    assert _cents(answer) == [10_000, 1_000]
    assert answer.json["balance"] == usd(11_000)


@pytest.mark.req("TAX-1", "FOL-12")
def test_a_guest_who_is_exempt_pays_no_tax_and_the_line_says_why(hotel: Hotel) -> None:
    hotel.write_settings(taxRules=[vat(exemptions=["diplomat"], longStayOverNights=28)])
    diplomat = hotel.open_folio(guest={"name": "A", "exemptions": ["diplomat"]})
    resident = hotel.open_folio(stay={"arrival": "2026-01-01", "departure": "2026-01-30"})
    tourist = hotel.open_folio(stay={"arrival": "2026-01-01", "departure": "2026-01-29"})

    answers = [hotel.post(f"/folios/{f}/charges", charge()) for f in (diplomat, resident, tourist)]

    assert [_cents(answer) for answer in answers] == [[10_000], [10_000], [10_000, 1_000]]
    reasons = [answer.json["lines"][0]["untaxed"] for answer in answers]
    assert reasons == ["diplomat", "long_stay", None]


@pytest.mark.req("TAX-1", "FOL-12")
def test_the_day_of_the_service_decides_and_not_the_day_of_posting(
    hotel: Hotel, clock: Clock
) -> None:
    """10 % until 31 March, 12 % from 1 April; all posted on 2 April."""
    hotel.write_settings(taxRules=[vat(validTo="2026-04-01"), vat(120_000, validFrom="2026-04-01")])
    clock("2026-04-02T08:00:00Z")
    path = f"/folios/{hotel.open_folio()}/charges"

    answers = [
        hotel.post(path, charge(**more))
        for more in ({"serviceDate": "2026-03-31"}, {"serviceDate": "2026-04-01"}, {})
    ]

    assert [_cents(answer)[1] for answer in answers] == [1_000, 1_200, 1_200]
    line = answers[0].json["lines"][0]
    assert (line["businessDate"], line["serviceDate"]) == ("2026-04-02", "2026-03-31")


@pytest.mark.req("FOL-3")
def test_a_drink_at_two_in_the_morning_belongs_to_the_evening(hotel: Hotel, clock: Clock) -> None:
    """Kabul is UTC+4:30 and closes its day at 3: until 22:30 UTC it is still the 10th."""
    folio = hotel.open_folio()
    dates = []
    for instant in ("2026-03-10T22:29:30Z", "2026-03-10T22:30:10Z"):
        clock(instant)
        answer = hotel.post(f"/folios/{folio}/charges", charge("minibar"))
        dates.append(answer.json["lines"][0]["businessDate"])

    assert dates == ["2026-03-10", "2026-03-11"]


@pytest.mark.req("TAX-2")
@pytest.mark.parametrize(
    "rule",
    [
        vat(jurisdiction="AF-HER"),
        vat(chargeKinds=["spa"]),
        vat(validFrom="2027-01-01"),
        vat(validTo="2026-03-10"),
    ],
)
def test_refuses_what_no_rule_covers(hotel: Hotel, clock: Clock, rule: dict[str, Any]) -> None:
    clock("2026-03-10T08:00:00Z")
    hotel.write_settings(taxRules=[rule])
    path = f"/folios/{hotel.open_folio()}/charges"
    before = state(hotel, without=NOTED)

    answer = hotel.post(path, charge())

    assert_refused(answer, 422, "TAX_RULE_MISSING")
    assert (answer.json["kind"], answer.json["on"]) == ("room", "2026-03-10")
    assert state(hotel, without=NOTED) == before


def _untaxed_until(hotel: Hotel, instant: str) -> list[dict[str, Any]]:
    (house,) = hotel.settings()["properties"]
    return [{**house, "untaxedUntil": instant}]


@pytest.mark.req("TAX-2", "AUD-1")
def test_posts_untaxed_until_midnight_where_that_is_allowed(hotel: Hotel, clock: Clock) -> None:
    """Midnight between the 10th and the 11th in Kabul is 19:30 UTC, though the bar is open."""
    hotel.write_settings(taxRules=[], properties=_untaxed_until(hotel, "2026-03-10T19:30:00Z"))
    clock("2026-03-10T19:29:00Z")
    folio = hotel.open_folio()
    path = f"/folios/{folio}/charges"

    allowed = hotel.post(path, charge(), token=hotel.token(sub="laila"))
    clock("2026-03-10T19:30:01Z")
    late = hotel.post(path, charge())

    assert allowed.status_code == 201, allowed.text
    (line,) = allowed.json["lines"]
    assert (line["untaxed"], line["amount"]) == ("allowed", usd(10_000))
    assert_refused(late, 422, "TAX_RULE_MISSING")
    (entry,) = trail(hotel, "charge.posted")
    assert entry["actor"] == "laila"
    assert '"untaxed":"allowed"' in entry["detail"]
    assert hotel.events("charge.posted")[0]["data"]["lines"][0]["untaxed"] == "allowed"
    assert_books_are_right(hotel)


@pytest.mark.req("TAX-2")
def test_taxes_what_a_rule_covers_though_untaxed_is_allowed(hotel: Hotel, clock: Clock) -> None:
    clock("2026-03-10T10:00:00Z")
    hotel.write_settings(properties=_untaxed_until(hotel, "2026-03-10T19:30:00Z"))

    answer = hotel.post(f"/folios/{hotel.open_folio()}/charges", charge())

    assert _cents(answer) == [10_000, 1_000]
    assert answer.json["lines"][0]["untaxed"] is None


@pytest.mark.req("TAX-3")
@pytest.mark.parametrize(("per_invoice", "tax"), [(False, 0), (True, 1)])
def test_rounds_by_line_or_by_invoice_as_the_tenant_wants(
    hotel: Hotel, per_invoice: bool, tax: int
) -> None:
    """10 % of 0.04 three times: nothing three times by line; 0.012, so 0.01, by invoice."""
    hotel.write_settings(roundsTaxPerInvoice=per_invoice)
    folio = hotel.open_folio()
    for _ in range(3):
        hotel.charged(folio, "minibar", 4)
    hotel.paid(folio, usd(12 + tax))

    invoice = hotel.post(f"/folios/{folio}/close").json["invoiceId"]

    payload = hotel.get(f"/invoices/{invoice}").json["payload"]
    assert payload["totals"]["taxMicro"] == tax * 10_000
    assert sum(row["amountMicro"] for row in payload["taxBreakdown"]) == tax * 10_000
    assert sum(row["taxMicro"] for row in payload["lines"]) == tax * 10_000
    assert_books_are_right(hotel)
