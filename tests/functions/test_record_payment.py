"""Recording a payment: what was handed over, and what it counts for on the folio."""

from functools import partial
from typing import Any

import pytest

from common.runtime.declaration import declaration_of
from functions.folios.record_payment import record_payment
from tests.hotel import Hotel, new_id, usd
from tests.proofs import (
    assert_answers_once,
    assert_books_are_right,
    assert_nothing_personal,
    assert_refused,
    state,
    told,
    trail,
)
from tests.together import at_once

TRANSFER = {"method": "bank_transfer", "amount": usd(1_000)}
CARD = {"method": "card", "amount": usd(1_000), "paymentId": "pp-1"}
REFUSALS: list[tuple[str, int, dict[str, Any]]] = [
    ("AMOUNT_NOT_POSITIVE", 422, {**TRANSFER, "amount": usd(0)}),
    ("AMOUNT_NOT_POSITIVE", 422, {**TRANSFER, "amount": usd(-1)}),
    ("AMOUNT_NOT_IN_MINOR_UNITS", 422, {**TRANSFER, "amount": {**usd(1), "amountMicro": 1}}),
    ("OVERPAYMENT", 422, {**TRANSFER, "amount": usd(11_001)}),
    ("FX_RATE_MISSING", 422, {**TRANSFER, "amount": {**usd(1_000), "currency": "GBP"}}),
    ("NO_OPEN_CASH_SESSION", 409, {**TRANSFER, "method": "cash"}),
    ("PROCESSOR_PAYMENT_MISSING", 422, {**TRANSFER, "method": "card"}),
    ("COMPANY_ACCOUNT_MISSING", 422, {**TRANSFER, "method": "city_ledger"}),
    ("CREDIT_ACCOUNT_MISSING", 422, {**TRANSFER, "method": "credits"}),
    ("PAYMENT_ALREADY_RECORDED", 409, CARD),
    ("FOLIO_UNKNOWN", 404, TRANSFER),
    ("FOLIO_CLOSED", 409, TRANSFER),
]

OF_COMPANIES = {
    "COMPANY_ACCOUNT_UNKNOWN",
    "COMPANY_ACCOUNT_NOT_ACTIVE",
    "CURRENCY_MISMATCH",
    "CREDIT_LIMIT_EXCEEDED",
}
"""Tried in receivables/test_settling_folios.py."""
OF_CREDITS = {"CREDIT_ACCOUNT_UNKNOWN", "CREDIT_SPENDING_FORBIDDEN", "INSUFFICIENT_CREDITS"}
"""Tried in credits/test_credits_pay_folios.py."""


def _owing(hotel: Hotel, cents: int = 10_000) -> str:
    """A folio that owes a charge and its 10 %."""
    folio = hotel.open_folio()
    hotel.charged(folio, cents=cents)
    return folio


@pytest.mark.req("PAY-1", "FOL-4")
@pytest.mark.parametrize(
    ("method", "account"),
    [
        ("card", "card_clearing"),
        ("bank_transfer", "bank_clearing"),
        ("mobile_money", "mobile_money_clearing"),
        ("voucher", "voucher_liability"),
    ],
)
def test_takes_a_payment_off_the_balance(hotel: Hotel, method: str, account: str) -> None:
    """110.00 owed, 60.00 paid: 50.00."""
    folio = _owing(hotel)
    body = {"method": method, "amount": usd(6_000), "paymentId": "pp-1", "reference": "Slip 9"}

    answer = hotel.post(f"/folios/{folio}/payments", body)

    assert answer.status_code == 201, answer.text
    (line,) = answer.json["lines"]
    assert (line["type"], line["kind"], line["amount"]) == ("payment", method, usd(-6_000))
    assert answer.json["balance"] == usd(5_000)
    assert hotel.rows(
        "SELECT debit_account, credit_account, amount_micro FROM {s}.ledger_entries"
        " WHERE source = :line",
        line=line["lineId"],
    ) == [[account, "guest_ledger", 60_000_000]]
    assert_books_are_right(hotel)


