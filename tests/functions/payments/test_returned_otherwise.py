"""A payment that goes back by itself, and is given back or disputed at the processor meanwhile.

40.00 came at the terminal for a folio that was paid in cash and closed; we have promised them back.
"""

from collections.abc import Callable
from functools import partial
from itertools import permutations
from typing import Any

import pytest

from common.domain.identifiers import PropertyId
from tests.hotel import Hotel, usd
from tests.matching import a_dollar, differences, match
from tests.proofs import assert_books_are_right, told
from tests.reconciling import sandbox
from tests.reopening import reopened
from tests.returning import came_late, cards, let_it_go, returns
from tests.webhooks import Webhook, disputed, refund_told, refunded_there

pytestmark = pytest.mark.req("BEY-4", "WH-5")

PARTS = "SELECT kind, amount_micro / 10000 FROM {s}.returned_parts ORDER BY made_at, id"


def came(hotel: Hotel) -> tuple[str, str]:
    """40.00 that came late, which the processor knows of: the folio and its payment."""
    folio, payment = came_late(hotel)
    sandbox(hotel).capture(hotel.tenant_id, PropertyId(hotel.property_id), payment, a_dollar(4_000))
    return folio, payment


def refund_id(hotel: Hotel) -> str:
    """The refund that is promised now."""
    ((found,),) = hotel.rows("SELECT refund_id FROM {s}.returned_payments")
    return str(found)


def tell(hotel: Hotel, sent: dict[str, Any], outcome: str = "applied") -> None:
    answer = Webhook(hotel).send(sent)
    assert (answer.status_code, answer.json["outcome"]) == (200, outcome), answer.text


