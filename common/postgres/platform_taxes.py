"""The platform's tax rules, and what is declared through the one-stop shop.

Both are the platform's and no tenant's: the first column of each row is the tenant that asks, and
not whose the row is.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Final

from common.domain.money import Currency, Money
from common.domain.platform_identifiers import PlatformTaxRulesId
from common.domain.platform_tax import (
    BillTax,
    CountryRate,
    OneStopShopRow,
    PlatformTaxRules,
    Seller,
    Treatment,
    quarter_of,
)
from common.domain.subscription_invoice import SubscriptionInvoice
from common.postgres import ranks
from common.postgres.connection import Row, Statement
from common.postgres.session import Insert, Write
from common.postgres.stores import Desk

if TYPE_CHECKING:  # who writes no credit note loads none
    from common.domain.platform_credit import PlatformCreditNote

COLUMNS: Final = "id, number, seller, one_stop_shop, rates, in_force_from, published_at"
IN_FORCE: Final = f"""
SELECT billing_central.current_tenant(), {COLUMNS}
FROM billing_central.platform_tax_rules
WHERE in_force_from <= $1
ORDER BY number DESC
LIMIT 1
"""
NEWEST: Final = f"""
SELECT billing_central.current_tenant(), {COLUMNS}
FROM billing_central.platform_tax_rules
ORDER BY number DESC
LIMIT 20
"""
LAST_NUMBER: Final = """
SELECT billing_central.current_tenant(), coalesce(max(number), 0)
FROM billing_central.platform_tax_rules
"""
DECLARED: Final = """
SELECT billing_central.current_tenant(), country, rate_ppm, currency, net_micro, tax_micro
FROM billing_central.one_stop_shop_totals
WHERE year = $1 AND quarter = $2
ORDER BY country, rate_ppm, currency
"""
DECLARE: Final = """
INSERT INTO billing_central.one_stop_shop_totals AS totals
  (year, quarter, country, rate_ppm, currency, net_micro, tax_micro)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (year, quarter, country, rate_ppm, currency) DO UPDATE
SET net_micro = totals.net_micro + excluded.net_micro,
    tax_micro = totals.tax_micro + excluded.tax_micro
"""
INSERT_RULES = Insert.into(ranks.PLACES, "billing_central.platform_tax_rules", COLUMNS)


class PlatformTaxes:
    """See the module."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def foresee(self) -> None:
        self._desk.foresee(IN_FORCE, self._desk.now)

    def in_force(self) -> PlatformTaxRules | None:
        rows = self._desk.rows(IN_FORCE, self._desk.now)
        return rules_of(rows[0][1:]) if rows else None

    def newest(self) -> Sequence[PlatformTaxRules]:
        return [rules_of(row[1:]) for row in self._desk.rows(NEWEST)]

    def last_number(self) -> int:
        number: int = self._desk.rows(LAST_NUMBER)[0][1]
        return number

    def keep(self, rules: PlatformTaxRules) -> None:
        self._desk.keep(rules, lambda: self._desk.insert(INSERT_RULES, [_row(rules)]))

    def declared(self, year: int, quarter: int) -> Sequence[OneStopShopRow]:
        return [
            OneStopShopRow(
                country=row[1],
                rate_ppm=row[2],
                net=Money(row[4], Currency(row[3])),
                tax=Money(row[5], Currency(row[3])),
            )
            for row in self._desk.rows(DECLARED, year, quarter)
        ]


def declare(invoice: SubscriptionInvoice, desk: Desk) -> None:
    """Add an invoice to what is declared of its quarter, by the seller's calendar.

    It is written under the lock of the invoices' series, and so waits for credit notes only.
    """
    bill = invoice.bill
    _declare(invoice.id, bill.taxed, bill.net, bill.tax, invoice.issued_at, desk)


def declare_credit(note: "PlatformCreditNote", desk: Desk) -> None:
    """Take a credit note off what is declared of the quarter in which it is written.

    It is written under the lock of the credit notes' series. Who holds that may wait for an
    invoice here, and nobody who writes one waits for that series.
    """
    _declare(note.id, note.taxed, -note.net, -note.tax, note.issued_at, desk)


def _declare(
    document: str, taxed: BillTax, net: Money, tax: Money, issued_at: datetime, desk: Desk
) -> None:
    if taxed.treatment is not Treatment.ONE_STOP_SHOP or taxed.seller is None:
        return
    on: date = taxed.seller.day(issued_at)
    added = Statement(
        DECLARE,
        (
            *quarter_of(on),
            taxed.country,
            taxed.rate_ppm,
            str(net.currency),
            net.amount_micro,
            tax.amount_micro,
        ),
    )
    desk.write(("one_stop_shop", document), Write(ranks.AGGREGATE_CHANGES, added))


def rules_of(row: Row) -> PlatformTaxRules:
    """A version from its columns."""
    return PlatformTaxRules(
        id=PlatformTaxRulesId(row[0]),
        number=row[1],
        seller=Seller.of(row[2]),
        one_stop_shop=row[3],
        rates=tuple(CountryRate.of(each) for each in row[4]),
        in_force_from=row[5],
        published_at=row[6],
        is_new=False,
    )


def _row(rules: PlatformTaxRules) -> dict[str, Any]:
    return {
        "id": rules.id,
        "number": rules.number,
        "seller": rules.seller.document(),
        "one_stop_shop": rules.one_stop_shop,
        "rates": [rate.document() for rate in rules.rates],
        "in_force_from": rules.in_force_from,
        "published_at": rules.published_at,
    }
