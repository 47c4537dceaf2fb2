"""Folios settle onto company accounts, and their invoices become open items."""

from functools import partial

import pytest

from tests.depositing import move
from tests.hotel import Hotel, new_id, usd
from tests.owing import close, company, invoiced, pay, settle, settled, shown, sums
from tests.proofs import assert_books_are_right, assert_refused, state, told
from tests.refunding import refund
from tests.together import at_once
from tests.trust.books import broken

pytestmark = pytest.mark.req("FOL-10", "PAY-1")


@pytest.fixture
def account(hotel: Hotel) -> str:
    return company(hotel)


def entries(hotel: Hotel, source: str) -> list[list[object]]:
    return hotel.rows(
        "SELECT debit_account, credit_account, amount_micro, company_account_id"
        " FROM {s}.ledger_entries WHERE source = :source",
        source=source,
    )


def owing(hotel: Hotel, cents: int = 10_000) -> str:
    """A folio that owes a charge and its 10 %."""
    folio = hotel.open_folio()
    hotel.charged(folio, cents=cents)
    return folio


def test_what_a_company_settles_later_is_owed_by_its_account(hotel: Hotel, account: str) -> None:
    """110.00 owed, 60.00 of it left to the company."""
    folio = owing(hotel)

    answer = settle(hotel, folio, account, usd(6_000))

    assert answer.status_code == 201, answer.text
    assert answer.json["balance"] == usd(5_000)
    (line,) = answer.json["lines"]
    owed = [f"city_ledger:{account}", "guest_ledger", 60_000_000, account]
    assert entries(hotel, line["lineId"]) == [owed]
    assert sums(hotel, account) == (6_000, 0, 0)
    (event,) = hotel.events("company_account.charged")
    assert (event["data"]["folioId"], event["data"]["balance"]) == (folio, usd(6_000))
    assert_books_are_right(hotel)
    assert broken(hotel) == []


def test_a_close_makes_an_open_item_of_it(hotel: Hotel) -> None:
    """110.00: 60.00 left to the company, on fourteen days; 50.00 by transfer."""
    account = company(hotel, termsDays=14)
    folio = owing(hotel)
    settle(hotel, folio, account, usd(6_000))
    hotel.paid(folio, usd(5_000))

    invoice = close(hotel, folio)

    (item,) = shown(hotel, account)["items"]
    assert (item["invoiceId"], item["folioId"]) == (invoice, folio)
    assert (item["amount"], item["open"]) == (usd(6_000), usd(6_000))
    days = hotel.rows("SELECT due_on - issued_on FROM {s}.receivables")
    assert (days, sums(hotel, account)) == ([[14]], (0, 6_000, 0))
    (event,) = hotel.events("receivable.created")
    assert (event["data"]["invoiceId"], event["data"]["amount"]) == (invoice, usd(6_000))
    assert event["data"]["dueOn"] == item["dueOn"]
    assert broken(hotel) == []


def test_two_settlements_of_an_account_are_one_item_and_two_accounts_two(hotel: Hotel) -> None:
    """110.00: 30.00 and 20.00 to one company, 60.00 to another."""
    one, other = company(hotel), company(hotel)
    folio = owing(hotel)
    for account, cents in ((one, 3_000), (other, 6_000), (one, 2_000)):
        assert settle(hotel, folio, account, usd(cents)).status_code == 201

    invoice = close(hotel, folio)

    found = [shown(hotel, account)["items"] for account in (one, other)]
    assert [[(i["invoiceId"], i["amount"]) for i in items] for items in found] == [
        [(invoice, usd(5_000))],
        [(invoice, usd(6_000))],
    ]
    assert broken(hotel) == []


