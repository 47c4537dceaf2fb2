"""Reading invoices: one with the payload that was signed, and pages of them."""

import hashlib
import json
from uuid import uuid4

import pytest

from tests.hotel import Hotel, new_id, usd
from tests.proofs import GENERAL, assert_refused, state


@pytest.mark.req("INV-3", "INV-9")
def test_shows_the_payload_that_was_hashed_and_who_it_is_made_out_to(hotel: Hotel) -> None:
    guest = {"name": "Zarmina Ahmadi", "addressLines": ["Flower Street 9"], "taxId": "T-4711"}
    folio, invoice_id = hotel.closed_folio(guest=guest)
    before = state(hotel)

    shown = hotel.get(f"/invoices/{invoice_id}").json

    assert (shown["folioId"], shown["total"]) == (folio, usd(11_000))
    assert (shown["signed"], shown["copies"]) == (False, 0)
    assert shown["customer"] == guest
    text = json.dumps(shown["payload"], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert hashlib.sha256(text.encode()).hexdigest() == shown["payloadSha256"]
    assert state(hotel) == before
    hotel.render(invoice_id)
    drawn = hotel.get(f"/invoices/{invoice_id}").json
    assert drawn["signature"]["keyVersion"]
    assert drawn == {**shown, "signed": True, "copies": 1, "signature": drawn["signature"]}


@pytest.mark.req("API-3")
@pytest.mark.parametrize(
    ("invoice", "status", "code"),
    [
        (new_id("inv"), 404, "INVOICE_UNKNOWN"),
        (new_id("fol"), 400, GENERAL + "VALIDATION_FAILED"),
    ],
    ids=["unknown", "of another kind"],
)
def test_refuses_what_is_no_invoice(hotel: Hotel, invoice: str, status: int, code: str) -> None:
    assert_refused(hotel.get(f"/invoices/{invoice}"), status, code)


@pytest.mark.req("SEC-2")
def test_needs_the_scope_to_read_invoices(hotel: Hotel) -> None:
    _, invoice_id = hotel.closed_folio()
    token = hotel.token("billing.folio.read")

    for path in ("/invoices", f"/invoices/{invoice_id}", f"/invoices/{invoice_id}/pdf"):
        answer = hotel.get(path, token=token)
        assert_refused(answer, 403, "MELMASTOON.IAM.SCOPE_MISSING")


@pytest.mark.req("API-5")
def test_lists_each_invoice_once_while_others_are_issued(hotel: Hotel) -> None:
    issued = [hotel.closed_folio()[1] for _ in range(4)]

    first = hotel.get("/invoices", limit="3").json
    issued += [hotel.closed_folio()[1] for _ in range(2)]
    second = hotel.get("/invoices", limit="3", cursor=first["nextCursor"]).json

    assert [len(page["items"]) for page in (first, second)] == [3, 3]
    items = first["items"] + second["items"]
    assert [item["invoiceId"] for item in items] == sorted(issued)
    assert second["nextCursor"] is None
    shown = hotel.get(f"/invoices/{items[0]['invoiceId']}").json
    assert items[0] == {name: shown[name] for name in items[0]}
    assert "customer" not in items[0]
    assert "payload" not in items[0]


@pytest.mark.req("API-5")
def test_asks_by_folio_number_property_and_business_date(hotel: Hotel, clock) -> None:
    clock("2026-03-10T10:00:00Z")
    folio, first = hotel.closed_folio()
    clock("2026-03-11T10:00:00Z")
    _, second = hotel.closed_folio()

    def found(**query: str) -> list[str]:
        return [item["invoiceId"] for item in hotel.get("/invoices", **query).json["items"]]

    assert found() == [first, second]
    assert found(folioId=folio) == [first]
    assert found(number="INV-AF-KBL-2026-000002") == [second]
    assert found(businessDate="2026-03-10") == [first]
    assert found(propertyId=str(hotel.property_id)) == [first, second]
    assert found(propertyId=str(uuid4())) == []
    assert found(number="INV-AF-KBL-2026-000003") == []


@pytest.mark.req("API-5")
@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ({"limit": "0"}, 400, GENERAL + "VALIDATION_FAILED"),
        ({"limit": "201"}, 400, GENERAL + "VALIDATION_FAILED"),
        ({"folioId": "fol_1"}, 400, GENERAL + "VALIDATION_FAILED"),
        ({"cursor": "AAAA"}, 422, GENERAL + "CURSOR_INVALID"),
    ],
)
def test_refuses_a_question_that_it_does_not_know(
    hotel: Hotel, query: dict[str, str], status: int, code: str
) -> None:
    assert_refused(hotel.get("/invoices", **query), status, code)
