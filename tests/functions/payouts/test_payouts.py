"""Payouts: to a proven account, never above what is held, large ones by two persons (PO-1)."""

from itertools import permutations

import pytest

from tests.hotel import Hotel, new_id, usd
from tests.paying_out import (
    LARGE,
    account_told,
    ask,
    asked,
    connect,
    decide,
    decision,
    enabled,
    held,
    ledger,
    payout_told,
    settle,
    standing,
    wanted,
)
from tests.proofs import assert_books_are_right, told
from tests.security.answers import is_problem
from tests.together import at_once
from tests.webhooks import Webhook

pytestmark = pytest.mark.req("PO-1")
BILLING = "MELMASTOON.BILLING."


def test_a_payout_is_promised_made_and_told(hotel: Hotel) -> None:
    """300.00 of 500.00 that the processor holds: promised at once, at the bank when it is paid."""
    enabled(hotel)
    held(hotel, 50_000)

    answer = ask(hotel, 30_000)

    assert (answer.status_code, answer.json["status"]) == (201, "pending")
    assert (answer.json["needsApproval"], answer.json["usd"]) == (False, usd(30_000))
    assert ledger(hotel) == {"card_clearing": 20_000, "payouts_in_transit": 30_000}
    done = settle(hotel)
    assert (done.done, done.exit_code) == (1, 0)
    assert ledger(hotel) == {"card_clearing": 20_000, "bank_clearing": 30_000}
    shown = hotel.get(f"/payouts/{answer.json['payoutId']}").json
    assert shown["status"] == "paid"
    assert told(hotel)[-2:] == ["payout.requested", "payout.paid"]
    assert settle(hotel).due == 0
    assert_books_are_right(hotel)


def test_the_same_request_again_is_the_same_payout(hotel: Hotel) -> None:
    enabled(hotel)
    held(hotel, 50_000)
    body, token = wanted(hotel, usd(30_000)), hotel.token(sub="farid")

    first, again = (hotel.post("/payouts", body, token=token, key="once") for _ in range(2))

    assert first.json == again.json
    assert len(standing(hotel)) == 1
    is_problem(ask(hotel, 1_000, id=body["id"]), 409)


@pytest.mark.parametrize("proven", ["none", "unproven", "no longer", "another"])
def test_refuses_an_account_that_is_not_proven(hotel: Hotel, proven: str) -> None:
    held(hotel, 50_000)
    if proven == "unproven":
        connect(hotel, "acct_new")
    if proven == "no longer":
        account = enabled(hotel)
        sent = account_told(hotel, account, 1_772_359_300, enabled=False)
        assert Webhook(hotel).send(sent).json["outcome"] == "applied"
    if proven == "another":
        enabled(hotel)
        connect(hotel, "acct_another")

    is_problem(ask(hotel, 1_000), 409, code=BILLING + "PAYOUT_ACCOUNT_NOT_VERIFIED")

    assert standing(hotel) == []


@pytest.mark.req("WH-4")
def test_what_the_processor_says_of_an_account_never_goes_back(hotel: Hotel) -> None:
    """Three words in six orders: the newest one stands, and a foreign account is refused."""
    account = enabled(hotel)
    for place, story in enumerate(permutations(((1, True), (2, False), (3, True)))):
        connect(hotel, f"acct_{place}")
        for at, is_enabled in story:
            sent = account_told(hotel, f"acct_{place}", 1_772_359_200 + at, enabled=is_enabled)
            assert Webhook(hotel).send(sent).json["outcome"] == "applied"
        assert hotel.rows("SELECT is_enabled FROM {s}.payout_accounts") == [[True]]
    late = account_told(hotel, account, 1_772_400_000)
    assert Webhook(hotel).send(late).json["outcome"] == "refused"
    assert_books_are_right(hotel)


def test_refuses_more_than_is_held_and_nothing(hotel: Hotel) -> None:
    """500.00 came in by card, and 100.00 of it are promised already: 400.00 are left."""
    enabled(hotel)
    held(hotel, 50_000)
    asked(hotel, 10_000)

    refused = ask(hotel, 40_001)

    is_problem(refused, 409, code=BILLING + "PAYOUT_EXCEEDS_BALANCE")
    assert refused.json["availableMicro"] == 400_000_000
    is_problem(ask(hotel, 0), 422)
    assert len(standing(hotel)) == 1


