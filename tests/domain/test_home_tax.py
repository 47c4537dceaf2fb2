"""Tax in the currency of the tax office, on documents in another one."""

import json
from dataclasses import replace
from typing import Any

import pytest

from common.domain.credit_note import Credits, credit
from common.domain.fx import FxRateMissing
from common.domain.invoice import Invoice
from common.domain.money import Currency, Money
from tests.domain.front_desk import (
    AFN,
    EUR,
    Account,
    Desk,
    house,
    rate,
    rule,
    series,
    settings_of,
    usd,
)


def desk(*rates: Any, tax_currency: Currency | None = AFN) -> Desk:
    """A hotel that bills in dollars, and owes its tax office afghanis."""
    rules = (
        rule(percent=10),
        rule("CITY", per_night=usd(200), charge_kinds=frozenset({"room"}), category="O"),
    )
    hotel = replace(house(), tax_currency=tax_currency)
    return Desk(settings_of(*rules, hotel=hotel, fx_rates=rates))


def billed(account: Account) -> Invoice:
    """Two nights of 120.00 with VAT of 24.00 and city tax of 4.00, paid by card."""
    account.charge(24000, quantity="2", unit_amount=usd(12000), nights=2)
    account.pay(26800, method="card")
    return account.invoice(account.close(), series())


def home_tax(document: Any) -> Any:
    return json.loads(document.payload).get("taxInHomeCurrency")


@pytest.mark.req("INV-9")
def test_converts_each_row_by_the_rate_that_the_folio_pinned_and_adds_up() -> None:
    """24.00 / 0.0141 are 1702.1276..., 4.00 / 0.0141 are 283.6879...; together 1985.82."""
    account = Account(desk(rate(EUR, "1.08"), rate(AFN, "0.0141")))
    account.desk.change(fx_rates=(rate(AFN, "0.02"),))

    told = home_tax(billed(account))

    assert told["currency"] == "AFN"
    assert (told["rate"]["base"], told["rate"]["quote"]) == ("AFN", "USD")
    assert told["rate"]["rate"] == "0.0141"
    assert [
        (group["code"], group["ratePpm"], group["amountMicro"]) for group in told["groups"]
    ] == [
        ("CITY", None, 283_690_000),
        ("VAT", 100_000, 1_702_130_000),
    ]
    assert told["taxMicro"] == 1_985_820_000


@pytest.mark.req("INV-9")
def test_takes_todays_rate_where_the_folio_pinned_none() -> None:
    account = Account(desk())
    account.desk.change(fx_rates=(rate(AFN, "0.02"),))

    assert home_tax(billed(account))["taxMicro"] == 1_400_000_000


@pytest.mark.req("INV-9", "MON-4")
def test_refuses_to_number_a_document_whose_tax_cannot_be_said() -> None:
    account, place = Account(desk(rate(EUR, "1.08"))), series()
    account.charge(10000, "food_beverage")
    account.pay(11000, method="card")
    closed = account.close()

    with pytest.raises(FxRateMissing):
        account.invoice(closed, place)
    assert place.last_number == 0


@pytest.mark.req("INV-9")
@pytest.mark.parametrize("tax_currency", [None, Currency("USD")])
def test_says_nothing_where_no_law_asks_or_the_currency_is_the_same(
    tax_currency: Currency | None,
) -> None:
    invoice = billed(Account(desk(rate(AFN, "0.0141"), tax_currency=tax_currency)))

    assert "taxInHomeCurrency" not in json.loads(invoice.payload)


@pytest.mark.req("INV-9", "INV-2")
def test_a_credit_note_takes_back_by_the_rate_of_its_invoice() -> None:
    account = Account(desk(rate(AFN, "0.0141")))
    invoice = billed(account)
    account.desk.change(fx_rates=(rate(AFN, "0.02"),))
    credits = Credits(invoice=invoice, credited=Money.zero(usd(0).currency), by_line={})

    issued, _ = credit(credits, None, series(document_type="credit_note"), None, "", account.desk)

    assert home_tax(issued.subject) == home_tax(invoice)
