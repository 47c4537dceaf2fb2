"""Paying: every method, in any currency that the folio has pinned, and never too much unasked."""

import pytest

from common.domain.folio import FolioAlreadyClosed, Overpayment
from common.domain.fx import FxRateMissing
from common.domain.ledger import cash_in
from common.domain.money import AmountNotPositive
from common.domain.payment import PaymentMethod
from tests.domain.front_desk import (
    AFN,
    EUR,
    TILL,
    USD,
    Account,
    Desk,
    figures,
    rate,
    rule,
    settings_of,
    usd,
)


@pytest.mark.req("PAY-1", "MON-5")
class TestPaying:
    @pytest.mark.parametrize(
        ("method", "account"),
        [
            ("cash", cash_in(TILL)),
            ("card", "card_clearing"),
            ("bank_transfer", "bank_clearing"),
            ("mobile_money", "mobile_money_clearing"),
            ("voucher", "voucher_liability"),
            ("city_ledger", "city_ledger"),
            ("credits", "credits_clearing"),
        ],
    )
    def test_books_each_method_on_its_own_account(self, method: str, account: str):
        at_the_desk = Account()
        at_the_desk.charge(1000)
        paid = at_the_desk.pay(400, method=method)
        assert figures(paid) == [("payment", -400)]
        assert at_the_desk.in_the_ledger(account) == 400
        assert at_the_desk.balance == at_the_desk.in_the_ledger() == 700

    def test_has_an_account_for_every_method(self):
        account = Account()
        for method in PaymentMethod:
            account.pay(1, method=method, allow_credit=True)
        assert account.balance == -len(PaymentMethod)

    def test_keeps_both_amounts_of_a_foreign_payment(self):
        """400.00 EUR at 1.08 are 432.00 USD; the difference of kind stays in FX clearing."""
        account = Account(rates=[rate(EUR, "1.08")])
        account.charge(50000)
        account.pay(40000, EUR)
        (payment,) = account.payments
        assert (payment.paid.minor_units, payment.amount) == (40000, usd(43200))
        assert (payment.fx, payment.is_foreign) == (rate(EUR, "1.08"), True)
        assert account.in_the_ledger(cash_in(TILL), EUR) == 40000
        assert account.in_the_ledger("fx_clearing", EUR) == -40000
        assert account.in_the_ledger("fx_clearing", USD) == 43200
        assert account.balance == account.in_the_ledger() == 55000 - 43200

    def test_honours_the_pinned_rate_whatever_todays_is(self):
        desk = Desk(settings_of(rule(percent=0), fx_rates=(rate(EUR, "1.08"),)))
        account = Account(desk)
        account.charge(50000)
        desk.change(fx_rates=(rate(EUR, "1.25"),))
        account.pay(10000, EUR)
        assert account.balance == 50000 - 10800

    def test_refuses_a_currency_without_a_pinned_rate(self):
        account = Account(rates=[rate(EUR, "1.08")])
        account.charge(50000)
        with pytest.raises(FxRateMissing):
            account.pay(10000, AFN)

    def test_refuses_what_is_worth_nothing_on_the_folio(self):
        """0.30 AFN at 0.0141 are 0.4 cents."""
        account = Account(rates=[rate(AFN, "0.0141")])
        account.charge(50000)
        with pytest.raises(AmountNotPositive):
            account.pay(30, AFN)

    def test_is_refused_on_a_closed_folio(self):
        account = Account()
        account.close()
        with pytest.raises(FolioAlreadyClosed):
            account.pay(100, allow_credit=True)


@pytest.mark.req("PAY-4")
class TestOverpaying:
    def test_is_refused_with_what_is_owed(self):
        account = Account()
        account.charge(1000)
        with pytest.raises(Overpayment) as refused:
            account.pay(1101)
        assert refused.value.extra == {"balanceMicro": 11_000_000, "currency": "USD"}
        assert account.balance == 1100

    def test_is_a_deposit_where_credit_is_allowed_and_shows(self):
        account = Account()
        assert account.pay(5000, allow_credit=True).balance == usd(-5000)

    def test_by_the_residual_of_conversion_is_none(self):
        """10.00 EUR at 1.0806 are 10.81 (10.806) for 10.80: one cent over, and one is allowed."""
        account = Account(Desk(settings_of(rule(percent=0))), rates=[rate(EUR, "1.0806")])
        account.charge(1080)
        assert account.pay(1000, EUR).balance == usd(-1)

    def test_by_more_than_the_residual_is_refused(self):
        account = Account(Desk(settings_of(rule(percent=0))), rates=[rate(EUR, "1.0806")])
        account.charge(1079)
        with pytest.raises(Overpayment):
            account.pay(1000, EUR)
