"""How a rate of exchange reads on the wire, in the settings as on a folio."""

from typing import Annotated

from pydantic import Field

from common.contracts.fields import CurrencyCode, Instant, Name, Rate
from common.contracts.shapes import Shape
from common.domain.fx import FxSnapshot


class FxSnapshotShape(Shape):
    """One unit of `base` is `rate` units of `quote`."""

    base: CurrencyCode
    quote: CurrencyCode
    rate: Rate
    source: Annotated[Name, Field(examples=["Central bank"])]
    taken_at: Instant

    def snapshot(self) -> FxSnapshot:
        """Refuses: FxRateInvalid."""
        return FxSnapshot(self.base, self.quote, self.rate, self.source, self.taken_at)

    @classmethod
    def of(cls, snapshot: FxSnapshot) -> "FxSnapshotShape":
        return cls(
            base=snapshot.base,
            quote=snapshot.quote,
            rate=snapshot.rate,
            source=snapshot.source,
            taken_at=snapshot.taken_at,
        )
