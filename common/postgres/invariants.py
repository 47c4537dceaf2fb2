"""What must hold of a tenant's books at any moment, asked in one round trip (REL-5).

Each rule is a question for what breaks it. They stand in invariant_queries, a file for each part of
the books. The trust harness asks all of them after every episode, the job check_books every night,
and `billing doctor` whenever somebody wants to know; nothing here repairs anything. All are asked
in one read-only transaction that sees one moment, first with the drainer's eyes, then with the
tenant's own, and last past row security, where the session may look there.

A section of a file begins with a line `-- invariant: name`; the name reads as the rule. `-- as:
role` says with whose eyes it looks: `tenant` (its own role and schema, where nothing is said),
`drainer` (the outbox of all tenants), `administrator` (past row security). Then comes the rule in a
sentence for whoever is called at night, then one query, which answers (what breaks the rule, how).
A section `-- note: name` is read before those behind it, which find its text in
current_setting('books.name'): what one role sees is handed to another one's question.

A file that is not understood to its last line is refused: a rule that is passed over would look
like one that holds.
"""

import re
import secrets
from collections.abc import Callable, Iterator
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Final
from uuid import UUID

from common.domain.dataclass import dataclass
from common.postgres.connection import Connection, ForeignReply, Row, Statement
from common.postgres.schemas import DRAIN_ROLE, role_of, schema_of
from common.postgres.session import BEGIN_READ_ONLY, ROLLBACK

FOLDER: Final = Path(__file__).with_name("invariant_queries")
SHOWN_MAX: Final = 20
NOBODY: Final = "none"
"""The role of the session itself, as PostgreSQL names it."""

BEGIN: Final = Statement("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", everywhere=True)
# Planning is most of the work on small books: a plan is kept for as long as the connection is, and
# never compiled.
LIMITS: Final = """
SELECT $1::text,
       set_config('statement_timeout', $2, true),
       set_config('lock_timeout', '5s', true),
       set_config('jit', 'off', true),
       set_config('plan_cache_mode', 'force_generic_plan', true)
"""
ENTER: Final = """
SELECT set_config('role', $1, true),
       set_config('search_path', $2, true),
       set_config('app.tenant_id', $3, true)
"""
NOTE: Final = "SELECT set_config('books.{name}', ({query})::text, true)"
ASK: Final = """
SELECT subject, how, count(*) OVER ()
FROM (
{query}
) AS broken (subject, how)
ORDER BY subject, how
LIMIT $1
"""
PASSES_ROW_SECURITY: Final = """
SELECT rolsuper OR rolbypassrls
FROM pg_roles
WHERE rolname = session_user
"""

_HEADER: Final = re.compile(r"-- (invariant|note): (\S+)")
_NAME: Final = re.compile(r"[a-z][a-z_]{2,62}")
_AS: Final = re.compile(r"-- as: (\S+)")
_BEGINNINGS: Final = {"invariant": ("SELECT", "WITH"), "note": ("SELECT", "DO")}


class InvariantsUnreadable(Exception):
    """A file of invariants breaks its own form."""


class Eyes(StrEnum):
    """With whose rights a section looks, in the order in which they are asked."""

    DRAINER = "drainer"
    TENANT = "tenant"
    ADMINISTRATOR = "administrator"


@dataclass(frozen=True, slots=True)
class Section:
    """A rule with its query; a note (`is_note`) only prepares what later sections read."""

    name: str
    eyes: Eyes
    rule: str
    query: str
    is_note: bool = False

    @property
    def statement(self) -> Statement:
        if self.query.startswith("DO"):
            return Statement(self.query)
        if self.is_note:
            return Statement(NOTE.format(name=self.name, query=self.query))
        return Statement(ASK.format(query=self.query), (SHOWN_MAX,))


@dataclass(frozen=True, slots=True)
class Broken:
    """An invariant that does not hold: how often, and the first of what breaks it."""

    name: str
    rule: str
    count: int
    first: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Look:
    """What a look into the books came to. `unseen` are rules that this session may not check."""

    asked: int
    broken: tuple[Broken, ...]
    unseen: tuple[str, ...]


def read(*texts: str) -> tuple[Section, ...]:
    """The sections of some files, in the order in which they are asked.

    Raises InvariantsUnreadable.
    """
    sections = [section for text in texts for section in _sections(text)]
    names = [section.name for section in sections]
    if len(set(names)) < len(names) or all(section.is_note for section in sections):
        raise InvariantsUnreadable(f"no invariants, or two of one name: {names}")
    return tuple(section for eyes in Eyes for section in sections if section.eyes is eyes)


