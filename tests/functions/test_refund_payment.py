"""Money goes back out of one payment, never more than is left of it, confirmed for exactly that."""

from functools import partial
from typing import Any
from uuid import uuid4

import pytest

from common.runtime.declaration import declaration_of
from functions.folios.refund_payment import refund_payment
from tests.depositing import move
from tests.hotel import Hotel, new_id, usd
from tests.proofs import assert_books_are_right, assert_refused, state, told, trail
from tests.refunding import SCOPE, ask, card_payment, context, refund, standing, wanted
from tests.till import Till
from tests.together import at_once

EUROS = {"amountMicro": 40_000_000, "currency": "EUR"}
REFUSALS: list[tuple[str, int, dict[str, Any]]] = [
    ("FOLIO_UNKNOWN", 404, {}),
    ("PAYMENT_UNKNOWN", 404, {"paymentId": new_id("pay")}),
    ("FOLIO_CLOSED", 409, {}),
    ("CURRENCY_MISMATCH", 422, {"amount": {"amountMicro": 10_000, "currency": "EUR"}}),
    ("AMOUNT_NOT_POSITIVE", 422, {"amount": usd(0)}),
    ("AMOUNT_NOT_POSITIVE", 422, {"amount": usd(-1)}),
    ("AMOUNT_NOT_IN_MINOR_UNITS", 422, {"amount": {"amountMicro": 1, "currency": "USD"}}),
    ("REFUND_EXCEEDS_PAYMENT", 409, {"amount": usd(10_001)}),
    ("REFUND_OF_MOVED_MONEY", 409, {}),
    ("REFUND_REFERENCE_MISSING", 422, {"reference": None}),
    ("NO_OPEN_CASH_SESSION", 409, {}),
    ("MELMASTOON.GENERAL.VALIDATION_FAILED", 400, {"reason": ""}),
    ("PAN_DETECTED", 422, {"reason": "Card 4111 1111 1111 1111"}),
]


@pytest.fixture
def folio(hotel: Hotel) -> str:
    return hotel.open_folio()


@pytest.fixture
def payment(hotel: Hotel, folio: str) -> str:
    """A transfer of 100.00, as a deposit."""
    return hotel.paid(folio, usd(10_000), allowCredit=True)


def balance(hotel: Hotel, folio: str) -> Any:
    return hotel.get(f"/folios/{folio}").json["balance"]


@pytest.mark.req("REF-1", "MON-6")
def test_gives_back_a_part_of_a_payment_by_hand(hotel: Hotel, folio: str, payment: str) -> None:
    """A deposit of 100.00 less 40.00: the guest has 60.00 left."""
    answer = refund(hotel, folio, payment, usd(4_000))

    assert answer.status_code == 201, answer.text
    assert answer.json["balance"] == usd(-6_000)
    shown = answer.json["refund"]
    assert (shown["status"], shown["amount"], shown["worth"]) == (
        "succeeded",
        usd(4_000),
        usd(4_000),
    )
    (line,) = answer.json["lines"]
    assert (line["type"], line["kind"], line["corrects"]) == ("refund", "bank_transfer", payment)
    entries = hotel.rows(
        "SELECT debit_account, credit_account, amount_micro FROM {s}.ledger_entries"
        " WHERE source = :id ORDER BY part",
        id=shown["refundId"],
    )
    assert entries == [
        ["guest_ledger", "bank_clearing", 40_000_000],
        ["guest_deposits", "guest_ledger", 40_000_000],
    ]
    assert hotel.get(f"/folios/{folio}").json["refunds"] == [shown]
    assert_books_are_right(hotel)


@pytest.mark.req("REF-1", "PAY-2", "CASH-2")
def test_takes_cash_out_of_the_drawer_that_the_caller_has_open(hotel: Hotel) -> None:
    """100.00 of float, 30.00 paid, 12.00 back: 118.00."""
    till, folio = Till.opened(hotel, usd(10_000)), hotel.open_folio()
    payment = till.pay(usd(3_000), folio).json["lines"][0]["lineId"]

    answer = refund(hotel, folio, payment, usd(1_200), by="karim", reference=None)

    assert answer.status_code == 201, answer.text
    assert answer.json["refund"]["status"] == "succeeded"
    assert till.account() == {"USD": 11_800}
    assert hotel.rows("SELECT cash_session_id FROM {s}.refunds") == [[till.session]]
    till.initiate(usd(11_800))
    assert till.close(usd(11_800)).json["result"] == "balanced"
    assert_books_are_right(hotel)


