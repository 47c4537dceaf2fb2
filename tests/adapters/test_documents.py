"""Rendering an invoice: whole or not at all, and always the same bytes."""

import hashlib
import json
import logging
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader

from common.documents import render
from common.documents.drawing import RenderingFailed
from common.documents.filling import TEMPLATES
from common.documents.render import CURRENT_INVOICE_TEMPLATE, TemplateUnknown
from tests.adapters.test_documents_hostile import PIXEL
from tests.adapters.test_documents_sample import (
    GUEST,
    HASH,
    VERIFY_URL,
    invoice,
    night,
    pages,
    personal,
    rendered,
    without_spaces,
)

ROOT = Path(__file__).parents[2]


@pytest.mark.req("INV-4")
def test_prints_number_parties_lines_taxes_payments_rates_and_balance() -> None:
    [page] = pages(rendered())

    for printed in (
        "MEL-KBL-2026-000001",
        "Melmastoon Garden Hotel",
        "Tax ID AF-9001234567",
        "Afghanistan",
        GUEST,
        "March 1, 2026",
        "fol_01JNV5Z8Q4X7T2M9K3R6W0YBCA",
        "Dinner, Bagh restaurant",
        "VAT, CITY",
        "Value added tax (VAT)",
        "10%",
        "USD 452.05",
        "EUR 400.00",
        "1 EUR = 1.08 USD · ECB",
        "USD 0.00",
        HASH,
        "Page 1 of 1",
    ):
        assert printed in page.replace("\u00a0", " ")
    assert VERIFY_URL in without_spaces(page)


@pytest.mark.req("INV-4")
def test_draws_with_embedded_fonts_one_code_and_one_link() -> None:
    page = PdfReader(BytesIO(rendered())).pages[0]

    drawn = [font for font in page["/Resources"]["/Font"].values() if "/FontDescriptor" in font]
    links = [note.get_object()["/A"]["/URI"] for note in page["/Annots"]]
    assert {font["/BaseFont"].split("+")[1] for font in drawn} == {
        "NotoSans-Regular",
        "NotoSans-Bold",
    }
    assert all("/FontFile2" in font["/FontDescriptor"] for font in drawn)
    assert len(page.images) == 1
    assert set(links) == {VERIFY_URL}


@pytest.mark.req("INV-4", "INV-6")
def test_gives_the_same_bytes_again_and_in_parallel() -> None:
    first = rendered()
    rendered(invoice(number="MEL-KBL-2026-000002", currency="KWD"), personal(name="Someone Else"))

    with ThreadPoolExecutor(3) as pool:
        again = list(pool.map(lambda _: rendered(), range(3)))

    assert set(again) == {first}


@pytest.mark.req("INV-4", "INV-6")
def test_gives_the_same_bytes_in_processes_that_differ_in_seed_zone_and_folder(
    tmp_path: Path,
) -> None:
    script = (
        "import json, sys; from common.documents.render import render_document;"
        "a, b, c = json.load(sys.stdin); sys.stdout.buffer.write(render_document(a, b, **c))"
    )
    options = {
        "payload_sha256": HASH,
        "verify_url": VERIFY_URL,
        "language": "fa-AF",
        "template_version": CURRENT_INVOICE_TEMPLATE,
    }
    told = json.dumps([invoice(), personal(), options]).encode()

    def elsewhere(seed: str, zone: str, folder: Path) -> bytes:
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": seed, "TZ": zone}
        return subprocess.run(
            [sys.executable, "-c", script],
            input=told,
            env=environment,
            cwd=folder,
            check=True,
            capture_output=True,
        ).stdout

    here = rendered(language="fa-AF")
    assert elsewhere("1", "Asia/Kabul", ROOT) == elsewhere("4242", "UTC", tmp_path) == here


@pytest.mark.req("INV-4", "INV-6")
@pytest.mark.parametrize(
    "change",
    [
        {"number": "MEL-KBL-2026-000002"},
        {"issuedAt": "2026-03-01T09:00:01.000000Z"},
        {"totals": {**invoice()["totals"], "dueMicro": 10_000}},
    ],
)
def test_gives_other_bytes_for_another_payload(change: dict[str, Any]) -> None:
    assert rendered(invoice(**change)) != rendered()


