"""A trial is begun once, by an account with a verified address (SUB-10)."""

from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from werkzeug.test import TestResponse

from tests.buying import card
from tests.hotel import Hotel, House, new_id, usd
from tests.metering import plan_body, price
from tests.prepaying import lots
from tests.proofs import assert_books_are_right, assert_refused, state, told, trail
from tests.subscribing import change, invoices, shown, staff, subscribe, subscribed
from tests.together import at_once
from tests.trialing import Somebody, marks, tried, try_out

pytestmark = pytest.mark.req("SUB-10")
Clock = Callable[[str], None]


def same_card(hotel: Hotel, other: Hotel) -> tuple[str, str]:
    """One card that was left in two hotels: the processor calls it the same in both."""
    methods = [card(each) for each in (hotel, other)]
    for each in (hotel, other):
        each.rows("UPDATE {s}.payment_methods SET fingerprint = :f RETURNING 1", f=methods[0])
    return methods[0], methods[1]


@pytest.mark.req("SUB-2", "CRD-3")
def test_begins_fourteen_days_of_a_plan_that_cost_nothing(hotel: Hotel, clock: Clock) -> None:
    """Pro from 20 February, 10:00: until 6 March, 10:00, with 1,000 credits; then 29.00."""
    clock("2026-02-20T10:00:30+00:00")

    mine = tried(hotel)

    assert (mine["status"], mine["periodNumber"]) == ("trialing", 0)
    assert [mine["period"][name][:16] for name in ("start", "end")] == [
        "2026-02-20T10:00",
        "2026-03-06T10:00",
    ]
    assert (invoices(hotel), lots(hotel)) == ([], [["promotion", 1_000, 0]])
    assert marks(hotel) == [["account"], ["device"], ["email"]]
    following = shown(hotel)["nextInvoice"]
    assert (following["periodNumber"], following["due"]) == (1, usd(2_900))
    assert "subscription.created" in told(hotel)
    assert trail(hotel, "subscription.created")[0]["actor"].startswith("account-")
    assert_books_are_right(hotel)


def test_takes_as_many_days_as_its_plan_says(hotel: Hotel, clock: Clock, house: House) -> None:
    """30 from 20 February: until 22 March. A version that takes 7 is for who begins later, and
    moves no end that was promised; what it does not say is 14."""
    clock("2026-02-20T10:00:30+00:00")
    plan = f"club_{uuid4().hex[:10]}"
    a_price = price("ai_tokens", 10_000)
    made = sells(hotel, "plan.create", "/plans", {"plan": plan, **plan_body(a_price, trialDays=30)})
    assert (made.status_code, made.json["trialDays"]) == (201, 30)
    days = {each["plan"]: each["trialDays"] for each in hotel.get("/plans").json["items"]}
    assert (days[plan], days["pro"]) == (30, 14)
    tried(hotel, plan=plan)
    path, body = f"/plans/{plan}/versions", plan_body(a_price, trialDays=7)
    assert sells(hotel, "plan.publish", path, body, plan=plan).status_code == 201

    assert shown(hotel)["subscription"]["period"]["end"][:16] == "2026-03-22T10:00"
    other = tried(house.new_hotel(), plan=plan)
    assert other["period"]["end"][:16] == "2026-02-27T10:00"
    for wrong in (0, 91):
        body = {"plan": f"{plan}_x", **plan_body(a_price, trialDays=wrong)}
        assert_refused(
            sells(hotel, "plan.create", "/plans", body), 400, "MELMASTOON.GENERAL.VALIDATION_FAILED"
        )


def sells(hotel: Hotel, deed: str, path: str, body: dict[str, Any], **named: str) -> TestResponse:
    """Somebody of the platform, whose own tenant this is."""
    known = staff(hotel, deed, {**named, **body}, office=hotel.tenant_id)
    return hotel.post(path, {**body, "stepUpToken": known["stepUpToken"]}, token=known["token"])


