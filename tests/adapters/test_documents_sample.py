"""The invoice that the tests of documents print: three nights in Kabul, paid in two currencies.

Figures by hand, in US dollars: 3 nights of 120.00 and a dinner of 45.50 make 405.50 net; VAT 10 %
of 405.50 is 40.55; city tax is 2.00 for each of 3 nights, 6.00; gross 452.05. Paid: 400.00 EUR at
1.08 are 432.00, and 20.05 in cash; nothing is due.
"""

import copy
from io import BytesIO
from typing import Any

import pytest
from pypdf import PdfReader
from pypdfium2 import PdfDocument

from common.documents.payload import read_invoice
from common.documents.render import CURRENT_INVOICE_TEMPLATE, render_document

HASH = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
VERIFY_URL = (
    "https://billing.example.com/invoices/inv_01JNV5Z8Q4X7T2M9K3R6W0YBCD/verify"
    "?tenant=6f1d0f5e-3a52-4d5c-9b1e-2f7a8c0d4e61&hash=9f86d081884c7d659a2feaa0c55ad015"
)
GUEST = "Amélie van der Straeten"


def _tax(code: str, name: str, rate_ppm: int | None, base: int, amount: int) -> dict[str, Any]:
    return {
        "code": code,
        "name": name,
        "ratePpm": rate_ppm,
        "baseMicro": base * 10_000,
        "amountMicro": amount * 10_000,
        "category": "S" if rate_ppm else "O",
        "inclusive": False,
    }


def line(
    sequence: int, what: str, cents: int, *taxes: dict[str, Any], **more: Any
) -> dict[str, Any]:
    """A charge of `cents` net for one unit."""
    tax_micro = sum(tax["amountMicro"] for tax in taxes)
    return {
        "lineId": f"chg_{sequence}",
        "sequence": sequence,
        "kind": "charge",
        "description": what,
        "quantity": "1",
        "unitAmountMicro": cents * 10_000,
        "netMicro": cents * 10_000,
        "taxMicro": tax_micro,
        "grossMicro": cents * 10_000 + tax_micro,
        "serviceDate": f"2026-02-{25 + min(sequence, 3)}",
        "businessDate": f"2026-02-{25 + min(sequence, 3)}",
        "taxes": list(taxes),
        **more,
    }


def night(sequence: int) -> dict[str, Any]:
    """120.00 net, 12.00 VAT and 2.00 city tax."""
    taxes = _tax("VAT", "VAT", 100_000, 12000, 1200), _tax("CITY", "City tax", None, 12000, 200)
    return line(sequence, "Garden room, bed and breakfast", 12000, *taxes)


_INVOICE: dict[str, Any] = {
    "schema": "melmastoon.billing.invoice/1",
    "invoiceId": "inv_01JNV5Z8Q4X7T2M9K3R6W0YBCD",
    "number": "MEL-KBL-2026-000001",
    "type": "invoice",
    "issuedAt": "2026-03-01T09:00:00.000000Z",
    "businessDate": "2026-03-01",
    "tenantId": "6f1d0f5e-3a52-4d5c-9b1e-2f7a8c0d4e61",
    "propertyId": "0e9b2a64-7c1f-4f0a-8d35-5b6c7d8e9f10",
    "issuer": {
        "name": "Melmastoon Garden Hotel",
        "addressLines": ["14 Wazir Akbar Khan Road", "1001 Kabul"],
        "taxId": "AF-9001234567",
        "country": "AF",
    },
    "customer": {"commitment": HASH},
    "folioId": "fol_01JNV5Z8Q4X7T2M9K3R6W0YBCA",
    "reservationId": "RES-88121",
    "stay": {"from": "2026-02-26", "to": "2026-03-01"},
    "currency": "USD",
    "lines": [
        night(1),
        night(2),
        line(3, "Dinner, Bagh restaurant", 4550, _tax("VAT", "VAT", 100_000, 4550, 455)),
        night(4),
    ],
    "taxBreakdown": [
        _tax("VAT", "Value added tax", 100_000, 40550, 4055),
        _tax("CITY", "City tax", None, 36000, 600),
    ],
    "totals": {
        "netMicro": 405_500_000,
        "taxMicro": 46_550_000,
        "grossMicro": 452_050_000,
        "paidMicro": 452_050_000,
        "roundingMicro": 0,
        "dueMicro": 0,
    },
    "payments": [
        {
            "method": "card",
            "paidMicro": 400_000_000,
            "paidCurrency": "EUR",
            "amountMicro": 432_000_000,
            "businessDate": "2026-02-28",
        },
        {
            "method": "cash",
            "paidMicro": 20_050_000,
            "paidCurrency": "USD",
            "amountMicro": 20_050_000,
            "businessDate": "2026-03-01",
        },
    ],
    "fx": {
        "snapshots": [
            {
                "base": "EUR",
                "quote": "USD",
                "rate": "1.08",
                "source": "ECB",
                "takenAt": "2026-02-28T15:00:00.000000Z",
            }
        ],
        "differenceMicro": None,
    },
    "series": {"jurisdiction": "AF", "documentType": "invoice", "year": 2026, "sequence": 1},
    "previousDocumentSha256": None,
    "language": "en",
}

_PERSONAL: dict[str, Any] = {
    "name": GUEST,
    "addressLines": ["Rue de la Loi 16", "1000 Bruxelles", "Belgium"],
    "taxId": "BE0123456789",
}


def invoice(**changes: Any) -> dict[str, Any]:
    """A fresh payload with top-level fields changed."""
    return {**copy.deepcopy(_INVOICE), **changes}


def personal(**changes: Any) -> dict[str, Any]:
    """Fresh personal data with fields changed."""
    return {**copy.deepcopy(_PERSONAL), **changes}


def rendered(
    payload: dict[str, Any] | None = None, person: dict[str, Any] | None = None, **options: Any
) -> bytes:
    given: dict[str, Any] = {
        "payload_sha256": HASH,
        "verify_url": VERIFY_URL,
        "language": "en",
        "template_version": CURRENT_INVOICE_TEMPLATE,
        **options,
    }
    return render_document(payload or invoice(), person or personal(), **given)


def pages(pdf: bytes) -> list[str]:
    return [page.extract_text() for page in PdfReader(BytesIO(pdf)).pages]


def copied(pdf: bytes) -> list[str]:
    """The text of each page as a browser copies it, in the order in which it is read."""
    document = PdfDocument(pdf)
    return [document[number].get_textpage().get_text_range() for number in range(len(document))]


def without_spaces(text: str) -> str:
    return "".join(text.split())


@pytest.mark.req("INV-4")
def test_the_sample_invoice_adds_up() -> None:
    sample = read_invoice(invoice())

    assert sum(one.net_micro for one in sample.lines) == sample.totals.net_micro
    assert sum(one.gross_micro for one in sample.lines) == sample.totals.gross_micro
    assert sum(tax.amount_micro for tax in sample.tax_breakdown) == sample.totals.tax_micro
    assert sum(one.amount_micro for one in sample.payments) == sample.totals.paid_micro
