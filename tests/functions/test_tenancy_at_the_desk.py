"""What another hotel owns is not there, and asking for it by name is written down (SEC-3)."""

from functools import partial
from typing import Any
from uuid import uuid4

import pytest

from tests.hotel import Hotel, House, charge, new_id, usd
from tests.moving import wanted
from tests.proofs import (
    GENERAL,
    assert_books_are_right,
    assert_refused,
    assert_trails_are_whole,
    state,
    told,
    trail,
)
from tests.together import at_once

CROSS = GENERAL + "CROSS_TENANT_REFERENCE"


def _calls(folio: str, charge_id: str, invoice_id: str) -> list[tuple[str, str, Any, str]]:
    """Every call that names a folio, a charge or an invoice, and how it says that it is unknown."""
    adjust = {"chargeId": charge_id, "amount": usd(-1), "description": "x", "reason": "x"}
    return [
        ("GET", f"/folios/{folio}", None, "FOLIO_UNKNOWN"),
        ("POST", f"/folios/{folio}/charges", charge(), "FOLIO_UNKNOWN"),
        ("POST", f"/folios/{folio}/charges/batch", {"charges": [charge()]}, "FOLIO_UNKNOWN"),
        ("POST", f"/folios/{folio}/charges/{charge_id}/void", {"reason": "x"}, "FOLIO_UNKNOWN"),
        ("POST", f"/folios/{folio}/adjustments", adjust, "FOLIO_UNKNOWN"),
        ("POST", f"/folios/{folio}/transfers", wanted(folio, charge_id), "FOLIO_UNKNOWN"),
        (
            "POST",
            f"/folios/{folio}/payments",
            {"method": "voucher", "amount": usd(1)},
            "FOLIO_UNKNOWN",
        ),
        ("POST", f"/folios/{folio}/close", {}, "FOLIO_UNKNOWN"),
        ("GET", f"/invoices/{invoice_id}", None, "INVOICE_UNKNOWN"),
        ("GET", f"/invoices/{invoice_id}/pdf", None, "INVOICE_UNKNOWN"),
        ("POST", f"/invoices/{invoice_id}/regenerate", {}, "INVOICE_UNKNOWN"),
        (
            "POST",
            f"/invoices/{invoice_id}/send",
            {"recipients": ["guest@example.com"]},
            "INVOICE_UNKNOWN",
        ),
    ]


@pytest.mark.req("SEC-3", "TEN-2")
def test_another_hotels_folio_reads_like_one_that_is_not_there(house: House, hotel: Hotel) -> None:
    neighbour = house.new_hotel()
    folio = hotel.open_folio()
    charge_id = hotel.charged(folio)
    _, invoice_id = hotel.closed_folio()
    before = state(hotel)

    for method, path, body, code in _calls(folio, charge_id, invoice_id):
        theirs = neighbour.call(method, path, body)
        assert_refused(theirs, 404, code)

    absent = _calls(new_id("fol"), new_id("chg"), new_id("inv"))
    for method, path, body, code in absent:
        assert_refused(neighbour.call(method, path, body), 404, code)
    assert state(hotel) == before


@pytest.mark.req("SEC-3")
def test_a_property_outside_the_token_reads_like_one_that_is_not_there(hotel: Hotel) -> None:
    folio = hotel.open_folio()
    charge_id = hotel.charged(folio)
    _, invoice_id = hotel.closed_folio()
    token = hotel.token(property_ids=[uuid4()])
    before = state(hotel)

    for method, path, body, code in _calls(folio, charge_id, invoice_id):
        assert_refused(hotel.call(method, path, body, token=token), 404, code)

    for path in ("/folios", "/invoices"):
        assert hotel.get(path, token=token).json == {"items": [], "nextCursor": None}
    assert state(hotel) == before


@pytest.mark.req("SEC-3", "AUD-1")
@pytest.mark.parametrize("where", ["header", "body", "query"])
def test_naming_another_tenant_is_refused_and_written_down(hotel: Hotel, where: str) -> None:
    path, other = f"/folios/{hotel.open_folio()}/charges", str(uuid4())
    noted = ("audit_entries",)
    before = state(hotel, without=noted)
    named: dict[str, Any] = {
        "header": {"headers": {"X-Tenant-Id": other}},
        "body": {},
        "query": {"tenantId": other},
    }[where]
    body = charge(tenantId=other) if where == "body" else charge()

    answer = hotel.post(path, body, token=hotel.token(sub="mallory"), **named)

    assert_refused(answer, 403, CROSS)
    assert other not in answer.text
    assert state(hotel, without=noted) == before
    (entry,) = trail(hotel, "security.attempt_refused")
    assert (entry["aggregate_id"], entry["actor"], entry["reason"]) == ("mallory",) * 2 + (CROSS,)
    assert entry["trace_id"] == answer.json["traceId"]
    assert_trails_are_whole(hotel)


