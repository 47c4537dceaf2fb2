"""Migrations over the central schema and every tenant's (MIG-1).

Two sequences of plain SQL, `migrations/central` and `migrations/tenant`. Each step on each schema
is a transaction of its own, so a failure in the 500th of 1,000 tenants leaves 499 new and 501 old,
each of them whole, and the summary says which. The application runs beside both versions, because
a migration keeps the version before it working; so leaving some behind is no emergency, and the
caller chooses whether to stop there, to go on with the others, or to take the moved ones back.

Central goes up before the tenants and down after them: tenants may lean on central, never the
other way round. When it fails, no tenant is touched.

Row security binds the owner as well. A migration that fills existing rows reads them as
`{tenant_role}` (SET LOCAL ROLE, and back), or it sees none.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final, Literal, TypeAlias
from uuid import UUID

from pg8000.exceptions import DatabaseError

from common.postgres.migration_files import Migration, MigrationMalformed, read_migrations
from common.postgres.migration_steps import (
    AS_OWNER,
    CENTRAL,
    ConnectionGone,
    Direction,
    Limits,
    Link,
    MigrationRefused,
    Schema,
    Session,
    check_history,
    move,
    said,
)
from common.postgres.migration_summary import SchemaOutcome, SchemaStatus, State, Summary
from common.postgres.provisioning import (
    BOOKS_EXIST,
    MIGRATIONS,
    prepare,
    prepare_server,
    provision_tenant,
)
from common.postgres.schemas import is_schema_of, schema_of

__all__ = [
    "MIGRATIONS",
    "Limits",
    "MigrationMalformed",
    "MigrationRefused",
    "Migrator",
    "SchemaOutcome",
    "SchemaStatus",
    "Summary",
    "prepare_server",
    "provision_tenant",
]

Scope = Literal["all", "central", "tenants"]
OnFailure = Literal["stop", "continue", "revert"]
Recorded: TypeAlias = dict[str, list[tuple[int, str]]]

TENANTS_EXIST: Final = "SELECT to_regclass('billing_central.tenants') IS NOT NULL"
TENANTS: Final = """
SELECT tenant_id, schema_name
FROM billing_central.tenants
ORDER BY tenant_id
"""
ALL_RECORDED: Final = """
SELECT schema_name, version, checksum
FROM billing_central.schema_migrations
ORDER BY schema_name, version
"""


class Migrator:
    """The runner. `connect` opens a session of a role that may create roles and schemas.

    `folder` holds `central/` and `tenant/`; `watch` is told each schema's outcome as it comes, and
    out of how many. Construction raises MigrationMalformed for a file that breaks a rule.
    """

    def __init__(
        self,
        connect: Callable[[], Session],
        folder: Path = MIGRATIONS,
        *,
        limits: Limits | None = None,
        watch: Callable[[SchemaOutcome, int], None] | None = None,
    ) -> None:
        self._limits = limits or Limits()
        self._connect = connect
        self._central = read_migrations(folder / "central")
        self._tenant = read_migrations(folder / "tenant")
        self._watch = watch or _silent

    def up(
        self,
        target: int | None = None,
        *,
        scope: Scope = "all",
        tenants: Sequence[UUID] | None = None,
        on_failure: OnFailure = "stop",
    ) -> Summary:
        """Prepare the server and bring schemas up to a version, the newest when none is named.

        A target belongs to one sequence, so it asks for a scope. Tenants that are born meanwhile
        are taken along.
        """
        scope = _checked_scope(scope, tenants, target)
        link = Link(self._connect, self._limits)
        run = _Run(link, "up", self._watch, on_failure)
        try:
            prepare(link)
            if scope != "tenants":
                run.all([CENTRAL], self._central, _bounded(target, self._central))
            if scope != "central" and not run.stopped:
                goal = _bounded(target, self._tenant)
                while born := run.unseen(self._listed(link, tenants)):
                    run.all(born, self._tenant, goal)
            return run.summary()
        finally:
            link.close()

    def down(
        self,
        target: int,
        *,
        scope: Scope = "all",
        tenants: Sequence[UUID] | None = None,
        on_failure: OnFailure = "stop",
        destroy_records: bool = False,
    ) -> Summary:
        """Take schemas back to a version; 0 is the state before the first migration.

        Refuses a step that would drop a table of record (APPEND_ONLY_TABLES) that holds anything,
        unless `destroy_records` is given.
        """
        scope = _checked_scope(scope, tenants, target or None)
        link = Link(self._connect, self._limits)
        run = _Run(link, "down", self._watch, on_failure, destroy_records=destroy_records)
        try:
            if scope != "central":
                listed = self._listed(link, tenants)
                run.all(listed, self._tenant, _bounded(target, self._tenant))
            if scope != "tenants" and not run.failed:
                run.all([CENTRAL], self._central, _bounded(target, self._central))
            return run.summary()
        finally:
            link.close()

    def status(self, *, tenants: Sequence[UUID] | None = None) -> tuple[SchemaStatus, ...]:
        """Say for central and every tenant which version holds and what is pending."""
        link = Link(self._connect, self._limits)
        try:
            recorded = read_recorded(link)
            listed = [] if tenants is not None else [CENTRAL]
            listed += self._listed(link, tenants)
            return tuple(
                _status(each, recorded.get(each.key, []), self._files(each)) for each in listed
            )
        finally:
            link.close()

    def _files(self, schema: Schema) -> tuple[Migration, ...]:
        return self._central if schema.tenant_id is None else self._tenant

    def _listed(self, link: Link, tenants: Sequence[UUID] | None) -> list[Schema]:
        """The tenants asked for, or all registered ones, each where its schema stands now."""
        registered: dict[UUID, str] = {}
        with link.transaction() as session:
            if session.run(TENANTS_EXIST)[0][0]:
                session.run(AS_OWNER)
                registered = {row[0]: row[1] for row in session.run(TENANTS)}
        for tenant_id, name in registered.items():
            if not is_schema_of(tenant_id, name):
                raise MigrationRefused(f"tenant {tenant_id} is registered with schema {name!r}")
        chosen = registered if tenants is None else tenants
        return [
            Schema(registered.get(each, schema_of(each)), schema_of(each), each) for each in chosen
        ]


class _Run:
    """One pass of the runner: what it did so far, and what a failure means for the rest."""

    def __init__(
        self,
        link: Link,
        direction: Direction,
        watch: Callable[[SchemaOutcome, int], None],
        on_failure: OnFailure,
        *,
        destroy_records: bool = False,
    ) -> None:
        self._link = link
        self._direction: Direction = direction
        self._watch = watch
        self._on_failure = on_failure
        self._destroy_records = destroy_records
        self._done: list[tuple[Schema, Sequence[Migration], SchemaOutcome]] = []
        self.failed = False
        self.stopped = False

    def unseen(self, schemas: Iterable[Schema]) -> list[Schema]:
        """Those that this run has not come to yet."""
        seen = {schema.key for schema, _, _ in self._done}
        return [each for each in schemas if each.key not in seen]

    def all(self, schemas: Sequence[Schema], files: Sequence[Migration], target: int) -> None:
        """Move each schema to the target, or say where it was left."""
        of = len(self._done) + len(schemas)
        recorded: Recorded | None = None
        for schema in schemas:
            if self.stopped:
                recorded = read_recorded(self._link) if recorded is None else recorded
                now = len(recorded.get(schema.key, ()))
                outcome = SchemaOutcome(schema.name, schema.tenant_id, now, now, "untouched")
            else:
                outcome = self._one(schema, files, target)
            self._done.append((schema, files, outcome))
            if outcome.state == "failed":
                self._fail(schema)
            self._watch(self._done[-1][2], of)

    def summary(self) -> Summary:
        """What was done, in the order in which it was."""
        return Summary(tuple(outcome for _, _, outcome in self._done))

    def _one(self, schema: Schema, files: Sequence[Migration], target: int) -> SchemaOutcome:
        versions: list[int] = []
        error = self._move(schema, files, target, self._direction, versions)
        before, after = (versions[0], versions[-1]) if versions else (0, 0)
        state: State = "failed" if error else "moved" if before != after else "unchanged"
        return SchemaOutcome(schema.name, schema.tenant_id, before, after, state, error)

    def _move(
        self,
        schema: Schema,
        files: Sequence[Migration],
        target: int,
        direction: Direction,
        versions: list[int],
    ) -> str:
        """Note where this run began and what it passed through; return what went wrong, if any."""

        def arrived(version: int, ours: bool) -> None:
            if not ours:
                versions.clear()
            versions.append(version)

        try:
            move(
                self._link,
                schema,
                files,
                target,
                direction,
                arrived=arrived,
                destroy_records=self._destroy_records,
            )
        except DatabaseError as error:
            return said(error)
        except (MigrationRefused, ConnectionGone) as error:
            return str(error)
        return ""

    def _fail(self, schema: Schema) -> None:
        self.failed = True
        self.stopped = self._on_failure != "continue" or schema == CENTRAL
        if self._on_failure != "revert":
            return
        back: Direction = "down" if self._direction == "up" else "up"
        for at in reversed(range(len(self._done))):
            moved, files, outcome = self._done[at]
            if outcome.before != outcome.after:
                versions: list[int] = []
                error = self._move(moved, files, outcome.before, back, versions)
                state: State = "failed" if outcome.error or error else "reverted"
                error = outcome.error or (error and f"not reverted: {error}")
                after = versions[-1] if versions else outcome.after
                outcome = replace(outcome, after=after, state=state, error=error)
                self._done[at] = (moved, files, outcome)


def read_recorded(link: Link) -> Recorded:
    """Return version and checksum of every migration that was applied, by schema."""
    recorded: Recorded = {}
    with link.transaction() as session:
        if session.run(BOOKS_EXIST)[0][0]:
            session.run(AS_OWNER)
            for key, version, checksum in session.run(ALL_RECORDED):
                recorded.setdefault(key, []).append((version, checksum))
    return recorded


def _status(
    schema: Schema, recorded: Sequence[tuple[int, str]], files: Sequence[Migration]
) -> SchemaStatus:
    problem = ""
    try:
        check_history(schema.key, recorded, files)
    except MigrationRefused as refused:
        problem = str(refused)
    return SchemaStatus(
        schema=schema.name,
        tenant_id=schema.tenant_id,
        version=len(recorded),
        latest=len(files),
        pending=tuple(file.label for file in files[len(recorded) :]),
        problem=problem,
    )


def _checked_scope(scope: Scope, tenants: Sequence[UUID] | None, target: int | None) -> Scope:
    if tenants is not None:
        if scope == "central":
            raise ValueError("tenants were named, so the scope cannot be central")
        return "tenants"
    if target is not None and scope == "all":
        raise ValueError(
            "central and tenants are numbered apart: a target asks for scope central or tenants"
        )
    return scope


def _bounded(target: int | None, files: Sequence[Migration]) -> int:
    if target is None:
        return len(files)
    if not 0 <= target <= len(files):
        raise ValueError(f"there is no version {target:04}; the newest is {len(files):04}")
    return target


def _silent(outcome: SchemaOutcome, of: int) -> None:
    """Watch nothing."""
