"""The platform's figures over all tenants, as functions see them: outside of any transaction."""

from __future__ import annotations  # the names below are for the type checker, not for a start

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from common.domain.platform_figures import (
        Behind,
        Credits,
        Days,
        ListAsked,
        OwedToHouse,
        Revenue,
        Trials,
    )
    from common.ports.paging import Page


class PlatformFigures(Protocol):
    """What is read of all tenants of all cells, and of nothing but figures."""

    def revenue(self, days: Days) -> Sequence[Revenue]:
        """Of each currency, in the order of their codes. Raises DatabaseUnavailable."""

    def trials(self, days: Days) -> Trials:
        """What became of trials. Raises DatabaseUnavailable."""

    def credits(self, days: Days) -> Sequence[Credits]:
        """Of each tenant whose credits moved, in the order of their ids. Raises
        DatabaseUnavailable."""

    def owed_to_houses(self, days: Days) -> Sequence[OwedToHouse]:
        """What is owed for credits at the end of the days, in the order of tenants and properties.
        Raises DatabaseUnavailable."""

    def behind(self, asked: ListAsked) -> Page[Behind]:
        """The rows that a figure is made of, in the order of their keys. Refuses: CursorInvalid.
        Raises DatabaseUnavailable."""
