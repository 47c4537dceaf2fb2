"""Two persons close a drawer, each with a signature over the one count (CASH-4, BEY-1)."""

from functools import partial
from typing import Any
from uuid import uuid4

import pytest

from common.runtime.declaration import declaration_of
from functions.cash.close_session import close_session
from tests.hotel import Hotel, House, new_id, usd
from tests.proofs import assert_books_are_right, assert_refused, state, told, trail
from tests.till import Till, by_pieces, counted, over_short
from tests.together import at_once

CROOKED = [{"amount": usd(100), "denominations": [{"valueMicro": 500_000, "pieces": 1}]}]
EUROS = {"amountMicro": 12_000_000, "currency": "EUR"}
REFUSALS: list[tuple[str, int, dict[str, Any]]] = [
    ("CASH_SESSION_UNKNOWN", 404, {}),
    ("CASH_SESSION_NOT_PENDING", 409, {}),
    ("CASH_SAME_PERSON", 403, {"by": "karim"}),
    ("CASH_COUNT_DIFFERS", 409, {"count": counted(usd(10_000))}),
    ("CASH_COUNT_DIFFERS", 409, {"closed_by": "farid"}),
    ("CASH_COUNT_DIFFERS", 409, {"number": 2}),
    ("CASH_COUNT_INVALID", 422, {"count": CROOKED, "token": "any"}),
]


@pytest.fixture
def till(hotel: Hotel) -> Till:
    """A drawer in which 100.00 should be and 95.00 were counted."""
    opened = Till.opened(hotel, usd(10_000))
    assert opened.initiate(usd(9_500)).status_code == 200
    return opened


def attempts(hotel: Hotel, who: str) -> list[str]:
    """What somebody was refused and the audit trail remembers."""
    entries = trail(hotel, "security.attempt_refused")
    return [str(each["reason"]).rsplit(".", 1)[-1] for each in entries if each["actor"] == who]


@pytest.mark.req("CASH-1", "CASH-3", "CASH-4", "BEY-1", "MON-6")
def test_books_the_shortage_and_turns_the_rest_in(till: Till) -> None:
    """100.00 due, 95.00 counted: 5.00 short, 95.00 into the safe, nothing left in the drawer."""
    answer = till.close(usd(9_500))

    assert answer.status_code == 200, answer.text
    shown = answer.json
    assert (shown["status"], shown["result"], shown["closedBy"], shown["coSigner"]) == (
        "closed", "discrepancy", "karim", "laila",
    )  # fmt: skip
    assert shown["results"] == [
        {"expected": usd(10_000), "counted": usd(9_500), "variance": usd(-500)}
    ]
    assert over_short(till.hotel) == [["cash_over_short", f"cash:{till.session}", 5_000_000, "USD"]]
    assert till.account() == {"USD": 0}
    safe = till.hotel.rows(
        "SELECT sum(amount_micro)::bigint FROM {s}.ledger_entries WHERE debit_account = 'cash_safe'"
    )
    assert safe == [[95_000_000]]
    assert_books_are_right(till.hotel)


@pytest.mark.req("CASH-3", "CASH-5")
def test_books_over_and_short_in_each_currency_on_its_own(hotel: Hotel) -> None:
    """100.00 USD and 12.00 EUR due; 100.25 USD and nothing in euros counted."""
    till = Till.opened(hotel, usd(10_000), EUROS)
    count = [by_pieces("USD", (10_000, 1), (25, 1))]
    till.initiate(count=count)

    answer = till.close(count=count)

    variances = [each["variance"] for each in answer.json["results"]]
    assert variances == [{"amountMicro": -12_000_000, "currency": "EUR"}, usd(25)]
    account = f"cash:{till.session}"
    assert over_short(hotel) == [
        ["cash_over_short", account, 12_000_000, "EUR"],
        [account, "cash_over_short", 250_000, "USD"],
    ]
    assert_books_are_right(hotel)


