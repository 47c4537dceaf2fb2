"""Lists are read page by page."""

from __future__ import annotations  # the names below are for the type checker, not for a start

from typing import Generic, TypeVar

from common.domain.dataclass import dataclass
from common.domain.refusal import Unmet

T = TypeVar("T")


class CursorInvalid(Unmet):
    area = "GENERAL"
    code = "CURSOR_INVALID"
    title = "The cursor is not one that a list has given"


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A piece of a list, and where the next one begins (None at the end)."""

    items: tuple[T, ...]
    next_cursor: str | None