@pytest.mark.req("REF-1", "PAY-2")
def test_takes_cash_out_of_the_drawer_that_is_named(hotel: Hotel) -> None:
    """Paid into one drawer, given back out of another one."""
    till, other = Till.opened(hotel, usd(10_000)), Till.opened(hotel, usd(5_000), by="laila")
    folio = hotel.open_folio()
    payment = till.pay(usd(3_000), folio).json["lines"][0]["lineId"]

    answer = refund(hotel, folio, payment, usd(3_000), cashSessionId=other.session)

    assert answer.status_code == 201, answer.text
    assert (till.account(), other.account()) == ({"USD": 13_000}, {"USD": 2_000})
    assert_books_are_right(hotel)


@pytest.mark.req("CASH-3", "REF-1")
def test_gives_more_cash_than_there_should_be_as_a_refusal_would_tell(hotel: Hotel) -> None:
    """100.00 go to the safe; 30.00 are refunded out of a drawer that should hold 5.00."""
    till, other = Till.opened(hotel, usd(10_000)), Till.opened(hotel, usd(500), by="laila")
    folio = hotel.open_folio()
    payment = till.pay(usd(3_000), folio).json["lines"][0]["lineId"]

    answer = refund(hotel, folio, payment, usd(3_000), cashSessionId=other.session)

    assert answer.status_code == 201, answer.text
    assert other.account() == {"USD": -2_500}
    assert_books_are_right(hotel)


@pytest.mark.req("REF-1", "MON-5")
def test_a_foreign_payment_goes_back_in_its_currency_for_what_it_was_worth(
    hotel: Hotel, folio: str
) -> None:
    """40.00 EUR at 1.10 were 44.00 USD: 15.00 EUR are 16.50, the 25.00 left 27.50."""
    payment = hotel.paid(folio, EUROS, allowCredit=True)

    first = refund(hotel, folio, payment, {"amountMicro": 15_000_000, "currency": "EUR"})
    second = refund(hotel, folio, payment, {"amountMicro": 25_000_000, "currency": "EUR"})

    assert [each.json["refund"]["worth"] for each in (first, second)] == [usd(1_650), usd(2_750)]
    assert second.json["balance"] == usd(0)
    cleared = hotel.rows(
        "SELECT currency, sum(CASE debit_account WHEN 'fx_clearing' THEN amount_micro"
        " ELSE -amount_micro END)::bigint FROM {s}.ledger_entries"
        " WHERE 'fx_clearing' IN (debit_account, credit_account) GROUP BY 1 ORDER BY 1"
    )
    assert cleared == [["EUR", 0], ["USD", 0]]
    assert_books_are_right(hotel)


@pytest.mark.req("PAY-4", "REF-1", "CLO-1")
def test_a_folio_in_credit_closes_once_it_is_refunded(hotel: Hotel, folio: str) -> None:
    """A night of 100.00 and 10 %, 150.00 paid: 40.00 go back, and the invoice says so."""
    hotel.charged(folio)
    payment = hotel.paid(folio, usd(15_000), allowCredit=True)
    assert_refused(hotel.post(f"/folios/{folio}/close"), 409, "BALANCE_DUE")

    refund(hotel, folio, payment, usd(4_000))
    closed = hotel.post(f"/folios/{folio}/close")

    assert closed.status_code == 200, closed.text
    settlement = closed.json["settlement"]
    assert (settlement["charges"], settlement["payments"]) == (usd(11_000), usd(11_000))
    payload = hotel.get(f"/invoices/{closed.json['invoiceId']}").json["payload"]
    assert [row["amountMicro"] for row in payload["payments"]] == [150_000_000, -40_000_000]
    assert payload["totals"]["paidMicro"] == 110_000_000
    assert hotel.render(closed.json["invoiceId"]).status_code == 204
    assert hotel.rows("SELECT count(*) FROM {s}.invoice_renditions") == [[1]]
    assert_books_are_right(hotel)