def test_a_settlement_that_is_given_back_is_not_owed(hotel: Hotel, account: str) -> None:
    """110.00 to the company, 40.00 of them back and paid by transfer: an item of 70.00."""
    folio = settled(hotel, account, 10_000)
    ((payment,),) = hotel.rows("SELECT id FROM {s}.payments")

    answer = refund(hotel, folio, payment, usd(4_000))

    assert answer.status_code == 201, answer.text
    back = ["guest_ledger", f"city_ledger:{account}", 40_000_000, account]
    assert entries(hotel, answer.json["refund"]["refundId"]) == [back]
    assert sums(hotel, account) == (7_000, 0, 0)
    (event,) = hotel.events("company_account.credited")
    assert (event["data"]["amount"], event["data"]["invoiced"]) == (usd(4_000), False)
    hotel.paid(folio, usd(4_000))
    close(hotel, folio)
    assert sums(hotel, account) == (0, 7_000, 0)
    assert broken(hotel) == []


def test_a_settlement_that_is_given_back_whole_leaves_no_item(hotel: Hotel, account: str) -> None:
    folio = settled(hotel, account, 10_000)
    ((payment,),) = hotel.rows("SELECT id FROM {s}.payments")
    refund(hotel, folio, payment, usd(11_000))
    hotel.paid(folio, usd(11_000))

    close(hotel, folio)

    assert (shown(hotel, account)["items"], sums(hotel, account)) == ([], (0, 0, 0))
    assert broken(hotel) == []


def test_an_account_on_hold_is_invoiced_what_it_owes_already(hotel: Hotel, account: str) -> None:
    folio = settled(hotel, account, 10_000)
    held = {"status": "on_hold", "reason": "Pays late"}
    hotel.call("PATCH", f"/company-accounts/{account}", held)

    close(hotel, folio)

    assert sums(hotel, account) == (0, 11_000, 0)


def test_stays_within_its_limit_and_says_what_is_left(hotel: Hotel) -> None:
    """A limit of 100.00, 60.00 of them owed: 40.01 is a cent too much."""
    account = company(hotel, usd(10_000))
    folio = owing(hotel)
    settle(hotel, folio, account, usd(6_000))
    before = state(hotel)

    answer = settle(hotel, folio, account, usd(4_001))

    assert_refused(answer, 409, "CREDIT_LIMIT_EXCEEDED")
    assert (answer.json["leftMicro"], answer.json["currency"]) == (40_000_000, "USD")
    assert state(hotel, without=("rate_counters",)) == {
        name: each for name, each in before.items() if name != "rate_counters"
    }
    assert settle(hotel, folio, account, usd(4_000)).status_code == 201


def test_without_a_limit_a_company_uses_what_it_paid_before(hotel: Hotel) -> None:
    """50.00 paid before: 50.00 can be settled and no cent more."""
    account = company(hotel, usd(0))
    folio = owing(hotel)
    assert_refused(settle(hotel, folio, account, usd(1)), 409, "CREDIT_LIMIT_EXCEEDED")
    pay(hotel, account, usd(5_000))

    assert settle(hotel, folio, account, usd(5_000)).status_code == 201
    assert_refused(settle(hotel, folio, account, usd(1)), 409, "CREDIT_LIMIT_EXCEEDED")


def test_refuses_what_no_account_can_owe(hotel: Hotel, account: str) -> None:
    """Nobody is named, a stranger, another currency, an account on hold, another property's."""
    folio = owing(hotel)
    nobody = {"method": "city_ledger", "amount": usd(100)}
    euros = {"amountMicro": 1_000_000, "currency": "EUR"}
    held = company(hotel)
    body = {"status": "on_hold", "reason": "Pays late"}
    hotel.call("PATCH", f"/company-accounts/{held}", body)
    before = state(hotel)

    answer = hotel.post(f"/folios/{folio}/payments", nobody)

    assert_refused(answer, 422, "COMPANY_ACCOUNT_MISSING")
    answer = settle(hotel, folio, new_id("cac"), usd(100))
    assert_refused(answer, 404, "COMPANY_ACCOUNT_UNKNOWN")
    assert_refused(settle(hotel, folio, account, euros), 422, "CURRENCY_MISMATCH")
    answer = settle(hotel, folio, held, usd(100))
    assert_refused(answer, 409, "COMPANY_ACCOUNT_NOT_ACTIVE")
    assert state(hotel) == before