def at_the_processor(hotel: Hotel) -> int:
    """What has gone back there of all payments, by refunds, in cents."""
    made = [each for _, each in sandbox(hotel)._refunds()]
    ours = {row[0] for row in hotel.rows("SELECT processor_payment_id FROM {s}.returned_payments")}
    return sum(each["amountMicro"] // 10_000 for each in made if each["payment"] in ours)


def test_what_is_given_back_there_is_what_we_had_promised(hotel: Hotel) -> None:
    """All 40.00 at the dashboard: nothing of ours is made beside it, whoever asks."""
    _, payment = came(hotel)
    ours = refund_id(hotel)
    sandbox(hotel).refund_there("re_1", payment, a_dollar(4_000))

    tell(hotel, refunded_there(payment, "re_1", 4_000))
    tell(hotel, refunded_there(payment, "re_1", 4_000, kind="refund.created"))
    let_it_go(hotel)

    assert (returns(hotel), cards(hotel)) == ([[4_000, "returned", None]], {})
    assert hotel.rows(PARTS) == [["refunded_there", 4_000]]
    assert (at_the_processor(hotel), refund_id(hotel)) == (4_000, ours)
    assert told(hotel)[-1] == "returned_payment.went_otherwise"
    match(hotel, None)
    assert differences(hotel) == set()
    assert_books_are_right(hotel)


def test_of_a_part_that_is_given_back_there_the_rest_is_promised_anew(hotel: Hotel) -> None:
    """15.00 at the dashboard: 25.00 are promised, under another id, for the processor has refused
    40.00 under the first; that is heard only now, and changes nothing."""
    _, payment = came(hotel)
    first = refund_id(hotel)
    sandbox(hotel).refund_there("re_1", payment, a_dollar(1_500))

    tell(hotel, refunded_there(payment, "re_1", 1_500))

    assert (returns(hotel), cards(hotel)) == ([[4_000, "pending", None]], {})
    assert refund_id(hotel) != first
    tell(hotel, refund_told(payment, first, 4_000, "failed", "refund.failed"))
    let_it_go(hotel)
    assert (returns(hotel), at_the_processor(hotel)) == ([[4_000, "returned", None]], 4_000)
    tell(hotel, refunded_there(payment, "re_2", 1), "refused")
    match(hotel, None)
    assert differences(hotel) == set()
    assert_books_are_right(hotel)


def test_what_the_processor_refused_because_it_went_back_there_is_heard_later(
    hotel: Hotel,
) -> None:
    """Our 40.00 are refused before anybody tells of the 15.00: they are not given up."""
    _, payment = came(hotel)
    sandbox(hotel).refund_there("re_1", payment, a_dollar(1_500))
    let_it_go(hotel)
    assert returns(hotel) == [[4_000, "failed", "charge_already_refunded"]]

    tell(hotel, refunded_there(payment, "re_1", 1_500))
    let_it_go(hotel)

    assert (returns(hotel), cards(hotel)) == ([[4_000, "returned", None]], {})
    assert at_the_processor(hotel) == 4_000
    assert_books_are_right(hotel)


HELD = (
    "SELECT account, (sum(micro) / 10000)::bigint FROM ("
    " SELECT debit_account AS account, amount_micro AS micro FROM {s}.ledger_entries"
    " UNION ALL SELECT credit_account, -amount_micro FROM {s}.ledger_entries) AS sides"
    " WHERE account IN ('card_clearing', 'payments_to_return', 'disputed_funds', 'dispute_losses')"
    " GROUP BY account HAVING sum(micro) <> 0"
)


def claims(hotel: Hotel, payment: str, *outcomes: str) -> None:
    """A bank asks for the 40.00, and what is decided."""
    for outcome in outcomes:
        kind = "created" if outcome == "needs_response" else "closed"
        tell(hotel, disputed(payment, "dp_1", outcome, kind, cents=4_000))


@pytest.mark.req("REF-1")
def test_while_a_bank_asks_for_it_nothing_is_promised_and_won_it_goes_back_by_refund(
    hotel: Hotel,
) -> None:
    """40.00 are withheld and still owed; given back by the bank, they go to the guest."""
    _, payment = came(hotel)
    sandbox(hotel).dispute("dp_1", payment, a_dollar(4_000))

    claims(hotel, payment, "needs_response")

    assert returns(hotel) == [[4_000, "contested", None]]
    assert dict(hotel.rows(HELD)) == {"disputed_funds": 4_000, "payments_to_return": -4_000}
    assert told(hotel)[-3:] == [
        "dispute.recorded",
        "payment.disputed",
        "returned_payment.contested",
    ]
    assert_books_are_right(hotel)
    let_it_go(hotel)
    assert at_the_processor(hotel) == 0
    sandbox(hotel).decide("dp_1", payment)
    claims(hotel, payment, "won")
    let_it_go(hotel)
    assert (returns(hotel), at_the_processor(hotel)) == ([[4_000, "returned", None]], 4_000)
    assert dict(hotel.rows(HELD)) == {}
    match(hotel, None)
    assert differences(hotel) == set()
    assert_books_are_right(hotel)


def test_lost_it_has_gone_back_by_the_bank(hotel: Hotel) -> None:
    """It is no loss: the guest has 40.00 that the house has owed."""
    _, payment = came(hotel)
    sandbox(hotel).dispute("dp_1", payment, a_dollar(4_000))

    claims(hotel, payment, "needs_response", "lost", "lost")
    let_it_go(hotel)

    assert returns(hotel) == [[4_000, "returned", None]]
    assert (dict(hotel.rows(HELD)), at_the_processor(hotel)) == ({}, 0)
    assert hotel.rows(PARTS) == [["lost", 4_000]]
    match(hotel, None)
    assert differences(hotel) == set()
    assert_books_are_right(hotel)


@pytest.mark.req("REF-1", "GW-5")
@pytest.mark.parametrize("outcome", ["won", "lost"])
def test_a_refund_that_was_refused_because_a_bank_asks_waits_for_what_is_decided(
    hotel: Hotel, outcome: str
) -> None:
    """Nobody has told of the claim when our 40.00 are refused; the folio is open again by then, and
    they are not put on it. Under the id that was refused nobody asks again."""
    folio, payment = came(hotel)
    reopened(hotel, folio)
    sandbox(hotel).dispute("dp_1", payment, a_dollar(4_000))
    let_it_go(hotel)
    assert returns(hotel) == [[4_000, "contested", None]]
    assert_books_are_right(hotel)

    sandbox(hotel).decide("dp_1", payment)
    claims(hotel, payment, outcome)
    let_it_go(hotel)

    assert returns(hotel) == [[4_000, "returned", None]]
    assert at_the_processor(hotel) == {"won": 4_000, "lost": 0}[outcome]
    assert dict(hotel.rows(HELD)) == {}
    assert hotel.get(f"/folios/{folio}").json["balance"] == usd(0)
    assert_books_are_right(hotel)


@pytest.mark.req("REF-1")
def test_what_was_made_before_the_bank_asked_is_heard_while_it_does(hotel: Hotel) -> None:
    """Our 40.00 were made, and the answer is under way; then the claim is heard. It has gone back,
    and what the bank takes besides is a loss."""
    _, payment = came(hotel)
    ours = refund_id(hotel)
    claims(hotel, payment, "needs_response")

    for _ in range(2):
        tell(hotel, refund_told(payment, ours, 4_000))

    assert (returns(hotel), hotel.rows(PARTS)) == (
        [[4_000, "returned", None]],
        [["made_after_all", 4_000]],
    )
    assert dict(hotel.rows(HELD)) == {"card_clearing": -4_000, "disputed_funds": 4_000}
    assert_books_are_right(hotel)
    claims(hotel, payment, "lost")
    assert dict(hotel.rows(HELD)) == {"card_clearing": -4_000, "dispute_losses": 4_000}
    assert_books_are_right(hotel)


@pytest.mark.req("REF-1", "WH-4")
def test_a_refund_that_fails_after_it_was_made_is_with_the_house_again(hotel: Hotel) -> None:
    """40.00 were made and come again; opened, the folio has them. A late word changes nothing."""
    folio, payment = came_late(hotel)
    let_it_go(hotel)
    ours = refund_id(hotel)

    tell(hotel, refund_told(payment, ours, 4_000, "failed", "refund.failed"))
    for status in ("succeeded", "failed"):
        tell(hotel, refund_told(payment, ours, 4_000, status))

    assert returns(hotel) == [[4_000, "failed", "lost_or_stolen_card"]]
    assert cards(hotel) == {"card_clearing": 4_000, "payments_to_return": -4_000}
    assert_books_are_right(hotel)
    reopened(hotel, folio)
    assert hotel.get(f"/folios/{folio}").json["balance"] == usd(-4_000)
    assert_books_are_right(hotel)


@pytest.mark.req("WH-4")
def test_what_was_given_back_there_and_comes_again_waits_for_a_person(hotel: Hotel) -> None:
    """15.00 of 40.00 there, and 25.00 refused: opened, the folio has 25.00; had the 15.00 failed
    before that, it would have 40.00."""
    folio, payment = came_late(hotel, processor="sandbox_declined_")
    tell(hotel, refunded_there(payment, "re_1", 1_500))
    let_it_go(hotel)
    assert cards(hotel) == {"card_clearing": 2_500, "payments_to_return": -2_500}

    for _ in range(2):
        tell(hotel, refunded_there(payment, "re_1", 1_500, "failed", "refund.failed"))

    assert returns(hotel) == [[4_000, "failed", "lost_or_stolen_card"]]
    assert cards(hotel) == {"card_clearing": 4_000, "payments_to_return": -4_000}
    assert_books_are_right(hotel)
    reopened(hotel, folio)
    assert hotel.get(f"/folios/{folio}").json["balance"] == usd(-4_000)
    assert_books_are_right(hotel)


ORDERS = list(permutations(("asks", "claim", "decision", "refund there")))


@pytest.mark.req("REF-1", "REC-1")
def test_by_no_order_of_what_is_heard_goes_more_back_than_came(hotel: Hotel) -> None:
    """15.00 went back there, a bank asks for the 25.00 that are left and loses; the job asks in
    between. In whatever order they are heard, 40.00 have gone back, by refunds, and nothing is
    held."""
    for order in ORDERS:
        _, payment = came(hotel)
        dispute, refund = f"dp_{payment}", f"re_{payment}"
        there = sandbox(hotel)
        there.refund_there(refund, payment, a_dollar(1_500))
        there.dispute(dispute, payment, a_dollar(2_500))
        heard: dict[str, Callable[[], None]] = {
            "asks": partial(let_it_go, hotel),
            "claim": partial(
                tell, hotel, disputed(payment, dispute, "needs_response", "created", cents=2_500)
            ),
            "decision": partial(
                tell, hotel, disputed(payment, dispute, "won", "closed", cents=2_500)
            ),
            "refund there": partial(tell, hotel, refunded_there(payment, refund, 1_500)),
        }
        for each in order:
            if each == "decision":
                there.decide(dispute, payment)
            heard[each]()
        let_it_go(hotel)

    assert {status for _, status, _ in returns(hotel)} == {"returned"}
    assert (dict(hotel.rows(HELD)), at_the_processor(hotel)) == ({}, 4_000 * len(ORDERS))
    match(hotel, None)
    assert differences(hotel) == set()
    assert_books_are_right(hotel)


@pytest.mark.req("CLO-4", "REC-1")
def test_the_rest_of_what_went_back_there_stands_on_its_folio(hotel: Hotel) -> None:
    """15.00 of 40.00 there, and 25.00 that could not go back are a payment of 25.00; of 40.00 at
    the processor, and it is no difference."""
    folio, payment = came_late(hotel, processor="sandbox_declined_")
    sandbox(hotel).capture(hotel.tenant_id, PropertyId(hotel.property_id), payment, a_dollar(4_000))
    sandbox(hotel).refund_there("re_1", payment, a_dollar(1_500))
    tell(hotel, refunded_there(payment, "re_1", 1_500))
    let_it_go(hotel)

    reopened(hotel, folio)

    assert hotel.get(f"/folios/{folio}").json["balance"] == usd(-2_500)
    assert cards(hotel) == {"card_clearing": 2_500}
    match(hotel, None)
    assert differences(hotel) == set()
    assert_books_are_right(hotel)


@pytest.mark.req("CLO-4")
def test_an_inquiry_that_becomes_a_claim_once_it_stands_on_its_folio_is_of_that_payment(
    hotel: Hotel,
) -> None:
    """A bank has asked about 40.00 before they were put on their folio: claimed and lost after
    that, they are a loss as of any payment there, and nothing goes back beside the folio."""
    folio, payment = came_late(hotel, processor="sandbox_declined_")
    tell(hotel, disputed(payment, "dp_1", "warning_needs_response", "created", cents=4_000))
    let_it_go(hotel)
    reopened(hotel, folio)

    claims(hotel, payment, "needs_response", "lost")

    assert returns(hotel) == [[4_000, "placed", "card_declined"]]
    assert dict(hotel.rows(HELD)) == {"dispute_losses": 4_000}
    assert hotel.rows(PARTS) == []
    assert hotel.get(f"/folios/{folio}").json["balance"] == usd(-4_000)
    assert_books_are_right(hotel)


@pytest.mark.req("CLO-4", "REF-1")
def test_a_refund_that_was_called_off_is_kept_for_a_person_once_it_stands_on_its_folio(
    hotel: Hotel,
) -> None:
    """The first 40.00 were called off for a claim, the second refused, and the folio has them: that
    the first were made all the same does not leave the books beside the folio."""
    folio, payment = came_late(hotel, processor="sandbox_declined_")
    first = refund_id(hotel)
    claims(hotel, payment, "needs_response", "won")
    let_it_go(hotel)
    reopened(hotel, folio)

    tell(hotel, refund_told(payment, first, 4_000), "refused")

    assert returns(hotel) == [[4_000, "placed", "card_declined"]]
    assert cards(hotel) == {"card_clearing": 4_000}
    assert_books_are_right(hotel)


@pytest.mark.req("REF-1")
def test_what_is_refused_for_a_claim_that_is_over_is_not_asked_for_for_ever(hotel: Hotel) -> None:
    """A bank has won 15.00, and the processor refuses the 25.00 for that to the end: after three
    refusals nothing more is promised, and opened, the folio has them."""
    folio, payment = came(hotel)
    sandbox(hotel).dispute("dp_1", payment, a_dollar(1_500))
    tell(hotel, disputed(payment, "dp_1", "lost", "closed", cents=1_500))

    for _ in range(5):
        let_it_go(hotel)

    assert returns(hotel) == [[4_000, "failed", "charge_disputed"]]
    assert hotel.rows("SELECT cardinality(refused) FROM {s}.returned_payments") == [[3]]
    assert cards(hotel) == {"card_clearing": 2_500, "payments_to_return": -2_500}
    assert_books_are_right(hotel)
    reopened(hotel, folio)
    assert hotel.get(f"/folios/{folio}").json["balance"] == usd(-2_500)
    assert_books_are_right(hotel)
