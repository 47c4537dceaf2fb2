"""Who owns the database changes one thing behind the service's back; the verifier must see it.

    tamperer = Tamperer(export_of(kept_books(house)), seed=7)
    tampered = tamperer.tampered("edits_a_cell", 12)

A change is drawn from its seed, its kind and its number, so that one that was not seen can be made
again. A kind takes the books and a source of chance and answers other books, or None where there
was nothing to change; books that came out the same are not counted.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Final

from pg8000.exceptions import DatabaseError

from tests.hotel import Hotel, House
from tests.trust import verifier
from tests.trust.forgery import retelling, retelling_credits
from tests.trust.forgery.altering import UNCOMMITTED, cells, other, same, with_row, with_rows
from tests.trust.forgery.exporting import export_of, kept_books, tables_of, write
from tests.trust.forgery.forging import FORGERIES, Forgery
from tests.trust.tally import Tally
from tests.trust.verifier import KEYS, Export, findings

IN_THE_DATABASE_EVERY: Final = 5

UNTOLD = frozenset({"actor", "signing_certificate"})
"""Of these there are no rows that a trail is held against: that it ended earlier shows nowhere."""


def edits_a_cell(books: Export, chance: Random) -> Export | None:
    """Any field of any row is another one."""
    table, place, column = chance.choice(cells(books))
    row = books.tables[table][place]
    seen = [each[column] for each in books.tables[table]]
    return with_row(books, table, place, {**row, column: other(row[column], chance, seen)})


def takes_a_row_away(books: Export, chance: Random) -> Export | None:
    """A row is gone. The newest entry of a trail that is UNTOLD is not taken."""
    table = chance.choice(sorted(books.tables))
    place = chance.randrange(len(books.tables[table]))
    if table == "audit_entries":
        entry = books.tables[table][place]
        trail = books.trails()[entry["aggregate_kind"], entry["aggregate_id"]]
        if entry["aggregate_kind"] in UNTOLD and entry is trail[-1]:
            return None
    rows = list(books.tables[table])
    del rows[place]
    return with_rows(books, table, rows)


def puts_a_row_in(books: Export, chance: Random) -> Export | None:
    """A row like another one, under a name of its own."""
    table = chance.choice(sorted(books.tables))
    row = chance.choice(books.tables[table])
    column = chance.choice([*KEYS[table]])
    forged = {**row, column: other(row[column], chance, [])}
    return with_rows(books, table, [*books.tables[table], forged])


def swaps_two_cells(books: Export, chance: Random) -> Export | None:
    """Two rows have exchanged what stands in one column."""
    table, one, column = chance.choice(cells(books))
    two = chance.randrange(len(books.tables[table]))
    if (table, two, column) not in set(cells(books)):
        return None
    first, second = books.tables[table][one], books.tables[table][two]
    books = with_row(books, table, one, {**first, column: second[column]})
    return with_row(books, table, two, {**second, column: first[column]})


def cuts_a_trail(books: Export, chance: Random) -> Export | None:
    """The newest entries of a folio, an invoice or the settings are gone, all of them perhaps."""
    trails = books.trails()
    entries = trails[chance.choice(sorted(name for name in trails if name[0] not in UNTOLD))]
    gone = {entry["id"] for entry in entries[chance.randrange(len(entries)) :]}
    rows = [entry for entry in books.tables["audit_entries"] if entry["id"] not in gone]
    return with_rows(books, "audit_entries", rows)


def cuts_a_series(books: Export, chance: Random) -> Export | None:
    """The newest invoices are gone with their rows, and the series goes on before them."""
    rows = sorted(books.tables["invoices"], key=lambda row: row["series_number"])
    left = rows[: chance.randrange(len(rows))]
    gone = {row["id"] for row in rows} - {row["id"] for row in left}
    for table, each in books.tables.items():
        if each and "invoice_id" in each[0]:
            books = with_rows(books, table, [row for row in each if row["invoice_id"] not in gone])
    newest = left[-1] if left else {"payload_sha256": None, "issued_at": None}
    head = {
        "last_number": len(left),
        "last_sha256": newest["payload_sha256"],
        "last_issued_at": newest["issued_at"],
    }
    books = with_row(books, "number_series", 0, {**books.tables["number_series"][0], **head})
    return with_rows(books, "invoices", left)


KINDS: Final[dict[str, Forgery]] = {
    kind.__name__: kind
    for kind in (
        edits_a_cell,
        takes_a_row_away,
        puts_a_row_in,
        swaps_two_cells,
        cuts_a_trail,
        cuts_a_series,
    )
} | FORGERIES


@dataclass(frozen=True)
class Tamperer:
    """Changes of one set of books, each from a seed."""

    books: Export
    seed: int

    def tampered(self, kind: str, number: int) -> Export | None:
        """The books after one change; None if it changed nothing."""
        tampered = KINDS[kind](self.books, Random(f"{self.seed}/{kind}/{number}"))
        return None if tampered is None or same(self.books, tampered) else tampered

    def unseen(self, kind: str, numbers: range) -> tuple[int, list[str]]:
        """How many changes there were, and those that the verifier did not find."""
        made, unseen = 0, []
        for number in numbers:
            tampered = self.tampered(kind, number)
            made += tampered is not None
            if tampered is not None and next(findings(tampered), None) is None:
                unseen.append(f"seed {self.seed}, {kind} {number}: {self.told(tampered)}")
        return made, unseen

    def told(self, tampered: Export) -> str:
        """What is not as it was, in a line."""
        return "; ".join(_differences(self.books, tampered))[:400]


def _differences(books: Export, tampered: Export) -> Iterator[str]:
    for table, rows in tampered.tables.items():
        was = {tuple(map(row.get, KEYS[table])): row for row in books.tables[table]}
        now = {tuple(map(row.get, KEYS[table])): row for row in rows}
        if len(rows) != len(was) or was.keys() != now.keys():
            yield f"{table} has {len(rows)} rows, and had {len(was)}"
        for one, two in ((was[key], now[key]) for key in was if key in now):
            yield from (_told(f"{table}.{c}", one[c], two[c]) for c in one if one[c] != two[c])
    yield from (f"{n} is another file" for n, p in tampered.pdfs.items() if p != books.pdfs.get(n))


def _told(column: str, was: object, now: object) -> str:
    """How a value goes on from where it parts from the other: a detail may be long."""
    one, two = repr(was), repr(now)
    parting = next((at for at, (a, b) in enumerate(zip(one, two, strict=False)) if a != b), 0)
    start = max(parting - 12, 0)
    return f"{column}: ...{one[start : start + 40]} is ...{two[start : start + 40]}"


def in_the_database(hotel: Hotel, books: Export, tampered: Export) -> list[str] | None:
    """What is found after the same change by SQL, as the server's owner; it is taken back again.

    None where the tables refuse it, to the owner too.
    """
    with hotel.house.session() as session:
        session.run("BEGIN")
        try:
            write(session, hotel, books, tampered)
            tables = tables_of(hotel, session)
        except DatabaseError:
            return None
        finally:
            session.run("ROLLBACK")
    return list(findings(replace(tampered, tables=tables)))


def run(house: House, seconds: float, seed: int) -> Tally:
    """Change the books until the seconds are used up, each kind as often as the others."""
    started, tally = time.monotonic(), Tally("tampering")
    hotel = kept_books(house)
    tamperer = Tamperer(export_of(hotel), seed)
    tally.commands = len(tamperer.books.tables["audit_entries"])
    tally.violations += [f"untouched: {finding}" for finding in findings(tamperer.books)]
    number, by_sql, refused = 0, 0, 0
    while number == 0 or time.monotonic() - started < seconds:
        for kind in KINDS:
            made, unseen = tamperer.unseen(kind, range(number, number + 1))
            tally.faults[kind] += made
            tally.violations += unseen
        if number % IN_THE_DATABASE_EVERY == 0:
            kind = list(KINDS)[number // IN_THE_DATABASE_EVERY % len(KINDS)]
            tampered = tamperer.tampered(kind, number)
            found = in_the_database(hotel, tamperer.books, tampered) if tampered else None
            by_sql, refused = by_sql + (found is not None), refused + (found is None)
            if found == []:
                tally.violations.append(f"seed {seed}, {kind} {number}: not found after SQL")
        number += 1
    changes = sum(tally.faults.values())
    tally.figures = {
        "random changes": f"{changes:,} of {len(KINDS)} kinds",
        "found": f"{changes - len(tally.violations):,}",
        "by SQL, as the server's owner": f"{by_sql:,}, and {refused:,} that the tables refused",
        "lines of the verifier": " and ".join(
            f"{len(Path(part.__file__ or '').read_text().splitlines())} ({part.__name__})"
            for part in (verifier, retelling, retelling_credits)
        ),
        "columns that nothing names": str(sum(map(len, UNCOMMITTED.values()))),
    }
    tally.seconds = time.monotonic() - started
    return tally
