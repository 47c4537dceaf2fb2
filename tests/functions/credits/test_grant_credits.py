"""Credits are granted once for each thing, by who may and has confirmed it (CRD-3, CRD-6)."""

from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from tests.hotel import Hotel, House, new_id
from tests.prepaying import (
    SCOPE,
    available,
    balance,
    bought,
    confirmed,
    entries,
    grant,
    grant_context,
    granted,
    lots,
    wanted,
)
from tests.proofs import (
    assert_answers_once,
    assert_books_are_right,
    assert_refused,
    state,
    told,
    trail,
)
from tests.together import at_once
from tests.trust.books import broken

pytestmark = pytest.mark.req("CRD-3")


def test_grants_credits_with_their_source_and_end(hotel: Hotel) -> None:
    body = wanted(10, expiresAt="2099-01-01T00:00:00Z")

    answer = grant(hotel, body)

    assert answer.status_code == 201, answer.text
    shown = answer.json
    assert shown["lot"] == {
        "lotId": body["id"],
        "source": "promotion",
        "availableMicro": 10_000_000,
        "expiresAt": "2099-01-01T00:00:00Z",
    }
    assert (shown["entry"]["kind"], shown["entry"]["amountMicro"]) == ("grant", 10_000_000)
    assert shown["entry"]["reason"] == "Thank you for waiting"
    assert hotel.rows("SELECT source_key FROM {s}.credit_lots") == [[f"grant:{body['id']}"]]
    assert available(hotel) == 10_000_000
    assert_books_are_right(hotel)
    assert broken(hotel) == []


def test_an_account_of_another_name_opens_with_its_first_credits(hotel: Hotel) -> None:
    assert_refused(hotel.get("/credits/balance", account="spa"), 404, "CREDIT_ACCOUNT_UNKNOWN")

    granted(hotel, 3, account="spa")

    assert (available(hotel, "spa"), available(hotel)) == (3_000_000, 0)


@pytest.mark.parametrize(
    ("source", "key"),
    [
        ("purchase", "purchase:pin_1"),
        ("renewal", "renewal:sub_1:2026-03-01"),
        ("promotion", "trial:acc_1"),
    ],
)
def test_the_same_thing_is_granted_once_whoever_says_so(
    hotel: Hotel, source: str, key: str
) -> None:
    """Another id, another key of the command, another account: it is the same payment."""
    said = {"source": source, "sourceKey": key}
    assert grant(hotel, wanted(10, **said)).status_code == 201
    before = state(hotel)

    again = grant(hotel, wanted(10, **said))
    elsewhere = grant(hotel, wanted(10, **said, account="spa"))

    for answer in (again, elsewhere):
        assert_refused(answer, 409, "CREDITS_GRANTED_ALREADY")
        assert answer.json["sourceKey"] == key
    assert state(hotel) == before
    assert available(hotel) == 10_000_000


def test_eight_who_learn_of_one_payment_at_once_grant_once(hotel: Hotel) -> None:
    """Half of them to another account, which none of them had opened before."""
    said = {"source": "purchase", "sourceKey": "purchase:pin_1"}
    asked = [partial(grant, hotel, wanted(10, **said, account=a)) for a in ("main", "spa") * 4]

    answers = at_once(asked)

    assert Counter(answer.status_code for answer in answers) == {201: 1, 409: 7}
    assert hotel.rows("SELECT sum(balance_micro)::bigint FROM {s}.credit_accounts") == [
        [10_000_000]
    ]
    assert_books_are_right(hotel)
    assert broken(hotel) == []


def test_two_first_grants_at_once_open_one_account(hotel: Hotel) -> None:
    answers = at_once([partial(grant, hotel, wanted(10)), partial(grant, hotel, wanted(5))])

    assert [answer.status_code for answer in answers] == [201, 201]
    assert available(hotel) == 15_000_000
    assert hotel.rows("SELECT count(*) FROM {s}.credit_accounts") == [[1]]
    assert broken(hotel) == []


@pytest.mark.parametrize(
    ("source", "key"),
    [
        ("purchase", None),
        ("purchase", "renewal:sub_1:2026-03-01"),
        ("renewal", "renewal:sub_1"),
        ("promotion", "purchase:pin_1"),
        ("refund", "trial:acc_1"),
    ],
)
def test_a_source_says_what_it_is_for(hotel: Hotel, source: str, key: str | None) -> None:
    before = state(hotel)

    answer = grant(hotel, wanted(10, source=source, sourceKey=key))

    assert_refused(answer, 422, "CREDIT_GRANT_KEY_INVALID")
    assert state(hotel) == before


def test_what_would_expire_at_once_is_refused(hotel: Hotel, clock: Callable[[str], None]) -> None:
    clock("2026-03-01T12:00:01+00:00")
    before = state(hotel)

    answer = grant(hotel, wanted(10, expiresAt="2026-03-01T12:00:00Z"))

    assert_refused(answer, 422, "CREDIT_GRANT_EXPIRED")
    assert state(hotel) == before


@pytest.mark.req("CRD-6")
def test_a_gift_beyond_the_limit_is_refused_and_what_was_paid_for_is_not(house: House) -> None:
    """At most 20: 15 are there, a gift of 6 is too much and one of 5 is not; money has moved."""
    hotel = house.new_hotel(credits={"maximumBalance": 20})
    granted(hotel, 15)

    refused = grant(hotel, wanted(6))

    assert_refused(refused, 422, "CREDIT_BALANCE_LIMIT")
    assert refused.json["balanceMicro"] == 15_000_000
    assert refused.json["maximumMicro"] == 20_000_000
    granted(hotel, 5)
    bought(hotel, 100)
    assert available(hotel) == 120_000_000