@cache
def sections() -> tuple[Section, ...]:
    """The sections that belong to this version of the service."""
    return read(*(path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*.sql"))))


def look(
    connection: Connection,
    tenant_id: UUID,
    *,
    seconds_max: int = 600,
    is_asked: Callable[[Section], bool] = lambda _: True,
) -> Look:
    """Ask everything of one tenant's books, and change nothing; or what `is_asked`, and all notes.

    The connection's login must be allowed to become the drainer and the tenant. Raises
    ServerRefused, ConnectionLost, ForeignReply.
    """
    passes = connection.run([BEGIN_READ_ONLY, Statement(PASSES_ROW_SECURITY), ROLLBACK])[1][0][0]
    hidden = set() if passes else {Eyes.ADMINISTRATOR}
    seen = [each for each in sections() if each.eyes not in hidden]
    asked = [each for each in seen if each.is_note or is_asked(each)]
    nonce = secrets.token_hex(16)
    script = [BEGIN, Statement(LIMITS, (nonce, f"{seconds_max}s"))]
    places: list[int] = []
    for eyes in Eyes:
        script.append(_entering(eyes, tenant_id))
        for section in (each for each in asked if each.eyes is eyes):
            places.append(len(script))
            script.append(section.statement)
    try:
        replies = connection.run([*script, ROLLBACK], scope=schema_of(tenant_id))
    finally:
        if connection.in_transaction and not connection.broken:
            connection.run([ROLLBACK])
    if replies[1][0][0] != nonce:
        connection.broken = True
        raise ForeignReply()
    rules = [each for each in asked if not each.is_note]
    found = zip(asked, (replies[place] for place in places), strict=True)
    return Look(
        asked=len(rules),
        broken=tuple(_broken(each, rows) for each, rows in found if rows and not each.is_note),
        unseen=tuple(each.name for each in sections() if each.eyes in hidden and not each.is_note),
    )


def _entering(eyes: Eyes, tenant_id: UUID) -> Statement:
    role = {Eyes.DRAINER: DRAIN_ROLE, Eyes.TENANT: role_of(tenant_id)}.get(eyes, NOBODY)
    return Statement(ENTER, (role, f"{schema_of(tenant_id)}, pg_temp", str(tenant_id)))


def _broken(section: Section, rows: list[Row]) -> Broken:
    first = tuple((str(row[0]), str(row[1])) for row in rows)
    return Broken(section.name, section.rule, rows[0][2], first)


def _sections(text: str) -> list[Section]:
    chunks = re.split(r"^(?=-- (?:invariant|note):)", text, flags=re.MULTILINE)
    for line in chunks[0].splitlines():
        if line and not line.startswith("--"):
            raise InvariantsUnreadable(f"before the first section: {line}")
    return [_section(chunk) for chunk in chunks[1:]]


def _section(chunk: str) -> Section:
    lines = chunk.strip().splitlines()
    header = _HEADER.fullmatch(lines[0])
    if header is None or not _NAME.fullmatch(header[2]):
        raise InvariantsUnreadable(f"not a section's first line: {lines[0]}")
    comments = list(_leading_comments(lines[1:]))
    query = "\n".join(lines[1 + len(comments) :]).strip()
    named = _AS.fullmatch(comments[0]) if comments else None
    rule = " ".join(line[2:].strip() for line in (comments[1:] if named else comments))
    if not rule.endswith("."):
        raise InvariantsUnreadable(f"{header[2]} does not say its rule in a sentence")
    if not query.startswith(_BEGINNINGS[header[1]]) or not query.endswith(";"):
        raise InvariantsUnreadable(f"{header[2]} is not one whole query")
    query = query.removesuffix(";")
    if ";" in query and not query.startswith("DO"):
        raise InvariantsUnreadable(f"{header[2]} is more than one query")
    return Section(header[2], _eyes(named), rule, query, is_note=header[1] == "note")


def _leading_comments(lines: list[str]) -> Iterator[str]:
    for line in lines:
        if not line.startswith("--"):
            return
        yield line


def _eyes(named: re.Match[str] | None) -> Eyes:
    if named is None:
        return Eyes.TENANT
    if named[1] not in list(Eyes):
        raise InvariantsUnreadable(f"nobody looks as {named[1]}")
    return Eyes(named[1])