@pytest.mark.req("REF-1", "API-3", "SEC-6")
@pytest.mark.parametrize(("code", "status", "more"), REFUSALS)
def test_refuses_and_changes_nothing(
    hotel: Hotel, folio: str, payment: str, code: str, status: int, more: dict[str, Any]
) -> None:
    match code:
        case "FOLIO_UNKNOWN":
            folio = new_id("fol")
        case "FOLIO_CLOSED":
            hotel.charged(folio, cents=9_091)  # 90.91 and 9.09
            assert hotel.post(f"/folios/{folio}/close").status_code == 200
        case "REFUND_OF_MOVED_MONEY":
            assert move(hotel, folio, hotel.open_folio(), 10_000).status_code == 201
        case "NO_OPEN_CASH_SESSION":
            till = Till.opened(hotel, usd(100))
            payment = till.pay(usd(100), folio).json["lines"][0]["lineId"]
    before = state(hotel)

    answer = ask(hotel, folio, wanted(payment, **{"amount": usd(100), **more}))

    assert_refused(answer, status, code)
    assert state(hotel) == before


@pytest.mark.req("API-3")
def test_every_refusal_that_is_declared_is_tried() -> None:
    declared = {refusal.code for refusal in declaration_of(refund_payment).refusals}

    # domain/test_company_account.py, functions/credits/test_credits_pay_folios.py and
    # functions/receivables/test_write_offs_taken_back.py
    elsewhere = {"COMPANY_ACCOUNT_NOT_ACTIVE", "CREDITS_OUT_OF_RANGE", "INVOICE_WRITTEN_OFF"}
    assert declared <= {code for code, _, _ in REFUSALS} | elsewhere


@pytest.mark.req("REF-1")
def test_says_what_is_left_of_the_payment(hotel: Hotel, folio: str, payment: str) -> None:
    """100.00 less 60.00."""
    refund(hotel, folio, payment, usd(6_000))

    answer = refund(hotel, folio, payment, usd(4_001))

    assert_refused(answer, 409, "REFUND_EXCEEDS_PAYMENT")
    assert (answer.json["leftMicro"], answer.json["currency"]) == (40_000_000, "USD")


@pytest.mark.req("SEC-3", "REF-1")
def test_another_folios_payment_is_unknown(hotel: Hotel, payment: str) -> None:
    assert_refused(refund(hotel, hotel.open_folio(), payment, usd(1)), 404, "PAYMENT_UNKNOWN")


@pytest.mark.req("SEC-4", "REF-1")
@pytest.mark.parametrize(
    "changed", ["amount", "currency", "paymentId", "id", "folio", "tenant", "nothing"]
)
def test_is_confirmed_for_exactly_this_refund(
    hotel: Hotel, folio: str, payment: str, changed: str
) -> None:
    """Whoever confirmed another amount, payment, refund, folio or tenant has not confirmed this."""
    body = wanted(payment, usd(100))
    confirmed, where, place = {**body}, folio, hotel
    match changed:
        case "amount":
            confirmed["amount"] = usd(101)
        case "currency":
            confirmed["amount"] = {**usd(100), "currency": "EUR"}
        case "paymentId":
            confirmed["paymentId"] = new_id("pay")
        case "id":
            confirmed["id"] = new_id("rfd")
        case "folio":
            where = new_id("fol")
        case "tenant":
            place = hotel.house.new_hotel()
    token = hotel.confirmation("amina", SCOPE, context(place, where, confirmed))
    before = state(hotel)

    answer = ask(hotel, folio, {**body, "stepUpToken": token}, by="amina")

    if changed == "nothing":
        assert answer.status_code == 201
    else:
        assert_refused(answer, 403, "MELMASTOON.IAM.STEP_UP_CONTEXT")
        assert state(hotel) == before


