"""Who stays, and when: the person or company that a folio is for."""

from datetime import date

from common.domain.dataclass import dataclass
from common.domain.refusal import Unmet


class StayInvalid(Unmet):
    code = "STAY_INVALID"
    title = "The guest leaves before arriving"


@dataclass(frozen=True, slots=True, kw_only=True)
class Guest:
    """Whose folio it is: a guest or a company, and in which country (ISO 3166-1) they are at home.

    Personal data; never logged, published or hashed.
    """

    name: str
    address_lines: tuple[str, ...] = ()
    tax_id: str | None = None
    country: str | None = None
    exemptions: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Stay:
    """The nights from arrival to departure (the day of leaving is not a night).

    Refuses: StayInvalid.
    """

    arrival: date
    departure: date

    def __post_init__(self) -> None:
        if self.departure < self.arrival:
            raise StayInvalid()

    @property
    def nights(self) -> int:
        return (self.departure - self.arrival).days

    def place_of(self, night: date) -> int:
        """The place of a night in the stay, from 1; a day before the stay counts as its first."""
        return max(1, (night - self.arrival).days + 1)
