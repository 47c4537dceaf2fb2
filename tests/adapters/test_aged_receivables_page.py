"""The report of aged receivables on a screen and on paper: nobody's trick."""

import re
from io import BytesIO
from typing import Any

import pytest
from pypdf import PdfReader

from common.documents.aged_receivables_page import aged_receivables_html, aged_receivables_pdf
from common.documents.aged_receivables_words import AGED_RECEIVABLES_WORDS
from common.documents.pages import page
from common.ports.powers import NotPrintable

pytestmark = pytest.mark.req("REP-1", "FOL-10")


def money(cents: int, currency: str = "USD") -> dict[str, Any]:
    return {"amountMicro": cents * 10_000, "currency": currency}


def buckets(first: int, over_90: int, currency: str = "USD") -> dict[str, Any]:
    names = ("days1To30", "days31To60", "days61To90")
    return {
        "notDue": money(first, currency),
        **{name: money(0, currency) for name in names},
        "over90": money(over_90, currency),
        "open": money(first + over_90, currency),
    }


def company(name: str, first: int, over_90: int, currency: str = "USD") -> dict[str, Any]:
    return {
        "companyAccountId": "cac_01JNV5Z8Q4X7T2M9K3R6W0YBCA",
        "name": name,
        "buckets": buckets(first, over_90, currency),
        "notInvoiced": money(100, currency),
        "unallocated": money(0, currency),
        "balance": money(first + over_90 + 100, currency),
    }


def report(language: str = "en", name: str = "Herat Trading") -> dict[str, Any]:
    """Two companies in dollars, 1,234.50 and 10.00, and one in euros."""
    return {
        "language": language,
        "propertyId": "7c1f0f0e-6f0b-4b8a-9d53-0a4f6e1f0a11",
        "propertyName": "Garden Hotel",
        "issuer": {
            "name": "Hotels AG",
            "addressLines": ["Street 1"],
            "taxId": "1",
            "country": "AF",
        },
        "asOf": "2026-06-20",
        "accounts": [
            company(name, 100_000, 23_450),
            company("Balkh", 1_000, 0),
            company("Paris SA", 5_000, 0, "EUR"),
        ],
        "totals": [
            {
                "currency": "EUR",
                "buckets": buckets(5_000, 0, "EUR"),
                "balance": money(5_100, "EUR"),
            },
            {"currency": "USD", "buckets": buckets(101_000, 23_450), "balance": money(124_650)},
        ],
    }


def cells(html: str) -> list[list[str]]:
    rows = re.findall(r"<tr>(<td>.*?)</tr>", html)
    return [re.findall(r"<td[^>]*>(.*?)</td>", row) for row in rows]


def test_each_currency_has_its_companies_and_their_sum() -> None:
    first, euros, herat, balkh, dollars = cells(aged_receivables_html(report()))

    assert (first[0], first[-1], euros[0], euros[-1]) == ("Paris SA", "51.00", "Total", "51.00")
    assert herat == [
        *("Herat Trading", "1,000.00", "0.00", "0.00", "0.00", "234.50", "1.00", "0.00"),
        "1,235.50",
    ]
    assert balkh[0] == "Balkh"
    assert dollars == ["Total", "1,010.00", "0.00", "0.00", "0.00", "234.50", "", "", "1,246.50"]


def test_a_name_brings_no_markup() -> None:
    html = aged_receivables_html(report(name="<script>alert(1)</script>"))

    assert "<script" not in html


@pytest.mark.parametrize("language", sorted(AGED_RECEIVABLES_WORDS))
def test_the_pdf_says_the_same_in_every_language_and_each_time(language: str) -> None:
    words = AGED_RECEIVABLES_WORDS[language]

    drawn = aged_receivables_pdf(report(language))

    sheets = PdfReader(BytesIO(drawn)).pages
    text = " ".join("".join(sheet.extract_text() for sheet in sheets).split())
    figures = {
        "en": "1,246.50",
        "de": "1.246,50",
        "fr": "1 246,50",
        "fa": "۱٬۲۴۶٫۵۰",
        "ps": "۱٬۲۴۶٫۵۰",
        "ar": "1,246.50",
    }
    notice = words.not_an_invoice.rstrip(".")  # which stands where the reading begins
    for told in (words.title, notice, "Herat Trading", "Paris SA", words.total):
        assert told in text
    assert figures[language] in text
    assert aged_receivables_pdf(report(language)) == drawn


def test_a_language_without_words_is_refused_and_can_be_asked_for_as_json() -> None:
    with pytest.raises(NotPrintable):
        page("aged_receivables", "text/html", report("tlh"))
