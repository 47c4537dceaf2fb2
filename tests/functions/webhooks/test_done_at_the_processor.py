"""Refunds and disputes of the processor's own have the effect that ours have, once (WH-5)."""

from concurrent.futures import ThreadPoolExecutor
from itertools import permutations
from typing import Any

import pytest

from tests.buying import bought, payment_of
from tests.hotel import Hotel, charge, usd
from tests.prepaying import balance, deduct, micro
from tests.proofs import assert_books_are_right, told
from tests.refunding import card_payment, refund, standing
from tests.reopening import reopened
from tests.webhooks import (
    Webhook,
    captured,
    charge_refunded,
    disputed,
    event,
    kept,
    paid_cents,
    refunded_there,
)

Figures = dict[str, int]


def processors_id(hotel: Hotel, payment: str) -> str:
    """What the processor calls a payment of ours."""
    found = hotel.rows("SELECT processor_payment_id FROM {s}.payments WHERE id = :id", id=payment)
    identifier: str = found[0][0]
    return identifier


def paid_by_card(hotel: Hotel, cents: int = 5_000) -> tuple[str, str]:
    """A folio in credit by so much of a card: the folio, and the processor's payment."""
    folio = hotel.open_folio()
    return folio, processors_id(hotel, card_payment(hotel, folio, usd(cents)))


def closed_folio(hotel: Hotel) -> tuple[str, str]:
    """A room of 100.00 and its tax of 10.00, paid by card and closed."""
    folio = hotel.open_folio()
    hotel.post(f"/folios/{folio}/charges", charge("room", 10_000))
    payment = processors_id(hotel, card_payment(hotel, folio, usd(11_000)))
    answer = hotel.post(f"/folios/{folio}/close", {})
    assert answer.status_code == 200, answer.text
    return folio, payment


def ledger(hotel: Hotel) -> Figures:
    """What each account of the processor's holds, in cents: debits less credits."""
    rows = hotel.rows(
        "SELECT account, (sum(micro) / 10000)::bigint FROM ("
        " SELECT debit_account AS account, amount_micro AS micro FROM {s}.ledger_entries"
        " UNION ALL SELECT credit_account, -amount_micro FROM {s}.ledger_entries) AS sides"
        " WHERE account IN ('card_clearing', 'disputed_funds', 'dispute_losses', 'dispute_fees',"
        " 'refunds_to_settle') GROUP BY account HAVING sum(micro) <> 0"
    )
    return dict(rows)


def tell(hotel: Hotel, sent: dict[str, Any], outcome: str = "applied") -> None:
    answer = Webhook(hotel).send(sent)
    assert (answer.status_code, answer.json["outcome"]) == (200, outcome), answer.text


@pytest.mark.req("WH-5", "WH-4")
@pytest.mark.parametrize("kind", ["refund.created", "refund.updated", "charge.refund.updated"])
def test_a_refund_that_was_made_there_is_a_refund_of_its_folio(hotel: Hotel, kind: str) -> None:
    """50.00 were paid and 30.00 went back at the dashboard: 20.00 are left, here and there."""
    folio, payment = paid_by_card(hotel)

    tell(hotel, refunded_there(payment, "re_1", 3_000, kind=kind))

    (shown,) = hotel.get(f"/folios/{folio}").json["refunds"]
    assert (shown["source"], shown["status"], shown["amount"]) == (
        "processor",
        "succeeded",
        usd(3_000),
    )
    assert paid_cents(hotel, folio) == 2_000
    assert ledger(hotel) == {"card_clearing": 2_000}
    assert told(hotel)[-1] == "refund.recorded"
    assert_books_are_right(hotel)


@pytest.mark.req("WH-5", "WH-2")
def test_it_is_recorded_once_however_often_and_by_whatever_event_it_is_told(hotel: Hotel) -> None:
    folio, payment = paid_by_card(hotel)

    for sent in (
        refunded_there(payment, "re_1", 3_000, "pending"),
        charge_refunded(payment, "re_1", 3_000),
        refunded_there(payment, "re_1", 3_000, kind="refund.created"),
        refunded_there(payment, "re_1", 3_000),
        charge_refunded(payment, None, 3_000),
    ):
        tell(hotel, sent)

    assert [status for _, status in standing(hotel)] == ["succeeded"]
    assert paid_cents(hotel, folio) == 2_000
    assert_books_are_right(hotel)


