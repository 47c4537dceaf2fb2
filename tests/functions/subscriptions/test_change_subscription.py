"""A change is prorated to the second, a quote binds, and no circle earns (SUB-5, BEY-5, BEY-8)."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest

from tests.hotel import Hotel, usd
from tests.prepaying import lots
from tests.proofs import assert_books_are_right, assert_refused, state, told
from tests.subscribing import (
    WHY,
    act,
    change,
    invoices,
    preview,
    shown,
    staff,
    subscribed,
)
from tests.together import at_once
from tests.trust.books import broken

Clock = Callable[[str], None]


def with_claims(token: str, **claims: Any) -> str:
    """A token that says something else, under the signature that it had."""
    head, body, signature = token.split(".")
    said = json.loads(urlsafe_b64decode(body + "=="))
    told = urlsafe_b64encode(json.dumps({**said, **claims}).encode()).decode().rstrip("=")
    return f"{head}.{told}.{signature}"


def in_the_middle(hotel: Hotel, clock: Clock, **asked: Any) -> None:
    """Pro for the 30 days from 1 April, of which a third is over."""
    clock("2026-04-01T00:00:30+00:00")
    subscribed(hotel, **asked)
    clock("2026-04-11T00:00:30+00:00")


@pytest.mark.req("SUB-5", "BEY-5")
def test_charges_exactly_what_was_quoted(hotel: Hotel, clock: Clock) -> None:
    """Two thirds of 70.00 more for Team: 46.67, in two lines, give or take a second's part.

    The quote was reckoned a while before: what is charged is that to the micro unit.
    """
    in_the_middle(hotel, clock)
    before = state(hotel, without=("idempotency_keys",))

    quoted = preview(hotel, plan="team")

    assert quoted.status_code == 200, quoted.text
    assert state(hotel, without=("idempotency_keys",)) == before
    bill, token = quoted.json["bill"], quoted.json["quoteToken"]
    assert quoted.json["quoteExpiresAt"][:18] in ("2026-04-11T00:15:2", "2026-04-11T00:15:3")
    assert [line["kind"] for line in bill["lines"]] == ["unused", "rest_of_period"]
    assert abs(bill["due"]["amountMicro"] - 46_670_000) <= 10_000
    clock("2026-04-11T00:10:00+00:00")

    changed = change(hotel, plan="team", quoteToken=token)

    assert changed.status_code == 200, changed.text
    assert changed.json["invoice"]["bill"] == bill
    assert changed.json["subscription"]["terms"]["plan"] == "team"
    assert told(hotel)[-2:] == ["subscription.changed", "subscription_invoice.issued"]
    assert lots(hotel) == [["renewal", 1_000, 0]]
    assert shown(hotel)["nextInvoice"]["due"] == usd(9_900)
    assert_books_are_right(hotel)
    assert broken(hotel) == []


@pytest.mark.req("SUB-5", "BEY-8")
def test_up_and_down_in_circles_gives_back_what_was_paid_and_no_more(
    hotel: Hotel, clock: Clock
) -> None:
    """Three times round, within seconds: each round's price is back to the cent of a second.

    Nothing was paid yet: what goes back is set off against what is open, the oldest first, and
    29.00 are left to pay, as before.
    """
    in_the_middle(hotel, clock)
    for plan in ("team", "pro") * 3:
        assert change(hotel, plan=plan).status_code == 200

    totals = [row[2] for row in invoices(hotel)[1:]]

    assert 0 <= sum(totals) <= 1
    credit = shown(hotel)["subscription"]["credit"]["amountMicro"]
    left = hotel.house.sql(
        "SELECT sum(due_micro - set_off_micro)::bigint / 10000"
        " FROM billing_central.subscription_invoices WHERE tenant_id = :t",
        t=hotel.tenant_id,
    )
    assert (left, credit) == ([[2_900 + sum(totals)]], 0)
    assert lots(hotel) == [["renewal", 1_000, 0]]
    assert broken(hotel) == []


def test_an_interval_changes_with_the_period(hotel: Hotel, clock: Clock) -> None:
    in_the_middle(hotel, clock)

    changed = change(hotel, interval="year")

    assert (changed.json["bill"], changed.json["invoice"]) == (None, None)
    mine = shown(hotel)
    assert mine["subscription"]["terms"]["interval"] == "month"
    assert mine["subscription"]["nextTerms"]["fee"] == usd(29_000)
    assert mine["nextInvoice"]["due"] == usd(29_000)
    assert broken(hotel) == []


@pytest.mark.req("SUB-2", "SUB-9", "BEY-5")
def test_refuses_what_cannot_be_changed(hotel: Hotel, clock: Clock) -> None:
    """The same terms, more seats than there are, a period that is over, a paused subscription."""
    in_the_middle(hotel, clock)
    token = preview(hotel, plan="team").json["quoteToken"]
    for asked, status, code in (
        ({"plan": "pro"}, 409, "SUBSCRIPTION_UNCHANGED"),
        ({"seats": 6}, 422, "SEATS_EXCEED_PLAN"),
        ({"plan": "gold"}, 404, "PLAN_UNKNOWN"),
        ({"plan": "enterprise"}, 422, "PLAN_FEE_MISSING"),
        ({"agreedMonthlyFee": usd(1)}, 422, "PLAN_FEE_FIXED"),
        ({"plan": "free", "quoteToken": token}, 409, "QUOTE_DIFFERS"),
        ({"plan": "team", "quoteToken": with_claims(token, iat=1)}, 400, "QUOTE_INVALID"),
    ):
        before = state(hotel)
        assert_refused(change(hotel, **asked), status, code)
        assert state(hotel) == before
    assert act(hotel, "pause").status_code == 200
    assert_refused(preview(hotel, plan="team"), 409, "SUBSCRIPTION_STATE_REFUSES")
    assert act(hotel, "resume").status_code == 200
    clock("2026-06-01T00:00:30+00:00")
    assert_refused(change(hotel, plan="team"), 409, "SUBSCRIPTION_PERIOD_NOT_BILLED")


@pytest.mark.req("BEY-5")
def test_a_quote_binds_a_quarter_of_an_hour_and_the_state_it_was_made_of(
    hotel: Hotel, clock: Clock
) -> None:
    """After it nothing is charged. After another change, which is undone at once, the subscription
    is what it was; the quote is stale all the same. Whoever asks for the same again gets the answer
    that they were given, though the quote has expired meanwhile."""
    in_the_middle(hotel, clock)
    token = preview(hotel, plan="team").json["quoteToken"]
    known = {"plan": "team", "reason": WHY, "quoteToken": token}
    clock("2026-04-11T00:16:00+00:00")
    assert_refused(change(hotel, plan="team", quoteToken=token), 409, "QUOTE_EXPIRED")
    clock("2026-04-11T00:15:00+00:00")
    given = staff(hotel, "subscription.change", known)
    sent, path = {**known, "stepUpToken": given["stepUpToken"]}, f"/subscriptions/{hotel.tenant_id}"
    first = hotel.call("PUT", path, sent, token=given["token"], key="once")
    assert first.status_code == 200, first.text
    clock("2026-04-11T00:16:00+00:00")

    again = hotel.call("PUT", path, sent, token=given["token"], key="once")

    assert (again.data, again.headers["Idempotency-Replayed"]) == (first.data, "true")
    assert_refused(change(hotel, plan="pro", quoteToken=token), 409, "QUOTE_EXPIRED")
    token = preview(hotel, plan="pro").json["quoteToken"]
    for plan in ("pro", "team"):
        assert change(hotel, plan=plan).status_code == 200
    before = state(hotel)
    assert_refused(change(hotel, plan="pro", quoteToken=token), 409, "QUOTE_STALE")
    assert state(hotel) == before


def test_of_two_at_once_one_is_told_that_it_is_so(hotel: Hotel) -> None:
    """The one that waited finds the other plan, and not that there is no subscription."""
    subscribed(hotel)

    answers = at_once([partial(change, hotel, plan="team")] * 2)

    assert Counter(answer.status_code for answer in answers) == {200: 1, 409: 1}
    assert [row[0] for row in invoices(hotel)] == ["period", "change"]
    assert broken(hotel) == []


@pytest.mark.req("API-4")
def test_a_retry_gets_the_same_answer_and_changes_once(hotel: Hotel) -> None:
    subscribed(hotel)
    body = {"plan": "team", "reason": "They grew"}
    known = staff(hotel, "subscription.change", body)
    sent = {**body, "stepUpToken": known["stepUpToken"]}
    path, more = f"/subscriptions/{hotel.tenant_id}", {"token": known["token"], "key": "once"}
    first = hotel.call("PUT", path, sent, **more)

    again = hotel.call("PUT", path, sent, **more)

    assert (first.status_code, again.data) == (200, first.data)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert len(invoices(hotel)) == 2


def test_waits_for_a_change_that_is_under_way(hotel: Hotel) -> None:
    """Somebody else moves it to another plan meanwhile; who waited reads it as it is then."""
    subscribed(hotel)
    with hotel.house.session() as holder, ThreadPoolExecutor(1) as others:
        holder.run("BEGIN")
        holder.run(
            "UPDATE billing_central.subscriptions SET version_id = 'plv_01K9ZQ0M8Y0000000000000003'"
            " WHERE tenant_id = :t",
            t=hotel.tenant_id,
        )
        waiting = others.submit(change, hotel, plan="free")
        hotel.house.until_waiting(holder)
        holder.run("COMMIT")

        answer = waiting.result()

    assert answer.status_code == 200, answer.text
    assert answer.json["bill"]["lines"][0]["plan"] == "team"
