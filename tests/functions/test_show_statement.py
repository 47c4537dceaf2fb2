"""A folio's statement: each line with the balance it left, as JSON, as a page and as a PDF."""

import re
from io import BytesIO
from typing import Any
from uuid import uuid4

import pytest
from pypdf import PdfReader
from werkzeug.test import TestResponse

from common.documents.reading import PdfUnreadable, read_invoice_identity
from tests.hotel import Hotel, charge, new_id, usd
from tests.proofs import GENERAL, assert_books_are_right, assert_refused, state
from tests.refunding import card_payment, refund
from tests.till import Till

PDF = "application/pdf"
NOTICE = "This is a statement of your account and not an invoice."
HOSTILE = "</td></tr></table><script>alert(1)</script><img src=//evil.test/x>{{ 7*7 }}"


def eur(cents: int) -> dict[str, Any]:
    return {"amountMicro": cents * 10_000, "currency": "EUR"}


def stated(hotel: Hotel, folio: str, accept: str = "", **more: Any) -> TestResponse:
    headers = {"Accept": accept} if accept else {}
    answer = hotel.get(f"/folios/{folio}/statement", headers=headers, **more)
    assert answer.status_code == 200, answer.text
    return answer


def printed(pdf: bytes) -> str:
    """The text of all pages, each run of spaces as one."""
    pages = PdfReader(BytesIO(pdf)).pages
    return re.sub(r"\s+", " ", " ".join(page.extract_text() for page in pages))


def cents(amount: dict[str, Any]) -> int:
    micro: int = amount["amountMicro"]
    return micro // 10_000


@pytest.fixture
def folio(hotel: Hotel) -> str:
    """100.00 and 10.00; 5.00 and 0.50, voided; 20.00 EUR at 1.10 paid, 8.00 EUR given back."""
    guest = {"name": "Zarmina Ahmadi", "addressLines": ["Street 7", "Herat"], "taxId": "AF-77"}
    stay = {"arrival": "2026-03-01", "departure": "2026-03-04"}
    folio = hotel.open_folio(guest=guest, stay=stay, reservationId="RES-4711")
    hotel.charged(folio, description={"en": "Room 12", "de": "Zimmer 12"})
    voided = hotel.charged(folio, "minibar", 500)
    hotel.post(f"/folios/{folio}/charges/{voided}/void", {"reason": "Not taken"})
    payment = hotel.paid(folio, eur(2_000))
    assert refund(hotel, folio, payment, eur(800)).status_code == 201
    return folio


@pytest.mark.req("FOL-4", "REF-1", "MON-5")
def test_states_each_line_with_the_balance_that_it_left(hotel: Hotel, folio: str) -> None:
    """22.00 USD are paid and 8.80 go back: 110.00 - 22.00 + 8.80 = 96.80 are owed."""
    document = stated(hotel, folio).json

    lines = document["lines"]
    assert [(line["type"], cents(line["amount"]), cents(line["balance"])) for line in lines] == [
        ("charge", 10_000, 10_000),
        ("tax", 1_000, 11_000),
        ("charge", 500, 11_500),
        ("tax", 50, 11_550),
        ("void", -500, 11_050),
        ("void", -50, 11_000),
        ("payment", -2_200, 8_800),
        ("refund", 880, 9_680),
    ]
    assert [line["description"] for line in lines[:3]] == ["Room 12", "VAT", "Night"]
    assert [line["tendered"] for line in lines[-2:]] == [eur(2_000), eur(-800)]
    assert [line["refundStatus"] for line in lines[-2:]] == [None, "succeeded"]
    sums = {name: cents(document[name]) for name in ("net", "tax", "rounding", "paid", "refunded")}
    assert sums == {"net": 10_000, "tax": 1_000, "rounding": 0, "paid": 2_200, "refunded": 880}
    assert document["balance"] == usd(9_680)
    [tax] = document["taxes"]
    assert (tax["code"], tax["ratePpm"], tax["base"], tax["amount"]) == (
        "VAT", 100_000, usd(10_000), usd(1_000),
    )  # fmt: skip


