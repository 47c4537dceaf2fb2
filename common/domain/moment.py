"""What a decision may know of its moment: the time, the settings in force, fresh identifiers.

The clock is as foreign to the rules as the network is: a decision is handed its moment, so that it
gives the same answer whenever it is asked again.
"""

from __future__ import annotations  # the names below are for the type checker, not for a start

from typing import TYPE_CHECKING, Protocol, TypeVar

from common.domain.identifiers import Identifier

if TYPE_CHECKING:
    from datetime import datetime

    from common.domain.settings import Settings

Id = TypeVar("Id", bound=Identifier)


class Moment(Protocol):
    """The moment of one transaction."""

    @property
    def now(self) -> datetime:
        """The transaction's time, UTC; the same from its beginning to its end."""

    @property
    def settings(self) -> Settings:
        """The tenant's settings in force."""

    def new_id(self, kind: type[Id]) -> Id:
        """A fresh identifier of a kind."""

    def new_salt(self) -> bytes:
        """32 bytes that nobody can guess."""