def test_nothing_of_who_it_was_is_kept(hotel: Hotel) -> None:
    """Neither the address nor the device stands anywhere; the account stands in the trail."""
    who = Somebody()

    tried(hotel, who, paymentMethodId=card(hotel))

    assert marks(hotel) == [["account"], ["card"], ["device"], ["email"]]
    tables = ("trials", "trial_marks", "subscriptions", "outbox", "rate_counters")
    for table in tables:
        rows = hotel.house.sql(f"SELECT r::text FROM billing_central.{table} AS r")
        assert not [row for row in rows if who.email in row[0] or who.device in row[0]], table


@pytest.mark.req("SEC-2")
@pytest.mark.parametrize("claims", [{"email": None}, {"email_verified": False}])
def test_refuses_an_account_whose_address_is_not_verified(
    hotel: Hotel, claims: dict[str, Any]
) -> None:
    """Not even where the token claims the right for itself."""
    who = Somebody()
    token = hotel.token("account.verified", sub=who.sub, **claims)

    answer = hotel.post("/trials", who.body(), token=token)

    assert_refused(answer, 403, "MELMASTOON.IAM.SCOPE_MISSING")
    assert "e-mail" in answer.json["detail"]
    assert marks(hotel) == []


@pytest.mark.parametrize(
    ("again", "code"),
    [
        ({"email": "Other@hotel.example", "device": "another-device-0001"}, "TRIAL_USED"),
        ({"sub": "another", "device": "another-device-0002"}, "TRIAL_NOT_OFFERED"),
        ({"sub": "another", "email": "new@hotel.example"}, "TRIAL_NOT_OFFERED"),
    ],
)
def test_refuses_a_second_trial_in_another_hotel(
    hotel: Hotel, house: House, again: dict[str, str], code: str
) -> None:
    """Of the account, of the mailbox under another spelling, of the device. Whose the first one
    was is not told, and in the second hotel nothing is left."""
    first = Somebody(email=f"Za.Ri{new_id('x')[-8:]}+stay@GoogleMail.com")
    tried(hotel, first)
    spelling = first.email.replace(".", "", 1).replace("+stay", "+other").replace("Google", "G")
    second = Somebody(
        **{"sub": first.sub, "email": spelling.upper(), "device": first.device, **again}
    )
    other = house.new_hotel()
    before = state(other)

    answer = try_out(other, second)

    assert_refused(answer, 409, code)
    assert str(hotel.tenant_id) not in answer.text
    assert first.sub not in answer.text
    assert state(other) == before


def test_refuses_a_card_that_another_account_tried_with(hotel: Hotel, house: House) -> None:
    other = house.new_hotel()
    mine, theirs = same_card(hotel, other)
    tried(hotel, paymentMethodId=mine)
    before = state(other)

    assert_refused(try_out(other, paymentMethodId=theirs), 409, "TRIAL_NOT_OFFERED")

    assert state(other) == before


def test_refuses_who_has_subscribed_and_who_subscribes_while_trying(hotel: Hotel) -> None:
    tried(hotel)
    assert_refused(try_out(hotel), 409, "TRIAL_USED")
    assert_refused(subscribe(hotel), 409, "SUBSCRIPTION_EXISTS")
    other = hotel.house.new_hotel()
    subscribed(other)

    assert_refused(try_out(other), 409, "TRIAL_USED")


@pytest.mark.parametrize(
    ("asked", "status", "code"),
    [
        ({"plan": "gold"}, 404, "PLAN_UNKNOWN"),
        ({"plan": "enterprise"}, 422, "PLAN_FEE_MISSING"),
        ({"seats": 6}, 422, "SEATS_EXCEED_PLAN"),
        ({"timeZone": "Mars/Olympus"}, 422, "TIME_ZONE_UNKNOWN"),
        ({"paymentMethodId": new_id("pm")}, 404, "PAYMENT_METHOD_UNKNOWN"),
        ({"device": "short"}, 400, "MELMASTOON.GENERAL.VALIDATION_FAILED"),
    ],
)
def test_refuses_what_is_not_there(
    hotel: Hotel, asked: dict[str, Any], status: int, code: str
) -> None:
    before = state(hotel)

    assert_refused(try_out(hotel, **asked), status, code)

    assert state(hotel) == before