@pytest.mark.req("SEC-4", "REF-1")
def test_one_confirmation_gives_money_back_once(hotel: Hotel, folio: str, payment: str) -> None:
    body = wanted(payment, usd(100))
    body["stepUpToken"] = hotel.confirmation("amina", SCOPE, context(hotel, folio, body))
    assert ask(hotel, folio, body, by="amina").status_code == 201

    again = ask(hotel, folio, {**body, "id": new_id("rfd")}, by="amina")
    assert_refused(again, 403, "MELMASTOON.IAM.STEP_UP_CONTEXT")

    assert hotel.rows("SELECT confirmed_by, step_up_method FROM {s}.refunds") == [["amina", "totp"]]
    (entry,) = trail(hotel, "refund.recorded")
    ((token_id, proof),) = hotel.rows("SELECT step_up_token_id, assertion_hash FROM {s}.refunds")
    assert (entry["step_up_token_id"], entry["assertion_hash"]) == (token_id, proof)
    assert (entry["actor"], entry["reason"]) == ("amina", "The guest left early")


@pytest.mark.req("API-4", "API-9", "REF-1")
def test_answers_a_retry_with_the_first_answer_and_one_effect(
    hotel: Hotel, folio: str, payment: str
) -> None:
    body, key = wanted(payment, usd(100)), str(uuid4())
    first = ask(hotel, folio, body, by="amina", key=key)
    after = state(hotel)

    again = ask(hotel, folio, body, by="amina", key=key)
    by_its_id = ask(hotel, folio, body, by="amina")
    other = ask(hotel, folio, {**body, "amount": usd(101)}, by="amina")

    assert first.status_code == 201
    assert (again.status_code, again.data) == (201, first.data)
    assert (by_its_id.status_code, by_its_id.data) == (201, first.data)
    assert_refused(other, 409, "MELMASTOON.GENERAL.ID_CONFLICT")
    assert state(hotel) == after


@pytest.mark.req("REF-1")
@pytest.mark.parametrize("method", ["bank_transfer", "card"])
def test_sixty_and_sixty_of_a_hundred_are_one_refund(hotel: Hotel, folio: str, method: str) -> None:
    by_card = method == "card"
    payment = (
        card_payment(hotel, folio, usd(10_000))
        if by_card
        else hotel.paid(folio, usd(10_000), allowCredit=True)
    )

    answers = at_once([partial(refund, hotel, folio, payment, usd(6_000)) for _ in range(2)])

    assert sorted(answer.status_code for answer in answers) == [201, 409]
    assert balance(hotel, folio) == usd(-4_000)
    assert hotel.rows("SELECT refunded_micro, refunded_paid_micro FROM {s}.payments") == [
        [60_000_000, 60_000_000]
    ]
    assert_books_are_right(hotel)


@pytest.mark.req("REF-1")
def test_ten_at_once_never_give_back_more_than_was_paid(
    hotel: Hotel, folio: str, payment: str
) -> None:
    """Ten times 30.00 of 100.00: three."""
    answers = at_once([partial(refund, hotel, folio, payment, usd(3_000)) for _ in range(10)])

    assert sorted(answer.status_code for answer in answers) == [201] * 3 + [409] * 7
    assert balance(hotel, folio) == usd(-1_000)
    assert_books_are_right(hotel)


@pytest.mark.req("EVT-1", "EVT-2", "AUD-1", "CASH-3")
def test_tells_what_was_given_back_and_not_out_of_which_drawer(hotel: Hotel) -> None:
    till, folio = Till.opened(hotel, usd(10_000)), hotel.open_folio()
    payment = till.pay(usd(3_000), folio).json["lines"][0]["lineId"]

    refund(hotel, folio, payment, usd(1_200), by="karim")

    assert told(hotel)[-1] == "refund.recorded"
    (event,) = hotel.events("refund.recorded")
    data = event["data"]
    assert (data["paid"], data["status"], data["method"]) == (usd(1_200), "succeeded", "cash")
    assert (data["paymentId"], data["balance"]) == (payment, usd(-1_800))
    assert till.session not in str(event)


@pytest.mark.req("SEC-2")
def test_needs_its_own_scope(hotel: Hotel, folio: str, payment: str) -> None:
    token = hotel.token("billing.folio.write", sub="amina")

    answer = ask(hotel, folio, wanted(payment, usd(1)), by="amina", token=token)

    assert_refused(answer, 403, "MELMASTOON.IAM.SCOPE_MISSING")
    assert standing(hotel) == []
