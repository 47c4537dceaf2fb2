"""Crediting an invoice, as the accountant does it.

    answer = credits(hotel, invoice, (line, usd(1_000)))
    answer = voids(hotel, invoice)

Mariam credits, and confirms each credit with a second factor. What she signs is worked out here
anew, from the rule alone: SHA-256 over sorted JSON without spaces (RFC 8785).
"""

import json
from typing import Any

from werkzeug.test import TestResponse

from tests.hotel import Hotel
from tests.till import signed

WRITE = "billing.credit_note.write"
Amount = dict[str, Any]


def lines_of(hotel: Hotel, document: str) -> list[dict[str, Any]]:
    """The rows of a document, as they were signed."""
    row = hotel.rows("SELECT payload FROM {s}.invoices WHERE id = :id", id=document)[0]
    rows: list[dict[str, Any]] = json.loads(row[0])["lines"]
    return rows


def approval(hotel: Hotel, invoice: str, *lines: tuple[str, Amount], sub: str = "mariam") -> str:
    """A fresh confirmation of crediting these lines."""
    document = signed(
        deed="credit_note.issue",
        tenant=str(hotel.tenant_id),
        invoice=invoice,
        lines=[{"line": line, **amount} for line, amount in lines],
    )
    return hotel.confirmation(sub, WRITE, document)


def voiding(hotel: Hotel, invoice: str, sub: str = "mariam") -> str:
    """A fresh confirmation of voiding an invoice."""
    document = signed(deed="invoice.void", tenant=str(hotel.tenant_id), invoice=invoice)
    return hotel.confirmation(sub, WRITE, document)


def request_of(
    hotel: Hotel, invoice: str, *lines: tuple[str, Amount], confirmed: str = "", **more: Any
) -> dict[str, Any]:
    """The body of a credit, with its confirmation."""
    return {
        "invoiceId": invoice,
        "lines": [{"lineId": line, "amount": amount} for line, amount in lines],
        "reason": "The heating was cold",
        "stepUpToken": confirmed or approval(hotel, invoice, *lines),
        **more,
    }


def credits(
    hotel: Hotel, invoice: str, *lines: tuple[str, Amount], key: str = "", at: Hotel | None = None
) -> TestResponse:
    """Credit lines of an invoice; `at` is the instance that is asked."""
    body = request_of(hotel, invoice, *lines)
    return (at or hotel).post("/credit-notes", body, token=hotel.token(sub="mariam"), key=key)


def voids(hotel: Hotel, invoice: str, *, key: str = "", at: Hotel | None = None) -> TestResponse:
    """Void an invoice."""
    body = {"reason": "Billed to the wrong guest", "stepUpToken": voiding(hotel, invoice)}
    path = f"/invoices/{invoice}/void"
    return (at or hotel).post(path, body, token=hotel.token(sub="mariam"), key=key)
