"""The platform's figures as tables for a spreadsheet: a line a figure, or a line a row behind one.

A line says the days, the currency, which figure it is of what, and the figure: an amount with the
decimals of its currency, a number, or a share in basis points. An amount finer than that, as a
twelfth of a year's fee may be, is rounded here and nowhere else.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from common.contracts.spreadsheet import MARK, row
from common.domain.money import Currency, Money
from common.domain.sales_journal import Cell, amount

COLUMNS: Final = ("first", "last", "currency", "part", "figure", "value")
ROWS: Final = (
    "tenant_id",
    "subscription_id",
    "invoice_id",
    "number",
    "currency",
    "amount",
    "at",
    "meter",
    "usage_period",
)
CREDITS: Final = (
    "record",
    "first",
    "last",
    "tenant_id",
    "granted_micro",
    "consumed_micro",
    "metered_micro",
    "expired_micro",
    "taken_back_micro",
    "redeemed_micro",
)
MICRO: Final = (
    "grantedMicro",
    "consumedMicro",
    "meteredMicro",
    "expiredMicro",
    "takenBackMicro",
    "redeemedMicro",
)
Document = Mapping[str, Any]


def revenue_csv(document: Document) -> bytes:
    """What each currency came to: its parts one after the other."""
    unbilled = {"currency": None, "usage_not_invoiced": document["usageNotInvoiced"]}
    return _table(document, [*document["currencies"], unbilled])


def subscriptions_csv(document: Document) -> bytes:
    """Customers of each currency, and trials."""
    trials = {"currency": None, "trials": document["trials"]}
    return _table(document, [*document["customers"], trials])


def rows_csv(document: Document) -> bytes:
    """The rows of a page, as they stand in it."""
    return MARK + row(ROWS) + b"".join(_row(each) for each in document["items"])


def credits_csv(document: Document) -> bytes:
    """What each tenant's credits came to, in micro credits, and their sum."""
    days = (document["first"], document["last"])
    lines = [
        ("tenant", *days, each["tenantId"], *(each[name] for name in MICRO))
        for each in document["tenants"]
    ]
    total = ("total", *days, None, *(document[name] for name in MICRO))
    return MARK + row(CREDITS) + b"".join(row(line) for line in [*lines, total])


def _row(each: Document) -> bytes:
    money = each["amount"]
    return row(
        (
            each["tenantId"],
            each["subscriptionId"],
            each["invoiceId"],
            each["number"],
            money and money["currency"],
            money and _amount(money),
            each["at"],
            each["meter"],
            each["usagePeriod"],
        )
    )


def _table(document: Document, parts: list[Document]) -> bytes:
    days = (document["first"], document["last"])
    lines = (
        row((*days, each["currency"], part, figure, value))
        for each in parts
        for part, figure, value in _figures("", each)
    )
    return MARK + row(COLUMNS) + b"".join(lines)


def _figures(part: str, document: Document) -> Iterator[tuple[str, str, Cell]]:
    """Each figure of a document, with the name of the part that it stands in."""
    for name, value in document.items():
        if name == "currency":
            continue
        if isinstance(value, Mapping) and "amountMicro" not in value:
            yield from _figures(name, value)
        else:
            yield part, name, _amount(value) if isinstance(value, Mapping) else value


def _amount(money: Document) -> Cell:
    rounded = Money(money["amountMicro"], Currency(money["currency"])).rounded()
    return amount(rounded.amount_micro, rounded.currency)