@pytest.mark.req("FOL-1")
def test_says_for_whom_by_whom_and_that_it_is_no_invoice(hotel: Hotel, folio: str) -> None:
    document = stated(hotel, folio).json

    assert (document["document"], document["isInvoice"]) == ("statement", False)
    assert document["guest"] == {
        "name": "Zarmina Ahmadi", "addressLines": ["Street 7", "Herat"], "taxId": "AF-77",
    }  # fmt: skip
    assert document["issuer"]["name"] == "Hotel Kabul"
    assert document["propertyId"] == str(hotel.property_id)
    assert document["stay"] == {"arrival": "2026-03-01", "departure": "2026-03-04"}
    assert not {"number", "payloadSha256", "signature"} & document.keys()


@pytest.mark.req("FOL-4", "MON-6")
def test_comes_to_the_folios_balance_and_to_the_ledgers(hotel: Hotel, folio: str) -> None:
    card = card_payment(hotel, folio, usd(4_000))
    refund(hotel, folio, card, usd(700))

    document = stated(hotel, folio).json

    [[ledger]] = hotel.rows(
        "SELECT sum(CASE debit_account WHEN 'guest_ledger' THEN amount_micro"
        " ELSE -amount_micro END)::bigint FROM {s}.ledger_entries"
        " WHERE folio_id = :folio AND 'guest_ledger' IN (debit_account, credit_account)",
        folio=folio,
    )
    balance = hotel.get(f"/folios/{folio}").json["balance"]
    assert document["balance"] == document["lines"][-1]["balance"] == balance
    assert balance["amountMicro"] == ledger
    total = sum(cents(document[name]) for name in ("net", "tax", "rounding", "refunded"))
    assert total - cents(document["paid"]) == cents(balance)
    taxes = sum(cents(tax["amount"]) for tax in document["taxes"])
    assert taxes == cents(document["tax"])
    assert_books_are_right(hotel)


@pytest.mark.req("REF-2", "FOL-4")
def test_a_refund_that_failed_and_one_on_its_way_are_told_apart(hotel: Hotel) -> None:
    """40.00 paid by card; 7.00 are refused by the processor and taken back; 5.00 are promised."""
    folio = hotel.open_folio()
    failing = card_payment(hotel, folio, usd(4_000), "sandbox_declined")
    refund(hotel, folio, failing, usd(700))
    pending = card_payment(hotel, folio, usd(1_000), "sandbox_unreachable")
    refund(hotel, folio, pending, usd(500))

    document = stated(hotel, folio).json

    lines = [(line["type"], line["refundStatus"]) for line in document["lines"]]
    assert lines == [
        ("payment", None),
        ("refund", "failed"),
        ("refund_reversal", None),
        ("payment", None),
        ("refund", "pending"),
    ]
    assert (document["paid"], document["refunded"]) == (usd(5_000), usd(500))
    assert document["balance"] == usd(-4_500)
    page = stated(hotel, folio, "text/html").text
    assert "Refund: Card, on its way" in page
    assert "Refund that failed, taken back: Card" in page


@pytest.mark.req("FOL-1")
def test_states_a_folio_on_which_nothing_stands_and_one_that_is_closed(hotel: Hotel) -> None:
    empty, (closed, _) = hotel.open_folio(), hotel.closed_folio()

    assert stated(hotel, empty).json["lines"] == []
    assert stated(hotel, empty).json["balance"] == usd(0)
    assert "Nothing has been posted yet." in stated(hotel, empty, "text/html").text
    assert "Nothing has been posted yet." in printed(stated(hotel, empty, PDF).data)
    assert stated(hotel, closed).json["status"] == "closed"
    assert stated(hotel, closed).json["balance"] == usd(0)


