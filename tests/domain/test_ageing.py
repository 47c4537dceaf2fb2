"""What is overdue, and by how much, on days that are written here."""

from datetime import date

import pytest

from common.domain.ageing import AgedItem, Buckets, aged
from common.domain.identifiers import CompanyAccountId, InvoiceId
from common.domain.money import CurrenciesDiffer, Currency, Money
from tests.hotel import new_id

pytestmark = pytest.mark.req("FOL-10", "REP-1")
USD, EUR = Currency("USD"), Currency("EUR")
ACCOUNT = CompanyAccountId(new_id("cac"))
AS_OF = date(2026, 6, 30)


def usd(cents: int) -> Money:
    return Money.of_minor_units(cents, USD)


def item(due_on: date, cents: int, currency: Currency = USD) -> AgedItem:
    return AgedItem(
        account_id=ACCOUNT,
        invoice_id=InvoiceId(new_id("inv")),
        number="INV-1",
        issued_on=date(2026, 1, 1),
        due_on=due_on,
        open=Money.of_minor_units(cents, currency),
    )


@pytest.mark.parametrize(
    ("due_on", "days", "bucket"),
    [
        (date(2026, 7, 30), -30, "not_due"),
        (date(2026, 6, 30), 0, "not_due"),
        (date(2026, 6, 29), 1, "days_1_to_30"),
        (date(2026, 5, 31), 30, "days_1_to_30"),
        (date(2026, 5, 30), 31, "days_31_to_60"),
        (date(2026, 5, 1), 60, "days_31_to_60"),
        (date(2026, 4, 30), 61, "days_61_to_90"),
        (date(2026, 4, 1), 90, "days_61_to_90"),
        (date(2026, 3, 31), 91, "over_90"),
        (date(2025, 6, 30), 365, "over_90"),
    ],
    ids=str,
)
def test_falls_into_its_bucket(due_on: date, days: int, bucket: str) -> None:
    """On June 30: May has 31 days, April 30, March 31."""
    found = item(due_on, 100)

    buckets = Buckets.of([found], AS_OF, USD)

    assert found.days_overdue(AS_OF) == days
    assert getattr(buckets, bucket) == buckets.open == usd(100)


def test_buckets_add_up() -> None:
    """10.00 not due, 2.00 and 3.00 within thirty days, 7.00 older than ninety: 22.00."""
    dues = ((AS_OF, 1_000), (date(2026, 6, 1), 200), (date(2026, 6, 2), 300))
    items = [item(*each) for each in (*dues, (date(2026, 1, 1), 700))]

    buckets = Buckets.of(items, AS_OF, USD)

    assert buckets.parts == (usd(1_000), usd(500), usd(0), usd(0), usd(700))
    assert buckets.open == usd(2_200)
    assert Buckets.total([buckets, buckets], USD).parts == tuple(
        part + part for part in buckets.parts
    )


def test_what_the_ledger_has_beyond_the_items_is_not_invoiced() -> None:
    """A balance of 30.00, 22.00 open and 5.00 to its credit: 13.00 are not invoiced yet."""
    items = [item(AS_OF, 2_200), item(AS_OF, 0)]

    ageing = aged(ACCOUNT, "Kabul Trading", AS_OF, items, usd(3_000), usd(500))

    assert ageing.not_invoiced == usd(1_300)
    assert len(ageing.items) == 1
    assert not ageing.is_settled
    assert aged(ACCOUNT, "Kabul Trading", AS_OF, [], usd(0), usd(0)).is_settled


def test_two_currencies_are_not_added() -> None:
    with pytest.raises(CurrenciesDiffer):
        Buckets.of([item(AS_OF, 1), item(AS_OF, 1, EUR)], AS_OF, USD)
