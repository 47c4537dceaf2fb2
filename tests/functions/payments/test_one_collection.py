"""One debt is collected once, over every rail; what comes late goes back by itself (BEY-4)."""

from typing import Any

import pytest
from werkzeug.test import TestResponse

from jobs.retry_refunds import retry_refunds
from jobs.settle_payments import settle_payments
from tests.hotel import Hotel, new_id, usd
from tests.owing import company
from tests.paying import acted, cancel, confirm, intents, pay, ready, run_job, shown
from tests.proofs import assert_books_are_right, assert_refused, state, told
from tests.till import Till
from tests.together import at_once

pytestmark = pytest.mark.req("BEY-4")

OVER = "UPDATE {s}.collection_leases SET taken_at = taken_at - interval '1 hour',"
OVER += " expires_at = expires_at - interval '1 hour'"
DUE = "UPDATE {s}.refund_queue SET next_attempt_at = now()"
REFUNDS = "SELECT paid_amount_micro / 10000, status, reason, confirmed_by FROM {s}.refunds"
REFUNDS += " LEFT JOIN {s}.refund_settlements ON refund_id = id ORDER BY id"
TOO_MUCH = "More than was owed when the money came"


@pytest.fixture
def folio(hotel: Hotel) -> str:
    """A folio that owes 110.00."""
    opened = hotel.open_folio()
    hotel.charged(opened)
    return opened


def waiting(hotel: Hotel, folio: str, cents: int = 11_000) -> str:
    """A payment of so much of the debt, which its guest is to confirm to the bank."""
    answer = pay(hotel, folio, usd(cents), "sandbox_3ds", owed=True)
    assert answer.json["status"] == "requires_action", answer.text
    intent: str = answer.json["paymentIntentId"]
    return intent


def record(hotel: Hotel, folio: str, cents: int, method: str, **more: Any) -> TestResponse:
    """What a clerk takes at the desk."""
    body = {"method": method, "amount": usd(cents), **more}
    return hotel.post(f"/folios/{folio}/payments", body)


def captured(hotel: Hotel, folio: str, cents: int, **more: Any) -> None:
    """What a terminal tells."""
    data = {"paymentId": f"pp-{new_id('pay')}", "folioId": folio, "amount": usd(cents), **more}
    assert hotel.deliver("on_payment_captured", data).status_code == 204
    assert hotel.letters() == []


def let_refunds_go(hotel: Hotel) -> None:
    hotel.rows(DUE)
    assert run_job(hotel, retry_refunds).failed == 0


def balance(hotel: Hotel, folio: str) -> int:
    """In cents."""
    found: int = hotel.get(f"/folios/{folio}").json["balance"]["amountMicro"]
    return found // 10_000


def test_nobody_else_takes_the_debt_while_the_processor_collects_it(
    hotel: Hotel, folio: str
) -> None:
    """Whoever tries hears which payment is under way, over how much, and until when."""
    till, account = Till.opened(hotel, usd(5_000)), company(hotel)
    intent, other = waiting(hotel, folio), ready(hotel, folio, usd(11_000), owed=True)
    ((until,),) = hotel.rows("SELECT expires_at FROM {s}.collection_leases")
    before = state(hotel)

    refused = [
        till.pay(usd(11_000), folio),
        till.pay(usd(11_100), folio, allowCredit=True),
        record(hotel, folio, 100, "voucher", reference="V-1"),
        record(hotel, folio, 11_000, "city_ledger", companyAccountId=account),
        confirm(hotel, *other),
        hotel.post(f"/folios/{folio}/close"),
    ]

    for each in refused:
        assert_refused(each, 409, "PAYMENT_UNDER_WAY")
        told_so = each.json["paymentIntentId"], each.json["amountMicro"], each.json["until"]
        assert told_so == (intent, 110_000_000, until.isoformat())
    assert state(hotel) == before


def test_what_is_owed_besides_may_be_paid(hotel: Hotel, folio: str) -> None:
    """60.00 of 110.00 are under way: 50.00 are free, and not a cent more."""
    waiting(hotel, folio, 6_000)

    assert_refused(record(hotel, folio, 5_001, "voucher", reference="V"), 409, "PAYMENT_UNDER_WAY")
    assert record(hotel, folio, 5_000, "voucher", reference="V").status_code == 201
    assert_refused(record(hotel, folio, 1, "voucher", reference="V"), 409, "PAYMENT_UNDER_WAY")


@pytest.mark.parametrize("confirms", [True, False])
def test_the_debt_is_free_once_the_payment_has_ended(
    hotel: Hotel, folio: str, confirms: bool
) -> None:
    intent = waiting(hotel, folio)
    acted(hotel, intent, confirms=confirms)
    confirm(hotel, intent)

    assert hotel.rows("SELECT * FROM {s}.collection_leases") == []
    answer = record(hotel, folio, 11_000, "bank_transfer")

    if confirms:
        assert_refused(answer, 422, "OVERPAYMENT")
    assert balance(hotel, folio) == 0
    assert hotel.post(f"/folios/{folio}/close").status_code == 200
    assert_books_are_right(hotel)


