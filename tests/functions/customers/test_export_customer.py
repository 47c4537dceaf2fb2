"""What there is about a customer is handed out whole, in pieces, and noted (GDPR-1)."""

import json
from typing import Any
from uuid import uuid4

import pytest

from common.contracts.customer_exports import CustomerExport
from common.domain import customer_export
from common.ports.transactions import DatabaseUnavailable
from functions.customers import export_customer
from tests.hotel import Hotel, new_id, usd
from tests.paying import a_card, a_customer, a_token, add_card, an_intent, confirm
from tests.proofs import assert_books_are_right, state, told, trail
from tests.refunding import refund
from tests.security.answers import is_problem
from tests.webhooks import Webhook, disputed

pytestmark = pytest.mark.req("GDPR-1")
READ = "billing.customer.read"


def export(hotel: Hotel, customer: str, **more: Any) -> dict[str, Any]:
    """The document, as strictly read as it is described."""
    answer = hotel.get(f"/customers/{customer}/export", **more)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Content-Disposition"] == f"attachment; filename={customer}.json"
    CustomerExport.model_validate_json(answer.data)
    document: dict[str, Any] = json.loads(answer.data)
    return document


def paid(hotel: Hotel, customer: str, cents: int, card: str) -> tuple[str, str]:
    """A payment that was taken: what was asked, and the payment on its folio."""
    intent = an_intent(hotel, hotel.open_folio(), usd(cents), customer)
    answer = confirm(hotel, intent, card)
    assert answer.json["status"] == "succeeded", answer.text
    return intent, answer.json["paymentId"]


@pytest.fixture
def customer(hotel: Hotel) -> str:
    return a_customer(hotel, name="Zarmina Ahmadi", phone="+93 70 123 4567")


@pytest.mark.req("GW-2", "AUD-1")
def test_everything_about_the_customer_is_handed_out_and_that_is_written_down(
    hotel: Hotel, customer: str
) -> None:
    """Two cards, one of them removed; 50.00 taken, of which 20.00 went back and 50.00 are disputed;
    and 70.00 that were never taken. Nothing of another customer's."""
    token = a_token()
    kept = add_card(hotel, customer, token).json["paymentMethodId"]
    removed = a_card(hotel, customer)
    intent, payment = paid(hotel, customer, 5_000, kept)
    waiting = an_intent(hotel, hotel.open_folio(), usd(7_000), customer)
    folio = hotel.get(f"/payments/{intent}").json["folioId"]
    assert refund(hotel, folio, payment, usd(2_000)).status_code == 201
    ((theirs,),) = hotel.rows("SELECT processor_payment_id FROM {s}.payments")
    assert Webhook(hotel).send(disputed(theirs, "dp_1", "needs_response")).status_code == 200
    assert hotel.call("DELETE", f"/payment-methods/{removed}", {}).status_code == 200
    paid(hotel, (stranger := a_customer(hotel)), 900, a_card(hotel, stranger))
    before = state(hotel, without=("audit_entries",)), told(hotel)

    found = export(hotel, customer, token=hotel.token(READ, sub="laila"))

    assert found["customer"]["name"] == "Zarmina Ahmadi"
    assert found["customer"]["phone"] == "+93 70 123 4567"
    assert [each["paymentMethodId"] for each in found["paymentMethods"]] == [kept, removed]
    assert [each["removedAt"] is None for each in found["paymentMethods"]] == [True, False]
    first, second = found["payments"]
    assert (first["intent"]["paymentIntentId"], first["intent"]["status"]) == (intent, "disputed")
    assert (first["payment"]["paymentId"], first["payment"]["amount"]) == (payment, usd(5_000))
    assert [each["amount"] for each in first["refunds"]] == [usd(2_000)]
    assert [(each["amount"], each["status"]) for each in first["disputes"]] == [
        (usd(5_000), "needs_response")
    ]
    assert second["intent"]["paymentIntentId"] == waiting
    assert (second["payment"], second["refunds"], second["disputes"]) == (None, [], [])
    assert found["end"] == {"paymentMethods": 2, "payments": 2}
    said = json.dumps(found)
    assert not [each for each in (token, stranger, "sealed", "digest") if each in said]
    (entry,) = trail(hotel, "customer.exported")
    assert (entry["aggregate_id"], entry["actor"]) == (customer, "laila")
    assert (state(hotel, without=("audit_entries",)), told(hotel)) == before
    export(hotel, customer)
    assert [each["sequence"] for each in trail(hotel, "customer.exported")] == [1, 2]
    assert_books_are_right(hotel)


def test_of_a_customer_who_has_paid_nothing_there_is_little(hotel: Hotel, customer: str) -> None:
    found = export(hotel, customer)

    assert (found["paymentMethods"], found["payments"]) == ([], [])
    assert found["end"] == {"paymentMethods": 0, "payments": 0}


def test_many_are_read_in_pieces(
    hotel: Hotel, customer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Five payments and three cards by twos: each once, in the order of their ids."""
    monkeypatch.setattr(customer_export, "PIECE", 2)
    cards = [a_card(hotel, customer) for _ in range(3)]
    asked = [an_intent(hotel, hotel.open_folio(), usd(100), customer) for _ in range(5)]

    found = export(hotel, customer)

    assert [each["paymentMethodId"] for each in found["paymentMethods"]] == sorted(cards)
    assert [each["intent"]["paymentIntentId"] for each in found["payments"]] == sorted(asked)


@pytest.mark.req("SEC-2", "SEC-3", "TEN-2")
def test_refuses_who_may_not_and_what_is_not_there(
    hotel: Hotel, customer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another scope, another tenant, nobody, and more than one export takes: no trace of any."""
    path = f"/customers/{customer}/export"
    a_card(hotel, customer)
    is_problem(hotel.get(path, token=hotel.token("billing.payment.read")), 403)
    is_problem(hotel.house.new_hotel().get(path), 404)
    is_problem(
        hotel.get(f"/customers/{new_id('cus')}/export"),
        404,
        code="MELMASTOON.BILLING.CUSTOMER_UNKNOWN",
    )
    monkeypatch.setattr(export_customer, "RECORDS_MAX", 0)
    is_problem(hotel.get(path), 422, code="MELMASTOON.BILLING.CUSTOMER_EXPORT_TOO_LARGE")

    assert trail(hotel, "customer.exported") == []


@pytest.mark.req("SEC-3")
def test_payments_of_another_property_are_not_handed_out(hotel: Hotel, customer: str) -> None:
    paid(hotel, customer, 5_000, a_card(hotel, customer))
    elsewhere = hotel.token(READ, property_ids=[uuid4()])

    found = export(hotel, customer, token=elsewhere)

    assert (len(found["paymentMethods"]), found["payments"]) == (1, [])


def test_one_that_breaks_off_has_no_end_and_was_noted(
    hotel: Hotel, customer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database goes away after the first piece: the connection is cut before the end."""
    from common.postgres import customer_exports

    monkeypatch.setattr(customer_export, "PIECE", 1)
    monkeypatch.setattr("common.runtime.streaming.BLOCK_BYTES", 1)
    real, calls = customer_exports.read, []

    def failing(*asked: Any) -> Any:
        calls.append(asked)
        if len(calls) > 1:
            raise DatabaseUnavailable("gone")
        return real(*asked)

    for _ in range(2):
        a_card(hotel, customer)
    monkeypatch.setattr(customer_exports, "read", failing)

    with pytest.raises(DatabaseUnavailable):
        hotel.get(f"/customers/{customer}/export").get_data()

    assert len(trail(hotel, "customer.exported")) == 1