def test_of_two_at_once_on_one_balance_one_is_paid(hotel: Hotel) -> None:
    enabled(hotel)
    held(hotel, 50_000)

    answers = at_once([lambda: ask(hotel, 30_000)] * 2)

    assert sorted(each.status_code for each in answers) == [201, 409]
    assert ledger(hotel) == {"card_clearing": 20_000, "payouts_in_transit": 30_000}


@pytest.mark.req("SEC-4")
def test_a_large_one_waits_for_a_second_person(hotel: Hotel) -> None:
    """10,000.01 wait; who asked cannot approve them, and one of another amount is not these."""
    enabled(hotel)
    held(hotel, 3_000_000)
    payout = asked(hotel, LARGE, by="farid")
    assert standing(hotel) == [[payout, "awaiting_approval"]]
    assert settle(hotel).due == 0
    is_problem(decide(hotel, payout, LARGE, by="farid"), 403, code=BILLING + "PAYOUT_SAME_PERSON")
    is_problem(decide(hotel, payout, LARGE - 1), 404, code=BILLING + "PAYOUT_UNKNOWN")

    answer = decide(hotel, payout, LARGE, by="laila")

    assert (answer.status_code, answer.json["decidedBy"]) == (200, "laila")
    is_problem(decide(hotel, payout, LARGE), 409, code=BILLING + "PAYOUT_NOT_AWAITING_APPROVAL")
    settle(hotel)
    assert standing(hotel) == [[payout, "paid"]]
    assert told(hotel)[-3:] == ["payout.requested", "payout.approved", "payout.paid"]
    assert_books_are_right(hotel)


def test_exactly_ten_thousand_dollars_are_paid_by_one(hotel: Hotel) -> None:
    enabled(hotel)
    held(hotel, 1_000_000)

    assert ask(hotel, LARGE - 1).json["status"] == "pending"


def test_what_is_cut_up_waits_as_the_whole_would(hotel: Hotel) -> None:
    """Farid asks for 9,999.00 and 1.00, which he may alone; a further cent waits for another one,
    and 9,999.00 of somebody else do not. What failed is not counted; after a day nothing is."""
    enabled(hotel)
    held(hotel, 5_000_000)
    asked(hotel, 999_900, by="farid")
    first = asked(hotel, 100, by="farid")

    assert ask(hotel, 1, by="farid").json["status"] == "awaiting_approval"
    assert ask(hotel, 999_900, by="omar").json["status"] == "pending"

    failed = payout_told(hotel, first, 100, "failed")
    assert Webhook(hotel).send(failed).json["outcome"] == "applied"
    assert ask(hotel, 100, by="farid").json["status"] == "pending"
    hotel.rows("UPDATE {s}.payouts SET requested_at = requested_at - interval '24 hours'")
    assert ask(hotel, 1_000_000, by="farid").json["status"] == "pending"


def test_two_small_ones_at_once_are_no_large_one(hotel: Hotel) -> None:
    """Twice 6,000.00 of one person: one of them waits."""
    enabled(hotel)
    held(hotel, 2_000_000)

    answers = at_once([lambda: ask(hotel, 600_000, by="farid")] * 2)

    assert sorted(each.json["status"] for each in answers) == ["awaiting_approval", "pending"]


def test_two_who_approve_at_once_do_so_once(hotel: Hotel) -> None:
    enabled(hotel)
    held(hotel, 3_000_000)
    payout = asked(hotel, LARGE)

    answers = at_once([lambda: decide(hotel, payout, LARGE)] * 2)

    assert sorted(each.status_code for each in answers) == [200, 409]
    assert hotel.rows("SELECT count(*) FROM {s}.payout_queue") == [[1]]


@pytest.mark.req("API-4", "SEC-4")
def test_an_approval_that_is_sent_again_is_answered_the_same(hotel: Hotel) -> None:
    enabled(hotel)
    held(hotel, 3_000_000)
    payout = asked(hotel, LARGE)
    body, token = decision(hotel, payout, LARGE, "approve", "laila"), hotel.token(sub="laila")
    path = f"/payouts/{payout}/approve"

    first, again = (hotel.post(path, body, token=token, key="once") for _ in range(2))

    assert (first.status_code, first.json) == (200, again.json)
    replayed = hotel.post(path, body, token=token, key="twice")
    is_problem(replayed, 403, code="MELMASTOON.IAM.STEP_UP_REPLAY")