@pytest.mark.req("PAY-1", "MON-4", "MON-5", "MON-6")
def test_keeps_both_amounts_of_a_foreign_payment(hotel: Hotel) -> None:
    """33.33 EUR at 1.10 are 36.663 USD: 36.66."""
    folio = _owing(hotel)
    body = {**TRANSFER, "amount": {"amountMicro": 33_330_000, "currency": "EUR"}}

    answer = hotel.post(f"/folios/{folio}/payments", body)

    assert answer.json["balance"] == usd(11_000 - 3_666)
    row = hotel.rows(
        "SELECT paid_amount_micro, paid_currency, amount_micro, currency, fx->>'rate'"
        " FROM {s}.payments"
    )
    assert row == [[33_330_000, "EUR", 36_660_000, "USD", "1.10"]]
    entries = hotel.rows(
        "SELECT debit_account, credit_account, amount_micro, currency FROM {s}.ledger_entries"
        " WHERE source LIKE 'pay%' ORDER BY part"
    )
    assert entries == [
        ["bank_clearing", "fx_clearing", 33_330_000, "EUR"],
        ["fx_clearing", "guest_ledger", 36_660_000, "USD"],
    ]
    data = hotel.events("payment.recorded")[0]["data"]
    assert (data["paid"]["currency"], data["amount"]) == ("EUR", usd(3_666))


@pytest.mark.req("PAY-3", "SEC-6")
def test_keeps_of_a_card_only_what_the_processor_calls_it(hotel: Hotel) -> None:
    folio = _owing(hotel)

    answer = hotel.post(f"/folios/{folio}/payments", {**CARD, "paymentMethodToken": "tok_secret_9"})

    assert answer.status_code == 201
    ((processor, digest),) = hotel.rows(
        "SELECT processor_payment_id, method_token_digest FROM {s}.payments"
    )
    assert processor == "pp-1"
    assert len(digest) == 64
    everything = str(
        [hotel.rows(f"SELECT * FROM {{s}}.{table}") for table in ("payments", "idempotency_keys")]
    )
    assert "tok_secret" not in everything
    assert_nothing_personal(hotel, "tok_secret")


@pytest.mark.req("PAY-4")
def test_takes_more_than_is_owed_as_a_deposit_only(hotel: Hotel) -> None:
    """A deposit of 50.00 on an empty folio; a folio in credit cannot close."""
    folio = hotel.open_folio()
    deposit = {**TRANSFER, "amount": usd(5_000)}

    refused = hotel.post(f"/folios/{folio}/payments", deposit)
    taken = hotel.post(f"/folios/{folio}/payments", {**deposit, "allowCredit": True})
    closing = hotel.post(f"/folios/{folio}/close")

    assert_refused(refused, 422, "OVERPAYMENT")
    assert taken.json["balance"] == usd(-5_000)
    assert_refused(closing, 409, "BALANCE_DUE")
    assert closing.json["balanceMicro"] == -50_000_000
    assert hotel.get(f"/folios/{folio}").json["balance"] == usd(-5_000)


@pytest.mark.req("PAY-1", "PAY-2", "PAY-4", "API-3")
@pytest.mark.parametrize(("code", "status", "body"), REFUSALS)
def test_refuses_and_changes_nothing(
    hotel: Hotel, code: str, status: int, body: dict[str, Any]
) -> None:
    folio = _owing(hotel)
    if code == "PAYMENT_ALREADY_RECORDED":
        assert hotel.post(f"/folios/{_owing(hotel)}/payments", CARD).status_code == 201
    if code == "FOLIO_CLOSED":
        folio, _ = hotel.closed_folio()
    before = state(hotel)

    asked = new_id("fol") if code == "FOLIO_UNKNOWN" else folio
    answer = hotel.post(f"/folios/{asked}/payments", body)

    assert_refused(answer, status, code)
    assert state(hotel) == before


