"""A tenant subscribes once, is invoiced in advance, and is granted its credits (SUB-2 to SUB-4)."""

import hashlib
import json
from collections import Counter
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import Any
from uuid import uuid4

import pytest

from jobs.retry_refunds import retry_refunds
from tests.buying import card
from tests.charging import collect, first_invoice, refund_invoice
from tests.hotel import Hotel, House, new_id, usd
from tests.paying import run_job
from tests.prepaying import available, lots, micro
from tests.proofs import assert_answers_once, assert_books_are_right, assert_refused, state, told
from tests.proofs import trail as trail_of
from tests.subscribing import SCOPE, act, ask, invoices, shown, staff, subscribe, subscribed
from tests.together import at_once
from tests.trust.books import broken

Clock = Callable[[str], None]


@pytest.mark.req("SUB-3", "SUB-4", "SUB-11")
def test_subscribes_a_tenant_and_bills_its_first_period(hotel: Hotel, clock: Clock) -> None:
    """Pro from 31 January, noon in Kabul (07:30 UTC): 29.00 until 28 February, 1,000 credits."""
    clock("2026-01-31T07:30:30+00:00")

    answer = subscribed(hotel, "pro", timeZone="Asia/Kabul", reason="They asked for it")

    mine = answer["subscription"]
    assert (mine["status"], mine["terms"]["fee"]) == ("active", usd(2_900))
    began, ends = (mine["period"][name] for name in ("start", "end"))
    assert (began[:16], ends[:16]) == ("2026-01-31T07:30", "2026-02-28T07:30")
    bill = answer["invoice"]["bill"]
    assert [line["kind"] for line in bill["lines"]] == ["plan_fee"]
    assert (bill["total"], bill["due"]) == (usd(2_900), usd(2_900))
    assert answer["invoice"]["status"] == "open"
    assert lots(hotel) == [["renewal", 1_000, 0]]
    named = {"subscription.created", "credits.granted", "subscription_invoice.issued"}
    assert named <= set(told(hotel))
    assert trail_of(hotel, "subscription.created")[0]["reason"] == "They asked for it"
    following = shown(hotel)["nextInvoice"]
    assert (following["periodNumber"], following["due"]) == (2, usd(2_900))
    assert_books_are_right(hotel)
    assert broken(hotel) == []


@pytest.mark.req("SUB-5")
def test_the_invoices_payload_is_chained_and_says_what_is_billed(hotel: Hotel) -> None:
    """Numbers follow one another over all tenants, and so do the hashes."""
    other = hotel.house.new_hotel()
    first = subscribed(hotel)["invoice"]

    second = subscribed(other, "team")["invoice"]

    digest = hashlib.sha256(second["payload"].encode()).hexdigest()
    assert (second["payloadSha256"], second["previousSha256"]) == (digest, first["payloadSha256"])
    numbers = [int(each["number"].split("-")[2]) for each in (first, second)]
    assert numbers[1] == numbers[0] + 1
    payload = json.loads(second["payload"])
    assert (payload["customer"]["name"], payload["dueMicro"]) == ("Hotel Kabul", 99_000_000)


@pytest.mark.req("SUB-1")
@pytest.mark.parametrize(
    ("asked", "cents", "credits"),
    [
        ({"plan": "free"}, 0, [["renewal", 100, 0]]),
        ({"plan": "team", "interval": "year", "seats": 20}, 99_000, [["renewal", 60_000, 0]]),
        ({"plan": "enterprise", "agreedMonthlyFee": usd(500_000)}, 500_000, []),
    ],
)
def test_plans_cost_and_grant_what_they_say(
    hotel: Hotel, asked: dict[str, Any], cents: int, credits: list[list[Any]]
) -> None:
    """A year has twelve months' credits at its beginning; Enterprise meters without any."""
    answer = subscribed(hotel, **asked)

    assert answer["invoice"]["bill"]["due"] == usd(cents)
    assert answer["invoice"]["status"] == ("open" if cents else "paid")
    assert lots(hotel) == credits
    assert broken(hotel) == []


