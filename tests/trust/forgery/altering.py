"""Other values for a cell, books with another row or file; nothing is altered in place.

`UNCOMMITTED` is what nothing that is hashed or signed names: nobody sees it change.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from random import Random
from typing import Any, Final
from uuid import UUID

from tests.trust.verifier import Export, Row

UNCOMMITTED: Final[dict[str, frozenset[str]]] = {
    # personal, and so hashed nowhere; how later charges are routed, taxed and converted
    "folios": frozenset({"guest_name", "guest", "windows", "routing", "stay", "fx", "tax_sums"}),
    # the tax of a line beyond its code and amount; the invoice has a signed copy of its own
    "folio_lines": frozenset({"window_name", "source", "external_reference", "tax", "occupancy"}),
    # what is free of a month, and when somebody wants to hear that there is little
    "credit_accounts": frozenset({"free_month", "free_used_micro", "low_below_micro", "is_low"}),
    "payments": frozenset({"fx", "processor_payment_id", "method_token_digest", "reference"}),
    # by which transfer, and how it was confirmed, is on no paper
    "refunds": frozenset({"reference", "step_up_method", "processor_refund_id"}),
    "reopenings": frozenset({"step_up_method"}),
    "settlements": frozenset({"fx"}),
    # each PDF names its own template
    "invoices": frozenset({"template_version"}),
    "invoice_signatures": frozenset({"signed_at"}),
    "invoice_renditions": frozenset({"rendered_at"}),
}
ON_PAPER_ONLY: Final = frozenset(
    {"description", "quantity", "unit_amount_micro", "settings_version"}
)
"""What an invoice names of a line, and nothing before there is one; of a tax line, never."""


def cells(books: Export) -> list[tuple[str, int, str]]:
    """Table, place and column of everything that something names."""
    on_paper = printed_lines(books)
    return [
        (table, place, column)
        for table, rows in sorted(books.tables.items())
        for place, row in enumerate(rows)
        for column in row
        if column not in UNCOMMITTED.get(table, ())
        and (table != "folio_lines" or column not in ON_PAPER_ONLY or row["id"] in on_paper)
    ]


def printed_lines(books: Export) -> set[str]:
    """The lines of folios that an invoice has a row for."""
    papers = [json.loads(row["payload"]) for row in books.tables["invoices"]]
    return {line["lineId"] for paper in papers for line in paper["lines"]}


def with_rows(books: Export, table: str, rows: list[Row]) -> Export:
    """The books with other rows in one table."""
    return replace(books, tables={**books.tables, table: rows})


def with_row(books: Export, table: str, place: int, row: Row) -> Export:
    """The books with another row in one place."""
    rows = list(books.tables[table])
    rows[place] = row
    return with_rows(books, table, rows)


def with_pdf(books: Export, name: str, content: bytes) -> Export:
    """The books with another file under a name."""
    return replace(books, pdfs={**books.pdfs, name: content})


def same(books: Export, tampered: Export) -> bool:
    """Whether these are the same books; the order of rows is nobody's."""
    if books.pdfs != tampered.pdfs:
        return False
    changed = [table for table, rows in tampered.tables.items() if rows is not books.tables[table]]
    return all(
        sorted(map(repr, books.tables[table])) == sorted(map(repr, tampered.tables[table]))
        for table in changed
    )


def other(value: Any, chance: Random, seen: list[Any]) -> Any:
    """Another value for a cell, of its own kind, of another row (`seen`), or none at all."""
    choices = [each for each in seen if each is not None]
    if choices and (value is None or chance.random() < 0.2):
        return chance.choice(choices)
    if chance.random() < 0.05:
        return None
    return _KINDS[type(value)](value, chance)


def _text(value: str, chance: Random) -> str:
    """One character is another one, is missing, or is there twice."""
    if not value:
        return "0"
    at = chance.randrange(len(value))
    digits = [digit for digit in "0123456789" if digit != value[at]]
    letters = [letter for letter in "aeorstAEORST-_ /" if letter != value[at]]
    put = chance.choice(digits if value[at].isdigit() else [*letters, "", value[at] * 2])
    return value[:at] + put + value[at + 1 :]


def flipped(value: bytes, chance: Random) -> bytes:
    """One bit is another one."""
    at, bit = chance.randrange(len(value)), 1 << chance.randrange(8)
    return value[:at] + bytes([value[at] ^ bit]) + value[at + 1 :]


def _number(value: int, chance: Random) -> int:
    near = [value + 1, value - 1, -value, value * 10, value + 10 ** chance.randrange(9)]
    return chance.choice([each for each in near if each != value])


def _instant(value: datetime, chance: Random) -> datetime:
    return value + timedelta(microseconds=chance.choice((-1, 1)) * 10 ** chance.randrange(12))


def _day(value: date, chance: Random) -> date:
    return value + timedelta(days=chance.choice((-365, -30, -1, 1, 30, 365)))


def _uuid(value: UUID, chance: Random) -> UUID:
    return UUID(bytes=flipped(value.bytes, chance))


def _document(value: dict[str, Any], chance: Random) -> dict[str, Any]:
    """Everything that the document says is something else."""
    changed = {name: _KINDS[type(each)](each, chance) for name, each in value.items()}
    return changed or {"0": "0"}


def _list(value: list[Any], chance: Random) -> list[Any]:
    if not value:
        return ["0"]
    at = chance.randrange(len(value))
    return [*value[:at], _KINDS[type(value[at])](value[at], chance), *value[at + 1 :]]


_KINDS: Final[dict[type, Callable[[Any, Random], Any]]] = {
    str: _text,
    bytes: flipped,
    bool: lambda value, chance: not value,
    int: _number,
    datetime: _instant,
    date: _day,
    UUID: _uuid,
    dict: _document,
    list: _list,
    type(None): lambda value, chance: "0",
}
