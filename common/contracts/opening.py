"""What a folio is opened with, whether a clerk asks for it or a reservation does."""

from typing import Annotated, Any

from pydantic import ConfigDict, Field

from common.contracts.fields import (
    CurrencyCode,
    Day,
    Name,
    Token,
    Word,
)
from common.contracts.fx import FxSnapshotShape
from common.contracts.shapes import Shape
from common.domain.guest import Guest, Stay


class GuestGiven(Shape):
    """Whose folio it is: a guest or a company."""

    name: Name
    address_lines: Annotated[tuple[Name, ...], Field(max_length=6)] = ()
    tax_id: Token | None = None
    country: Annotated[str, Field(pattern="^[A-Z]{2}$", examples=["DE"])] | None = None
    exemptions: Annotated[tuple[Word, ...], Field(max_length=8)] = ()

    def guest(self) -> Guest:
        return Guest(
            name=self.name,
            address_lines=self.address_lines,
            tax_id=self.tax_id,
            country=self.country,
            exemptions=frozenset(self.exemptions),
        )


class GuestTold(GuestGiven):
    """A guest as another service tells it, who may tell more than we read."""

    model_config = ConfigDict(extra="ignore")


class StayGiven(Shape):
    """The nights from arrival to departure."""

    arrival: Day
    departure: Day

    def stay(self) -> Stay:
        """Refuses: StayInvalid."""
        return Stay(arrival=self.arrival, departure=self.departure)


class Terms(Shape):
    """`currency` is the property's own unless given; `fxSnapshots` are today's unless given."""

    guest: GuestGiven
    window: Word = "guest"
    windows: Annotated[tuple[Word, ...], Field(max_length=8)] = ()
    routing: Annotated[dict[Word, Word], Field(max_length=16)] = {}
    currency: CurrencyCode | None = None
    fx_snapshots: Annotated[tuple[FxSnapshotShape, ...], Field(max_length=20)] = ()

    def terms(self) -> dict[str, Any]:
        """The terms as `Folio.open` takes them. Refuses: FxRateInvalid."""
        return {
            "guest": self.guest.guest(),
            "window": self.window,
            "windows": self.windows,
            "routing": self.routing,
            "currency": self.currency,
            "rates": [shape.snapshot() for shape in self.fx_snapshots],
        }
