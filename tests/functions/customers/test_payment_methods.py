"""A token is kept under seal, shown by what its card is, and goes when its method goes (GW-2)."""

from uuid import uuid4

import pytest

from common.local.wrapping import WrappingFiles
from jobs.rewrap_data_keys import rewrap_data_keys
from tests.hotel import Hotel, new_id, usd
from tests.paying import (
    a_card,
    a_customer,
    a_token,
    add_card,
    an_intent,
    charges,
    confirm,
    intents,
    run_job,
    shown,
)
from tests.proofs import assert_answers_once, assert_books_are_right, assert_refused, trail
from tests.together import at_once

pytestmark = pytest.mark.req("GW-2", "GDPR-2")


@pytest.fixture
def customer(hotel: Hotel) -> str:
    return a_customer(hotel)


def wrapping(hotel: Hotel) -> WrappingFiles:
    return WrappingFiles(hotel.house.wiring._folder("wrapping-keys"))


def everything(hotel: Hotel) -> str:
    """All that is written down of the tenant, as text."""
    tables = hotel.rows(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = :schema",
        schema=hotel.schema,
    )
    rows = [hotel.rows(f"SELECT t::text FROM {{s}}.{name} AS t") for (name,) in tables]
    return str(rows) + str(hotel.events())


def test_shows_what_the_processor_says_of_a_card_and_no_token(hotel: Hotel, customer: str) -> None:
    token = a_token()

    answer = add_card(hotel, customer, token, given={"purpose": "later_stays"})

    assert answer.status_code == 201, answer.text
    assert {name: answer.json[name] for name in ("kind", "brand", "lastFour")} == {
        "kind": "card",
        "brand": "visa",
        "lastFour": "4242",
    }
    assert (answer.json["expiryMonth"], answer.json["expiryYear"]) == (12, 2034)
    assert (answer.json["purpose"], answer.json["removedAt"]) == ("later_stays", None)
    (listed,) = hotel.get(f"/customers/{customer}/payment-methods").json["items"]
    assert listed == answer.json
    assert token not in everything(hotel)
    assert [each["action"] for each in trail(hotel)][-1] == "payment_method.kept"
    assert_books_are_right(hotel)


def test_keeps_a_bank_account_likewise(hotel: Hotel, customer: str) -> None:
    answer = add_card(hotel, customer, a_token("sandbox_bank"))

    assert (answer.json["kind"], answer.json["expiryMonth"]) == ("bank_account", None)


@pytest.mark.req("API-4", "API-9")
def test_answers_a_retry_the_same(hotel: Hotel, customer: str) -> None:
    body = {"token": a_token(), "id": new_id("pm")}

    assert_answers_once(
        hotel, f"/customers/{customer}/payment-methods", body, {**body, "token": a_token()}
    )


def test_of_many_who_leave_one_token_at_once_one_does(hotel: Hotel, customer: str) -> None:
    token = a_token()

    answers = at_once([lambda: add_card(hotel, customer, token) for _ in range(4)])

    assert sorted(each.status_code for each in answers) == [201, 409, 409, 409]
    assert_books_are_right(hotel)


def test_refuses_what_the_processor_does_not_take(hotel: Hotel, customer: str) -> None:
    token = a_token()
    assert add_card(hotel, customer, token).status_code == 201

    unknown = add_card(hotel, customer, a_token("sandbox_unknown"))
    again = add_card(hotel, customer, token)
    anothers = add_card(hotel, a_customer(hotel), token)
    nobodys = add_card(hotel, new_id("cus"))

    assert_refused(unknown, 422, "PAYMENT_METHOD_REFUSED")
    assert unknown.json["processorCode"] == "resource_missing"
    assert_refused(again, 409, "PAYMENT_METHOD_KNOWN")
    assert_refused(anothers, 422, "PAYMENT_METHOD_REFUSED")
    assert_refused(nobodys, 404, "CUSTOMER_UNKNOWN")


@pytest.mark.req("SEC-6")
@pytest.mark.parametrize("token", ["4242424242424242", "4242 4242 4242 4242", "pm 1", "1pm"])
def test_refuses_what_is_no_token(hotel: Hotel, customer: str, token: str) -> None:
    answer = add_card(hotel, customer, token)

    assert answer.status_code in (400, 422)
    assert "4242" not in everything(hotel)


