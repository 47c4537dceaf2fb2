"""Reading who an uploaded PDF claims to be, and telling a guest what was found."""

import base64
import hashlib
import random
import re
from io import BytesIO
from typing import Any

import pytest
from pypdf import PdfWriter

from common.documents.reading import MAX_PDF_BYTES, PdfUnreadable, read_invoice_identity
from common.documents.verification_page import content_security_policy, verification_page
from tests.adapters.test_documents_sample import HASH, rendered

FOUND = {
    "valid": True,
    "signature": "valid",
    "status": "issued",
    "number": "MEL-KBL-2026-000001",
    "date": "2026-03-01",
    "issuer": "Melmastoon Garden Hotel",
}


@pytest.fixture(scope="module")
def issued() -> bytes:
    return rendered()


def claiming(**info: str) -> bytes:
    """A PDF of one empty page with this Info dictionary."""
    written, writer = BytesIO(), PdfWriter()
    writer.add_blank_page(100, 100)
    writer.add_metadata({f"/{name}": value for name, value in info.items()})
    writer.write(written)
    return written.getvalue()


@pytest.mark.req("INV-8")
def test_reads_number_and_hash_back_from_the_metadata(issued: bytes) -> None:
    assert read_invoice_identity(issued) == ("MEL-KBL-2026-000001", HASH)
    assert read_invoice_identity(claiming(invoiceNumber="A-1", payloadSha256=HASH)) == ("A-1", HASH)


@pytest.mark.req("INV-8")
@pytest.mark.parametrize(
    "info",
    [
        {},
        {"invoiceNumber": "A-1"},
        {"payloadSha256": HASH},
        {"invoiceNumber": "", "payloadSha256": HASH},
        {"invoiceNumber": "A-1\n", "payloadSha256": HASH},
        {"invoiceNumber": "A" * 65, "payloadSha256": HASH},
        {"invoiceNumber": "../../etc", "payloadSha256": HASH},
        {"invoiceNumber": "A-1", "payloadSha256": HASH.upper()},
        {"invoiceNumber": "A-1", "payloadSha256": HASH[1:]},
        {"invoiceNumber": "A-1", "payloadSha256": HASH + "\n"},
    ],
)
def test_refuses_a_pdf_that_names_no_invoice(info: dict[str, str]) -> None:
    with pytest.raises(PdfUnreadable):
        read_invoice_identity(claiming(**info))


@pytest.mark.req("INV-8")
def test_refuses_an_encrypted_pdf(issued: bytes) -> None:
    locked, writer = BytesIO(), PdfWriter(clone_from=BytesIO(issued))
    writer.encrypt("", algorithm="RC4-128")
    writer.write(locked)

    with pytest.raises(PdfUnreadable):
        read_invoice_identity(locked.getvalue())


@pytest.mark.req("INV-8")
@pytest.mark.parametrize(
    "garbage",
    [
        b"",
        b"%PDF-1.7",
        b"%PDF-1.7\nstartxref\n9\n%%EOF",
        b"%PDF-1.7\nstartxref\n-1\n%%EOF",
        b"%PDF-1.7\nstartxref\n99999999999999999999\n%%EOF",
        b"%PDF-1.7\n" + b"[" * 200_000 + b"\nstartxref\n9\n%%EOF",
        b"%PDF-1.7\n" + b"<</A" * 100_000 + b"\nstartxref\n9\n%%EOF",
        b"%PDF-1.7\nxref\n0 99999999\ntrailer\n<</Prev 9>>\nstartxref\n9\n%%EOF",
        b"%PDF-1.7\n" + b"startxref\n" * 50_000,
        b"PK\x03\x04" + b"\x00" * 1000,
        b"\x89PNG\r\n\x1a\n",
        b"<html><body>invoice</body></html>",
        "Rechnung".encode("utf-16"),
        b"\x00" * 100_000,
        b"%PDF-1.7" + b" " * MAX_PDF_BYTES,
    ],
    ids=lambda garbage: f"{len(garbage)} bytes of {garbage[:12]!r}",
)
def test_refuses_garbage(garbage: bytes) -> None:
    with pytest.raises(PdfUnreadable):
        read_invoice_identity(garbage)