@pytest.mark.req("INV-4")
def test_shows_a_page_to_a_browser_that_runs_and_fetches_nothing(hotel: Hotel, folio: str) -> None:
    answer = stated(hotel, folio, "text/html,application/xhtml+xml,*/*;q=0.8")

    assert answer.content_type == "text/html; charset=utf-8"
    assert answer.headers["Vary"] == "Accept"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'; style-src")
    rows = re.findall(r"<tr><td>[^<]*</td><td>([^<]*)</td>.*?>([^<]*)</td></tr>", answer.text)
    assert rows[0] == ("Room 12", "100.00")
    assert rows[4] == ("Cancelled: Night", "110.50")
    assert rows[6] == ("Payment: Bank transfer (EUR\u00a020.00)", "88.00")
    assert rows[7] == ("Refund: Bank transfer (-EUR\u00a08.00)", "96.80")
    for text in (NOTICE, "Zarmina Ahmadi", "Street 7", "Hotel Kabul", "RES-4711", "USD\u00a096.80"):
        assert text in answer.text
    assert not re.search(r"<(script|link|img|a|form|iframe)\b|\s(style|on\w+|src|href)=|url\(",
                         answer.text)  # fmt: skip


@pytest.mark.req("INV-4")
def test_draws_a_pdf_that_is_no_document_of_the_series(hotel: Hotel, folio: str) -> None:
    answer = stated(hotel, folio, PDF)

    assert answer.content_type == PDF
    assert answer.headers["Content-Disposition"] == 'inline; filename="statement.pdf"'
    text = printed(answer.data)
    for part in (NOTICE, "Zarmina Ahmadi", "Room 12", "96.80", "Page 1 of 1"):
        assert part in text
    with pytest.raises(PdfUnreadable):
        read_invoice_identity(answer.data)


@pytest.mark.req("INV-4")
@pytest.mark.parametrize(
    ("language", "notice", "room"),
    [
        ("de", "keine Rechnung", "Zimmer 12"),
        ("de-AT", "keine Rechnung", "Zimmer 12"),
        ("fr", "non une facture", "Zimmer 12"),
        ("ps-AF", "بل نه دی", "Zimmer 12"),
    ],
)
def test_speaks_the_language_of_the_houses_invoices(
    hotel: Hotel, folio: str, language: str, notice: str, room: str
) -> None:
    """A description stands in that language, or else in the first of those it was given in."""
    hotel.write_settings(language=language)

    for text in (stated(hotel, folio, "text/html").text, printed(stated(hotel, folio, PDF).data)):
        assert notice in text
        assert room in text


@pytest.mark.req("INV-4", "API-6")
def test_prints_hostile_text_as_text(hotel: Hotel) -> None:
    guest = {"name": HOSTILE, "addressLines": [HOSTILE], "taxId": "A<b>1"}
    folio = hotel.open_folio(guest=guest, reservationId="R<i>1")
    hotel.charged(folio, description={"en": HOSTILE})
    tax = "VAT <u>"
    hotel.write_settings(taxRules=[{**hotel.settings()["taxRules"][0], "name": tax}])
    hotel.charged(folio)

    page = stated(hotel, folio, "text/html").text
    pdf = stated(hotel, folio, PDF).data

    assert "<script" not in page
    assert "<img" not in page
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;") == 3
    assert "VAT &lt;u&gt;" in page
    assert printed(pdf).replace(" ", "").count(HOSTILE.replace(" ", "")) == 3
    links = [note for each in PdfReader(BytesIO(pdf)).pages for note in each.get("/Annots", [])]
    assert links == []


@pytest.mark.req("INV-4", "API-3")
def test_refuses_a_pdf_that_would_lack_a_sign_and_still_gives_the_page(hotel: Hotel) -> None:
    folio = hotel.open_folio(guest={"name": "Guest \N{GRINNING FACE}"})

    answer = hotel.get(f"/folios/{folio}/statement", headers={"Accept": PDF})

    assert_refused(answer, 422, GENERAL + "NOT_PRINTABLE")
    assert "Guest" not in answer.text
    assert "Guest \N{GRINNING FACE}" in stated(hotel, folio, "text/html").text