def test_an_account_of_another_property_owes_nothing_here(hotel: Hotel) -> None:
    other = "7c1f0f0e-6f0b-4b8a-9d53-0a4f6e1f0a11"
    house = hotel.settings()["properties"][0]
    hotel.write_settings(properties=[house, {**house, "id": other, "code": "HEA"}])
    everywhere = hotel.token(property_ids=[hotel.property_id, other])
    body = {"propertyId": other, "company": {"name": "Herat Trading"}, "creditLimit": usd(9_000)}
    account = hotel.post("/company-accounts", body, token=everywhere).json["companyAccountId"]
    folio = owing(hotel)
    sent = {"method": "city_ledger", "amount": usd(100), "companyAccountId": account}

    answer = hotel.post(f"/folios/{folio}/payments", sent, token=everywhere)

    assert_refused(answer, 404, "COMPANY_ACCOUNT_UNKNOWN")


def test_a_company_is_nobody_to_a_guest_who_pays(hotel: Hotel, account: str) -> None:
    """An account that is named by a transfer has nothing to do with it."""
    folio = owing(hotel)
    sent = {"method": "bank_transfer", "amount": usd(100), "companyAccountId": account}

    assert hotel.post(f"/folios/{folio}/payments", sent).status_code == 201
    assert sums(hotel, account) == (0, 0, 0)
    assert broken(hotel) == []


def test_a_retry_settles_once(hotel: Hotel, account: str) -> None:
    folio = owing(hotel)
    body = {"method": "city_ledger", "amount": usd(100), "companyAccountId": account}

    first, again = (
        hotel.post(f"/folios/{folio}/payments", body, key="settled-once") for _ in range(2)
    )

    assert (first.status_code, again.data) == (201, first.data)
    assert sums(hotel, account) == (100, 0, 0)


def test_two_folios_at_once_stay_within_the_limit_together(hotel: Hotel) -> None:
    """A limit of 100.00; each of two folios would settle 60.00."""
    account = company(hotel, usd(10_000))
    folios = [owing(hotel) for _ in range(2)]

    answers = at_once([partial(settle, hotel, folio, account, usd(6_000)) for folio in folios])

    assert sorted(answer.status_code for answer in answers) == [201, 409]
    assert sums(hotel, account) == (6_000, 0, 0)
    assert broken(hotel) == []


@pytest.mark.req("FOL-7", "FOL-11")
def test_what_a_company_is_to_settle_moves_to_no_other_folio(hotel: Hotel, account: str) -> None:
    """60.00 were paid and 110.00 left to the company, who may owe more than is charged: 60.00 move.
    Else it would owe 110.00 by an invoice of nothing, and a guest would have them in cash."""
    folio, other = hotel.open_folio(), hotel.open_folio()
    hotel.paid(folio, usd(6_000), allowCredit=True)
    assert settle(hotel, folio, account, usd(11_000), allowCredit=True).status_code == 201

    refused = move(hotel, folio, other, 6_001)

    assert_refused(refused, 409, "TRANSFER_EXCEEDS_CREDIT")
    assert refused.json["creditMicro"] == 60_000_000
    assert move(hotel, folio, other, 6_000).status_code == 201
    assert move(hotel, folio, other, 1).json["creditMicro"] == 0
    assert_books_are_right(hotel)


def test_tells_of_the_folio_and_of_the_account(hotel: Hotel, account: str) -> None:
    invoiced(hotel, account, 1_000)

    about = {"company_account.charged", "receivable.created", "invoice.generated"}
    assert [fact for fact in told(hotel) if fact in about] == [
        "company_account.charged",
        "invoice.generated",
        "receivable.created",
    ]
