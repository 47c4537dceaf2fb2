"""What a store needs of the command that it works for."""

import json
from collections.abc import Callable, Collection, Iterable
from datetime import datetime
from typing import Any, Protocol, TypeVar
from uuid import UUID

from common.domain.aggregate import Aggregate
from common.domain.identifiers import Identifier
from common.domain.settings import Settings
from common.ports.identity import Actor
from common.postgres.connection import Row, Statement
from common.postgres.reading_ahead import Names
from common.postgres.session import Insert, Write

A = TypeVar("A", bound=Aggregate)
Id = TypeVar("Id", bound=Identifier)


class Desk(Protocol):
    """A command, seen from a store: it reads now and collects what is to be written."""

    @property
    def now(self) -> datetime: ...
    @property
    def tenant_id(self) -> UUID: ...
    @property
    def settings(self) -> Settings: ...
    @property
    def settings_version(self) -> int: ...
    @property
    def actor(self) -> Actor: ...
    def new_id(self, kind: type[Id]) -> Id: ...
    def rows(self, sql: str, *parameters: Any) -> list[Row]: ...
    def batch(self, *statements: Statement) -> list[list[Row]]: ...
    def foresee(self, sql: str, *parameters: Any, names: Names | None = None) -> None: ...
    def know(self, subject: object) -> None: ...
    def insert(self, insert: Insert, rows: Iterable[dict[str, Any]]) -> None: ...
    def write(self, key: object, write: Write) -> None: ...
    def loaded(self, aggregate: A) -> A: ...
    def keep(self, aggregate: Aggregate, write: Callable[[], None]) -> None: ...


def held_properties(desk: Desk, asked: UUID | None) -> str:
    """The properties that a list may show, as an array: the actor's own, or the one asked for."""
    held = [
        str(property_id)
        for property_id in desk.settings.properties
        if desk.actor.holds(property_id) and asked in (None, property_id)
    ]
    return "{" + ",".join(held) + "}"


def text_array(ids: Collection[str]) -> str:
    """Ids as a PostgreSQL array; the processor's may hold anything."""
    return "{" + ",".join(json.dumps(each, ensure_ascii=False) for each in ids) + "}"
