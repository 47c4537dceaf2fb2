"""Companies pay, and what they pay goes to their invoices: what is due first, or by hand."""

from functools import partial
from typing import Any
from uuid import uuid4

import pytest

from tests.hotel import Hotel, new_id, usd
from tests.owing import allocate, company, invoiced, pay, shares, shown, sums
from tests.proofs import assert_answers_once, assert_books_are_right, assert_refused, state, told
from tests.till import Till
from tests.together import at_once
from tests.trust.books import broken

pytestmark = pytest.mark.req("FOL-10")


@pytest.fixture
def account(hotel: Hotel) -> str:
    return company(hotel)


def open_of(hotel: Hotel, account: str) -> dict[str, int]:
    """What is open by each invoice, in cents."""
    items = shown(hotel, account)["items"]
    return {item["invoiceId"]: item["open"]["amountMicro"] // 10_000 for item in items}


def test_pays_what_is_due_first(hotel: Hotel, account: str) -> None:
    """110.00 due in ten days, 220.00 in thirty, 55.00 today: 100.00 pay 55.00 and 45.00."""
    terms = {"reason": "Agreed"}
    found = []
    for days, cents in ((10, 10_000), (30, 20_000), (0, 5_000)):
        changed = {**terms, "termsDays": days}
        hotel.call("PATCH", f"/company-accounts/{account}", changed)
        found.append(invoiced(hotel, account, cents)[1])

    answer = pay(hotel, account, usd(10_000))

    assert answer.status_code == 201, answer.text
    given = [(each["invoiceId"], each["amount"]) for each in answer.json["allocations"]]
    assert given == [(found[2], usd(5_500)), (found[0], usd(4_500))]
    assert open_of(hotel, account) == {found[0]: 6_500, found[1]: 22_000}
    assert (answer.json["balance"], answer.json["open"]) == (usd(28_500), usd(28_500))
    booked = hotel.rows(
        "SELECT debit_account, credit_account, amount_micro FROM {s}.ledger_entries"
        " WHERE source = :id",
        id=answer.json["receiptId"],
    )
    assert booked == [["bank_clearing", f"city_ledger:{account}", 100_000_000]]
    assert_books_are_right(hotel)
    assert broken(hotel) == []


def test_pays_what_is_named(hotel: Hotel, account: str) -> None:
    """110.00 and 220.00: 50.00 for the second by hand, 20.00 for the first, 30.00 are left over."""
    (_, first), (_, second) = (invoiced(hotel, account, cents) for cents in (10_000, 20_000))
    by_hand = shares((second, usd(5_000)), (first, usd(2_000)))

    answer = pay(hotel, account, usd(10_000), allocations=by_hand)

    assert answer.status_code == 201, answer.text
    assert open_of(hotel, account) == {first: 9_000, second: 17_000}
    assert sums(hotel, account) == (0, 26_000, 3_000)
    assert answer.json["balance"] == usd(23_000)
    assert broken(hotel) == []


def test_what_is_left_over_is_to_its_credit_and_allocated_later(hotel: Hotel, account: str) -> None:
    """150.00 paid before anything was due; an invoice of 110.00 takes its part of them."""
    pay(hotel, account, usd(15_000))
    _, invoice = invoiced(hotel, account, 10_000)
    assert sums(hotel, account) == (0, 11_000, 15_000)

    answer = allocate(hotel, account)

    assert answer.status_code == 201, answer.text
    (given,) = answer.json["allocations"]
    assert (given["invoiceId"], given["amount"]) == (invoice, usd(11_000))
    assert sums(hotel, account) == (0, 0, 4_000)
    (event,) = hotel.events("receivable.allocated")
    assert event["data"]["balance"] == usd(-4_000)
    assert broken(hotel) == []


def test_none_by_hand_leaves_all_of_it_to_the_credit(hotel: Hotel, account: str) -> None:
    invoiced(hotel, account, 10_000)

    assert pay(hotel, account, usd(1_000), allocations=[]).json["allocations"] == []
    assert sums(hotel, account) == (0, 11_000, 1_000)


def test_allocates_by_hand(hotel: Hotel, account: str) -> None:
    pay(hotel, account, usd(15_000))
    (_, first), (_, second) = (invoiced(hotel, account, 10_000) for _ in range(2))

    answer = allocate(hotel, account, (second, usd(4_000)), (first, usd(1_000)))

    assert answer.status_code == 201, answer.text
    assert open_of(hotel, account) == {first: 10_000, second: 7_000}
    assert sums(hotel, account) == (0, 17_000, 10_000)
    assert broken(hotel) == []


@pytest.mark.req("PAY-2", "CASH-2")
def test_cash_goes_into_the_drawer_that_the_caller_has_open(hotel: Hotel, account: str) -> None:
    """100.00 of float and 110.00 of a company; the drawer is counted and closed with both."""
    till = Till.opened(hotel, usd(10_000))
    invoiced(hotel, account, 10_000)

    token = hotel.token(sub="karim")
    answer = pay(hotel, account, usd(11_000), method="cash", token=token)

    assert answer.status_code == 201, answer.text
    assert till.account() == {"USD": 21_000}
    assert sums(hotel, account) == (0, 0, 0)
    till.initiate(usd(21_000))
    assert till.close(usd(21_000)).json["result"] == "balanced"
    assert broken(hotel) == []


@pytest.mark.req("PAY-3")
def test_a_card_payment_is_recorded_once(hotel: Hotel, account: str) -> None:
    """Not for two companies, and not for a company and a guest."""
    card = {"method": "card", "paymentId": "pi-1"}
    folio = hotel.open_folio()
    hotel.paid(folio, usd(100), method="card", paymentId="pi-2", allowCredit=True)

    assert pay(hotel, account, usd(100), **card).status_code == 201
    answer = pay(hotel, company(hotel), usd(100), **card)
    assert_refused(answer, 409, "PAYMENT_ALREADY_RECORDED")
    answer = pay(hotel, account, usd(100), method="card", paymentId="pi-2")
    assert_refused(answer, 409, "PAYMENT_ALREADY_RECORDED")
    assert broken(hotel) == []


REFUSALS: list[tuple[int, str, dict[str, Any]]] = [
    (422, "CURRENCY_MISMATCH", {"amount": {"amountMicro": 1_000_000, "currency": "EUR"}}),
    (422, "AMOUNT_NOT_POSITIVE", {"amount": usd(0)}),
    (422, "AMOUNT_NOT_POSITIVE", {"amount": usd(-1)}),
    (422, "AMOUNT_NOT_IN_MINOR_UNITS", {"amount": {"amountMicro": 1, "currency": "USD"}}),
    (409, "NO_OPEN_CASH_SESSION", {"method": "cash"}),
    (422, "PROCESSOR_PAYMENT_MISSING", {"method": "card"}),
    (400, "MELMASTOON.GENERAL.VALIDATION_FAILED", {"method": "city_ledger"}),
    (404, "RECEIVABLE_UNKNOWN", {"allocations": shares((new_id("inv"), usd(1)))}),
    (409, "RECEIVABLE_EXCEEDED", {"allocations": [("invoice", usd(11_001))]}),
    (
        409,
        "RECEIVABLE_EXCEEDED",
        {"allocations": [("invoice", usd(10_000)), ("invoice", usd(1_001))]},
    ),
    (409, "COMPANY_CREDIT_EXCEEDED", {"allocations": [("invoice", usd(1_001))]}),
    (422, "AMOUNT_NOT_POSITIVE", {"allocations": [("invoice", usd(0))]}),
    (422, "AMOUNT_NOT_POSITIVE", {"allocations": [("invoice", usd(-1))]}),
]


@pytest.mark.parametrize(
    ("status", "code", "more"), REFUSALS, ids=[f"{n}-{each[1]}" for n, each in enumerate(REFUSALS)]
)
def test_refuses(hotel: Hotel, account: str, status: int, code: str, more: dict[str, Any]) -> None:
    """An invoice of 110.00, and 10.00 paid (or 200.00, where more than the invoice is wanted)."""
    _, invoice = invoiced(hotel, account, 10_000)
    if isinstance(more.get("allocations", [None])[0], tuple):
        more = {"allocations": shares(*((invoice, amount) for _, amount in more["allocations"]))}
    paid = usd(20_000) if code == "RECEIVABLE_EXCEEDED" else usd(1_000)
    before = state(hotel)

    answer = pay(hotel, account, **{"amount": paid, **more})

    assert_refused(answer, status, code)
    assert state(hotel) == before


def test_an_item_of_another_company_is_unknown(hotel: Hotel, account: str) -> None:
    _, invoice = invoiced(hotel, company(hotel), 10_000)

    answer = pay(hotel, account, usd(1_000), allocations=shares((invoice, usd(1_000))))

    assert_refused(answer, 404, "RECEIVABLE_UNKNOWN")


def test_refuses_to_allocate_what_is_not_there(hotel: Hotel, account: str) -> None:
    """10.00 to its credit, 110.00 open."""
    _, invoice = invoiced(hotel, account, 10_000)
    pay(hotel, account, usd(1_000), allocations=[])
    before = state(hotel)

    answer = allocate(hotel, account, (invoice, usd(1_001)))
    assert_refused(answer, 409, "COMPANY_CREDIT_EXCEEDED")
    answer = allocate(hotel, account, (new_id("inv"), usd(1)))
    assert_refused(answer, 404, "RECEIVABLE_UNKNOWN")
    answer = allocate(hotel, account, (invoice, usd(0)))
    assert_refused(answer, 422, "AMOUNT_NOT_POSITIVE")
    assert_refused(allocate(hotel, new_id("cac")), 404, "COMPANY_ACCOUNT_UNKNOWN")
    assert state(hotel) == before


def test_a_retry_pays_once(hotel: Hotel, account: str) -> None:
    invoiced(hotel, account, 10_000)
    body = {"method": "bank_transfer", "amount": usd(1_000)}
    path = f"/company-accounts/{account}/payments"

    assert_answers_once(hotel, path, body, {**body, "amount": usd(2)})
    assert sums(hotel, account) == (0, 10_000, 0)


def test_a_retry_allocates_once(hotel: Hotel, account: str) -> None:
    _, invoice = invoiced(hotel, account, 10_000)
    pay(hotel, account, usd(2_000), allocations=[])
    body = {"allocations": shares((invoice, usd(1_000)))}
    path = f"/company-accounts/{account}/allocations"

    assert_answers_once(hotel, path, body, {})
    assert sums(hotel, account) == (0, 10_000, 1_000)


def test_two_payments_at_once_find_what_the_other_left(hotel: Hotel, account: str) -> None:
    """110.00 open, twice 80.00: all of it is paid, and 50.00 are to the company's credit."""
    invoiced(hotel, account, 10_000)

    answers = at_once([partial(pay, hotel, account, usd(8_000)) for _ in range(2)])

    assert [answer.status_code for answer in answers] == [201, 201]
    assert sums(hotel, account) == (0, 0, 5_000)
    assert broken(hotel) == []


def test_a_crowd_that_pays_at_once_stands_in_line(hotel: Hotel, account: str) -> None:
    """110.00 open, sixteen times 10.00: nobody is sent away to try again, and 50.00 are left."""
    invoiced(hotel, account, 10_000)

    answers = at_once([partial(pay, hotel, account, usd(1_000)) for _ in range(16)])

    assert {answer.status_code for answer in answers} == {201}
    assert sums(hotel, account) == (0, 0, 5_000)
    assert broken(hotel) == []


def test_two_payments_by_hand_cannot_both_pay_the_same(hotel: Hotel, account: str) -> None:
    _, invoice = invoiced(hotel, account, 10_000)
    by_hand = {"allocations": shares((invoice, usd(8_000)))}

    answers = at_once([partial(pay, hotel, account, usd(8_000), **by_hand) for _ in range(2)])

    assert sorted(answer.status_code for answer in answers) == [201, 409]
    assert sums(hotel, account) == (0, 3_000, 0)
    assert broken(hotel) == []


def test_tells_what_was_paid_and_for_what(hotel: Hotel, account: str) -> None:
    _, invoice = invoiced(hotel, account, 10_000)

    pay(hotel, account, usd(12_000))

    (event,) = hotel.events("receivable.payment_recorded")
    data = event["data"]
    assert (data["amount"], data["method"], data["balance"]) == (
        usd(12_000),
        "bank_transfer",
        usd(-1_000),
    )
    assert [(each["invoiceId"], each["amount"]) for each in data["allocations"]] == [
        (invoice, usd(11_000))
    ]
    assert "receivable.payment_recorded" in told(hotel)


def reversed_(hotel: Hotel, account: str, allocation: str, **more: Any) -> Any:
    path = f"/company-accounts/{account}/allocations/{allocation}/reverse"
    return hotel.post(path, {"reason": "The wrong invoice"}, **more)


def test_an_allocation_is_taken_back_by_another_one(hotel: Hotel, account: str) -> None:
    """110.00 paid and taken back: open again, and to the company's credit."""
    _, invoice = invoiced(hotel, account, 10_000)
    (given,) = pay(hotel, account, usd(11_000)).json["allocations"]

    answer = reversed_(hotel, account, given["allocationId"])

    assert answer.status_code == 201, answer.text
    (back,) = answer.json["allocations"]
    assert (back["amount"], back["reverses"]) == (usd(-11_000), given["allocationId"])
    assert sums(hotel, account) == (0, 11_000, 11_000)
    (event,) = hotel.events("receivable.allocation_reversed")
    assert (event["data"]["reason"], event["data"]["balance"]) == ("The wrong invoice", usd(0))
    assert broken(hotel) == []
    assert allocate(hotel, account, (invoice, usd(11_000))).status_code == 201
    assert broken(hotel) == []


def test_an_allocation_is_taken_back_once(hotel: Hotel, account: str) -> None:
    """Not twice, not by two at once, and what takes one back is not taken back."""
    invoiced(hotel, account, 10_000)
    (given,) = pay(hotel, account, usd(11_000)).json["allocations"]
    allocation = given["allocationId"]

    answers = at_once([partial(reversed_, hotel, account, allocation) for _ in range(2)])

    assert sorted(answer.status_code for answer in answers) == [201, 409]
    answer = reversed_(hotel, account, allocation)
    assert_refused(answer, 409, "ALLOCATION_ALREADY_REVERSED")
    ((back,),) = hotel.rows("SELECT id FROM {s}.receivable_allocations WHERE reverses IS NOT NULL")
    assert_refused(reversed_(hotel, account, back), 409, "ALLOCATION_ALREADY_REVERSED")
    answer = reversed_(hotel, account, new_id("alc"))
    assert_refused(answer, 404, "ALLOCATION_UNKNOWN")
    answer = reversed_(hotel, company(hotel), allocation)
    assert_refused(answer, 404, "ALLOCATION_UNKNOWN")
    assert broken(hotel) == []


def test_a_retry_takes_back_once(hotel: Hotel, account: str) -> None:
    invoiced(hotel, account, 10_000)
    (given,) = pay(hotel, account, usd(11_000)).json["allocations"]
    key = f"back-{uuid4()}"

    first, again = (reversed_(hotel, account, given["allocationId"], key=key) for _ in range(2))

    assert (first.status_code, again.data) == (201, first.data)
    assert sums(hotel, account) == (0, 11_000, 11_000)