@pytest.mark.req("CASH-1", "CASH-5")
def test_that_balances_books_no_difference_and_waits_for_nobody(hotel: Hotel) -> None:
    till = Till.opened(hotel, usd(10_000))
    till.initiate(usd(10_000))

    answer = till.close(usd(10_000))

    assert answer.json["result"] == "balanced"
    assert over_short(hotel) == []
    assert hotel.events("cash_drawer.discrepancy_found") == []
    assert_refused(till.acknowledge(), 409, "CASH_NOTHING_TO_ACKNOWLEDGE")
    assert_books_are_right(hotel)


@pytest.mark.req("CASH-5")
@pytest.mark.parametrize(("cents", "result"), [(9_800, "balanced"), (9_799, "discrepancy")])
def test_asks_for_an_explanation_beyond_the_tenants_threshold(
    hotel: Hotel, cents: int, result: str
) -> None:
    """Up to 2.00 USD nobody asks; what is missing is booked all the same."""
    hotel.write_settings(cashVarianceThresholds=[usd(200)])
    till = Till.opened(hotel, usd(10_000))
    till.initiate(usd(cents))

    answer = till.close(usd(cents))

    assert answer.json["result"] == result
    assert over_short(hotel)[0][2] == (10_000 - cents) * 10_000
    assert bool(hotel.events("cash_drawer.discrepancy_found")) == (result == "discrepancy")


@pytest.mark.req("CASH-4", "BEY-1", "SEC-4", "AUD-1")
def test_keeps_both_persons_and_what_each_signed(till: Till) -> None:
    till.close(usd(9_500))

    (row,) = till.hotel.rows(
        "SELECT closed_by, co_signer, closing_token_id, step_up_token_id, closing_assertion_hash,"
        " assertion_hash, encode(count_sha256, 'hex'), closing_method, step_up_method"
        " FROM {s}.cash_sessions"
    )
    assert row[:2] == ["karim", "laila"]
    uses = till.hotel.house.sql(
        "SELECT actor, token_id, assertion_hash, context FROM billing_central.step_up_uses"
        " WHERE tenant_id = :tenant ORDER BY recorded_at",
        tenant=till.hotel.tenant_id,
    )
    assert uses == [["karim", row[2], row[4], row[6]], ["laila", row[3], row[5], row[6]]]
    assert row[6] == till.context(counted(usd(9_500)))
    assert row[7:] == ["totp", "totp"]
    (entry,) = trail(till.hotel, "cash_drawer.closed")
    assert (entry["actor"], entry["step_up_token_id"], entry["assertion_hash"]) == (
        "laila", row[3], row[5],
    )  # fmt: skip


@pytest.mark.req("CASH-1", "CASH-4", "BEY-1", "API-3", "AUD-1")
@pytest.mark.parametrize(("code", "status", "given"), REFUSALS)
def test_refuses_changes_nothing_and_remembers_who_tried(
    till: Till, code: str, status: int, given: dict[str, Any]
) -> None:
    if code == "CASH_SESSION_NOT_PENDING":
        till.close(usd(9_500), by="farid")
    if code == "CASH_SESSION_UNKNOWN":
        till.session = new_id("cds")
    before = state(till.hotel, without=("audit_entries",))

    answer = till.close(usd(9_500), **given)

    assert_refused(answer, status, code)
    assert state(till.hotel, without=("audit_entries",)) == before
    remembered = code in ("CASH_SESSION_NOT_PENDING", "CASH_SAME_PERSON", "CASH_COUNT_DIFFERS")
    assert attempts(till.hotel, given.get("by", "laila")) == ([code] if remembered else [])
    assert "amountMicro" not in answer.text


@pytest.mark.req("API-3")
def test_every_refusal_that_is_declared_is_tried() -> None:
    declared = {refusal.code for refusal in declaration_of(close_session).refusals}

    assert declared == {code for code, _, _ in REFUSALS}