@pytest.mark.req("SUB-1", "SUB-9")
@pytest.mark.parametrize(
    ("asked", "status", "code"),
    [
        ({"plan": "gold"}, 404, "PLAN_UNKNOWN"),
        ({"planVersion": 7}, 404, "PLAN_UNKNOWN"),
        ({"seats": 6}, 422, "SEATS_EXCEED_PLAN"),
        ({"plan": "enterprise"}, 422, "PLAN_FEE_MISSING"),
        ({"agreedMonthlyFee": usd(1)}, 422, "PLAN_FEE_FIXED"),
        (
            {
                "plan": "enterprise",
                "agreedMonthlyFee": {"amountMicro": 1_000_000, "currency": "EUR"},
            },
            422,
            "CURRENCY_MISMATCH",
        ),
        ({"interval": "year", "committed": True}, 409, "COMMITMENT_BINDS"),
        ({"timeZone": "Mars/Olympus"}, 422, "TIME_ZONE_UNKNOWN"),
    ],
)
def test_refuses_what_is_not_sold(
    hotel: Hotel, asked: dict[str, Any], status: int, code: str
) -> None:
    before = state(hotel)

    assert_refused(subscribe(hotel, **asked), status, code)

    assert state(hotel) == before


def test_a_tenant_has_one_subscription(hotel: Hotel) -> None:
    subscribed(hotel)
    before = state(hotel)

    assert_refused(subscribe(hotel, "team"), 409, "SUBSCRIPTION_EXISTS")

    assert state(hotel) == before


@pytest.mark.req("BEY-8")
def test_canceling_and_subscribing_again_earns_no_credits(hotel: Hotel) -> None:
    """100 of a free month; then Pro at once: 1,000 less the 100 that are there for this time."""
    subscribed(hotel, "free")
    assert act(hotel, "cancel", at="now").status_code == 200
    subscribed(hotel, "free")
    assert act(hotel, "cancel", at="now").status_code == 200

    subscribed(hotel, "pro")

    assert lots(hotel) == [["renewal", 100, 0], ["renewal", 900, 0]]


@pytest.mark.req("BEY-8")
def test_a_smaller_plan_between_two_earns_no_credits(hotel: Hotel) -> None:
    """1,000 for a month of Pro, none for Free within it, and none for Pro behind that."""
    for plan in ("pro", "free"):
        subscribed(hotel, plan)
        assert act(hotel, "cancel", at="now").status_code == 200

    subscribed(hotel, "pro")

    assert lots(hotel) == [["renewal", 1_000, 0]]
    assert broken(hotel) == []


@pytest.mark.req("CRD-5")
def test_what_went_back_with_a_refund_is_granted_again(hotel: Hotel) -> None:
    """29.00 and the 1,000 credits of it go back; who pays for a month anew has them anew."""
    subscribed(hotel, paymentMethodId=card(hotel))
    collect(hotel)
    assert act(hotel, "cancel", at="now").status_code == 200
    assert refund_invoice(hotel, first_invoice(hotel), 2_900).status_code == 201
    assert run_job(hotel, retry_refunds).exit_code == 0
    assert available(hotel) == 0

    subscribed(hotel)

    assert available(hotel) == micro(1_000)
    assert broken(hotel) == []


@pytest.mark.req("API-4", "API-9")
def test_a_retry_gets_the_same_answer_and_subscribes_once(hotel: Hotel) -> None:
    asked = {"id": new_id("sub"), "plan": "pro"}
    known = staff(hotel, "subscription.create", asked)
    sent = {**asked, "tenantId": str(hotel.tenant_id), "stepUpToken": known["stepUpToken"]}

    assert_answers_once(
        hotel, "/subscriptions", sent, {**sent, "plan": "team"}, token=known["token"]
    )

    assert invoices(hotel) == [["period", 1, 2_900, 2_900]]


def test_of_four_at_once_one_subscribes(hotel: Hotel) -> None:
    answers = at_once([partial(subscribe, hotel)] * 4)

    assert Counter(answer.status_code for answer in answers) == {201: 1, 409: 3}
    assert len(invoices(hotel)) == 1
    assert broken(hotel) == []


@pytest.mark.req("SEC-4")
def test_another_confirmation_subscribes_nobody(hotel: Hotel) -> None:
    """Confirmed was Free; asked for is Team. Of another tenant, it confirms nothing either."""
    body = {"tenantId": str(hotel.tenant_id), "id": new_id("sub"), "plan": "team"}
    other = {**body, "plan": "free"}
    del other["tenantId"]
    for known in (
        staff(hotel, "subscription.create", other),
        staff(hotel, "subscription.create", {**other, "plan": "team"}, tenant=uuid4()),
    ):
        sent = {**body, "stepUpToken": known["stepUpToken"]}
        answer = hotel.post("/subscriptions", sent, token=known["token"])
        assert_refused(answer, 403, "MELMASTOON.IAM.STEP_UP_CONTEXT")

    assert invoices(hotel) == []


