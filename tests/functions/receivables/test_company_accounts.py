"""Company accounts are opened on terms, changed by somebody who says why, and shown."""

from functools import partial
from typing import Any

import pytest

from tests.hotel import Hotel, new_id, usd
from tests.owing import close, company, invoiced, pay, settled, shown, sums
from tests.proofs import (
    assert_answers_once,
    assert_nothing_personal,
    assert_refused,
    state,
    told,
    trail,
)
from tests.together import at_once
from tests.trust.books import broken

pytestmark = pytest.mark.req("FOL-10")


def wanted(hotel: Hotel, **more: Any) -> dict[str, Any]:
    company = {"name": "Kabul Trading", "addressLines": ["Street 9"], "taxId": "AF-900"}
    return {"propertyId": str(hotel.property_id), "company": company, **more}


def change(hotel: Hotel, account: str, **body: Any) -> Any:
    return hotel.call("PATCH", f"/company-accounts/{account}", {"reason": "Agreed", **body})


def test_opens_an_account_on_its_terms(hotel: Hotel) -> None:
    body = wanted(hotel, id=new_id("cac"), termsDays=14, creditLimit=usd(50_000))

    answer = hotel.post("/company-accounts", body)

    assert answer.status_code == 201, answer.text
    assert answer.json["companyAccountId"] == body["id"]
    assert (answer.json["termsDays"], answer.json["creditLimit"]) == (14, usd(50_000))
    assert (answer.json["status"], answer.json["balance"]) == ("active", usd(0))
    assert shown(hotel, body["id"]) == {**answer.json, "items": []}
    assert broken(hotel) == []


def test_without_a_limit_it_gives_no_credit_in_the_propertys_currency(hotel: Hotel) -> None:
    answer = hotel.post("/company-accounts", wanted(hotel))

    assert (answer.json["creditLimit"], answer.json["termsDays"]) == (usd(0), 30)


@pytest.mark.parametrize(
    ("status", "code", "more"),
    [
        (404, "PROPERTY_UNKNOWN", {"propertyId": "7c1f0f0e-6f0b-4b8a-9d53-0a4f6e1f0a11"}),
        (400, "MELMASTOON.GENERAL.VALIDATION_FAILED", {"creditLimit": usd(-1)}),
        (400, "MELMASTOON.GENERAL.VALIDATION_FAILED", {"termsDays": 366}),
    ],
    ids=["property", "limit", "terms"],
)
def test_refuses_to_open(hotel: Hotel, status: int, code: str, more: dict[str, Any]) -> None:
    before = state(hotel)

    answer = hotel.post("/company-accounts", wanted(hotel, **more))

    assert_refused(answer, status, code)
    assert state(hotel) == before


def test_opening_again_is_answered_the_same(hotel: Hotel) -> None:
    body = wanted(hotel, id=new_id("cac"))

    assert_answers_once(hotel, "/company-accounts", body, {**body, "termsDays": 1})


def test_two_that_open_the_same_account_open_one(hotel: Hotel) -> None:
    bodies = [wanted(hotel, id=new_id("cac"))] * 2

    answers = at_once([partial(hotel.post, "/company-accounts", body) for body in bodies])

    codes = sorted(answer.status_code for answer in answers)
    assert codes in ([201, 201], [201, 409])
    assert hotel.rows("SELECT count(*) FROM {s}.company_accounts") == [[1]]


def test_tells_that_it_was_opened_and_never_for_whom(hotel: Hotel) -> None:
    account = company(hotel)

    (event,) = hotel.events("company_account.opened")
    assert (event["subject"], event["data"]["creditLimit"]) == (account, usd(100_000))
    assert told(hotel) == ["company_account.opened"]
    assert_nothing_personal(hotel, "Kabul Trading", "Street 9", "AF-900")


def test_changes_what_is_given_and_says_why(hotel: Hotel) -> None:
    account = company(hotel)

    answer = change(hotel, account, termsDays=60, creditLimit=usd(1), status="on_hold")

    assert answer.status_code == 200, answer.text
    assert (answer.json["termsDays"], answer.json["status"]) == (60, "on_hold")
    assert (answer.json["name"], answer.json["version"]) == ("Kabul Trading", 2)
    (event,) = hotel.events("company_account.changed")
    assert (event["data"]["reason"], event["data"]["status"]) == ("Agreed", "on_hold")
    assert broken(hotel) == []