@pytest.mark.req("INV-8")
def test_never_fails_otherwise_on_cut_looped_or_damaged_documents(issued: bytes) -> None:
    chance = random.Random(20260301)
    table = issued.rindex(b"xref\n", 0, issued.rindex(b"startxref"))
    looped = issued.replace(b"trailer\n<<", b"trailer\n<<\n/Prev %d" % table)
    damaged = [looped, *(issued[: chance.randrange(len(issued))] for _ in range(100))]
    for _ in range(600):
        document = bytearray(issued)
        for _ in range(chance.choice((1, 5, 50))):
            document[-chance.randrange(1, 1500)] = chance.randrange(256)
        damaged.append(bytes(document))

    refused = 0
    for document in damaged:
        try:
            number, sha_256 = read_invoice_identity(document)
        except PdfUnreadable:
            refused += 1
        else:
            assert re.fullmatch(r"[\w./-]{1,64}", number)
            assert re.fullmatch(r"[0-9a-f]{64}", sha_256)

    assert refused > 300


@pytest.mark.req("INV-8")
@pytest.mark.parametrize(
    ("change", "headline"),
    [
        ({}, "This document is genuine<"),
        ({"status": "credited"}, "This document is genuine, but no longer stands"),
        ({"status": "voided"}, "This document is genuine, but no longer stands"),
        ({"valid": False}, "This document does not match"),
        ({"signature": "broken"}, "This document does not match"),
        ({"signature": "unknown_key"}, "This document does not match"),
        ({"signature": None}, "This document does not match"),
        ({"valid": "yes"}, "This document does not match"),
    ],
)
def test_calls_genuine_only_what_matches_under_a_valid_signature(
    change: dict[str, Any], headline: str
) -> None:
    assert headline in verification_page(FOUND | change)


@pytest.mark.req("INV-8")
def test_tells_number_issuer_date_status_and_signature_and_nothing_personal() -> None:
    page = verification_page(FOUND | {"customer": "Amélie", "personal": {"name": "Amélie"}})

    told = re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", page)
    assert told == [
        ("Invoice number", "MEL-KBL-2026-000001"),
        ("Issuer", "Melmastoon Garden Hotel"),
        ("Date of issue", "March 1, 2026"),
        ("Status", "Issued"),
        ("Signature", "Valid"),
    ]
    assert "Amélie" not in page


@pytest.mark.req("INV-8")
def test_tells_nothing_of_an_unknown_invoice() -> None:
    page = verification_page({"valid": False})

    assert "This document is not known" in page
    assert "<dt>" not in page


@pytest.mark.req("INV-8")
def test_holds_one_style_that_the_policy_allows_and_no_script_or_link() -> None:
    page = verification_page(FOUND | {"issuer": "<script src=//evil></script>\u202e"})

    [style] = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    hashed = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert content_security_policy().startswith(
        f"default-src 'none'; style-src 'sha256-{hashed}'; "
    )
    assert "<script" not in page
    assert "\u202e" not in page
    assert not re.search(
        r"<(link|img|a|form|iframe)\b|\s(style|on\w+|src|href)=|url\(|//",
        page.replace("&lt;script src=//evil&gt;", ""),
    )


@pytest.mark.req("INV-8", "INV-9")
def test_answers_in_the_language_of_the_guest() -> None:
    german = verification_page(FOUND | {"language": "de-AT"})

    assert "Dieses Dokument ist echt" in german
    assert "1. März 2026" in german
    pashto = verification_page(FOUND | {"language": "ps-AF"})
    assert '<html lang="ps-AF" dir="rtl">' in pashto
    assert "دا سند اصلي دی" in pashto
    assert "\u2068MEL-KBL-2026-000001\u2069" in pashto
    assert "This document is genuine" in verification_page(FOUND | {"language": "xx"})
