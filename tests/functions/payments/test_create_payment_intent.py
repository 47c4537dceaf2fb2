"""A payment is written down before anybody is asked for it, and only if its folio can take it."""

from uuid import uuid4

import pytest

from tests.hotel import Hotel, new_id, usd
from tests.paying import a_customer, charges, clerk, intents
from tests.proofs import assert_answers_once, assert_books_are_right, assert_refused, told

pytestmark = pytest.mark.req("GW-3")


@pytest.fixture
def wanted(hotel: Hotel) -> dict[str, object]:
    """110.00 of a folio that owes as much."""
    folio = hotel.open_folio()
    hotel.charged(folio)
    return {"folioId": folio, "customerId": a_customer(hotel), "amount": usd(11_000)}


def test_is_written_down_and_nobody_is_charged(hotel: Hotel, wanted: dict[str, object]) -> None:
    answer = hotel.post("/payments/intent", wanted)

    assert answer.status_code == 201, answer.text
    assert answer.json["status"] == "requires_payment_method"
    assert (answer.json["amount"], answer.json["paymentId"]) == (usd(11_000), None)
    assert hotel.get(f"/payments/{answer.json['paymentIntentId']}").json == answer.json
    assert (intents(hotel), charges(hotel)) == ([["requires_payment_method", False, False]], [])
    assert told(hotel)[-1] == "payment_intent.made"
    assert_books_are_right(hotel)


@pytest.mark.req("API-4", "API-9")
def test_answers_a_retry_the_same(hotel: Hotel, wanted: dict[str, object]) -> None:
    body = {**wanted, "id": new_id("pin")}

    assert_answers_once(hotel, "/payments/intent", body, {**body, "amount": usd(1_000)})


def test_refuses_what_the_folio_could_not_take(hotel: Hotel, wanted: dict[str, object]) -> None:
    def refused(status: int, code: str, **changed: object) -> None:
        answer = hotel.post("/payments/intent", {**wanted, **changed}, token=clerk(hotel))
        assert_refused(answer, status, code)

    closed, _ = hotel.closed_folio()
    refused(422, "OVERPAYMENT", amount=usd(11_001))
    refused(422, "AMOUNT_NOT_POSITIVE", amount=usd(0))
    refused(422, "AMOUNT_NOT_IN_MINOR_UNITS", amount={"amountMicro": 1, "currency": "USD"})
    refused(422, "FX_RATE_MISSING", amount={"amountMicro": 1_000_000, "currency": "GBP"})
    # Of dinars the processor wants the third decimal to be nought: 12.345, and 12.340.
    fine, coarse = ({"amountMicro": each, "currency": "KWD"} for each in (12_345_000, 12_340_000))
    refused(422, "AMOUNT_NOT_IN_MINOR_UNITS", amount=fine)
    refused(422, "FX_RATE_MISSING", amount=coarse)
    refused(409, "FOLIO_CLOSED", folioId=closed)
    refused(404, "FOLIO_UNKNOWN", folioId=new_id("fol"))
    refused(404, "CUSTOMER_UNKNOWN", customerId=new_id("cus"))
    elsewhere = hotel.token(property_ids=[uuid4()])
    answer = hotel.post("/payments/intent", wanted, token=elsewhere)
    assert_refused(answer, 404, "FOLIO_UNKNOWN")
    assert intents(hotel) == []
