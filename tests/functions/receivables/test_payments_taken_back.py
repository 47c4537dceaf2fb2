"""What a company paid by card is taken back by its bank or at the processor: it owes it again."""

from itertools import permutations
from typing import Any

import pytest

from common.domain.identifiers import PropertyId
from tests.hotel import Hotel, usd
from tests.matching import a_dollar, differences, match
from tests.owing import allocate, invoiced, paid_by_card, shown, sums
from tests.proofs import assert_books_are_right, told
from tests.reconciling import sandbox
from tests.together import at_once
from tests.webhooks import Webhook, disputed, refunded_there

pytestmark = pytest.mark.req("WH-5")

HOLDS = (
    "SELECT account, (sum(micro) / 10000)::bigint FROM ("
    " SELECT debit_account AS account, amount_micro AS micro FROM {s}.ledger_entries"
    " UNION ALL SELECT credit_account, -amount_micro FROM {s}.ledger_entries) AS sides"
    " WHERE account IN ('card_clearing', 'disputed_funds', 'dispute_losses')"
    " GROUP BY account HAVING sum(micro) <> 0"
)


def tell(hotel: Hotel, sent: dict[str, Any], outcome: str = "applied") -> None:
    answer = Webhook(hotel).send(sent)
    assert (answer.status_code, answer.json["outcome"]) == (200, outcome), answer.text


def overdue(hotel: Hotel, account: str) -> int:
    """What is open by the ageing of today, in cents."""
    found = hotel.get(f"/company-accounts/{account}/ageing").json
    open_micro: int = sum(each["open"]["amountMicro"] for each in found["items"])
    return open_micro // 10_000


@pytest.mark.parametrize(
    ("outcome", "owes", "holds"),
    [
        ("won", (0, 0, 0), {"card_clearing": 11_000}),
        ("lost", (0, 11_000, 0), {}),
    ],
)
def test_a_dispute_opens_what_the_payment_had_paid_and_ends_as_it_is_decided(
    hotel: Hotel, outcome: str, owes: tuple[int, int, int], holds: dict[str, int]
) -> None:
    """110.00 were paid: withheld, they are owed again; won, they are paid, and lost, they stay."""
    account, payment = paid_by_card(hotel)

    tell(hotel, disputed(payment, "dp_1", "needs_response", "created", cents=11_000))
    assert (sums(hotel, account), overdue(hotel, account)) == ((0, 11_000, 0), 11_000)
    assert dict(hotel.rows(HOLDS)) == {}
    assert told(hotel)[-3:] == [
        "receivable.disputed",
        "payment.disputed",
        "receivable.payment_taken_back",
    ]
    assert_books_are_right(hotel)
    tell(hotel, disputed(payment, "dp_1", "under_review", cents=11_000))
    tell(hotel, disputed(payment, "dp_1", outcome, "closed", cents=11_000))

    assert sums(hotel, account) == owes
    assert dict(hotel.rows(HOLDS)) == holds
    assert_books_are_right(hotel)


def test_a_part_opens_as_much_of_the_invoice_and_the_rest_stays_paid(hotel: Hotel) -> None:
    """40.00 of 110.00 went back at the dashboard, told twice at once: 40.00 are open, and the
    statement has them."""
    account, payment = paid_by_card(hotel)
    sent = [refunded_there(payment, "re_1", 4_000) for _ in range(2)]

    answers = at_once([lambda each=each: Webhook(hotel).send(each) for each in sent])  # type: ignore[misc]

    assert {each.json["outcome"] for each in answers} == {"applied"}
    assert sums(hotel, account) == (0, 4_000, 0)
    assert dict(hotel.rows(HOLDS)) == {"card_clearing": 7_000}
    assert told(hotel).count("receivable.payment_taken_back") == 1
    assert shown(hotel, account)["balance"] == usd(4_000)
    tell(hotel, refunded_there(payment, "re_2", 7_001), "refused")
    tell(hotel, refunded_there(payment, "re_2", 7_001, "failed", "refund.failed"))
    assert_books_are_right(hotel)


