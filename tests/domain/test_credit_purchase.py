"""What a purchase of credits costs, where it may move, and what a part of it has bought (CRD-6)."""

from datetime import UTC, datetime

import pytest

from common.domain.auto_top_up import month_after, month_of
from common.domain.credit_purchase import (
    CreditPurchaseTooLarge,
    CreditPurchaseTooSmall,
    must_be_sold,
    price_of,
)
from common.domain.credit_sales import SaleEntry, returned, sold, taken_back
from common.domain.money import AmountNotPositive, Currency, Money
from common.domain.prepaid_terms import CREDIT_MICRO, CreditTerms

pytestmark = pytest.mark.req("CRD-6")

USD = Currency("USD")


@pytest.mark.parametrize(
    ("credits", "per_unit", "currency", "minor"),
    [
        (500, 100, "USD", 500),
        (1_250, 100, "USD", 1_250),
        (500, 3, "USD", 16_667),
        (125, 1_000, "USD", 13),  # 12.5 cents: a half goes up
        (550, 100, "JPY", 6),  # 5.5 yen
        (500, 100, "KWD", 5_000),
    ],
)
def test_costs_whole_minor_units_rounded_once(
    credits: int, per_unit: int, currency: str, minor: int
) -> None:
    terms = CreditTerms(per_currency_unit=per_unit, currency=Currency(currency))

    price = price_of(credits * CREDIT_MICRO, terms)

    assert price == Money.of_minor_units(minor, Currency(currency))


def test_nothing_is_not_sold() -> None:
    with pytest.raises(AmountNotPositive):
        price_of(1, CreditTerms())


def test_what_is_sold_has_its_limits() -> None:
    terms = CreditTerms()
    must_be_sold(500 * CREDIT_MICRO, terms)
    must_be_sold(100_000 * CREDIT_MICRO, terms)

    with pytest.raises(CreditPurchaseTooSmall):
        must_be_sold(500 * CREDIT_MICRO - 1, terms)
    with pytest.raises(CreditPurchaseTooLarge):
        must_be_sold(100_000 * CREDIT_MICRO + 1, terms)


def test_money_is_booked_between_two_accounts_by_its_key() -> None:
    """Sold, taken back for a dispute, and here again as that was won: nothing is left to owe."""
    five = Money.of_minor_units(500, USD)
    entries = [sold("purchase:1", five), taken_back("dispute:1", five), returned("dispute:1", five)]

    assert [(e.part, e.debit, e.credit) for e in entries] == [
        (0, "processor_clearing", "credits_sold"),
        (0, "credits_sold", "processor_clearing"),
        (1, "processor_clearing", "credits_sold"),
    ]
    with pytest.raises(ValueError, match="positive"):
        SaleEntry("x", 0, "a", "b", Money.zero(USD))


def test_a_month_is_the_calendars_in_utc() -> None:
    new_year = datetime(2026, 12, 31, 23, 59, tzinfo=UTC)

    assert month_of(new_year) == datetime(2026, 12, 1, tzinfo=UTC)
    assert month_after(new_year) == datetime(2027, 1, 1, tzinfo=UTC)
    assert month_after(datetime(2026, 1, 31, tzinfo=UTC)) == datetime(2026, 2, 1, tzinfo=UTC)