@pytest.mark.req("INV-4")
def test_fails_when_no_font_can_draw_a_name_and_tells_no_name(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with (
        caplog.at_level(logging.DEBUG),
        pytest.raises(RenderingFailed, match=r"U\+5BA2") as failure,
    ):
        rendered(person=personal(name="客房"))

    assert "客" not in str(failure.value)
    assert "客" not in caplog.text
    assert GUEST in pages(rendered())[0]


@pytest.mark.req("INV-4")
def test_numbers_the_pages_of_120_lines_and_repeats_the_head() -> None:
    lines = [{**night(1), "description": f"Room {room}"} for room in range(1, 121)]

    printed = pages(rendered(invoice(lines=lines)))

    count = len(printed)
    assert count >= 4
    for number, page in enumerate(printed, start=1):
        assert f"Page {number} of {count}" in page
        assert ("Description" in page) == ("Room" in page)
    assert all(f"Room {room}\n" in "\n".join(printed) for room in range(1, 121))


@pytest.mark.req("INV-4")
def test_refuses_more_than_a_thousand_lines() -> None:
    with pytest.raises(RenderingFailed, match="lines: too_long"):
        rendered(invoice(lines=[night(1)] * 1001))


@pytest.mark.req("INV-4")
def test_breaks_a_word_that_is_wider_than_its_column() -> None:
    word = "W" * 60
    payload = invoice()
    payload["lines"][0]["description"] = word

    [page] = pages(rendered(payload))

    assert word not in page
    assert word in without_spaces(page)


@pytest.mark.req("INV-4")
@pytest.mark.parametrize(
    ("language", "total", "page"),
    [("de", "452,05 USD", "Seite 1 von 1"), ("fr-BE", "452,05 USD", "Page 1 sur 1")],
)
def test_speaks_other_languages(language: str, total: str, page: str) -> None:
    [printed] = pages(rendered(language=language))

    assert total in printed.replace("\u00a0", " ")
    assert page in printed


@pytest.mark.req("INV-6")
def test_marks_a_copy_as_one() -> None:
    assert "Copy" in pages(rendered(copy=True))[0]
    assert "Copy" not in pages(rendered())[0]


@pytest.mark.req("INV-6")
@pytest.mark.parametrize("version", ["invoice-9", "credit-note-2", "../invoice-2", "verification"])
def test_refuses_a_template_version_that_was_never_made(version: str) -> None:
    with pytest.raises(TemplateUnknown):
        rendered(template_version=version)


@pytest.mark.req("INV-4", "INV-6")
@pytest.mark.parametrize(
    ("template", "begins"),
    [
        ("invoice-1.html", "26085088d8a3c817"),
        ("invoice-1.css", "c4ee1de5196b1f6a"),
        ("credit-note-1.html", "0f14ac01697dd167"),
    ],
)
def test_a_version_that_was_issued_is_never_edited(template: str, begins: str) -> None:
    """A version that was issued is drawn again years later: a change is a new version."""
    written = (TEMPLATES / template).read_bytes()

    assert hashlib.sha256(written).hexdigest()[:16] == begins


@pytest.mark.req("INV-4")
@pytest.mark.parametrize("logo", [None, PIXEL, b"another"])
def test_fails_without_the_very_logo_that_the_payload_names(logo: bytes | None) -> None:
    payload = invoice()
    if logo != PIXEL:
        payload["issuer"]["logoSha256"] = hashlib.sha256(PIXEL).hexdigest()

    with pytest.raises(RenderingFailed, match="not the one that the payload names"):
        rendered(payload, logo=logo)


@pytest.mark.req("INV-6")
def test_fails_on_a_template_that_breaks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(render, "INVOICE_TEMPLATES", {"absent"})

    with pytest.raises(RenderingFailed, match="TemplateNotFound"):
        rendered(template_version="absent")


@pytest.mark.req("INV-6")
@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"language": "xx"}, "no words in the language 'xx'"),
        ({"language": "en-!"}, "no language 'en-!'"),
        ({"payload": invoice(currency="XTS")}, "CURRENCY_UNKNOWN"),
        ({"payload": invoice(type="credit_note")}, "type: literal_error"),
        ({"payload": invoice(issuedAt="2026-03-01T09:00:00")}, "issuedAt: timezone_aware"),
        ({"payload": invoice(totals={})}, "totals.netMicro: missing"),
        ({"payload": invoice(number=7)}, "number: string_type"),
        ({"payload": invoice(number=object())}, "not JSON serializable"),
        ({"person": {"name": ["Amélie"]}}, "name: string_type"),
        ({"verify_url": "x" * 5000}, "DataOverflowError"),
    ],
)
def test_fails_on_what_is_no_invoice_and_tells_where(change: dict[str, Any], told: str) -> None:
    with pytest.raises(RenderingFailed) as failure:
        rendered(**change)

    assert told in str(failure.value)
    assert "Amélie" not in str(failure.value)


@pytest.mark.req("INV-6")
def test_loads_no_renderer_before_it_renders() -> None:
    script = (
        "import sys, common.documents.render, common.documents.reading,"
        " common.documents.verification_page;"
        "print({'xhtml2pdf', 'reportlab', 'pypdf', 'jinja2', 'segno'} & set(sys.modules))"
    )
    told = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, check=True, capture_output=True, text=True
    )

    assert told.stdout.strip() == "set()"
