"""The printer behind its port, and the page for a guest who scanned the code."""

import base64
import hashlib
import re

import pytest

from common.documents.pages import page
from common.documents.printer import PdfPrinter
from common.documents.reading import PdfUnreadable
from common.ports.powers import DrawingRefused, Printer
from tests.adapters.test_documents_sample import HASH, VERIFY_URL, invoice, personal

PRINTER: Printer = PdfPrinter()
FOUND = {
    "valid": True,
    "signature": "valid",
    "status": "issued",
    "number": "MEL-KBL-2026-000001",
    "date": "2026-03-01",
    "issuer": "<b>Melmastoon</b> Garden Hotel",
}


def printed(*, template_version: str = "invoice-2", language: str = "en", **person: str) -> bytes:
    return PRINTER.document(
        invoice(),
        personal(**person),
        payload_sha256=HASH,
        verify_url=VERIFY_URL,
        language=language,
        template_version=template_version,
        copy=False,
        e_invoice=None,
        without_xml="tried without",
    )


@pytest.mark.req("INV-4", "INV-6")
def test_prints_the_same_invoice_that_it_reads_back() -> None:
    pdf = printed()

    assert pdf == printed()
    assert PRINTER.identity(pdf) == ("MEL-KBL-2026-000001", HASH)


@pytest.mark.req("INV-6")
@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"template_version": "invoice-0"}, "invoice-0"),
        ({"language": "tlh"}, "tlh"),
        ({"name": "Guest \N{GRINNING FACE}"}, "U+1F600"),
    ],
)
def test_refuses_what_it_cannot_draw_whole_and_says_why(wrong: dict[str, str], told: str) -> None:
    with pytest.raises(DrawingRefused, match=re.escape(told)) as refused:
        printed(**wrong)

    assert "Guest" not in str(refused.value)


@pytest.mark.req("INV-8")
def test_refuses_to_read_what_is_no_invoice_of_ours() -> None:
    with pytest.raises(PdfUnreadable):
        PRINTER.identity(b"%PDF-1.4 nothing of the kind")


@pytest.mark.req("INV-8")
def test_shows_a_guest_what_was_found_under_a_policy_that_runs_nothing() -> None:
    answer = page("verification", "text/html", FOUND)
    html = answer.get_data(as_text=True)

    assert answer.status_code == 200
    assert answer.content_type == "text/html; charset=utf-8"
    assert "MEL-KBL-2026-000001" in html
    assert "&lt;b&gt;Melmastoon" in html
    [style] = re.findall(r"<style>(.*?)</style>", html, re.DOTALL)
    hashed = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith(f"default-src 'none'; style-src 'sha256-{hashed}';")
    assert answer.headers["Referrer-Policy"] == "no-referrer"


@pytest.mark.req("INV-8")
def test_knows_no_page_that_was_never_made() -> None:
    for name, media_type in (("folio", "text/html"), ("verification", "application/pdf")):
        with pytest.raises(KeyError):
            page(name, media_type, FOUND)