@pytest.mark.req("WH-4", "WH-5")
@pytest.mark.req("WH-5", "WH-2")
def test_five_events_of_one_refund_at_once_record_it_once(hotel: Hotel) -> None:
    folio, payment = paid_by_card(hotel)

    with ThreadPoolExecutor(5) as pool:
        answers = list(
            pool.map(
                lambda _: Webhook(hotel).send(refunded_there(payment, "re_1", 3_000)), range(5)
            )
        )

    assert {each.json["outcome"] for each in answers} == {"applied"}
    assert len(standing(hotel)) == 1
    assert paid_cents(hotel, folio) == 2_000
    assert_books_are_right(hotel)


@pytest.mark.req("WH-5", "REF-1")
def test_more_than_is_left_beside_ours_is_refused_and_kept(hotel: Hotel) -> None:
    """30.00 of 50.00 are given back by us; that 30.00 went back there as well, a person looks."""
    folio = hotel.open_folio()
    payment = card_payment(hotel, folio, usd(5_000))
    assert refund(hotel, folio, payment, usd(3_000)).status_code == 201

    tell(hotel, refunded_there(processors_id(hotel, payment), "re_1", 3_000), "refused")

    assert len(standing(hotel)) == 1
    assert paid_cents(hotel, folio) == 2_000
    assert kept(hotel)[-1] == ["refund.updated", ["refused"]]
    assert_books_are_right(hotel)


@pytest.mark.req("WH-5")
@pytest.mark.parametrize("cents", [0, -1])
def test_nothing_and_an_unknown_payment_are_refused(hotel: Hotel, cents: int) -> None:
    _, payment = paid_by_card(hotel)
    sent = refunded_there(payment if cents == 0 else "pi_none", "re_1", max(cents, 0) or 0)
    sent["data"]["object"]["metadata"] = {"tenantId": str(hotel.tenant_id)}

    tell(hotel, sent, "refused")

    assert standing(hotel) == []


@pytest.mark.req("WH-5", "CLO-4")
def test_of_a_closed_folio_it_waits_beside_it_until_that_is_opened_again(hotel: Hotel) -> None:
    """110.00 were paid and 30.00 went back after the close: the books know at once, the folio when
    a person opens it; then 30.00 are owed on it."""
    folio, payment = closed_folio(hotel)

    tell(hotel, refunded_there(payment, "re_1", 3_000))
    tell(hotel, refunded_there(payment, "re_1", 3_000, kind="refund.created"))

    assert ledger(hotel) == {"card_clearing": 8_000, "refunds_to_settle": 3_000}
    assert standing(hotel) == []
    assert told(hotel)[-1] == "late_refund.recorded"
    assert_books_are_right(hotel)

    reopened(hotel, folio)

    assert ledger(hotel) == {"card_clearing": 8_000}
    assert [status for _, status in standing(hotel)] == ["succeeded"]
    assert hotel.get(f"/folios/{folio}").json["balance"] == usd(3_000)
    tell(hotel, refunded_there(payment, "re_1", 3_000))
    assert len(standing(hotel)) == 1
    assert_books_are_right(hotel)


@pytest.mark.req("WH-5")
@pytest.mark.parametrize(
    ("outcome", "holds"),
    [
        ("won", {"card_clearing": 4_850, "dispute_fees": 150}),
        ("lost", {"card_clearing": -150, "dispute_fees": 150, "dispute_losses": 5_000}),
    ],
)
def test_a_dispute_is_withheld_and_then_returned_or_written_off(
    hotel: Hotel, outcome: str, holds: Figures
) -> None:
    """50.00 are withheld and 1.50 charged; what is won comes back, without the fee."""
    folio, payment = paid_by_card(hotel)

    tell(hotel, disputed(payment, "dp_1", "needs_response", "created", fee=150))
    assert ledger(hotel) == {"disputed_funds": 5_000, "card_clearing": -150, "dispute_fees": 150}
    tell(hotel, disputed(payment, "dp_1", "under_review", fee=150))
    tell(hotel, disputed(payment, "dp_1", outcome, "closed", fee=150))

    assert ledger(hotel) == holds
    assert [each["data"]["disputeId"] for each in hotel.events("payment.disputed")] == [
        hotel.events("dispute.recorded")[0]["data"]["disputeId"]
    ]
    assert paid_cents(hotel, folio) == 5_000
    assert_books_are_right(hotel)


