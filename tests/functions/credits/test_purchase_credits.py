"""Credits are bought by card: paid once, granted once, within the limits (CRD-3, CRD-6, GW-5)."""

from collections import Counter
from functools import partial
from uuid import uuid4

import pytest

from tests.buying import (
    ask,
    asked_of_the_processor,
    bought,
    buy,
    card,
    fill_up,
    grants,
    purchases,
    sales,
    shown,
    wanted,
)
from tests.hotel import Hotel, House, new_id, usd
from tests.paying import a_card, a_customer, acted
from tests.prepaying import available, claw_back, deduct, entries
from tests.prepaying import bought as granted_by_hand
from tests.proofs import assert_books_are_right, assert_refused, state, told
from tests.together import at_once
from tests.trust.books import broken

pytestmark = pytest.mark.req("CRD-3", "CRD-6")


def test_takes_the_price_and_grants_the_credits(hotel: Hotel) -> None:
    """1,250 credits at 100 a dollar are 12.50."""
    answer = buy(hotel, 1_250)

    assert answer.status_code == 201, answer.text
    document = answer.json
    assert (document["status"], document["amount"]) == ("succeeded", usd(1_250))
    assert (document["creditsMicro"], document["origin"]) == (1_250_000_000, "asked")
    assert available(hotel) == 1_250_000_000
    assert grants(hotel) == [[f"purchase:{document['purchaseId']}", 1_250]]
    assert sales(hotel) == [["purchase", "processor_clearing", "credits_sold", 1_250]]
    assert purchases(hotel) == [["succeeded", 1_250, 1_250, False]]
    assert told(hotel)[-2:] == ["credit_purchase.succeeded", "credits.granted"]
    assert_books_are_right(hotel)
    assert broken(hotel) == []


def test_the_price_is_rounded_half_up_once_and_of_the_terms(hotel: Hotel) -> None:
    """3 to a euro: 500 are 166.666..., and so 166.67."""
    hotel.write_settings(credits={"perCurrencyUnit": 3, "currency": "EUR"})

    answer = buy(hotel, 500)

    assert answer.json["amount"] == {"amountMicro": 166_670_000, "currency": "EUR"}


@pytest.mark.req("CRD-5")
def test_pays_what_is_owed_first(hotel: Hotel) -> None:
    """300 of 300 spent and taken back: 300 are owed; of 500 that are bought 200 are left."""
    key = granted_by_hand(hotel, 300)
    deduct(hotel, 300)
    assert claw_back(hotel, key, 300).status_code == 201

    buy(hotel, 500)

    assert available(hotel) == 200_000_000
    assert [each[0] for each in entries(hotel)][-2:] == ["grant", "debt_paid"]


@pytest.mark.req("API-4")
def test_is_paid_once_however_often_it_is_asked_for(hotel: Hotel) -> None:
    """With its key, and with another one: the id is the purchase's own."""
    body, key, by = wanted(500, card(hotel)), str(uuid4()), hotel.token()

    first = ask(hotel, body, key=key, token=by)
    after = state(hotel)
    again = ask(hotel, body, key=key, token=by)
    other = ask(hotel, body)

    assert (again.status_code, again.data) == (201, first.data)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert other.json == first.json
    assert state(hotel, without=("idempotency_keys",)) == {
        name: rows for name, rows in after.items() if name != "idempotency_keys"
    }
    assert_refused(
        ask(hotel, {**body, "creditsMicro": 600_000_000}), 409, "MELMASTOON.GENERAL.ID_CONFLICT"
    )
    assert asked_of_the_processor(hotel) == 1


def test_is_paid_and_granted_once_by_all_who_ask_at_once(hotel: Hotel) -> None:
    body = wanted(500, card(hotel))

    answers = at_once([partial(ask, hotel, body) for _ in range(4)])

    assert {each.status_code for each in answers} <= {201, 409}
    assert shown(hotel, body["id"])["status"] == "succeeded"
    assert (available(hotel), len(grants(hotel))) == (500_000_000, 1)
    assert broken(hotel) == []


def test_purchases_at_once_do_not_pass_the_maximum_together(hotel: Hotel) -> None:
    """At most 1,000: of three times 500 two are sold, and the third takes no money."""
    hotel.write_settings(credits={"maximumBalance": 1_000})
    methods = [card(hotel) for _ in range(3)]

    answers = at_once([partial(buy, hotel, 500, method) for method in methods])

    assert Counter(each.status_code for each in answers) == {201: 2, 422: 1}
    assert (available(hotel), asked_of_the_processor(hotel)) == (1_000_000_000, 2)