@pytest.mark.req("CRD-6")
def test_the_limits_that_nobody_changed(hotel: Hotel) -> None:
    """A million credits, and not one micro credit more."""
    granted(hotel, 1_000_000)

    refused = grant(hotel, wanted(0, creditsMicro=1))

    assert_refused(refused, 422, "CREDIT_BALANCE_LIMIT")


def test_an_account_never_holds_more_than_can_be_told_exactly(hotel: Hotel) -> None:
    """2^53 - 1 micro credits were paid for; one more would not be the same number everywhere."""
    bought(hotel, 0, creditsMicro=2**53 - 1)

    refused = grant(hotel, wanted(0, creditsMicro=1, source="purchase", sourceKey="purchase:2"))

    assert_refused(refused, 409, "CREDITS_OUT_OF_RANGE")
    assert available(hotel) == 2**53 - 1


@pytest.mark.req("API-4", "API-9")
def test_a_retry_gets_the_same_answer_and_grants_once(hotel: Hotel) -> None:
    body = wanted(10)
    sent = confirmed(hotel, body, grant_context(hotel, body), "platform-1")
    token = hotel.token(SCOPE, sub="platform-1")

    assert_answers_once(
        hotel, "/credits/grants", sent, {**sent, "reason": "Another one"}, token=token
    )

    other = {**wanted(11), "id": body["id"]}
    assert_refused(grant(hotel, other), 409, "MELMASTOON.GENERAL.ID_CONFLICT")
    assert available(hotel) == 10_000_000


@pytest.mark.req("SEC-4")
@pytest.mark.parametrize(
    "changed",
    [
        {"creditsMicro": 11_000_000},
        {"account": "spa"},
        {"source": "refund"},
        {"sourceKey": "trial:acc_1"},
        {"id": new_id("clt")},
    ],
    ids=["amount", "account", "source", "key", "grant"],
)
def test_what_was_confirmed_is_what_is_granted(hotel: Hotel, changed: dict[str, Any]) -> None:
    body = wanted(10)
    sent = confirmed(hotel, body, grant_context(hotel, body), "platform-1")

    answer = grant(hotel, {**sent, **changed}, token=hotel.token(SCOPE, sub="platform-1"))

    assert_refused(answer, 403, "MELMASTOON.IAM.STEP_UP_CONTEXT")
    assert lots(hotel) == []


@pytest.mark.req("SEC-2")
def test_is_for_the_platform_only(hotel: Hotel) -> None:
    body = wanted(10)
    sent = confirmed(hotel, body, grant_context(hotel, body), "clerk")

    answer = grant(hotel, sent, token=hotel.token("billing.credits.write", sub="clerk"))

    assert_refused(answer, 403, "MELMASTOON.IAM.SCOPE_MISSING")


@pytest.mark.req("EVT-2", "AUD-1")
def test_tells_what_was_granted_and_for_what(hotel: Hotel) -> None:
    key = bought(hotel, 10)

    assert told(hotel) == ["credits.granted"]
    data = hotel.events("credits.granted")[0]["data"]
    assert (data["source"], data["sourceKey"]) == ("purchase", key)
    assert (data["account"], data["balanceMicro"]) == ("main", 10_000_000)
    (entry,) = trail(hotel, "credits.granted")
    assert entry["reason"] == "Thank you for waiting"
    assert entry["step_up_token_id"] is not None


def test_who_has_none_is_shown_an_account_with_nothing(hotel: Hotel) -> None:
    """The main account is there before its first credits, and nothing is written to show it."""
    before = state(hotel)

    shown = balance(hotel)

    assert (shown["account"], shown["accountId"], shown["availableMicro"]) == ("main", None, 0)
    assert (shown["expiringNext"], shown["version"]) == (None, 0)
    assert {each["source"]: each["availableMicro"] for each in shown["bySource"]} == {
        "purchase": 0,
        "renewal": 0,
        "promotion": 0,
        "refund": 0,
    }
    assert state(hotel) == before


@pytest.mark.req("CRD-1", "CRD-4")
def test_shows_what_there_is_by_source_and_what_expires_next(
    hotel: Hotel, clock: Callable[[str], None]
) -> None:
    """10 bought, 4 given until June, 2 until May: those of May are next, until May."""
    clock("2026-03-01T12:00:00+00:00")
    bought(hotel, 10)
    june = granted(hotel, 4, expiresAt="2026-06-01T00:00:00Z")
    may = granted(hotel, 2, expiresAt="2026-05-01T00:00:00Z")

    first = balance(hotel)
    clock("2026-05-01T00:00:01+00:00")
    second = balance(hotel)

    sources = {each["source"]: each["availableMicro"] for each in first["bySource"]}
    assert sources == {
        "purchase": 10_000_000,
        "renewal": 0,
        "promotion": 6_000_000,
        "refund": 0,
    }
    assert (first["availableMicro"], first["expiringNext"]["lotId"]) == (16_000_000, may)
    assert (second["availableMicro"], second["expiringNext"]["lotId"]) == (14_000_000, june)
    assert entries(hotel) == [["grant", 10, 0, 0], ["grant", 4, 0, 0], ["grant", 2, 0, 0]]