def test_nobody_waits_for_a_guest_for_ever_and_who_pays_late_gets_it_back(
    hotel: Hotel, folio: str
) -> None:
    """After a quarter of an hour 110.00 are taken in another way; the card's 110.00 go back."""
    intent = waiting(hotel, folio)
    hotel.rows(OVER)
    assert record(hotel, folio, 11_000, "bank_transfer").status_code == 201
    acted(hotel, intent)

    assert confirm(hotel, intent).json["status"] == "succeeded"

    assert hotel.rows(REFUNDS) == [[11_000, None, TOO_MUCH, None]]
    assert told(hotel)[-3:] == ["payment.recorded", "refund.recorded", "payment.succeeded"]
    let_refunds_go(hotel)
    assert hotel.rows(REFUNDS)[0][1] == "succeeded"
    assert (balance(hotel, folio), shown(hotel, intent)["status"]) == (0, "refunded")
    assert hotel.post(f"/folios/{folio}/close").status_code == 200
    assert_books_are_right(hotel)


def test_another_payment_takes_a_lease_that_is_over(hotel: Hotel, folio: str) -> None:
    """Both guests confirm then; the second one gets all of it back, whoever that is."""
    first = waiting(hotel, folio)
    hotel.rows(OVER)
    second = waiting(hotel, folio)
    for each in (second, first):
        acted(hotel, each)
    hotel.rows("UPDATE {s}.payment_intent_queue SET next_attempt_at = now()")

    assert run_job(hotel, settle_payments).failed == 0

    assert intents(hotel) == 2 * [["succeeded", True, False]]
    assert hotel.rows(REFUNDS) == [[11_000, None, TOO_MUCH, None]]
    let_refunds_go(hotel)
    assert balance(hotel, folio) == 0
    assert_books_are_right(hotel)


def test_what_a_terminal_has_captured_is_recorded_and_the_late_one_goes_back(
    hotel: Hotel, folio: str
) -> None:
    """80.00 at the terminal beside 110.00 under way: 30.00 of those were still owed."""
    intent = waiting(hotel, folio)

    captured(hotel, folio, 8_000)
    acted(hotel, intent)
    confirm(hotel, intent)

    assert hotel.rows(REFUNDS) == [[8_000, None, TOO_MUCH, None]]
    let_refunds_go(hotel)
    assert balance(hotel, folio) == 0
    assert_books_are_right(hotel)


def test_a_terminal_that_is_late_pays_back_what_others_have_paid(hotel: Hotel, folio: str) -> None:
    """110.00 are owed and 30.00 paid; of 120.00 at the terminal 80.00 are owed. 30.00 have been
    paid twice and go back, 10.00 nobody has paid: a deposit."""
    assert record(hotel, folio, 3_000, "bank_transfer").status_code == 201

    captured(hotel, folio, 12_000)

    assert hotel.rows(REFUNDS) == [[3_000, None, TOO_MUCH, None]]
    assert balance(hotel, folio) == -1_000
    assert_books_are_right(hotel)


def test_what_is_wanted_as_a_deposit_stays(hotel: Hotel, folio: str) -> None:
    """At the terminal, by a payment that may be more, and ahead of any charge."""
    assert record(hotel, folio, 11_000, "bank_transfer").status_code == 201
    captured(hotel, folio, 5_000, allowCredit=True)
    assert pay(hotel, folio, usd(2_000)).json["status"] == "succeeded"
    empty = hotel.open_folio()
    captured(hotel, empty, 4_000)
    captured(hotel, empty, 1_000)

    assert hotel.rows(REFUNDS) == []
    assert (balance(hotel, folio), balance(hotel, empty)) == (-7_000, -5_000)
    assert_books_are_right(hotel)


def test_what_is_no_longer_owed_is_not_asked_for(hotel: Hotel, folio: str) -> None:
    intent, method = ready(hotel, folio, usd(11_000), owed=True)
    assert record(hotel, folio, 1_000, "bank_transfer").status_code == 201

    refused = confirm(hotel, intent, method)

    assert_refused(refused, 422, "OVERPAYMENT")
    assert intents(hotel) == [["requires_payment_method", False, False]]


def test_a_foreign_payment_gives_back_its_own_currency(hotel: Hotel, folio: str) -> None:
    """100.00 EUR at 1.10 are the 110.00 that are owed. The terminal takes 54.99: 55.01 are left of
    the debt, and of the euros 49.99, which are worth 54.99. Those go back; nothing is left over."""
    customer_pays = {"amountMicro": 100_000_000, "currency": "EUR"}
    intent = pay(hotel, folio, customer_pays, "sandbox_3ds", owed=True).json["paymentIntentId"]
    captured(hotel, folio, 5_499)
    acted(hotel, intent)
    confirm(hotel, intent)

    assert hotel.rows(REFUNDS) == [[4_999, None, TOO_MUCH, None]]
    assert balance(hotel, folio) == 0
    assert_books_are_right(hotel)


def test_one_of_two_payments_that_are_confirmed_at_once_collects(hotel: Hotel, folio: str) -> None:
    both = [ready(hotel, folio, usd(11_000), "sandbox_3ds", owed=True) for _ in range(2)]

    answers = at_once([lambda each=each: confirm(hotel, *each) for each in both])  # type: ignore[misc]

    assert sorted(each.status_code for each in answers) == [200, 409]
    assert hotel.rows("SELECT count(*) FROM {s}.collection_leases") == [[1]]
    (taken,) = [each.json["paymentIntentId"] for each in answers if each.status_code == 200]
    assert cancel(hotel, taken).json["status"] == "canceled"
    assert_books_are_right(hotel)
