"""What the house keeps of itself: the versions of a tenant's settings, and refused attempts."""

from __future__ import annotations  # the names below are for the type checker, not for a start

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from common.domain.incident import ActorRecord
    from common.domain.settings import SettingsChanged


class SettingsBook(Protocol):
    """The versions of the tenant's settings."""

    def keep(self, change: Callable[[dict[str, Any]], dict[str, Any]]) -> SettingsChanged:
        """Write a new version: the newest, with the parts replaced that `change` answers to it."""


class Incidents(Protocol):
    """Refused attempts that are remembered."""

    def take(self, sub: str) -> ActorRecord:
        """The record of an actor, to be added to."""
