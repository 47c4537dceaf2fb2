"""What a migration file is, and when one is refused before it reaches a database.

A migration is `NNNN_what_changes.sql`: a header that says why, which lock and how the version
before keeps working, then an `-- up` part and a `-- down` part. It is plain SQL that a reader can
run, with two placeholders in tenant migrations: `{tenant_role}`, the role's name, and
`{tenant_id}`, the tenant's UUID as a literal. Both are made of the digits of a UUID and of nothing
else; the name of the tenant's schema is never written, the runner sets the search path.

The checksum covers the whole file, so that what stands in the repository is what ran.
"""

import re
from hashlib import sha256
from pathlib import Path
from typing import Final
from uuid import UUID

from common.domain.dataclass import dataclass
from common.postgres.schemas import role_of

UP_MARKER: Final = "-- up"
DOWN_MARKER: Final = "-- down"
HEADER: Final = ("-- Why:", "-- Lock:", "-- Version before:")

_FILE_NAME: Final = re.compile(r"([0-9]{4})_([a-z0-9_]+)\.sql")
_PLACEHOLDER: Final = re.compile(r"\{(tenant\w*)\}")
_TENANT_SCHEMA: Final = re.compile(r"\btenant_[0-9a-f]{32}", re.IGNORECASE)
_NOT_CODE: Final = re.compile(
    r"--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'|\"[^\"]*\"|(\$\w*\$).*?\1", re.DOTALL
)
_TRANSACTION_CONTROL: Final = re.compile(
    r"(?:^|;)\s*(BEGIN|START\s+TRANSACTION|COMMIT|END|ROLLBACK|ABORT|SAVEPOINT|RELEASE|PREPARE)\b",
    re.IGNORECASE,
)
_CONCURRENTLY: Final = re.compile(r"\bCONCURRENTLY\b", re.IGNORECASE)


class MigrationMalformed(ValueError):
    """A migration file breaks a rule; the message names the file and the rule."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One step of a sequence; `up_line` and `down_line` are where its parts begin in the file."""

    version: int
    name: str
    up: str
    down: str
    up_line: int
    down_line: int
    checksum: str

    @property
    def label(self) -> str:
        """The name of the file without its ending."""
        return f"{self.version:04}_{self.name}"


def read_migrations(folder: Path) -> tuple[Migration, ...]:
    """Read the sequence of a folder: 0001, 0002 ... without a gap.

    Raises MigrationMalformed for a file that breaks a rule and for a gap or a number used twice.
    """
    found = tuple(_read(path) for path in sorted(folder.glob("*.sql")))
    for expected, migration in enumerate(found, start=1):
        if migration.version != expected:
            raise MigrationMalformed(
                f"{folder.name}/{migration.label}: expected number {expected:04}; numbers are "
                "consecutive, so that one figure says what a schema holds."
            )
    return found


def resolved(sql: str, tenant_id: UUID | None) -> str:
    """Put the tenant's role and id into the SQL of a tenant migration."""
    if tenant_id is None:
        return sql
    return sql.replace("{tenant_role}", role_of(tenant_id)).replace(
        "{tenant_id}", f"'{UUID(hex=tenant_id.hex)}'::uuid"
    )


def _read(path: Path) -> Migration:
    where = f"{path.parent.name}/{path.name}"
    named = _FILE_NAME.fullmatch(path.name)
    if named is None:
        raise MigrationMalformed(f"{where}: the name is not NNNN_what_changes.sql.")
    lines = path.read_text(encoding="utf-8").splitlines()
    if lines.count(UP_MARKER) != 1 or lines.count(DOWN_MARKER) != 1:
        raise MigrationMalformed(f"{where}: write the lines `-- up` and `-- down` once each.")
    up_at, down_at = lines.index(UP_MARKER), lines.index(DOWN_MARKER)
    if down_at < up_at:
        raise MigrationMalformed(f"{where}: `-- up` comes before `-- down`.")
    for label in HEADER:
        if not any(line.startswith(label) for line in lines[:up_at]):
            raise MigrationMalformed(
                f"{where}: the header lacks `{label}`. It says why, which lock is taken for how "
                "long, and how the version before keeps working meanwhile."
            )
    up, down = "\n".join(lines[up_at + 1 : down_at]), "\n".join(lines[down_at + 1 :])
    for part in (up, down):
        _check(part, where, is_tenants=path.parent.name == "tenant")
    return Migration(
        version=int(named[1]),
        name=named[2],
        up=up,
        down=down,
        up_line=up_at + 2,
        down_line=down_at + 2,
        checksum=sha256("\n".join(lines).encode()).hexdigest(),
    )


def _check(sql: str, where: str, *, is_tenants: bool) -> None:
    code = _NOT_CODE.sub(lambda found: " " if found[0].startswith(("-", "/")) else "''", sql)
    if not code.strip():
        raise MigrationMalformed(f"{where}: a part without a statement cannot be tested.")
    allowed = {"tenant_role", "tenant_id"} if is_tenants else set()
    for placeholder in _PLACEHOLDER.findall(sql):
        if placeholder not in allowed:
            raise MigrationMalformed(f"{where}: {{{placeholder}}} is no placeholder here.")
    if _TENANT_SCHEMA.search(sql):
        raise MigrationMalformed(
            f"{where}: names one tenant's schema or role; the runner sets the search path, and "
            "{tenant_role} stands for the role."
        )
    if "BEGIN ATOMIC" not in code.upper() and _TRANSACTION_CONTROL.search(code):
        raise MigrationMalformed(
            f"{where}: begins or ends a transaction; the runner gives each migration its own."
        )
    if _CONCURRENTLY.search(code):
        raise MigrationMalformed(
            f"{where}: CONCURRENTLY cannot run in the migration's transaction; build the index "
            "in a plain migration, its wait for locks is bounded and retried."
        )
