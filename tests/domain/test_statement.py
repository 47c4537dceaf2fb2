"""A statement's running balance and its sums, worked out by hand, without a database."""

from dataclasses import replace

import pytest

from common.domain.money import Money
from common.domain.statement import Statement, statement_of
from tests.domain.front_desk import EUR, USD, Account, Desk, rate, rule, usd


def stated(account: Account) -> Statement:
    return statement_of(account.folio, account.lines, account.payments, [])


@pytest.mark.req("FOL-4", "FOL-6", "TAX-3")
@pytest.mark.parametrize("per_invoice", [False, True], ids=["per line", "per invoice"])
def test_taxes_by_rate_come_to_the_tax_lines_whatever_was_voided_or_adjusted(
    per_invoice: bool,
) -> None:
    """7 % on 0.50 three times, one of them voided, and 0.10 less on another: 0.90 are left."""
    desk = Desk()
    desk.change(tax_rules=(rule(percent=7),), rounds_tax_per_invoice=per_invoice)
    account = Account(desk)
    charges = [account.charge(50).lines[0].charge_id for _ in range(3)]
    account.void(charges[0])
    account.adjust(charges[1], -10)

    statement = stated(account)

    assert statement.net == usd(90)
    [tax] = statement.taxes
    lines = [line.amount for line in account.lines if line.tax]
    assert tax.tax == statement.tax == Money.total(lines, USD)
    assert statement.balance == account.folio.balance == statement.steps[-1].balance


@pytest.mark.req("FOL-6")
def test_what_was_voided_altogether_is_no_tax_and_stays_on_the_lines() -> None:
    desk = Desk()
    desk.change(tax_rules=(rule(percent=10),))
    account = Account(desk)
    account.void(account.charge(1_000).lines[0].charge_id)

    statement = stated(account)

    assert statement.taxes == ()
    assert [step.balance for step in statement.steps] == [
        usd(1_000),
        usd(1_100),
        usd(100),
        usd(0),
    ]


@pytest.mark.req("FOL-4")
def test_leaves_what_was_posted_since_the_folio_was_read_to_the_next_one() -> None:
    """The folio is read first: a line of another clerk may stand behind it by then."""
    account = Account()
    account.charge(1_000)
    before = account.folio
    account.charge(500)

    statement = statement_of(before, account.lines, [], [])

    assert statement.balance == before.balance == statement.steps[-1].balance
    assert len(statement.steps) == before.last_line < len(account.lines)


@pytest.mark.req("FOL-4", "MON-6")
def test_refuses_to_state_a_balance_that_the_lines_do_not_come_to() -> None:
    account = Account()
    account.charge(1_000)
    changed = [replace(account.lines[0], amount=usd(999)), *account.lines[1:]]

    with pytest.raises(ValueError, match="come to"):
        statement_of(account.folio, changed, [], [])


@pytest.mark.req("MON-5")
def test_shows_what_was_handed_over_in_its_own_currency() -> None:
    account = Account(rates=[rate(EUR, "1.10")])
    account.charge(1_000)
    account.pay(300, EUR, "bank_transfer")

    [*_, step] = stated(account).steps

    assert step.tendered == Money.of_minor_units(300, EUR)
    assert stated(account).paid == -step.line.amount