@pytest.mark.req("INV-4", "API-3")
def test_refuses_a_page_in_a_language_that_has_no_words(hotel: Hotel, folio: str) -> None:
    hotel.write_settings(language="tlh")

    for accept in ("text/html", PDF):
        answer = hotel.get(f"/folios/{folio}/statement", headers={"Accept": accept})
        assert_refused(answer, 422, GENERAL + "NOT_PRINTABLE")
    assert stated(hotel, folio).json["language"] == "tlh"


@pytest.mark.req("API-1", "API-3")
@pytest.mark.parametrize(
    ("accept", "given"),
    [
        ("*/*", "application/json"),
        ("application/*", "application/json"),
        ("text/*", "text/html; charset=utf-8"),
        ("application/pdf;q=0.9, text/html;q=0.5", PDF),
        ("application/json;q=0, */*", "text/html; charset=utf-8"),
        ("image/png", None),
        ("text/html;q=0", None),
        ("nothing", None),
    ],
)
def test_gives_what_is_liked_best_of_what_it_has(
    hotel: Hotel, accept: str, given: str | None
) -> None:
    folio = hotel.open_folio()

    answer = hotel.get(f"/folios/{folio}/statement", headers={"Accept": accept})

    if given is None:
        assert_refused(answer, 406, GENERAL + "NOT_ACCEPTABLE")
    else:
        assert (answer.status_code, answer.content_type) == (200, given)


@pytest.mark.req("PERF-1", "INV-4")
def test_states_a_folio_of_500_lines(hotel: Hotel) -> None:
    """250 charges of 1.00 with 0.10 of tax each: 275.00, on several pages."""
    folio = hotel.open_folio()
    body = {"charges": [charge("minibar", 100, description=f"Tea {n}") for n in range(1, 251)]}
    assert hotel.post(f"/folios/{folio}/charges/batch", body).status_code == 201

    document = stated(hotel, folio).json
    page, pdf = stated(hotel, folio, "text/html").text, stated(hotel, folio, PDF).data

    assert len(document["lines"]) == 500
    assert document["balance"] == document["lines"][-1]["balance"] == usd(27_500)
    assert page.count("<td>Tea ") == 250
    text, pages = printed(pdf), len(PdfReader(BytesIO(pdf)).pages)
    assert pages > 5
    assert f"Page {pages} of {pages}" in text
    assert all(f"Tea {n} " in text for n in range(1, 251))


@pytest.mark.req("FOL-1")
def test_keeps_nothing_of_it(hotel: Hotel, folio: str) -> None:
    before = state(hotel)

    for accept in ("application/json", "text/html", PDF):
        stated(hotel, folio, accept)

    assert state(hotel) == before


@pytest.mark.req("API-3", "SEC-2", "SEC-3", "TEN-2")
def test_refuses_who_may_not_see_the_folio(hotel: Hotel, folio: str) -> None:
    """Of another property or tenant it is as unknown as one that never was, in whatever form."""
    path, stranger = f"/folios/{folio}/statement", hotel.house.new_hotel()
    elsewhere = hotel.token(property_ids=[uuid4()])
    for accept in ("application/json", "text/html", PDF):
        headers = {"Accept": accept}
        for answer in (
            hotel.get(path, token=elsewhere, headers=headers),
            stranger.get(path, headers=headers),
            hotel.get(f"/folios/{new_id('fol')}/statement", headers=headers),
        ):
            assert_refused(answer, 404, "FOLIO_UNKNOWN")
    for scope in ("billing.folio.write", "billing.report.read"):
        refused = hotel.get(path, token=hotel.token(scope))
        assert_refused(refused, 403, "MELMASTOON.IAM.SCOPE_MISSING")
    assert_refused(hotel.get(path, token=None), 401, "MELMASTOON.IAM.TOKEN_MISSING")


@pytest.mark.req("CASH-3")
def test_does_not_say_into_which_drawer_a_guest_paid(hotel: Hotel) -> None:
    till = Till.opened(hotel, usd(14_300))
    folio = hotel.open_folio()
    assert till.pay(usd(3_717), folio).status_code == 201

    for accept in ("application/json", "text/html"):
        text = stated(hotel, folio, accept).text
        assert till.session not in text
        assert till.drawer not in text