@pytest.mark.req("API-3")
def test_every_refusal_that_is_declared_is_tried() -> None:
    """A payment that is under way needs a card: payments/test_one_collection.py tries that one."""
    declared = {refusal.code for refusal in declaration_of(record_payment).refusals}

    elsewhere = {"PAYMENT_UNDER_WAY"} | OF_COMPANIES | OF_CREDITS
    assert declared <= {code for code, _, _ in REFUSALS} | elsewhere


@pytest.mark.req("API-4")
def test_answers_a_retry_with_the_first_answer_and_one_effect(hotel: Hotel) -> None:
    path = f"/folios/{_owing(hotel)}/payments"

    assert_answers_once(hotel, path, TRANSFER, {**TRANSFER, "amount": usd(999)})


@pytest.mark.req("PAY-3")
def test_records_a_processors_payment_once_on_whatever_folio_it_is_tried(hotel: Hotel) -> None:
    folios = [_owing(hotel) for _ in range(4)]
    calls = [
        partial(hotel.post, f"/folios/{folio}/payments", CARD, token=hotel.token(sub=folio))
        for folio in folios
    ]

    answers = at_once(calls)

    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    assert hotel.rows("SELECT count(*) FROM {s}.payments") == [[1]]
    assert_books_are_right(hotel)


@pytest.mark.req("PAY-4", "FOL-4")
def test_never_takes_more_than_is_owed_when_many_pay_at_once(hotel: Hotel) -> None:
    """110.00 owed; of five times 30.00 three are taken: 20.00 are left."""
    folio = _owing(hotel)
    body = {**TRANSFER, "amount": usd(3_000)}

    answers = at_once(
        [
            partial(hotel.post, f"/folios/{folio}/payments", body, token=hotel.token(sub=f"c{n}"))
            for n in range(5)
        ]
    )

    assert sorted(answer.status_code for answer in answers) == [201, 201, 201, 422, 422]
    assert hotel.get(f"/folios/{folio}").json["balance"] == usd(2_000)
    assert_books_are_right(hotel)


@pytest.mark.req("SEC-7")
def test_takes_ten_payments_a_minute_from_one_clerk(hotel: Hotel) -> None:
    """The eleventh waits, and says until when; a colleague goes on."""
    path = f"/folios/{_owing(hotel)}/payments"
    body = {**TRANSFER, "amount": usd(1)}

    answers = [hotel.post(path, body) for _ in range(21)]

    refused = [answer for answer in answers if answer.status_code != 201]
    assert refused, "more than ten a minute were taken, or more than twenty in two minutes"
    assert len(answers) - len(refused) in range(10, 21)
    assert_refused(refused[0], 429, "MELMASTOON.GENERAL.RATE_LIMITED")
    assert int(refused[0].headers["Retry-After"]) > 0
    assert hotel.post(path, body, token=hotel.token(sub="colleague")).status_code == 201


@pytest.mark.req("EVT-1", "AUD-1")
def test_tells_what_was_paid(hotel: Hotel) -> None:
    folio = _owing(hotel)

    hotel.post(
        f"/folios/{folio}/payments",
        {**TRANSFER, "reference": "From Zarmina"},
        token=hotel.token(sub="laila", auth_strength="mfa"),
    )

    assert told(hotel) == ["folio.opened", "charge.posted", "payment.recorded"]
    data = hotel.events("payment.recorded")[0]["data"]
    assert (data["method"], data["paid"], data["amount"]) == (
        "bank_transfer", usd(1_000), usd(1_000),
    )  # fmt: skip
    (entry,) = trail(hotel, "payment.recorded")
    assert (entry["actor"], entry["auth_strength"]) == ("laila", "mfa")
    assert_books_are_right(hotel)
    assert_nothing_personal(hotel, "Zarmina")
