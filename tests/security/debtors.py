"""A company for the attacks: an account that owes an invoice, and has paid a part of it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self
from uuid import uuid4

from tests.crediting import credits, lines_of
from tests.hotel import Hotel, new_id, usd
from tests.owing import company, given_up, invoiced, pay, write_off

NAMED = {"name": "Kabul Trading", "addressLines": ["Street 9"], "taxId": "AF-900"}


@dataclass(frozen=True)
class Debtor:
    """90.00 are open of an invoice of 110.00, of which 1.00 was written off, and 5.00 are to the
    account's credit."""

    hotel: Hotel
    account: str
    invoice: str
    allocation: str
    note: str
    lost: str

    @classmethod
    def of(cls, hotel: Hotel) -> Self:
        account = company(hotel)
        _, invoice = invoiced(hotel, account, 10_000)
        (given,) = pay(hotel, account, usd(2_000)).json["allocations"]
        assert pay(hotel, account, usd(500), allocations=[]).status_code == 201
        line = lines_of(hotel, invoice)[0]["lineId"]
        note = credits(hotel, invoice, (line, usd(100))).json["creditNoteId"]
        lost = write_off(hotel, account, invoice, usd(100)).json["writeOffId"]
        return cls(hotel, account, invoice, given["allocationId"], note, lost)

    def shares(self) -> list[dict[str, Any]]:
        return [{"invoiceId": self.invoice, "amount": usd(1)}]


def _receipt(debtor: Debtor) -> dict[str, Any]:
    return {
        "id": new_id("rcp"),
        "method": "card",
        "amount": usd(2),
        "paymentId": f"pi-{uuid4()}",
        "reference": "Transfer 9",
        "cashSessionId": new_id("cds"),
        "allocations": debtor.shares(),
    }


BODIES: dict[str, Callable[[Debtor], dict[str, Any]]] = {
    "open_company_account": lambda debtor: {
        "id": new_id("cac"),
        "propertyId": str(debtor.hotel.property_id),
        "company": NAMED,
        "termsDays": 30,
        "creditLimit": usd(10_000),
    },
    "change_company_account": lambda debtor: {
        "company": NAMED,
        "termsDays": 14,
        "creditLimit": usd(200_000),
        "status": "active",
        "reason": "Agreed with them",
    },
    "record_company_payment": _receipt,
    "set_off_credit_note": lambda debtor: {
        "id": new_id("sof"),
        "creditNoteId": debtor.note,
        "amount": usd(1),
    },
    "allocate_credit": lambda debtor: {"allocations": debtor.shares()},
    "reverse_allocation": lambda debtor: {"reason": "It was for another invoice"},
    "write_off_receivable": lambda debtor: given_up(debtor.invoice, usd(1)),
    "reverse_write_off": lambda debtor: {"reason": "It pays after all"},
}
QUERIES: dict[str, Callable[[Hotel], dict[str, str]]] = {
    "list_company_accounts": lambda hotel: {
        "propertyId": str(hotel.property_id),
        "status": "active",
        "limit": "50",
        "cursor": "IiI",
    },
    "show_ageing": lambda hotel: {"asOf": "2026-03-01"},
    "show_account_statement": lambda hotel: {"first": "2026-03-01", "last": "2026-03-31"},
    "show_aged_receivables": lambda hotel: {
        "propertyId": str(hotel.property_id),
        "asOf": "2026-03-01",
    },
}
