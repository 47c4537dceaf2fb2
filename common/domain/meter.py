"""What tenants use is counted by meters, each in one way (SUB-12).

A meter is the platform's and not a plan's. What sends an event does not know what the tenant has
subscribed to, and what was counted has to outlive a change of that; a plan says what it costs.
"""

from enum import StrEnum

from common.domain.dataclass import dataclass
from common.domain.refusal import Unmet


class MeterUnknown(Unmet):
    code = "METER_UNKNOWN"
    title = "There is no such meter"


class Aggregation(StrEnum):
    """How the events of a period make its quantity: their number, the sum of what they say, the
    highest of it, or how many different values they name. None asks for an order among them."""

    COUNT = "count"
    SUM = "sum"
    MAX = "max"
    UNIQUE = "unique"

    @property
    def flows(self) -> bool:
        """Whether it grows with the length of a period. The others are levels, as seats are."""
        return self in (Aggregation.COUNT, Aggregation.SUM)


@dataclass(frozen=True, slots=True, kw_only=True)
class Meter:
    """What is counted, and how."""

    name: str
    aggregation: Aggregation
    unit: str
