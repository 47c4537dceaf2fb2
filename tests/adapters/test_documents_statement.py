"""A statement on paper and on a screen: in every language of the invoices, and nobody's trick."""

import re
import string
from typing import Any

import pytest

from common.documents.account_statement_page import (
    BUCKETS,
    account_statement_html,
    account_statement_pdf,
)
from common.documents.account_statement_words import ACCOUNT_STATEMENT_WORDS
from common.documents.pages import page
from common.documents.statement_page import laid_out, statement_html, statement_pdf
from common.documents.statement_words import STATEMENT_WORDS, statement_words_in
from common.documents.vocabulary import LanguageUnknown
from common.documents.words import WORDS
from common.ports.powers import NotPrintable
from tests.adapters.test_documents_sample import copied, without_spaces


def usd(cents: int) -> dict[str, Any]:
    return {"amountMicro": cents * 10_000, "currency": "USD"}


def line(type: str = "charge", kind: str = "room", **more: Any) -> dict[str, Any]:
    stated = {
        "type": type,
        "kind": kind,
        "businessDate": "2026-03-01",
        "description": "Room 12",
        "amount": usd(11_000),
        "balance": usd(11_000),
        "tendered": None,
        "refundStatus": None,
    }
    return {**stated, **more}


def statement(**changes: Any) -> dict[str, Any]:
    """What the function answers, as far as a page shows it."""
    document = {
        "language": "en",
        "statedAt": "2026-03-02T08:15:00Z",
        "businessDate": "2026-03-02",
        "propertyName": "Garden Hotel",
        "issuer": {
            "name": "Hotels AG",
            "addressLines": ["Street 1"],
            "taxId": "1",
            "country": "AF",
        },
        "guest": {"name": "Amélie", "addressLines": [], "taxId": None},
        "folioId": "fol_01JNV5Z8Q4X7T2M9K3R6W0YBCA",
        "reservationId": None,
        "stay": None,
        "currency": "USD",
        "lines": [line()],
        "taxes": [],
        "net": usd(11_000),
        "tax": usd(0),
        "rounding": usd(0),
        "paid": usd(0),
        "refunded": usd(0),
        "moved": usd(0),
        "balance": usd(11_000),
    }
    return {**document, **changes}


@pytest.mark.req("INV-4")
def test_has_words_in_every_language_that_invoices_have() -> None:
    assert STATEMENT_WORDS.keys() == ACCOUNT_STATEMENT_WORDS.keys() == WORDS.keys()
    assert len({words.not_an_invoice for words in STATEMENT_WORDS.values()}) == len(WORDS)
    with pytest.raises(LanguageUnknown):
        statement_words_in("xx")


@pytest.mark.req("INV-4")
@pytest.mark.parametrize("language", sorted(WORDS))
def test_a_languages_sentences_have_one_place_for_what_was_posted(language: str) -> None:
    words = STATEMENT_WORDS[language]

    templates = {**words.lines, "pending": words.pending}
    places = {
        name: [field for _, field, _, _ in string.Formatter().parse(text) if field is not None]
        for name, text in templates.items()
    }

    assert places.pop("rounding") == []
    assert set(map(tuple, places.values())) == {("",)}
    assert {"void", "payment", "refund", "refund_reversal", "pending"} == places.keys()


@pytest.mark.req("INV-4")
@pytest.mark.parametrize("language", sorted(WORDS))
def test_says_on_every_page_and_screen_that_it_is_no_invoice(language: str) -> None:
    document = statement(language=language, lines=[line()] * 120)
    notice = STATEMENT_WORDS[language].not_an_invoice

    pages = copied(statement_pdf(document))

    assert notice in statement_html(document)
    assert len(pages) > 1
    unjoined = without_spaces(notice.replace("\u200c", ""))
    assert all(unjoined in without_spaces(page) for page in pages)


@pytest.mark.req("INV-4", "INV-9", "FOL-10")
def test_states_a_companys_account_in_dari_in_both_calendars() -> None:
    nobody = {"addressLines": [], "taxId": None, "country": "AF"}
    paid = {"kind": "payment", "number": None, "folioId": None, "reference": "حواله"}
    moved = {**paid, "businessDate": "2026-02-20", "amount": usd(-4_000), "balance": usd(5_000)}
    open_item = {"number": "INV-1", "dueOn": "2026-02-10", "daysOverdue": 19, "open": usd(5_000)}
    account = {
        **statement(language="fa-AF", issuer={"name": "Hotels AG", **nobody}),
        "first": "2026-02-01",
        "last": "2026-03-01",
        "companyAccountId": "cac_1",
        "company": {"name": "شرکت ACME", **nobody},
        "entries": [moved],
        "items": [open_item],
        "opening": usd(9_000),
        "closing": usd(5_000),
        "buckets": dict.fromkeys(BUCKETS, usd(0)),
    }

    [page] = copied(account_statement_pdf(account))

    assert "۱۲ دلو ۱۴۰۴ (۱ فبروری ۲۰۲۶)" in page.replace("\u00a0", " ")
    assert "پرداخت: حواله" in page
    assert '<html lang="fa-AF" dir="rtl">' in account_statement_html(account)


@pytest.mark.req("INV-4")
def test_lets_no_control_of_direction_change_what_is_shown() -> None:
    turned = "\u202e00.1 latoT\x00\u2067"
    told = statement(
        propertyName=turned,
        guest={"name": turned, "addressLines": [turned], "taxId": turned},
        reservationId=turned,
        lines=[line(description=turned), line("void", description=turned)],
    )

    shown = laid_out(told)

    assert shown.party.name == shown.property_name == shown.lines[0].description == "00.1 latoT"
    assert shown.lines[1].description == "Cancelled: 00.1 latoT"
    assert not re.search("[\u202e\u2067\x00]", statement_html(told))


@pytest.mark.req("INV-4")
def test_reads_what_people_wrote_as_no_template() -> None:
    """Braces would be places for values, if anybody filled them in."""
    posted = "{0.__class__} {} %s {{ page }}"

    shown = laid_out(statement(lines=[line("void", description=posted)]))

    assert shown.lines[0].description == f"Cancelled: {posted}"


@pytest.mark.req("INV-4", "MON-2")
def test_shows_what_is_owed_to_the_guest_below_nothing_and_no_empty_sums() -> None:
    paid = statement(paid=usd(12_000), balance=usd(-1_000), rounding=usd(1))

    shown = laid_out(paid)

    sums = [(each.label, each.value) for each in shown.sums]
    assert sums == [
        ("Net amount", "110.00"),
        ("Tax", "0.00"),
        ("Rounding", "0.01"),
        ("Paid", "120.00"),
    ]
    assert shown.balance == "-USD\u00a010.00"


@pytest.mark.req("INV-4", "PERF-1")
def test_draws_no_more_lines_than_anybody_waits_for() -> None:
    """So many are a page for a screen, and no PDF."""
    long = statement(lines=[line()] * 1001)

    assert statement_html(long).count("<td>Room 12</td>") == 1001
    with pytest.raises(NotPrintable):
        page("statement", "application/pdf", long)


@pytest.mark.req("INV-4")
def test_draws_the_same_statement_of_the_same_moment_alike() -> None:
    assert statement_pdf(statement()) == statement_pdf(statement())
