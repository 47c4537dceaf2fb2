"""A period's invoices and credit notes for the accountant: whole, in order, and in pieces."""

import csv
import hashlib
import io
import zipfile
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from werkzeug.test import TestResponse

from common.contracts.spreadsheet import harmless
from common.domain import sales_journal
from common.ports.transactions import DatabaseUnavailable
from common.procedures import exporting
from common.runtime import streaming
from common.runtime.declaration import declaration_of
from functions.invoices.export_invoices import export_invoices
from tests.crediting import credits, lines_of
from tests.einvoicing import broken_rules, said
from tests.hotel import Hotel, usd, vat
from tests.proofs import GENERAL, assert_refused, state
from tests.together import until

PERIOD = {"first": "2026-03-01", "last": "2026-03-31"}


def export(hotel: Hotel, form: str = "csv", **more: str) -> TestResponse:
    answer = hotel.get("/invoices/export", **{**PERIOD, "format": form, **more})
    assert answer.status_code == 200, answer.text
    return answer


def table(content: bytes) -> list[dict[str, str]]:
    """The lines as any reader of CSV has them; the mark and every line's length are checked."""
    assert content.startswith(b"\xef\xbb\xbf")
    lines = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    assert {len(line) for line in lines} == {len(lines[0])}
    return [dict(zip(lines[0], line, strict=True)) for line in lines[1:]]


def numbers(content: bytes) -> list[str]:
    return [line["number"] for line in table(content) if line["record"] == "document"]


@pytest.fixture
def march(hotel: Hotel, clock: Any) -> Hotel:
    """Two invoices and a credit note in March, and one on the first of April."""
    clock("2026-03-10T12:00:00Z")
    _, invoice = hotel.closed_folio(guest={"name": '=HYPERLINK("http://evil")', "taxId": "-1+2"})
    clock("2026-03-31T12:00:00Z")
    hotel.closed_folio(5_000)
    credits(hotel, invoice, (lines_of(hotel, invoice)[0]["lineId"], usd(1_100)))
    clock("2026-04-01T12:00:00Z")
    hotel.closed_folio(7_000)
    return hotel


@pytest.mark.req("INV-10", "MON-2")
def test_a_table_has_each_document_with_its_taxes_by_series_and_number(march: Hotel) -> None:
    """100.00 and 10 %, 110.00; 50.00 and 10 %, 55.00; 11.00 given back: 10.00 and 1.00."""
    before = state(march)

    answer = export(march)

    assert answer.mimetype == "text/csv"
    named = "attachment; filename=documents-2026-03-01-2026-03-31.csv"
    assert answer.headers["Content-Disposition"] == named
    *lines, end = table(answer.data)
    said = [
        (
            line["record"],
            line["number"],
            line["net"],
            line["tax"],
            line["total"],
            line["tax_amount"],
        )
        for line in lines
    ]
    note, first, second = (
        f"{kind}-AF-KBL-2026-00000{n}" for kind, n in (("CN", 1), ("INV", 1), ("INV", 2))
    )
    assert said == [
        ("document", note, "10.00", "1.00", "11.00", ""),
        ("tax", note, "", "", "", "1.00"),
        ("document", first, "100.00", "10.00", "110.00", ""),
        ("tax", first, "", "", "", "10.00"),
        ("document", second, "50.00", "5.00", "55.00", ""),
        ("tax", second, "", "", "", "5.00"),
    ]
    assert lines[0]["corrects"] == first
    assert [line["issue_date"] for line in lines[::2]] == ["2026-03-31", "2026-03-10", "2026-03-31"]
    assert (lines[3]["tax_code"], lines[3]["tax_rate_percent"], lines[3]["tax_base"]) == (
        "VAT",
        "10",
        "100.00",
    )
    body = answer.data[: answer.data.rindex(b'"end"')]
    assert (end["record"], end["documents"], end["lines"]) == ("end", "3", "6")
    assert end["sha256"] == hashlib.sha256(body).hexdigest()
    assert state(march) == before