@pytest.mark.req("CASH-4", "SEC-3")
def test_is_no_business_of_somebody_who_does_not_work_there(till: Till) -> None:
    before = state(till.hotel)
    token = till.hotel.confirmation(
        "laila", "billing.cash_drawer.close", till.context(counted(usd(9_500)))
    )
    body = {"closedBy": "karim", "countNumber": 1, "count": counted(usd(9_500))}

    answer = till.hotel.post(
        till.path("/close"),
        {**body, "stepUpToken": token},
        token=till.hotel.token(sub="laila", property_ids=[uuid4()]),
    )

    assert_refused(answer, 404, "CASH_SESSION_UNKNOWN")
    assert state(till.hotel) == before


@pytest.mark.req("CASH-7", "API-4")
def test_a_close_that_comes_again_after_a_reconnect_is_answered_as_the_first(till: Till) -> None:
    first = till.close(usd(9_500), key="desktop-7")
    after = state(till.hotel)

    again = till.close(usd(9_500), key="desktop-7")
    late = till.close(usd(9_500), key="desktop-7", token="gone")
    other = till.close(usd(9_501), key="desktop-7")

    assert again.data == late.data == first.data
    assert again.headers["Idempotency-Replayed"] == "true"
    assert_refused(other, 422, "MELMASTOON.GENERAL.IDEMPOTENCY_KEY_REUSED")
    assert state(till.hotel) == after


@pytest.mark.req("CASH-4", "BEY-1", "SEC-4", "AUD-1")
def test_of_100_who_close_one_drawer_at_once_one_does(hotel: Hotel, house: House) -> None:
    """Each with a good signature of their own. The others are refused, and it is written down."""
    till = Till.opened(hotel, usd(10_000))
    till.initiate(usd(9_500))
    people = [f"supervisor-{number:02}" for number in range(100)]

    answers = at_once([partial(till.close, usd(9_500), by=who) for who in people])

    won = [who for who, answer in zip(people, answers, strict=True) if answer.status_code == 200]
    codes = [each.json["code"] for each in answers if each.status_code != 200]
    assert (len(won), codes) == (1, ["MELMASTOON.BILLING.CASH_SESSION_NOT_PENDING"] * 99)
    assert over_short(hotel) == [["cash_over_short", f"cash:{till.session}", 5_000_000, "USD"]]
    assert till.account() == {"USD": 0}
    refused = trail(hotel, "security.attempt_refused")
    assert {each["actor"] for each in refused} == set(people) - set(won)
    assert len(refused) == 99
    assert till.shown()["coSigner"] == won[0]
    used = house.sql(
        "SELECT count(*) FROM billing_central.step_up_uses WHERE tenant_id = :tenant",
        tenant=hotel.tenant_id,
    )
    assert used == [[2]], "the closing actor's and the winner's"
    assert_books_are_right(hotel)


@pytest.mark.req("CASH-5", "EVT-1", "EVT-2")
def test_tells_who_closed_it_with_what_evidence_and_what_is_missing(till: Till) -> None:
    till.close(usd(9_500))

    assert told(till.hotel) == [
        "cash_drawer.opened",
        "cash_drawer.close_initiated",
        "cash_drawer.closed",
        "cash_drawer.discrepancy_found",
    ]
    data = till.hotel.events("cash_drawer.closed")[0]["data"]
    ((closing, co_signing),) = till.hotel.rows(
        "SELECT closing_token_id, step_up_token_id FROM {s}.cash_sessions"
    )
    assert data["stepUpEvidence"] == {"stepUpTokenId": co_signing, "method": "totp"}
    assert data["closingEvidence"] == {"stepUpTokenId": closing, "method": "totp"}
    assert (data["closedBy"], data["coSigner"], data["discrepancy"]) == ("karim", "laila", True)
    found = till.hotel.events("cash_drawer.discrepancy_found")[0]["data"]
    assert [each["variance"] for each in found["results"]] == [usd(-500)]
    assert_books_are_right(till.hotel)
