"""What the owner of the database can do that no verifier sees who has nothing from outside of it.

Each of these computes everything again that somebody without the signing key can. They are the
measure of what roots that are kept elsewhere (AUD-2) will add: from then on each must be found.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from io import BytesIO
from random import Random
from typing import Final

from pypdf import PdfReader, PdfWriter

from tests.trust.forgery.altering import with_row, with_rows
from tests.trust.forgery.forging import (
    chained,
    drawn_otherwise,
    issued_otherwise,
    moved_otherwise,
    spelled_otherwise,
    with_entries,
)
from tests.trust.verifier import Export, Row

SOMEBODY_ELSE: Final = "somebody-else"


def another_clerk_did_it(books: Export) -> Export:
    """Who posted to a folio: in its trail, on its lines and refunds, and its head fits."""
    folio = _an_unbilled_folio(books)
    entries = books.trails("folio")["folio", folio["id"]]
    forged = chained([{**entry, "actor": SOMEBODY_ELSE} for entry in entries])
    books = with_entries(books, entries, forged)
    place = books.tables["folios"].index(folio)
    books = with_row(books, "folios", place, {**folio, "trail": forged[-1]["hash"]})
    lines = [
        {**line, "actor": SOMEBODY_ELSE} if line["folio_id"] == folio["id"] else line
        for line in books.tables["folio_lines"]
    ]
    refunds = [
        {**row, "confirmed_by": SOMEBODY_ELSE} if row["folio_id"] == folio["id"] else row
        for row in books.tables["refunds"]
    ]
    return with_rows(with_rows(books, "folio_lines", lines), "refunds", refunds)


def an_open_folio_never_was(books: Export) -> Export:
    """A guest, what was consumed and what was booked for it are gone."""
    return _without_folio(books, _an_unbilled_folio(books)["id"])


def the_newest_invoice_never_was(books: Export) -> Export:
    """The last bill of the day is gone with its stay, and its number is free again."""
    *left, last = sorted(books.tables["invoices"], key=lambda row: row["series_number"])
    for table in ("invoice_lines", "invoice_persons", "invoice_signatures", "invoice_renditions"):
        books = _without(books, table, "invoice_id", last["id"])
    books = _without(books, "audit_entries", "aggregate_id", last["id"])
    books = _without_folio(with_rows(books, "invoices", left), last["folio_id"])
    newest = left[-1]
    head = {
        "last_number": len(left),
        "last_sha256": newest["payload_sha256"],
        "last_issued_at": newest["issued_at"],
    }
    return with_row(books, "number_series", 0, {**books.tables["number_series"][0], **head})


def an_unsigned_invoice_says_something_else(books: Export) -> Export:
    """Between its issue and its signature nothing but hashes holds a payload."""
    signed = {row["invoice_id"] for row in books.tables["invoice_signatures"]}
    row = next(row for row in books.tables["invoices"] if row["id"] not in signed)
    forged = issued_otherwise(books, row["id"], row["payload"].replace("AF-1", "AF-2"))
    assert forged is not None
    return forged


def somebody_else_drew_it(books: Export) -> Export:
    """An invoice's trail has no head outside of itself."""
    entries = next(each for each in books.trails("invoice").values() if len(each) > 1)
    forged = chained([{**entry, "actor": SOMEBODY_ELSE} for entry in entries])
    return with_entries(books, entries, forged)


def the_newest_attempt_never_was(books: Export) -> Export:
    """Nor has the trail of what an actor was refused."""
    entries = next(iter(books.trails("actor").values()))
    return with_entries(books, entries[-1:], [])


def the_newest_settings_never_were(books: Export) -> Export:
    entries = books.trails("settings")["settings", "settings"]
    books = with_entries(books, entries[-1:], [])
    return _without(books, "settings_versions", "version", entries[-1]["sequence"])


def more_credits_were_granted(books: Export) -> Export:
    """Nothing but the account itself tells what it was granted: half as much again, here."""
    account = next(row for row in books.tables["credit_accounts"] if row["name"] == "main")
    forged = moved_otherwise(books, account["id"], "grant", lambda micro: micro * 3 // 2)
    assert forged is not None
    return forged


def another_pdf_was_drawn(books: Export) -> Export:
    """A page that shows something else, if it claims the same number and hash."""
    row = books.tables["invoice_renditions"][0]
    return drawn_otherwise(books, 0, _another_page(books.pdfs[row["object_name"]]))


def a_person_is_erased(books: Export) -> Export:
    """By intention: erasing whom a document names breaks nothing (GDPR-1)."""
    gone = {"salt": None, "document": None, "erased_at": datetime(2030, 1, 1, tzinfo=UTC)}
    return with_row(books, "invoice_persons", 0, {**books.tables["invoice_persons"][0], **gone})


def a_signature_is_spelled_otherwise(books: Export) -> Export:
    """By intention: see the verifier."""
    return spelled_otherwise(books, Random(0))


def _another_page(pdf: bytes) -> bytes:
    """A PDF that claims the same and shows nothing of it."""
    written, writer = BytesIO(), PdfWriter()
    writer.add_blank_page(width=595, height=842)
    writer.metadata = PdfReader(BytesIO(pdf)).metadata
    writer.write(written)
    return written.getvalue()


def _an_unbilled_folio(books: Export) -> Row:
    """What was billed once is on a paper as well, and what credits settled in their account."""
    told_elsewhere = {
        paid["folio_id"] for paid in books.tables["payments"] if paid["method"] == "credits"
    }
    return next(
        row
        for row in books.tables["folios"]
        if row["status"] == "open" and row["reopened"] == 0 and row["id"] not in told_elsewhere
    )


def _without_folio(books: Export, name: str) -> Export:
    books = _without(books, "folios", "id", name)
    for refund in books.tables["refunds"]:
        if refund["folio_id"] == name:
            books = _without(books, "refund_settlements", "refund_id", refund["id"])
    for table in ("folio_lines", "payments", "refunds", "settlements", "ledger_entries"):
        books = _without(books, table, "folio_id", name)
    return _without(books, "audit_entries", "aggregate_id", name)


def _without(books: Export, table: str, column: str, value: object) -> Export:
    rows: list[Row] = [row for row in books.tables[table] if row[column] != value]
    return with_rows(books, table, rows)


UNSEEN: Final[dict[str, Callable[[Export], Export]]] = {
    each.__name__: each
    for each in (
        another_clerk_did_it,
        an_open_folio_never_was,
        the_newest_invoice_never_was,
        an_unsigned_invoice_says_something_else,
        somebody_else_drew_it,
        the_newest_attempt_never_was,
        the_newest_settings_never_were,
        more_credits_were_granted,
        another_pdf_was_drawn,
        a_person_is_erased,
        a_signature_is_spelled_otherwise,
    )
}
