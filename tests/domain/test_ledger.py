"""The ledger is balanced by construction: every entry moves one positive amount (MON-6)."""

from collections import defaultdict
from dataclasses import FrozenInstanceError, replace
from datetime import date

import pytest

from common.domain.folio_line import LineType
from common.domain.identifiers import FolioId, PaymentId
from common.domain.ledger import Entry, cash_in, line_entries, movement, payment_entries
from common.domain.payment import Payment, PaymentMethod
from tests.domain.front_desk import EUR, TILL, USD, Account, rate, usd

TODAY = date(2026, 3, 2)

pytestmark = pytest.mark.req("MON-6")


class TestEntry:
    @pytest.mark.parametrize("cents", [0, -1])
    def test_moves_more_than_nothing(self, cents: int):
        with pytest.raises(ValueError, match="positive"):
            Entry("pay_1", 0, "card_clearing", "guest_ledger", usd(cents), TODAY)

    def test_needs_two_accounts(self):
        with pytest.raises(ValueError, match="two accounts"):
            Entry("pay_1", 0, "guest_ledger", "guest_ledger", usd(1), TODAY)

    def test_never_changes(self):
        entry = movement("pay_1", 0, "card_clearing", "guest_ledger", usd(1), TODAY)
        with pytest.raises(FrozenInstanceError):
            entry.amount = usd(2)

    def test_of_a_negative_amount_goes_the_other_way(self):
        entry = movement("vod_1", 0, "guest_ledger", "revenue:room", usd(-5), TODAY)
        assert (entry.debit, entry.credit, entry.amount) == ("revenue:room", "guest_ledger", usd(5))


class TestEntriesOfALine:
    def test_are_none_for_a_line_of_nothing(self):
        line = Account().charge(100).lines[0]
        assert line_entries(replace(line, amount=usd(0))) == ()

    def test_come_from_the_payment_for_a_payment(self):
        line = Account().charge(100).lines[0]
        with pytest.raises(ValueError, match="payment"):
            line_entries(replace(line, type=LineType.PAYMENT))


def test_balances_of_all_accounts_sum_to_nothing_in_each_currency():
    """A stay with everything in it: charge, tax, correction, void, foreign payment, rounding.

    By hand: 120.00 - 20.00 with 10 % are 110.00; 10.00 EUR at 1.0806 are 10.81; 99.18 in dollars
    leave a cent, which the close absorbs.
    """
    account = Account(rates=[rate(EUR, "1.0806")])
    room = account.charge(12000).lines[0].charge_id
    account.void(account.charge(500, "minibar").lines[0].charge_id)
    account.adjust(room, -2000)
    account.pay(1000, EUR)
    account.pay(9918, method="card")
    account.close()

    sums: defaultdict[tuple[str, str], int] = defaultdict(int)
    for entry in account.entries:
        sums[entry.debit, entry.amount.currency] += entry.amount.minor_units
        sums[entry.credit, entry.amount.currency] -= entry.amount.minor_units
    assert {name: cents for name, cents in sums.items() if cents} == {
        ("revenue:room", USD): -10000,
        ("tax_payable:VAT", USD): -1000,
        (cash_in(TILL), EUR): 1000,
        ("fx_clearing", EUR): -1000,
        ("fx_clearing", USD): 1081,
        ("card_clearing", USD): 9918,
        ("rounding", USD): 1,
    }


def test_each_movement_is_named_once_by_its_line_and_part():
    account = Account(rates=[rate(EUR, "1.08")])
    account.charge(12000)
    account.pay(1000, EUR)
    assert [(entry.source[:3], entry.part) for entry in account.entries] == [
        ("chg", 0),
        ("tax", 0),
        ("pay", 0),
        ("pay", 1),
    ]


@pytest.mark.req("CASH-2", "PAY-2")
def test_knows_whose_cash_an_entry_moves():
    into, out = cash_in(TILL), "cash_paid_out"

    assert Entry("cmv_1", 0, into, "guest_ledger", usd(1), TODAY).cash_session == TILL
    assert Entry("cmv_1", 0, out, into, usd(1), TODAY).cash_session == TILL
    assert Entry("cmv_1", 0, out, "cash_safe", usd(1), TODAY).cash_session is None


@pytest.mark.req("PAY-2")
def test_books_no_cash_that_lies_in_no_drawer():
    payment = Payment(
        id=PaymentId("pay_01K9ZQ0M8Y" + "0" * 16),
        folio_id=FolioId("fol_01K9ZQ0M8Y" + "0" * 16),
        method=PaymentMethod.CASH,
        paid=usd(1),
        amount=usd(1),
        fx=None,
        business_date=TODAY,
    )

    with pytest.raises(ValueError, match="lies in no drawer"):
        payment_entries(payment)