@pytest.mark.req("WH-5", "WH-4")
def test_events_of_a_dispute_in_any_order_come_to_the_same_books(hotel: Hotel) -> None:
    """Six orders of three events over six payments of 50.00, all won; the fee is told and returned
    with the last: nothing is missing in the end."""
    states = (("needs_response", 150), ("under_review", 150), ("won", 0))
    for place, story in enumerate(permutations(states)):
        _, payment = paid_by_card(hotel)
        for status, fee in story:
            tell(hotel, disputed(payment, f"dp_{place}", status, fee=fee))

    assert ledger(hotel) == {"card_clearing": 30_000}
    assert_books_are_right(hotel)


@pytest.mark.req("WH-5", "WH-4")
def test_a_fee_that_is_told_after_the_decision_is_all_that_it_books(hotel: Hotel) -> None:
    """50.00 are lost before anybody tells the 1.50 of it."""
    _, payment = paid_by_card(hotel)

    tell(hotel, disputed(payment, "dp_1", "lost", "closed"))
    tell(hotel, disputed(payment, "dp_1", "lost", fee=150))

    assert ledger(hotel) == {"card_clearing": -150, "dispute_fees": 150, "dispute_losses": 5_000}
    assert_books_are_right(hotel)


@pytest.mark.req("WH-5")
def test_an_inquiry_moves_no_money(hotel: Hotel) -> None:
    _, payment = paid_by_card(hotel)

    tell(hotel, disputed(payment, "dp_1", "warning_needs_response", "created"))
    tell(hotel, disputed(payment, "dp_1", "warning_closed", "closed"))

    assert ledger(hotel) == {"card_clearing": 5_000}
    assert hotel.events("payment.disputed") == []
    assert_books_are_right(hotel)


@pytest.mark.req("WH-5", "CRD-5", "BEY-7")
def test_credits_go_with_a_dispute_and_come_back_when_it_is_won(hotel: Hotel) -> None:
    """1,000 credits for 10.00, 300 of them spent: taken, 700 and a debt of 300; won, 700 again."""
    payment = payment_of(bought(hotel, 1_000))
    deduct(hotel, 300)
    claim = disputed(payment, "dp_1", "needs_response", "created", cents=1_000)
    won = disputed(payment, "dp_1", "won", "closed", cents=1_000)
    late = disputed(payment, "dp_1", "under_review", cents=1_000)

    tell(hotel, claim)
    taken = balance(hotel)
    assert (taken["availableMicro"], taken["debtMicro"]) == (0, micro(300))
    tell(hotel, won)
    tell(hotel, late)

    given = balance(hotel)
    assert (given["availableMicro"], given["debtMicro"]) == (micro(700), 0)
    assert len(hotel.events("payment.disputed")) == 1
    assert ledger(hotel) == {}
    assert_books_are_right(hotel)


@pytest.mark.req("WH-4", "AI-1")
def test_a_fraud_warning_is_a_signal_about_its_payment(hotel: Hotel) -> None:
    folio, payment = paid_by_card(hotel)
    warning = {
        "id": "issfr_1",
        "object": "radar.early_fraud_warning",
        "actionable": True,
        "charge": "ch_1",
        "fraud_type": "made_with_stolen_card",
        "payment_intent": payment,
    }

    for kind in ("created", "updated"):
        tell(hotel, event(f"radar.early_fraud_warning.{kind}", warning))

    (signal,) = hotel.get("/ai-signals", token=hotel.token("billing.ai.review")).json["items"]
    assert (signal["pattern"], signal["source"]) == ("early_fraud_warning", "processor")
    assert paid_cents(hotel, folio) == 5_000
    assert captured(hotel, folio, 1)["type"] == "payment_intent.succeeded"
