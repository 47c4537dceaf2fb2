"""A credit note of the platform is a document as its invoice is: drawn and sealed (SUB-5)."""

import json
from collections.abc import Callable, Iterator
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader
from typer.testing import CliRunner
from werkzeug.test import TestResponse

import common.cli.keys
from common.cli.main import billing
from tests.functions.subscriptions.test_money_that_goes_back import invoice, paid, send
from tests.functions.subscriptions.test_platform_taxes import fetched
from tests.hotel import Hotel, new_id
from tests.platform_taxing import nobody_sells, settle_in, somebody_sells
from tests.proofs import assert_refused
from tests.together import at_once
from tests.webhooks import refunded_there

pytestmark = pytest.mark.req("SUB-5", "INV-4")


@pytest.fixture(autouse=True)
def a_seller(
    hotel: Hotel, clock: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    clock("2027-03-01T12:00:00+00:00")
    monkeypatch.setattr(common.cli.keys, "_wiring", lambda: hotel.house.wiring)
    somebody_sells(hotel.house)
    yield
    nobody_sells(hotel.house)


def credited(hotel: Hotel) -> tuple[dict[str, Any], dict[str, Any]]:
    """An invoice of 34.80 in Paris of which a third was given back, and its credit note."""
    settle_in(hotel, "FR")
    assert send(hotel, refunded_there(paid(hotel), f"re_{hotel.tenant_id.hex}", 1_160)) == "applied"
    shown = invoice(hotel)
    return shown, shown["creditNotes"][0]


def asked(hotel: Hotel, invoice_id: str, note_id: str) -> TestResponse:
    path = f"/subscription-invoices/{invoice_id}/credit-notes/{note_id}/pdf"
    return hotel.get(path, token=hotel.token("subscription.read"))


def file_of(hotel: Hotel, invoice_id: str, note_id: str) -> bytes:
    answer = asked(hotel, invoice_id, note_id)
    assert answer.status_code == 302, answer.text
    return fetched(hotel, answer.headers["Location"])


def test_it_says_what_its_payload_says_and_is_verified_by_the_platforms_key(
    hotel: Hotel, tmp_path: Path
) -> None:
    """9.67 and 1.93 of tax are 11.60; three who ask at once get one file."""
    corrected, note = credited(hotel)

    files = at_once([partial(file_of, hotel, corrected["invoiceId"], note["creditNoteId"])] * 3)

    assert len(set(files)) == 1
    read = PdfReader(BytesIO(files[0]))
    text = " ".join(read.pages[0].extract_text().split())
    for said in (
        *("Credit note", note["number"], note["payloadSha256"], corrected["number"]),
        *("Given back at the processor", "VAT, France", "9.67", "1.93", "11.60"),
    ):
        assert said in text, text
    assert read.metadata is not None
    assert read.metadata.title == f"Credit note {note['number']}"
    key = CliRunner().invoke(billing, ["keys", "public"]).stdout
    for name, content in (("n.pdf", files[0]), ("n.json", note["payload"]), ("key", key)):
        data = content if isinstance(content, bytes) else content.encode()
        (tmp_path / name).write_bytes(data)
    given = ["--payload", str(tmp_path / "n.json"), "--public-key", str(tmp_path / "key")]
    said = CliRunner().invoke(
        billing, ["invoice", "verify", str(tmp_path / "n.pdf"), *given, "--json"]
    )
    verdict = json.loads(said.stdout)
    assert (verdict["payload"], verdict["seal"], verdict["valid"]) == (
        "is the PDF's",
        "valid",
        True,
    )


def test_refuses_what_is_anothers_and_what_is_of_another_invoice(hotel: Hotel) -> None:
    corrected, note = credited(hotel)
    other = hotel.house.new_hotel()

    theirs = asked(other, corrected["invoiceId"], note["creditNoteId"])
    unknown = asked(hotel, corrected["invoiceId"], new_id("pcn"))

    assert_refused(theirs, 404, "SUBSCRIPTION_INVOICE_UNKNOWN")
    assert_refused(unknown, 404, "CREDIT_NOTE_UNKNOWN")