def test_refuses_before_any_money_moves(hotel: Hotel) -> None:
    """The least is 500, the most at once 2,000, and 2,200 the most that an account may have."""
    hotel.write_settings(credits={"maximumPurchase": 2_000, "maximumBalance": 2_200})
    method = card(hotel)
    buy(hotel, 500, method)
    before = state(hotel)

    assert_refused(buy(hotel, 499, method), 422, "CREDIT_PURCHASE_TOO_SMALL")
    assert_refused(buy(hotel, 2_001, method), 422, "CREDIT_PURCHASE_TOO_LARGE")
    assert_refused(buy(hotel, 1_701, method), 422, "CREDIT_BALANCE_LIMIT")
    assert_refused(buy(hotel, 500, new_id("pm")), 404, "PAYMENT_METHOD_UNKNOWN")
    assert_refused(buy(hotel, 500, method, account="spa"), 404, "CREDIT_ACCOUNT_UNKNOWN")
    assert_refused(hotel.get(f"/credits/purchases/{new_id('pin')}"), 404, "CREDIT_PURCHASE_UNKNOWN")

    assert state(hotel) == before
    assert asked_of_the_processor(hotel) == 1
    assert hotel.call("DELETE", f"/payment-methods/{method}").status_code == 200
    assert_refused(buy(hotel, 500, method), 409, "PAYMENT_METHOD_REMOVED")


@pytest.mark.req("GDPR-2")
def test_no_guests_card_buys_credits_or_fills_up(hotel: Hotel) -> None:
    """Whoever left it agreed that it pays for stays, and not for what the hotel buys."""
    guests = [a_card(hotel, a_customer(hotel), purpose=p) for p in ("this_stay", "later_stays")]
    before = state(hotel)

    for guest in guests:
        assert_refused(buy(hotel, 500, guest), 422, "PAYMENT_METHOD_FOR_STAYS")
        assert_refused(fill_up(hotel, guest), 422, "PAYMENT_METHOD_FOR_STAYS")

    assert state(hotel) == before
    assert asked_of_the_processor(hotel) == 0


def test_one_that_is_declined_costs_and_grants_nothing(hotel: Hotel) -> None:
    body = wanted(500, card(hotel, "sandbox_declined"))

    answer = ask(hotel, body)

    assert (answer.status_code, answer.json["status"]) == (201, "failed")
    assert answer.json["failureCode"] == "generic_decline"
    assert (available(hotel), grants(hotel), sales(hotel)) == (0, [], [])
    assert told(hotel)[-1] == "credit_purchase.failed"
    assert purchases(hotel) == [["failed", 500, 500, False]]
    assert broken(hotel) == []


@pytest.mark.req("GW-3")
def test_the_bank_may_ask_the_buyer_first(hotel: Hotel) -> None:
    """What the buyer needs for that is shown, and stands in no stored answer."""
    body = wanted(500, card(hotel, "sandbox_3ds"))

    answer = ask(hotel, body)

    assert (answer.json["status"], answer.json["nextAction"]) == ("requires_action", None)
    assert shown(hotel, body["id"])["nextAction"]["clientSecret"].startswith("sandbox_pi_")
    acted(hotel, body["id"])
    assert ask(hotel, body, key=str(uuid4())).json["status"] == "requires_action"
    assert available(hotel) == 0
    assert purchases(hotel) == [["requires_action", 500, 500, True]]


@pytest.mark.req("GW-4")
def test_a_processor_that_is_left_alone_leaves_nothing_half_done(hotel: Hotel) -> None:
    """Nobody is let through: 503, and the same request buys once somebody is again."""
    body = wanted(500, card(hotel))
    breaker = "UPDATE billing_central.circuit_breakers SET failures = {}, opened_at = {}"
    hotel.house.sql(breaker.format(5, "now()"))
    try:
        assert_refused(ask(hotel, body), 503, "GATEWAY_UNAVAILABLE")
        assert purchases(hotel) == [["requires_payment_method", 500, 500, False]]
        assert told(hotel)[-1:] != ["credits.granted"]
    finally:
        hotel.house.sql(breaker.format(0, "NULL"))

    assert ask(hotel, body).json["status"] == "succeeded"
    assert available(hotel) == 500_000_000
    assert broken(hotel) == []


@pytest.mark.req("SEC-3")
def test_a_tenants_purchase_is_unknown_to_another(house: House, hotel: Hotel) -> None:
    purchase = bought(hotel, 500)
    other = house.new_hotel()

    assert_refused(other.get(f"/credits/purchases/{purchase}"), 404, "CREDIT_PURCHASE_UNKNOWN")