def test_a_removed_one_is_charged_no_more_and_its_token_goes(hotel: Hotel, customer: str) -> None:
    method, other = a_card(hotel, customer), a_card(hotel, customer)

    stale = hotel.call("DELETE", f"/payment-methods/{method}", headers={"If-Match": '"9"'})
    removed = hotel.call("DELETE", f"/payment-methods/{method}", headers={"If-Match": '"1"'})

    assert stale.status_code == 412
    assert removed.status_code == 200, removed.text
    assert removed.json["removedAt"] is not None
    items = hotel.get(f"/customers/{customer}/payment-methods").json["items"]
    assert [each["paymentMethodId"] for each in items] == [other]
    sealed = "SELECT sealed_token IS NULL FROM {s}.payment_methods ORDER BY id"
    assert hotel.rows(sealed) == [[True], [False]]
    again = hotel.call("DELETE", f"/payment-methods/{method}")
    assert (again.status_code, again.json) == (200, removed.json)
    missing = hotel.call("DELETE", f"/payment-methods/{new_id('pm')}")
    assert_refused(missing, 404, "PAYMENT_METHOD_UNKNOWN")
    assert_books_are_right(hotel)


def test_a_rotation_wraps_anew_and_seals_nothing_anew(hotel: Hotel, customer: str) -> None:
    method = a_card(hotel, customer)
    sealed = "SELECT sealed_token FROM {s}.payment_methods"
    ((before, version),) = hotel.rows(
        "SELECT sealed_token, key_version FROM {s}.payment_methods CROSS JOIN {s}.data_keys"
    )
    newest = wrapping(hotel).rotate(hotel.tenant_id)
    hotel.rows("UPDATE {s}.data_keys SET wrapped_at = now() - interval '2 days'")

    progress = run_job(hotel, rewrap_data_keys)

    assert (progress.done, progress.failed, version != newest) == (1, 0, True)
    assert hotel.rows("SELECT key_version FROM {s}.data_keys") == [[newest]]
    assert hotel.rows(sealed) == [[before]]
    elsewhere = hotel.house.beside()  # an instance that remembers no data key
    intent = an_intent(hotel, hotel.open_folio(), usd(5_000), customer)
    at = Hotel(elsewhere, hotel.tenant_id, hotel.property_id)
    assert confirm(at, intent, method).json["status"] == "succeeded"
    elsewhere.close()


def test_destroying_the_key_erases_what_it_sealed(hotel: Hotel, customer: str) -> None:
    """It is shown as it was, and cannot be charged: the payment stands as if not confirmed."""
    method = a_card(hotel, customer)
    intent = an_intent(hotel, hotel.open_folio(), usd(5_000), customer)
    wrapping(hotel).destroy(hotel.tenant_id)
    elsewhere = hotel.house.beside()
    at = Hotel(elsewhere, hotel.tenant_id, hotel.property_id)

    refused = confirm(at, intent, method)

    assert_refused(refused, 409, "PAYMENT_METHOD_ERASED")
    assert intents(hotel) == [["requires_payment_method", False, False]]
    assert charges(hotel) == []
    assert shown(hotel, intent)["paymentMethodId"] is None
    assert at.call("DELETE", f"/payment-methods/{method}").status_code == 200
    hotel.rows("UPDATE {s}.data_keys SET wrapped_at = now() - interval '2 days'")
    assert run_job(at, rewrap_data_keys).failed == 0  # it was meant: nobody is woken each night
    elsewhere.close()


def test_a_sealed_token_opens_in_its_own_row_only(hotel: Hotel, customer: str) -> None:
    """Somebody puts one card's seal into another's row: nothing is charged."""
    mine, yours = a_card(hotel, customer), a_card(hotel, customer)
    hotel.rows(
        "UPDATE {s}.payment_methods SET sealed_token ="
        " (SELECT sealed_token FROM {s}.payment_methods WHERE id = :mine) WHERE id = :yours",
        mine=mine,
        yours=yours,
    )
    intent = an_intent(hotel, hotel.open_folio(), usd(5_000), customer)

    answer = confirm(hotel, intent, yours, key=str(uuid4()))

    assert answer.status_code == 500
    assert charges(hotel) == []