def test_one_that_is_rejected_gives_its_money_back(hotel: Hotel) -> None:
    enabled(hotel)
    held(hotel, 1_500_000)
    payout = asked(hotel, LARGE)

    answer = decide(hotel, payout, LARGE, "reject")

    assert (answer.json["status"], answer.json["reason"]) == (
        "rejected",
        "The bank account is about to change",
    )
    assert ledger(hotel) == {"card_clearing": 1_500_000}
    is_problem(decide(hotel, payout, LARGE), 409)
    asked(hotel, LARGE)
    assert_books_are_right(hotel)


def test_without_a_rate_to_the_dollar_nobody_pays_alone(hotel: Hotel) -> None:
    """1.00 of a currency that no rate of the tenant's leads to: it may be worth anything."""
    enabled(hotel)
    folio = hotel.open_folio(currency="CHF")
    francs = {"amountMicro": 1_000_000, "currency": "CHF"}
    hotel.paid(folio, francs, method="card", paymentId="pi_chf", allowCredit=True)

    answer = hotel.post("/payouts", wanted(hotel, francs))

    assert (answer.status_code, answer.json["status"]) == (201, "awaiting_approval")
    assert answer.json["usd"] is None


@pytest.mark.parametrize(
    ("kind", "became", "books"),
    [
        ("sandbox_declined_", "failed", {"card_clearing": 50_000}),
        ("sandbox_lost_", "paid", {"card_clearing": 20_000, "bank_clearing": 30_000}),
        ("sandbox_transit_", "pending", {"card_clearing": 20_000, "payouts_in_transit": 30_000}),
    ],
)
@pytest.mark.req("GW-5")
def test_what_became_of_it_is_found_out(
    hotel: Hotel, kind: str, became: str, books: dict[str, int]
) -> None:
    """Refused, paid with an answer that was lost, or under way; it is made once."""
    enabled(hotel, kind)
    held(hotel, 50_000)
    payout = asked(hotel, 30_000)

    for _ in range(2):
        settle(hotel)
        hotel.rows("UPDATE {s}.payout_queue SET next_attempt_at = now() - interval '9 years'")

    assert standing(hotel) == [[payout, became]]
    assert ledger(hotel) == books
    assert_books_are_right(hotel)


@pytest.mark.req("WH-4")
def test_webhooks_in_any_order_come_to_the_same_books(hotel: Hotel) -> None:
    """A bank sends back what was paid: failed after paid is the end; paid after failed is late."""
    enabled(hotel, "sandbox_transit_")
    held(hotel, 50_000)
    for story in permutations(("paid", "failed")):
        payout = asked(hotel, 30_000)
        for status in story:
            sent = payout_told(hotel, payout, 30_000, status)
            assert Webhook(hotel).send(sent).json["outcome"] == "applied"
        assert dict(standing(hotel))[payout] == "failed"
        assert ledger(hotel) == {"card_clearing": 50_000}
    wrong = payout_told(hotel, payout, 30_001, "paid")
    assert Webhook(hotel).send(wrong).json["outcome"] == "refused"
    assert_books_are_right(hotel)


@pytest.mark.req("SEC-3", "API-5")
def test_lists_payouts_of_the_callers_properties(hotel: Hotel) -> None:
    enabled(hotel)
    held(hotel, 2_000_000)
    small, large = asked(hotel, 100), asked(hotel, LARGE)

    def listed(**which: str) -> list[str]:
        return [each["payoutId"] for each in hotel.get("/payouts", **which).json["items"]]

    assert listed() == [small, large]
    assert listed(status="awaiting_approval") == [large]
    assert listed(limit="1") == [small]
    elsewhere = hotel.house.new_hotel()
    is_problem(elsewhere.get(f"/payouts/{small}"), 404)
    is_problem(hotel.get(f"/payouts/{new_id('pyo')}"), 404)
