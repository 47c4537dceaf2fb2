"""A folio closes at zero; only what conversion leaves over is absorbed, and it is reported."""

import pytest

from common.domain.folio import FolioAlreadyClosed
from common.domain.settlement import BalanceDue
from tests.domain.front_desk import (
    AFN,
    EUR,
    MORNING,
    Account,
    Desk,
    figures,
    rate,
    rule,
    settings_of,
    usd,
)


def untaxed(**settings: object) -> Desk:
    return Desk(settings_of(rule(percent=0), **settings))


def paid_in_euros(owed: int, *euros: int, **settings: object) -> Account:
    """A folio that owes `owed` cents and was paid in euro cents, 1 EUR at 1.0806 USD."""
    account = Account(untaxed(**settings), rates=[rate(EUR, "1.0806")])
    account.charge(owed)
    for cents in euros:
        account.pay(cents, EUR)
    return account


@pytest.mark.req("CLO-1")
class TestClosing:
    def test_needs_nothing_but_a_zero_balance(self):
        """120.00 and 12.00 tax, paid in two pieces."""
        account = Account()
        account.charge(12000)
        account.pay(10000)
        account.pay(3200, method="card")
        closed = account.close()
        assert (account.folio.status, account.folio.closed_at) == ("closed", MORNING)
        assert (closed.settlement.charges, closed.settlement.payments) == (usd(13200), usd(13200))
        assert (closed.settlement.residual, closed.lines) == (usd(0), ())
        assert closed.sequence == account.folio.version == 5

    def test_is_refused_while_something_is_owed(self):
        account = Account()
        account.charge(12000)
        with pytest.raises(BalanceDue) as refused:
            account.close()
        assert refused.value.extra == {"balanceMicro": 132_000_000, "currency": "USD"}
        assert account.folio.status == "open"

    def test_tells_that_somebody_tried_with_what_is_owed(self):
        account = Account()
        account.charge(12000)
        due = account.folio.balance_due()
        assert (due.balance, due.sequence) == (usd(13200), 3)

    @pytest.mark.req("PAY-4")
    def test_is_refused_in_credit(self):
        account = Account()
        account.pay(5000, allow_credit=True)
        with pytest.raises(BalanceDue) as refused:
            account.close()
        assert refused.value.extra["balanceMicro"] == -50_000_000

    @pytest.mark.req("PAY-4")
    def test_of_a_deposit_waits_until_it_is_used_up(self):
        account = Account()
        account.pay(13200, allow_credit=True)
        account.charge(12000)
        assert account.close().settlement.residual == usd(0)

    @pytest.mark.parametrize(
        ("owed", "residual"),
        [(1081, 0), (1082, 1), (1080, -1)],
        ids=["even", "one short", "one over"],
    )
    def test_absorbs_a_cent_of_conversion(self, owed: int, residual: int):
        """10.00 EUR are 10.81 (10.806)."""
        account = paid_in_euros(owed, 1000)
        closed = account.close()
        assert closed.settlement.residual == usd(residual)
        assert figures(closed) == ([("rounding", -residual)] if residual else [])
        assert account.balance == account.in_the_ledger() == 0
        assert account.in_the_ledger("rounding") == residual

    def test_absorbs_no_more_than_a_cent_for_each_foreign_payment(self):
        """Twice 10.00 EUR are 21.62: 21.64 may close, 21.65 may not."""
        assert paid_in_euros(2164, 1000, 1000).close().settlement.residual == usd(2)
        with pytest.raises(BalanceDue):
            paid_in_euros(2165, 1000, 1000).close()

    def test_absorbs_what_the_tenant_tolerates(self):
        tolerance = {"residual_minor_units_per_foreign_payment": 5}
        assert paid_in_euros(1086, 1000, **tolerance).close().settlement.residual == usd(5)
        with pytest.raises(BalanceDue):
            paid_in_euros(1087, 1000, **tolerance).close()
        with pytest.raises(BalanceDue):
            paid_in_euros(1082, 1000, residual_minor_units_per_foreign_payment=0).close()

    def test_absorbs_nothing_where_nobody_paid_in_another_currency(self):
        account = Account(untaxed(residual_minor_units_per_foreign_payment=5))
        account.charge(1000)
        account.pay(999)
        with pytest.raises(BalanceDue):
            account.close()

    def test_happens_once(self):
        account = Account()
        account.close()
        with pytest.raises(FolioAlreadyClosed):
            account.close()

    @pytest.mark.req("TAX-3")
    def test_ends_the_sums_of_tax_with_the_document(self):
        """0.4 cents of tax are none on this invoice, and are not carried to another one."""
        account = Account(Desk(settings_of(rule(percent=10), rounds_tax_per_invoice=True)))
        account.charge(4)
        assert account.folio.tax_sums.groups == {"VAT|100000|S": [4_000, 0]}
        account.pay(4)
        account.close()
        assert account.folio.tax_sums.groups == {}


@pytest.mark.req("CLO-3", "MON-5")
class TestRatesAtClose:
    """400.00 EUR were taken at 1.08, 432.00 USD."""

    @staticmethod
    def settled(**settings: object):
        account = Account(untaxed(**settings), rates=[rate(EUR, "1.08"), rate(AFN, "0.0141")])
        account.charge(43200)
        account.pay(40000, EUR)
        return account.close().settlement.fx

    def test_stand_beside_todays_with_what_the_difference_is_worth(self):
        """Today, at 1.25, they would be 500.00: 68.00 more. Nobody paid in AFN."""
        today = rate(EUR, "1.25")
        (shown,) = self.settled(show_fx_at_close=True, fx_rates=(today, rate(AFN, "0.02")))
        assert (shown.pinned, shown.today) == (rate(EUR, "1.08"), today)
        assert shown.difference == usd(6800)

    def test_stand_alone_where_there_is_no_rate_today(self):
        (shown,) = self.settled(show_fx_at_close=True)
        assert (shown.today, shown.difference) == (None, None)

    def test_are_not_shown_unless_the_tenant_wants_it(self):
        assert self.settled(fx_rates=(rate(EUR, "1.25"),)) == ()
