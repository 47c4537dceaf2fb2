"""A subscription is charged to the method that was chosen last (SUB-6, SUB-7)."""

from typing import Any

import pytest

from tests.buying import card
from tests.charging import charges, choose, collect, collection, debts
from tests.hotel import Hotel, new_id
from tests.paying import a_card, a_customer, clerk
from tests.proofs import assert_refused, state, told
from tests.subscribing import subscribe, subscribed
from tests.together import at_once
from tests.trialing import try_out
from tests.trust.books import broken

AROUND = ("customers", "payment_methods", "audit_entries", "idempotency_keys", "outbox")
STAYS, FOR_STAYS = "later_stays", "PAYMENT_METHOD_FOR_STAYS"
pytestmark = pytest.mark.req("SUB-6")


def choose_oneself(hotel: Hotel, method: str, scope: str = "billing.admin", **more: Any) -> Any:
    """Charge the own subscription to another method."""
    body = {"paymentMethodId": method}
    token = hotel.token(scope)
    return hotel.call("PUT", "/subscription/payment-method", body, token=token, **more)


def test_charges_the_method_that_was_chosen(hotel: Hotel) -> None:
    subscribed(hotel)
    method = card(hotel)
    answer = choose(hotel, method)
    assert answer.status_code == 200, answer.text
    assert answer.json["paymentMethodId"] == method
    collect(hotel)
    assert debts(hotel) == ["paid"]
    assert broken(hotel) == []


def test_refuses_a_method_that_is_not_there(hotel: Hotel) -> None:
    gone = card(hotel)
    answer = hotel.call("DELETE", f"/payment-methods/{gone}", token=clerk(hotel))
    assert answer.status_code == 200, answer.text
    assert_refused(subscribe(hotel, paymentMethodId=gone), 409, "PAYMENT_METHOD_REMOVED")
    assert_refused(choose(hotel, card(hotel)), 404, "SUBSCRIPTION_UNKNOWN")
    subscribed(hotel)
    before = state(hotel)
    assert_refused(choose(hotel, gone), 409, "PAYMENT_METHOD_REMOVED")
    assert_refused(choose(hotel, new_id("pm")), 404, "PAYMENT_METHOD_UNKNOWN")
    assert state(hotel) == before


@pytest.mark.req("GDPR-2")
def test_refuses_a_guests_card_and_whatever_else_was_left_for_stays(hotel: Hotel) -> None:
    """Nobody has agreed that it pays the hotel's bills: however it is named."""
    guests = [a_card(hotel, a_customer(hotel), purpose=each) for each in ("this_stay", STAYS)]
    assert_refused(subscribe(hotel, paymentMethodId=guests[0]), 422, FOR_STAYS)
    assert_refused(try_out(hotel, paymentMethodId=guests[1]), 422, FOR_STAYS)
    subscribed(hotel, paymentMethodId=card(hotel))
    before = state(hotel)

    for guest in guests:
        assert_refused(choose(hotel, guest), 422, FOR_STAYS)
        assert_refused(choose_oneself(hotel, guest), 422, FOR_STAYS)

    assert state(hotel) == before


@pytest.mark.req("GDPR-2", "SUB-7")
def test_one_that_was_chosen_before_that_was_asked_is_not_charged_and_the_tenant_hears(
    hotel: Hotel,
) -> None:
    """It is as if none were chosen: 29.00 are owed, and paid by the one that is left for it."""
    guest = card(hotel)
    subscribed(hotel, paymentMethodId=guest)
    sql = "UPDATE {s}.payment_methods SET purpose = 'this_stay' WHERE id = :id"
    hotel.rows(sql + " RETURNING id", id=guest)

    collect(hotel)

    assert (charges(hotel), debts(hotel)) == ([], ["open"])
    (failed,) = hotel.events("subscription.payment_failed")
    assert failed["data"]["failureCode"] == "payment_method_for_stays"
    assert collection(hotel)["wantsMethod"] is True
    assert choose(hotel, card(hotel)).status_code == 200
    collect(hotel)
    assert debts(hotel) == ["paid"]


def test_two_choices_at_once_are_one_after_the_other(hotel: Hotel) -> None:
    subscribed(hotel)
    methods = [card(hotel), card(hotel)]
    answers = at_once([lambda each=each: choose(hotel, each) for each in methods])  # type: ignore[misc]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert collection(hotel)["paymentMethodId"] in methods
    assert collection(hotel)["version"] == 3
    assert broken(hotel) == []


def test_a_card_chosen_while_another_is_charged_is_charged_next(hotel: Hotel) -> None:
    subscribed(hotel, paymentMethodId=card(hotel, "sandbox_declined"))
    collect(hotel, settles=False)
    assert choose(hotel, card(hotel)).status_code == 200
    assert collection(hotel)["nextAttemptAt"] is None
    collect(hotel)
    assert [row[1] for row in charges(hotel)] == ["failed"]
    assert "subscription.payment_failed" not in told(hotel)

    collect(hotel)

    assert [row[1] for row in charges(hotel)] == ["failed", "succeeded"]
    assert broken(hotel) == []


def test_shows_nothing_where_nothing_was_ever_owed(hotel: Hotel) -> None:
    subscribed(hotel, "free")
    token = hotel.token("subscription.read")
    answer = hotel.get(f"/subscriptions/{hotel.tenant_id}/collection", token=token)
    assert_refused(answer, 404, "COLLECTION_UNKNOWN")


def test_an_administrator_chooses_for_their_own_tenant(hotel: Hotel) -> None:
    """The platform's scope is not asked for, and nobody else's tenant can be named."""
    assert_refused(choose_oneself(hotel, card(hotel)), 404, "SUBSCRIPTION_UNKNOWN")
    subscribed(hotel, paymentMethodId=card(hotel, "sandbox_3ds"))
    collect(hotel)
    before = state(hotel)
    assert_refused(choose_oneself(hotel, new_id("pm")), 404, "PAYMENT_METHOD_UNKNOWN")
    assert choose_oneself(hotel, card(hotel), scope="subscription.read").status_code == 403
    assert state(hotel, without=AROUND) == {k: v for k, v in before.items() if k not in AROUND}
    method = card(hotel)

    answers = [choose_oneself(hotel, method, key="one") for _ in range(2)]

    assert [each.json["paymentMethodId"] for each in answers] == [method, method]
    collect(hotel)
    collect(hotel)
    assert [row[1] for row in charges(hotel)] == ["canceled", "succeeded"]
    assert (debts(hotel), broken(hotel)) == (["paid"], [])