@pytest.mark.req("SEC-4")
def test_what_would_hold_all_the_same_is_confirmed_as_it_was_given(hotel: Hotel) -> None:
    """One seat and no commitment are what is meant without a word; here they are said."""
    subscribed(hotel, seats=1, committed=False)

    assert invoices(hotel) == [["period", 1, 2_900, 2_900]]


@pytest.mark.req("SEC-4", "API-2")
def test_a_switch_is_confirmed_as_it_was_given_and_stands_in_the_address(hotel: Hotel) -> None:
    subscribed(hotel)
    path = f"/subscriptions/{hotel.tenant_id}/cycle"
    known = staff(hotel, "subscription.cycle", {"force": False})
    sent = {"stepUpToken": known["stepUpToken"]}

    elsewhere = hotel.post(path, {**sent, "force": False}, token=known["token"])
    assert_refused(elsewhere, 400, "MELMASTOON.GENERAL.VALIDATION_FAILED")
    assert elsewhere.json["errors"][0]["pointer"] == "/force"

    answer = hotel.call("POST", path, sent, token=known["token"], force="false")
    assert_refused(answer, 409, "SUBSCRIPTION_NOTHING_DUE")


@pytest.mark.req("TEN-3", "SEC-2", "SEC-3")
def test_a_tenant_reads_its_own_and_the_platform_reads_all(hotel: Hotel, house: House) -> None:
    """A reader of one tenant asks for the other's: refused, and written down there."""
    invoice = subscribed(hotel)["invoice"]["invoiceId"]
    other = house.new_hotel()
    path = f"/subscriptions/{hotel.tenant_id}"
    theirs, platform = other.token("subscription.read"), other.token("platform.subscription.read")

    foreign = other.get(path, token=theirs)
    assert_refused(foreign, 403, "MELMASTOON.GENERAL.CROSS_TENANT_REFERENCE")
    assert_refused(
        other.get(f"/subscription-invoices/{invoice}", token=theirs),
        404,
        "SUBSCRIPTION_INVOICE_UNKNOWN",
    )
    assert other.get("/subscription-invoices", token=theirs).json["items"] == []
    assert other.get(path, token=platform).status_code == 200
    named = {"tenantId": str(hotel.tenant_id)}
    assert other.get(f"/subscription-invoices/{invoice}", token=platform, **named).json["number"]
    assert len(other.get("/subscription-invoices", token=platform, **named).json["items"]) == 1
    refused = other.post("/subscriptions", {**named, "plan": "pro"}, token=other.token("x"))
    assert_refused(refused, 403, "MELMASTOON.IAM.SCOPE_MISSING")
    assert_refused(
        ask(other, "subscription.pause", f"/subscriptions/{uuid4()}/pause", {"reason": "x"}),
        403,
        "MELMASTOON.GENERAL.TENANT_UNKNOWN",
    )


def test_who_has_no_subscription_is_told_so(hotel: Hotel) -> None:
    token = hotel.token("subscription.read")
    for path in ("", "/calendar"):
        answer = hotel.get(f"/subscriptions/{hotel.tenant_id}{path}", token=token)
        assert_refused(answer, 404, "SUBSCRIPTION_UNKNOWN")
    assert_refused(act(hotel, "pause"), 404, "SUBSCRIPTION_UNKNOWN")
    assert SCOPE not in hotel.token("subscription.read")


@pytest.mark.req("BEY-14")
def test_the_calendar_goes_on_where_the_period_ends(hotel: Hotel, clock: Clock) -> None:
    clock("2026-01-31T07:30:30+00:00")
    subscribed(hotel, timeZone="Asia/Kabul")

    shows = hotel.get(f"/subscriptions/{hotel.tenant_id}/calendar", years="2").json["items"]

    assert len(shows) == 25
    assert all(one["end"] == after["start"] for one, after in pairwise(shows))
    days = [each["end"][8:10] for each in shows[:4]]
    assert days == ["28", "31", "30", "31"]