@pytest.mark.req("SEC-3")
def test_reading_under_another_tenants_name_is_refused_too(hotel: Hotel) -> None:
    folio = hotel.open_folio()

    answer = hotel.get(f"/folios/{folio}", headers={"X-Tenant-Id": str(uuid4())})
    own = hotel.get(f"/folios/{folio}", headers={"X-Tenant-Id": str(hotel.tenant_id)})

    assert_refused(answer, 403, CROSS)
    assert own.status_code == 200
    assert len(trail(hotel, "security.attempt_refused")) == 1


@pytest.mark.req("SEC-3", "AUD-2")
def test_a_swarm_of_attempts_leaves_a_whole_trail_of_all_of_them(hotel: Hotel) -> None:
    attempt = partial(hotel.get, "/folios", headers={"X-Tenant-Id": str(uuid4())})

    answers = at_once([attempt] * 12)

    assert {answer.status_code for answer in answers} == {403}
    assert len(trail(hotel, "security.attempt_refused")) == 12
    assert_trails_are_whole(hotel)


@pytest.mark.req("SEC-3", "EVT-5")
def test_an_event_that_names_another_tenant_has_no_effect_and_is_written_down(
    hotel: Hotel,
) -> None:
    folio = hotel.open_folio()
    hotel.charged(folio)
    data = {
        "tenantId": str(uuid4()),
        "paymentId": "pp-1",
        "folioId": folio,
        "amount": usd(100),
    }

    answer = hotel.deliver("on_payment_captured", data)

    assert answer.status_code == 204
    assert told(hotel) == ["folio.opened", "charge.posted"]
    assert [reason.split(":")[0] for reason in hotel.letters()] == [CROSS]
    (entry,) = trail(hotel, "security.attempt_refused")
    assert entry["actor"] == "system:on_payment_captured"


@pytest.mark.req("SEC-2", "API-3")
def test_a_missing_scope_is_named(hotel: Hotel) -> None:
    folio = hotel.open_folio()

    answer = hotel.post(
        f"/folios/{folio}/charges", charge(), token=hotel.token("billing.folio.read")
    )

    assert_refused(answer, 403, "MELMASTOON.IAM.SCOPE_MISSING")
    assert answer.json["scope"] == "billing.folio.write"


@pytest.mark.req("TEN-1", "TEN-2", "FOL-4")
def test_two_hotels_that_work_at_once_stay_apart(house: House, hotel: Hotel) -> None:
    """The same slips, the same processor's payments, the same reservations."""
    hotels = [hotel, house.new_hotel(), house.new_hotel()]

    def stay(guest: Hotel) -> str:
        folio = guest.open_folio(reservationId="R-1")
        guest.charged(folio, source="pos", externalReference="bon-1")
        guest.paid(folio, usd(11_000), method="card", paymentId="pp-1")
        answer = guest.post(f"/folios/{folio}/close")
        return str(answer.json["invoiceNumber"])

    numbers = at_once([partial(stay, each) for each in hotels])

    assert {number[-6:] for number in numbers} == {"000001"}
    for each in hotels:
        assert each.rows("SELECT count(*) FROM {s}.folios") == [[1]]
        assert_books_are_right(each)


@pytest.mark.req("API-7", "EVT-1")
def test_a_trace_goes_from_the_caller_to_event_trail_and_answer(hotel: Hotel) -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    headers = {"traceparent": f"00-{trace}-00f067aa0ba902b7-01"}
    folio = hotel.open_folio()

    charged = hotel.post(f"/folios/{folio}/charges", charge(), headers=headers)
    refused = hotel.post(f"/folios/{folio}/close", headers=headers)
    garbled = hotel.post(f"/folios/{folio}/charges", charge(), headers={"traceparent": "x"})

    assert charged.headers["traceresponse"].split("-")[1] == trace
    assert refused.json["traceId"] == trace
    for kind in ("charge.posted", "folio.balance_due"):
        assert hotel.events(kind)[0]["traceparent"].split("-")[1] == trace
        assert trail(hotel, kind)[0]["trace_id"] == trace
    assert garbled.status_code == 201
    assert garbled.headers["traceresponse"].split("-")[1] != trace
