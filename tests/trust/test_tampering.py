"""Who changes the books behind the service's back is found out by a verifier of its own (REL-8)."""

import ast
import inspect
import json
import re
import sys
from collections.abc import Callable
from random import Random
from types import ModuleType

import pytest

from tests.hotel import Hotel, House
from tests.trust import verifier
from tests.trust.forgery import retelling, retelling_credits
from tests.trust.forgery.altering import ON_PAPER_ONLY, UNCOMMITTED, cells, other, same, with_row
from tests.trust.forgery.exporting import BOOKS, NO_BOOKS, export_of, kept_books
from tests.trust.forgery.forging import chained, issued_otherwise, with_entries
from tests.trust.forgery.unseen import UNSEEN
from tests.trust.tampering import KINDS, Tamperer, in_the_database, run
from tests.trust.verifier import Export, findings

SEED = 20260301
CHANGES_OF_A_KIND = 150
CHANGES_BY_SQL = 60

pytestmark = pytest.mark.req("REL-8")


@pytest.fixture(scope="module")
def hotel(house: House) -> Hotel:
    return kept_books(house)


@pytest.fixture(scope="module")
def books(hotel: Hotel) -> Export:
    return export_of(hotel)


def test_finds_nothing_in_books_that_nobody_touched(books: Export) -> None:
    assert list(findings(books)) == []
    assert all(books.tables.values())


@pytest.mark.parametrize("kind", KINDS)
def test_finds_every_change_of_a_kind(books: Export, kind: str) -> None:
    made, unseen = Tamperer(books, SEED).unseen(kind, range(CHANGES_OF_A_KIND))

    assert made > CHANGES_OF_A_KIND // 4
    assert unseen == []


def test_finds_every_column_that_something_names(books: Export) -> None:
    """No column is left to chance: the first row of each, and the last."""
    chance, unseen = Random(SEED), set()
    ends = {(table, place) for table, rows in books.tables.items() for place in (0, len(rows) - 1)}
    named = [(table, place, column) for table, place, column in cells(books)]
    for table, place, column in named:
        if (table, place) in ends or column in ON_PAPER_ONLY:
            row = books.tables[table][place]
            changed = {**row, column: other(row[column], chance, [])}
            tampered = with_row(books, table, place, changed)
            if not same(books, tampered) and next(findings(tampered), None) is None:
                unseen.add(f"{table}.{column}")

    assert unseen == set()
    assert len({(table, column) for table, _, column in named}) > 100


@pytest.mark.parametrize(
    ("table", "column"),
    [(table, column) for table, columns in UNCOMMITTED.items() for column in sorted(columns)],
)
def test_does_not_claim_to_see_what_nothing_names(books: Export, table: str, column: str) -> None:
    """Once something comes to name such a column, it leaves the list."""
    taxed = next(place for place, line in enumerate(books.tables["folio_lines"]) if line["tax"])
    place = taxed if table == "folio_lines" else 0
    row = books.tables[table][place]
    changed = other(row[column], Random(SEED), [])
    if column == "tax":  # whose code is named
        changed = {**row["tax"], "ratePpm": 1}
    tampered = with_row(books, table, place, {**row, column: changed})

    assert not same(books, tampered)
    assert list(findings(tampered)) == []


@pytest.mark.parametrize("deed", UNSEEN)
def test_does_not_claim_to_see_what_only_roots_outside_will_show(books: Export, deed: str) -> None:
    tampered = UNSEEN[deed](books)

    assert not same(books, tampered)
    assert list(findings(tampered)) == []


def test_nothing_but_the_signature_holds_what_was_computed_again(books: Export) -> None:
    """Another tax number of the hotel on a signed invoice; row, trail, PDF and series fit it."""
    signed = {row["invoice_id"] for row in books.tables["invoice_signatures"]}
    newest = max(
        (row for row in books.tables["invoices"] if row["id"] in signed),
        key=lambda row: row["series_number"],
    )
    forged = issued_otherwise(books, newest["id"], newest["payload"].replace("AF-1", "AF-2"))

    assert forged is not None
    assert list(findings(forged)) == [f"{newest['id']}: the signature is not of the tenant's key"]