@pytest.mark.req("INV-10")
def test_no_text_of_a_guest_is_a_formula(march: Hotel) -> None:
    """A name and a tax number that begin as formulas do; figures below nothing stay figures."""
    (line,) = [
        line
        for line in table(export(march).data)
        if (line["record"], line["total"]) == ("document", "110.00")
    ]
    assert line["customer"] == '\'=HYPERLINK("http://evil")'
    assert line["customer_tax_id"] == "'-1+2"
    for text in ("=1", " =1", "\u00a0+1", "\ufeff@x", "a;=1", "a\r\n-1", "\uff1d1", "\t=1", "|x"):
        assert "'" in harmless(text)
    for text in ("Zarmina", "a-b", "3 = 3", "a, b"):
        assert harmless(text) == text


@pytest.mark.req("INV-10", "INV-5")
def test_an_archive_has_each_document_as_an_e_invoice(march: Hotel) -> None:
    answer = export(march, "xml")

    assert answer.mimetype == "application/zip"
    archive = zipfile.ZipFile(io.BytesIO(answer.data))
    assert archive.testzip() is None
    *files, manifest = archive.namelist()
    assert files == [
        "CN-AF-KBL-2026-000001.xml",
        "INV-AF-KBL-2026-000001.xml",
        "INV-AF-KBL-2026-000002.xml",
    ]
    assert [broken_rules(archive.read(name)) for name in files] == [[]] * 3
    assert said(archive.read(files[1]), "GrandTotalAmount") == ["110.00"]
    *listed, end = table(archive.read(manifest))
    assert [(line["file"], line["sha256"]) for line in listed] == [
        (name, hashlib.sha256(archive.read(name)).hexdigest()) for name in files
    ]
    assert (end["record"], end["number"]) == ("end", "3")
    assert export(march, "xml").data == answer.data


@pytest.mark.req("INV-10")
def test_an_archive_names_what_the_standard_has_no_words_for(hotel: Hotel) -> None:
    """Two value-added taxes side by side: in the manifest with the reason, the others are there."""
    hotel.closed_folio()
    hotel.write_settings(taxRules=[vat(), vat(50_000, code="VAT2")])
    hotel.closed_folio()
    today = {"first": "2020-01-01", "last": "2099-12-31"}

    archive = zipfile.ZipFile(io.BytesIO(export(hotel, "xml", **today).data))

    assert len(archive.namelist()) == 2
    there, refused, end = table(archive.read("manifest.csv"))
    assert (there["not_possible"], end["number"]) == ("", "2")
    assert (refused["file"], bool(refused["not_possible"])) == ("", True)


@pytest.fixture
def in_small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "BLOCK_BYTES", 1)
    monkeypatch.setattr(sales_journal, "PIECE_NUMBERS", 1)


def begun(hotel: Hotel, form: str = "csv") -> tuple[bytes, Iterator[bytes]]:
    """An export of which the first block is read."""
    token = f"Bearer {hotel.token()}"
    answer = hotel.house.client.open(
        "/api/v1/invoices/export",
        query_string={**PERIOD, "format": form},
        headers={"Authorization": token},
        buffered=False,
    )
    assert answer.status_code == 200
    blocks = iter(answer.response)
    return next(blocks), blocks


@pytest.mark.req("INV-10", "REL-2")
@pytest.mark.usefixtures("in_small_pieces")
def test_what_is_issued_while_it_runs_is_in_the_next_one(march: Hotel, clock: Any) -> None:
    """One consistent view over many transactions, none of which a slow reader holds open."""
    first, rest = begun(march)
    while b"INV-AF-KBL-2026-000001" not in first:
        first += next(rest)
    clock("2026-03-31T13:00:00Z")
    march.closed_folio(9_000)
    busy = "SELECT count(*) FROM pg_stat_activity WHERE xact_start IS NOT NULL AND usename = :u"
    until(lambda: march.house.sql(busy, u="billing_function") == [[0]])

    whole = first + b"".join(rest)

    assert len(numbers(whole)) == 3
    assert table(whole)[-1]["documents"] == "3"
    assert len(numbers(export(march).data)) == 4