def test_a_refund_that_failed_after_it_was_made_is_to_its_credit_again(hotel: Hotel) -> None:
    """40.00 of 110.00 went back at the dashboard and came again, told twice at once: nothing is
    owed, and that they were made is not heard once more."""
    account, payment = paid_by_card(hotel)
    tell(hotel, refunded_there(payment, "re_1", 4_000))
    sent = [refunded_there(payment, "re_1", 4_000, "failed", "refund.failed") for _ in range(2)]

    answers = at_once([lambda each=each: Webhook(hotel).send(each) for each in sent])  # type: ignore[misc]

    assert {each.json["outcome"] for each in answers} == {"applied"}
    assert (sums(hotel, account), overdue(hotel, account)) == ((0, 0, 0), 0)
    assert told(hotel).count("receivable.payment_given_again") == 1
    assert dict(hotel.rows(HOLDS)) == {"card_clearing": 11_000}
    tell(hotel, refunded_there(payment, "re_1", 4_000))
    tell(hotel, refunded_there(payment, "re_2", 11_000))
    assert (sums(hotel, account), dict(hotel.rows(HOLDS))) == ((0, 11_000, 0), {})
    assert_books_are_right(hotel)


def test_what_was_left_to_its_credit_goes_before_what_others_have_paid_by_card(
    hotel: Hotel,
) -> None:
    """Of 150.00 by card 110.00 paid an invoice; 40.00 are to its credit, and 30.00 of these pay a
    part of the next one. All 150.00 are disputed: 110.00 and 30.00 are open again, and 10.00 of the
    credit are gone."""
    account, payment = paid_by_card(hotel, 15_000)
    _, other = invoiced(hotel, account, 10_000)
    given = allocate(hotel, account, (other, usd(3_000)))
    assert given.status_code == 201, given.text
    assert sums(hotel, account) == (0, 8_000, 1_000)

    tell(hotel, disputed(payment, "dp_1", "needs_response", "created", cents=15_000))

    assert sums(hotel, account) == (0, 22_000, 0)
    assert_books_are_right(hotel)


def test_what_a_company_paid_too_much_and_got_back_opens_no_invoice(hotel: Hotel) -> None:
    """Of 150.00 by card 110.00 paid its invoice and 40.00 are to its credit: those go back at the
    dashboard, and nothing is open; of 10.00 more, 10.00 are."""
    account, payment = paid_by_card(hotel, 15_000)
    assert sums(hotel, account) == (0, 0, 4_000)

    tell(hotel, refunded_there(payment, "re_1", 4_000))
    assert (sums(hotel, account), overdue(hotel, account)) == ((0, 0, 0), 0)
    assert told(hotel)[-1] == "receivable.payment_taken_back"
    tell(hotel, refunded_there(payment, "re_2", 1_000))

    assert (sums(hotel, account), overdue(hotel, account)) == ((0, 1_000, 0), 1_000)
    assert_books_are_right(hotel)


def test_a_bank_that_asks_for_more_takes_no_more_than_was_paid(hotel: Hotel) -> None:
    """120.00 of 110.00: the company owes 110.00 again, 10.00 are the house's loss. Its account was
    closed, and is on hold now."""
    account, payment = paid_by_card(hotel)
    closed = {"status": "closed", "reason": "They moved"}
    assert hotel.call("PATCH", f"/company-accounts/{account}", closed).status_code == 200

    tell(hotel, disputed(payment, "dp_1", "lost", "closed", cents=12_000))

    assert sums(hotel, account) == (0, 11_000, 0)
    assert shown(hotel, account)["status"] == "on_hold"
    assert dict(hotel.rows(HOLDS)) == {"card_clearing": -1_000, "dispute_losses": 1_000}
    assert_books_are_right(hotel)


@pytest.mark.req("WH-4")
def test_events_in_any_order_come_to_the_same_books(hotel: Hotel) -> None:
    """Six orders over six payments, each of them won in the end: nobody owes anything."""
    states = ("warning_needs_response", "needs_response", "won")
    for place, story in enumerate(permutations(states)):
        account, payment = paid_by_card(hotel)
        for status in story:
            tell(hotel, disputed(payment, f"dp_{place}", status, cents=11_000))
        assert sums(hotel, account) == (0, 0, 0)

    assert dict(hotel.rows(HOLDS)) == {"card_clearing": 66_000}
    assert_books_are_right(hotel)


@pytest.mark.req("REC-1")
def test_the_reconciliation_with_the_processor_finds_nothing(hotel: Hotel) -> None:
    _, payment = paid_by_card(hotel)
    there = sandbox(hotel)
    there.capture(hotel.tenant_id, PropertyId(hotel.property_id), payment, a_dollar(11_000))
    there.refund_there("re_1", payment, a_dollar(1_000))
    there.dispute("dp_1", payment, a_dollar(10_000))
    tell(hotel, refunded_there(payment, "re_1", 1_000))
    tell(hotel, disputed(payment, "dp_1", "needs_response", "created", cents=10_000))

    match(hotel, None)

    assert differences(hotel) == set()