@pytest.mark.parametrize("part", ["tenantId", "previousDocumentSha256"])
def test_an_invoice_that_is_not_signed_yet_still_has_its_place(books: Export, part: str) -> None:
    """Where no signature holds a payload, its tenant and its predecessor do."""
    signed = {row["invoice_id"] for row in books.tables["invoice_signatures"]}
    row = next(row for row in books.tables["invoices"] if row["id"] not in signed)
    said = json.loads(row["payload"])[part]
    payload = row["payload"].replace(said, said[:-1] + ("0" if said[-1] != "0" else "1"))

    forged = issued_otherwise(books, row["id"], payload)

    assert forged is not None
    assert len(list(findings(forged))) == 1


@pytest.mark.parametrize(
    ("part", "lie"), [("number", "INV-7"), ("copyNumber", 7), ("invoiceId", "inv_7")]
)
def test_an_entry_of_a_pdf_names_its_invoice_and_copy(
    books: Export, part: str, lie: object
) -> None:
    entries = next(each for each in books.trails("invoice").values() if len(each) > 1)
    detail = _written({**json.loads(entries[-1]["detail"]), part: lie})
    trail = chained([*entries[:-1], {**entries[-1], "detail": detail}])

    assert list(findings(with_entries(books, entries, trail)))


@pytest.mark.parametrize(
    ("spelling", "otherwise"),
    [(r'(payloadSha256":"[0-9a-f]*?)([a-f])', lambda at: at[1] + at[2].upper()), (":", ": ")],
)
def test_a_detail_is_told_in_one_spelling(
    books: Export, spelling: str, otherwise: str | Callable[[re.Match[str]], str]
) -> None:
    """A reader that is lenient sees the same hash in capitals, and the same object with blanks."""
    (first, *rest) = next(iter(books.trails("invoice").values()))
    forged = {**first, "detail": re.sub(spelling, otherwise, first["detail"], count=1)}

    assert forged["detail"] != first["detail"]
    assert list(findings(with_entries(books, [first, *rest], chained([forged, *rest]))))


def _written(detail: dict[str, object]) -> str:
    return json.dumps(detail, separators=(",", ":"), ensure_ascii=False)


def test_finds_the_same_when_the_change_is_made_by_sql(hotel: Hotel, books: Export) -> None:
    tamperer, by_sql = Tamperer(books, SEED), 0
    for number in range(CHANGES_BY_SQL):
        tampered = tamperer.tampered(list(KINDS)[number % len(KINDS)], number)
        found = in_the_database(hotel, books, tampered) if tampered else None
        assert found != [], tamperer.told(tampered or books)
        by_sql += found is not None

    assert by_sql > CHANGES_BY_SQL // 2
    assert same(export_of(hotel), books)


def test_every_table_of_a_tenant_is_in_the_books_or_said_to_be_none(hotel: Hotel) -> None:
    tables = hotel.house.sql(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = :s", s=hotel.schema
    )

    assert {row[0] for row in tables} == {*BOOKS, *NO_BOOKS}


@pytest.mark.parametrize("module", [verifier, retelling, retelling_credits])
def test_the_verifier_shares_no_code_with_what_it_verifies(module: ModuleType) -> None:
    imports = [
        node
        for node in ast.walk(ast.parse(inspect.getsource(module)))
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    names = {
        name
        for node in imports
        for name in ([node.module] if isinstance(node, ast.ImportFrom) else [node.names[0].name])
    }

    own = {"tests.trust.forgery.retelling", "tests.trust.forgery.retelling_credits"}
    others = {str(name).split(".")[0] for name in names - own}
    assert others - sys.stdlib_module_names == (
        {"cryptography", "pypdf"} if module is verifier else set()
    )


def test_the_long_run_counts_what_it_changed(house: House) -> None:
    tally = run(house, seconds=0.0, seed=SEED)

    assert tally.violations == []
    assert set(tally.faults) == set(KINDS)