def test_what_is_so_already_is_no_change(hotel: Hotel) -> None:
    account = company(hotel)

    answer = change(hotel, account, termsDays=30, status="active")

    assert answer.json["version"] == 1
    assert hotel.events("company_account.changed") == []


def test_an_invoice_keeps_the_date_that_it_is_due_on(hotel: Hotel) -> None:
    account = company(hotel)
    invoiced(hotel, account, 1_000)
    (before,) = shown(hotel, account)["items"]

    change(hotel, account, termsDays=0)

    assert shown(hotel, account)["items"] == [before]


@pytest.mark.parametrize("owing", ["not invoiced", "open", "to its credit"])
def test_refuses_to_close_while_anything_is_open(hotel: Hotel, owing: str) -> None:
    account = company(hotel)
    if owing == "to its credit":
        pay(hotel, account, usd(100))
    else:
        folio = settled(hotel, account, 1_000)
        if owing == "open":
            close(hotel, folio)
    before = state(hotel)

    assert_refused(change(hotel, account, status="closed"), 409, "COMPANY_ACCOUNT_NOT_SETTLED")
    assert state(hotel) == before


@pytest.mark.parametrize("status", ["active", "on_hold"])
def test_a_closed_account_takes_nothing_until_it_is_opened_again(hotel: Hotel, status: str) -> None:
    account = company(hotel)
    assert change(hotel, account, status="closed").status_code == 200

    assert_refused(change(hotel, account, termsDays=60), 409, "COMPANY_ACCOUNT_NOT_ACTIVE")
    assert_refused(pay(hotel, account, usd(100)), 409, "COMPANY_ACCOUNT_NOT_ACTIVE")

    opened = change(hotel, account, status=status, termsDays=60)
    assert (opened.json["status"], opened.json["termsDays"]) == (status, 60)
    assert pay(hotel, account, usd(100)).status_code == 201
    assert broken(hotel) == []


def test_refuses_a_limit_in_another_currency(hotel: Hotel) -> None:
    account = company(hotel)
    euros = {"amountMicro": 1_000_000, "currency": "EUR"}

    assert_refused(change(hotel, account, creditLimit=euros), 422, "CURRENCY_MISMATCH")


def test_an_account_that_nobody_opened_is_unknown(hotel: Hotel) -> None:
    account = new_id("cac")

    assert_refused(change(hotel, account, termsDays=1), 404, "COMPANY_ACCOUNT_UNKNOWN")
    answer = hotel.get(f"/company-accounts/{account}")
    assert_refused(answer, 404, "COMPANY_ACCOUNT_UNKNOWN")


@pytest.mark.req("SEC-3")
def test_an_account_of_another_property_is_unknown(hotel: Hotel) -> None:
    account = company(hotel)
    stranger = hotel.token(property_ids=["7c1f0f0e-6f0b-4b8a-9d53-0a4f6e1f0a11"])

    answer = hotel.get(f"/company-accounts/{account}", token=stranger)

    assert_refused(answer, 404, "COMPANY_ACCOUNT_UNKNOWN")
    assert hotel.get("/company-accounts", token=stranger).json["items"] == []


def test_lists_accounts_page_by_page_and_by_status(hotel: Hotel) -> None:
    accounts = sorted(company(hotel) for _ in range(3))
    change(hotel, accounts[0], status="on_hold")

    first = hotel.get("/company-accounts", limit="2").json
    second = hotel.get("/company-accounts", limit="2", cursor=first["nextCursor"]).json
    held = hotel.get("/company-accounts", status="on_hold").json

    pages = [*first["items"], *second["items"]]
    assert [each["companyAccountId"] for each in pages] == accounts
    assert [each["companyAccountId"] for each in held["items"]] == accounts[:1]
    assert second["nextCursor"] is None


def test_its_trail_is_whole_after_a_life(hotel: Hotel) -> None:
    """Opened, 11.00 settled and invoiced, paid, closed."""
    account = company(hotel)
    invoiced(hotel, account, 1_000)
    assert pay(hotel, account, usd(1_100)).status_code == 201
    assert change(hotel, account, status="closed").status_code == 200

    assert sums(hotel, account) == (0, 0, 0)
    assert [entry["action"] for entry in trail(hotel) if entry["aggregate_id"] == account] == [
        "company_account.opened",
        "company_account.charged",
        "receivable.created",
        "receivable.payment_recorded",
        "company_account.changed",
    ]
    assert broken(hotel) == []
