"""The service itself calls no document genuine that was changed behind its back (REL-8, INV-8).

Each change is made by the owner of the server, the service is asked in all three ways, and the
change is taken back. What the service is asked is whether a document is as it was issued, so only
what makes a document is changed here: payload, number, date, signature, and the PDF's bytes.
"""

import json
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any
from uuid import uuid4

import pytest
from typer.testing import CliRunner

from common.cli.main import billing
from tests.hotel import Hotel, House
from tests.trust.forgery.altering import flipped, other, with_row, with_rows
from tests.trust.forgery.exporting import export_of, kept_books, write
from tests.trust.forgery.forging import FORGERIES, spelled_otherwise
from tests.trust.tampering import Tamperer
from tests.trust.verifier import Export, Row

SEED = 20260302
OF_DOCUMENTS = (
    "changes_a_digit",
    "changes_a_digit_and_its_hash",
    "forges_all_but_the_signature",
    "signs_with_another_key",
    "swaps_two_signatures",
)
PARTS = (
    ("invoices", "number"),
    ("invoices", "business_date"),
    ("invoices", "payload"),
    ("invoices", "payload_sha256"),
    ("invoice_signatures", "signature"),
    ("invoice_signatures", "key_version"),
    ("invoice_signatures", "algorithm"),
)

pytestmark = pytest.mark.req("REL-8", "INV-8")


@pytest.fixture(scope="module")
def hotel(house: House) -> Hotel:
    return kept_books(house)


@pytest.fixture(scope="module")
def books(hotel: Hotel) -> Export:
    return export_of(hotel)


@contextmanager
def changed(hotel: Hotel, books: Export, tampered: Export) -> Iterator[None]:
    """The hotel's rows are the tampered ones while the block runs."""
    _commit(hotel, books, tampered)
    try:
        yield
    finally:
        _commit(hotel, tampered, books)


def _commit(hotel: Hotel, before: Export, after: Export) -> None:
    with hotel.house.session() as session:
        session.run("BEGIN")
        write(session, hotel, before, after)
        session.run("COMMIT")


def asked_by_hash(hotel: Hotel, invoice_id: str, digest: str) -> bool:
    stranger = {"X-Forwarded-For": f"{uuid4()}, 10.0.0.1"}
    query = {"tenant": str(hotel.tenant_id), "hash": digest}
    answer = hotel.get(f"/invoices/{invoice_id}/verify", token=None, headers=stranger, **query)
    assert answer.status_code == 200, answer.text
    return answer.json["valid"]


def asked_by_file(hotel: Hotel, pdf: bytes) -> dict[str, Any]:
    headers = {"X-Forwarded-For": f"{uuid4()}, 10.0.0.1", "Content-Type": "application/pdf"}
    more = {"token": None, "key": None, "headers": headers, "tenant": str(hotel.tenant_id)}
    answer = hotel.call("POST", "/invoices/verify", pdf, **more)
    assert answer.status_code == 200, answer.text
    return answer.json


def asked_of_the_command(folder: Path, row: Row, signature: Row, key: bytes, pdf: bytes) -> bool:
    """`billing invoice verify`, given the rows as the service would show them."""
    shown = {"value": b64encode(signature["signature"]).decode()}
    files = {"invoice.pdf": pdf, "key.pem": key}
    files["invoice.json"] = b'{"payload": %s, "signature": %s}' % (
        row["payload"].encode(),
        json.dumps(shown).encode(),
    )
    for name, content in files.items():
        (folder / name).write_bytes(content)
    asked = ["invoice", "verify", str(folder / "invoice.pdf")]
    asked += ["--payload", str(folder / "invoice.json"), "--public-key", str(folder / "key.pem")]
    return CliRunner().invoke(billing, asked).exit_code == 0


def genuine(hotel: Hotel, books: Export, tampered: Export, folder: Path) -> list[str]:
    """The invoices that differ from what was issued, and are called genuine all the same."""
    before = {row["id"]: row for row in books.tables["invoices"]}
    signatures = {row["invoice_id"]: row for row in tampered.tables["invoice_signatures"]}
    were = {row["invoice_id"]: row for row in books.tables["invoice_signatures"]}
    called = []
    for row in tampered.tables["invoices"]:
        name, was = row["id"], before[row["id"]]
        if name not in signatures or (row, signatures[name]) == (was, were[name]):
            continue
        pdf = next(
            books.pdfs[each["object_name"]]
            for each in books.tables["invoice_renditions"]
            if each["invoice_id"] == name
        )
        hashes = {was["payload_sha256"].hex(), row["payload_sha256"].hex()}
        if any(asked_by_hash(hotel, name, digest) for digest in sorted(hashes)):
            called.append(f"{name} by its hash")
        if asked_by_file(hotel, pdf)["valid"]:
            called.append(f"{name} by its file")
        key = books.keys[were[name]["key_version"]]
        says_otherwise = row["payload"] != was["payload"]
        if says_otherwise and asked_of_the_command(folder, row, signatures[name], key, pdf):
            called.append(f"{name} by the command")
    return called


