"""Reports as tables for a spreadsheet: a line for each thing, and one for each sum.

`record` says which of the two a line is, so that nobody adds a sum to what it sums. Amounts have
the decimals of their currency (ISO 4217); what texts hold is never a formula.
"""

from collections.abc import Mapping
from typing import Any, Final

from common.contracts.spreadsheet import MARK, row
from common.domain.money import Currency
from common.domain.sales_journal import Cell, amount

AGED: Final = (
    "record",
    "property_id",
    "as_of",
    "company_account_id",
    "company",
    "currency",
    "not_due",
    "days_1_to_30",
    "days_31_to_60",
    "days_61_to_90",
    "over_90",
    "open",
    "not_invoiced",
    "to_their_credit",
    "balance",
)
BUCKETS: Final = ("notDue", "days1To30", "days31To60", "days61To90", "over90", "open")
Document = Mapping[str, Any]


def aged_receivables_csv(document: Document) -> bytes:
    """What each company owed on the day, and the sums of each currency."""
    common = {"property_id": document["propertyId"], "as_of": document["asOf"]}
    lines = [
        {
            "record": "account",
            **common,
            "company_account_id": each["companyAccountId"],
            "company": each["name"],
            "not_invoiced": _amount(each["notInvoiced"]),
            "to_their_credit": _amount(each["unallocated"]),
            **_aged(each),
        }
        for each in document["accounts"]
    ]
    lines += [{"record": "total", **common, **_aged(each)} for each in document["totals"]]
    return MARK + row(AGED) + b"".join(row([line.get(name) for name in AGED]) for line in lines)


def _aged(each: Document) -> dict[str, Cell]:
    buckets = dict(
        zip(AGED[6:12], (_amount(each["buckets"][name]) for name in BUCKETS), strict=True)
    )
    balance = each["balance"]
    return {**buckets, "currency": balance["currency"], "balance": _amount(balance)}


def _amount(money: Document) -> Cell:
    return amount(money["amountMicro"], Currency(money["currency"]))