@pytest.mark.req("INV-10", "REL-2")
@pytest.mark.usefixtures("in_small_pieces")
@pytest.mark.parametrize("form", ["csv", "xml"])
def test_an_export_that_breaks_off_is_known_by_its_end(
    march: Hotel, form: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The database goes away in the middle: the line is cut, and the log says why."""
    content, rest = begun(march, form)
    runner = march.house.wiring.runner
    monkeypatch.setattr(type(runner), "run", _gone)

    came: list[bytes] = []
    with pytest.raises(DatabaseUnavailable):
        came.extend(rest)
    content += b"".join(came)

    if form == "csv":
        assert b'"end"' not in content
    else:
        with pytest.raises(zipfile.BadZipFile):
            zipfile.ZipFile(io.BytesIO(content))
    assert "STREAM_BROKEN" in capsys.readouterr().out


def _gone(*_: Any) -> Any:
    raise DatabaseUnavailable("every connection is in use")


@pytest.mark.req("INV-10", "REL-2")
@pytest.mark.usefixtures("in_small_pieces")
def test_a_reader_who_is_too_slow_is_cut_off(march: Hotel, monkeypatch: pytest.MonkeyPatch) -> None:
    _, rest = begun(march)
    monkeypatch.setattr(streaming, "monotonic", lambda: float("inf"))

    with pytest.raises(streaming.StreamTooSlow):
        list(rest)


@pytest.mark.req("INV-10", "API-3")
def test_refuses_what_is_no_period_and_what_is_too_much(
    march: Hotel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before a byte is sent: it is a problem document, whatever format was asked for."""
    monkeypatch.setitem(exporting.DOCUMENTS_MAX, "xml", 2)

    turned = march.get("/invoices/export", first="2026-03-02", last="2026-03-01", format="csv")
    large = march.get("/invoices/export", **PERIOD, format="xml")
    form = march.get("/invoices/export", **PERIOD, format="pdf")

    assert_refused(turned, 422, "PERIOD_INVALID")
    assert_refused(large, 422, "EXPORT_TOO_LARGE")
    assert (large.json["documents"], large.json["atMost"]) == (3, 2)
    assert_refused(form, 400, GENERAL + "VALIDATION_FAILED")
    refusals = {refusal.code for refusal in declaration_of(export_invoices).refusals}
    assert refusals == {"PERIOD_INVALID", "EXPORT_TOO_LARGE"}


@pytest.mark.req("SEC-3", "TEN-2", "INV-10")
def test_holds_the_documents_of_the_callers_properties_only(march: Hotel) -> None:
    elsewhere = march.token(property_ids=[uuid4()])
    other = march.house.new_hotel()

    for answer in (
        march.get("/invoices/export", **PERIOD, format="csv", token=elsewhere),
        march.get("/invoices/export", **PERIOD, format="csv", propertyId=str(uuid4())),
        other.get("/invoices/export", **PERIOD, format="csv"),
    ):
        assert answer.status_code == 200
        (end,) = table(answer.data)
        assert (end["record"], end["documents"]) == ("end", "0")


@pytest.mark.req("MON-2")
def test_amounts_have_the_decimals_of_their_currency() -> None:
    """1,234.5 dinars of Kuwait have three, 5 yen none, and what was erased is empty."""
    from common.domain.money import Currency

    assert str(sales_journal.amount(1_234_500_000, Currency("KWD"))) == "1234.500"
    assert str(sales_journal.amount(-5_000_000, Currency("JPY"))) == "-5"
    assert sales_journal.amount(12_500_000, Currency("USD")) == Decimal("12.50")


@pytest.mark.req("GDPR-1", "INV-10")
def test_who_was_erased_is_not_in_it(march: Hotel) -> None:
    march.rows("UPDATE {s}.invoice_persons SET salt = NULL, document = NULL, erased_at = now()")

    assert {line["customer"] for line in table(export(march).data)} == {""}