def test_what_is_as_it_was_issued_is_genuine_in_all_three_ways(
    hotel: Hotel, books: Export, tmp_path: Path
) -> None:
    """Or the tests below would prove nothing."""
    rows = {row["id"]: row for row in books.tables["invoices"]}
    for signature in books.tables["invoice_signatures"]:
        row, key = rows[signature["invoice_id"]], books.keys[signature["key_version"]]
        pdfs = [
            books.pdfs[each["object_name"]]
            for each in books.tables["invoice_renditions"]
            if each["invoice_id"] == row["id"]
        ]

        assert asked_by_hash(hotel, row["id"], row["payload_sha256"].hex())
        for pdf in pdfs:
            assert asked_by_file(hotel, pdf)["number"] == row["number"]
            assert asked_of_the_command(tmp_path, row, signature, key, pdf)


@pytest.mark.parametrize("kind", OF_DOCUMENTS)
def test_a_forged_document_is_not_genuine(
    hotel: Hotel, books: Export, tmp_path: Path, kind: str
) -> None:
    asked = 0
    for number in range(5):
        tampered = Tamperer(books, SEED).tampered(kind, number)
        if tampered is None:
            continue
        asked += 1
        with changed(hotel, books, tampered):
            assert genuine(hotel, books, tampered, tmp_path) == []

    assert asked > 2


@pytest.mark.parametrize(("table", "column"), PARTS)
def test_a_document_with_one_part_changed_is_not_genuine(
    hotel: Hotel, books: Export, tmp_path: Path, table: str, column: str
) -> None:
    signed = {row["invoice_id"] for row in books.tables["invoice_signatures"]}
    rows = books.tables[table]
    place = next(n for n, row in enumerate(rows) if row.get("invoice_id", row.get("id")) in signed)
    for number in range(3):
        value = other(rows[place][column], Random(f"{SEED}/{column}/{number}"), [])
        if value is None:
            continue
        tampered = with_row(books, table, place, {**rows[place], column: value})
        with changed(hotel, books, tampered):
            assert genuine(hotel, books, tampered, tmp_path) == []


def test_a_pdf_with_one_bit_changed_is_not_genuine(hotel: Hotel, books: Export) -> None:
    chance = Random(SEED)
    for _ in range(20):
        pdf = books.pdfs[chance.choice(sorted(books.pdfs))]

        assert asked_by_file(hotel, flipped(pdf, chance))["valid"] is False


def test_the_pdf_of_one_invoice_is_never_said_to_be_another(hotel: Hotel, books: Export) -> None:
    """Two rows of PDFs have exchanged their hashes: each file still says what it is."""
    rows = books.tables["invoice_renditions"]
    one = next(n for n, row in enumerate(rows) if row["copy"] == 0)
    two = next(n for n, row in enumerate(rows) if row["invoice_id"] != rows[one]["invoice_id"])
    first, second = rows[one], rows[two]
    swapped = list(rows)
    swapped[one] = {**first, "pdf_sha256": second["pdf_sha256"]}
    swapped[two] = {**second, "pdf_sha256": first["pdf_sha256"]}
    tampered = with_rows(books, "invoice_renditions", swapped)

    with changed(hotel, books, tampered):
        answers = [asked_by_file(hotel, books.pdfs[row["object_name"]]) for row in (first, second)]

    assert [answer["valid"] for answer in answers] == [False, False]


def test_a_signature_that_is_spelled_otherwise_is_as_genuine(hotel: Hotel, books: Export) -> None:
    """(r, n - s) is no tampering: it says the same of the same payload."""
    tampered = spelled_otherwise(books, Random(SEED))
    with changed(hotel, books, tampered):
        answers = [
            asked_by_hash(hotel, row["id"], row["payload_sha256"].hex())
            for row in books.tables["invoices"]
            if row["id"] in {each["invoice_id"] for each in tampered.tables["invoice_signatures"]}
        ]

    assert answers == [True, True]
    assert set(OF_DOCUMENTS) <= set(FORGERIES)