def test_refuses_a_payment_method_that_was_removed(hotel: Hotel) -> None:
    method = card(hotel)
    assert hotel.call("DELETE", f"/payment-methods/{method}").status_code == 200

    assert_refused(try_out(hotel, paymentMethodId=method), 409, "PAYMENT_METHOD_REMOVED")


def test_refuses_an_address_that_is_none(hotel: Hotel) -> None:
    assert_refused(try_out(hotel, Somebody(email="not an address")), 422, "EMAIL_INVALID")


@pytest.mark.req("API-4", "API-9")
def test_a_retry_gets_the_same_answer_and_tries_once(hotel: Hotel) -> None:
    who, wanted = Somebody(), {"id": new_id("sub")}
    first = try_out(hotel, who, key="0b7f-once", **wanted)
    after = state(hotel)

    again = try_out(hotel, who, key="0b7f-once", **wanted)
    reused = try_out(hotel, who, key="0b7f-once", **wanted, seats=2)

    assert (again.status_code, again.data) == (201, first.data)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert_refused(reused, 422, "MELMASTOON.GENERAL.IDEMPOTENCY_KEY_REUSED")
    assert state(hotel) == after


def test_of_fifty_at_once_in_two_hotels_one_account_tries_once(hotel: Hotel, house: House) -> None:
    """One account, from fifty workers and as many devices, at two hotels: one trial."""
    other = house.new_hotel()
    beside = house.beside(rate_limits=False)
    who = Somebody()
    calls = [
        partial(try_out, Hotel(**{**vars(each), "house": beside}), Somebody(who.sub))
        for each in (hotel, other) * 25
    ]

    answers = at_once(calls)

    beside.close()
    assert Counter(answer.status_code for answer in answers) == {201: 1, 409: 49}
    assert {answer.json["code"] for answer in answers if answer.status_code == 409} == {
        "MELMASTOON.BILLING.TRIAL_USED"
    }
    assert len(marks(hotel)) + len(marks(other)) == 3
    for each in (hotel, other):
        assert_books_are_right(each)


@pytest.mark.req("SEC-7")
@pytest.mark.parametrize("per", ["address", "account", "device"])
def test_five_attempts_a_day(hotel: Hotel, per: str) -> None:
    """The sixth is refused, whatever came of the five: of an address, an account, a device."""
    one = Somebody()
    for _ in range(5):
        who = {"account": Somebody(sub=one.sub), "device": Somebody(device=one.device)}.get(per)
        answer = try_out(hotel, who, address="192.0.2.77" if per == "address" else "", plan="gold")
        assert_refused(answer, 404, "PLAN_UNKNOWN")
    who = {"account": Somebody(sub=one.sub), "device": Somebody(device=one.device)}.get(per)

    answer = try_out(hotel, who, address="192.0.2.77" if per == "address" else "")

    assert_refused(answer, 429, "MELMASTOON.GENERAL.RATE_LIMITED")
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.headers["RateLimit-Limit"] == "5"


def test_another_plan_during_the_trial_costs_nothing_and_is_billed_after_it(
    hotel: Hotel, clock: Clock
) -> None:
    """Team by the year is chosen on the third day: the trial is as long as it was, nothing is due;
    Team's limits at once, the year with the first period: 990.00."""
    clock("2026-02-20T10:00:00+00:00")
    mine = tried(hotel)
    clock("2026-02-23T10:00:00+00:00")

    answer = change(hotel, plan="team", interval="year")

    assert (answer.status_code, answer.json["bill"]) == (200, None)
    changed = answer.json["subscription"]
    assert (changed["status"], changed["terms"]["plan"]) == ("trialing", "team")
    assert changed["period"] == mine["period"]
    assert invoices(hotel) == []
    assert shown(hotel)["nextInvoice"]["due"] == usd(99_000)
    assert_books_are_right(hotel)
