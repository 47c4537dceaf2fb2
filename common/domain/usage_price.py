"""What a plan asks for what is used: by the unit, in tiers, by the volume, or in packages (SUB-12).

A price is so many micro units for `per` units of a meter, so that it may be finer than a micro for
one of them: 0.15 for a million tokens is 150,000 micro per 1,000,000. The quantity of a whole
period is multiplied out exactly and rounded once, a line, to the minor unit, half away from zero
(MON-2, MON-3). Each model keeps the order of what it is asked for, but `volume`: there a little
more may cost less, as it always does where such prices are made.

What is included comes first and costs nothing; tiers begin behind it. Quantities are those of a
month. In a period of a year twelve times as much of what flows is included, and each tier is twelve
times as wide; of what is a level (the highest, the number of different ones) a unit costs its price
for each month, as a seat does.
"""

from enum import StrEnum
from typing import Any

from common.domain.dataclass import dataclass
from common.domain.meter import Aggregation
from common.domain.money import Currency, Money, divided
from common.domain.refusal import Unmet


class UsagePriceInvalid(Unmet):
    code = "USAGE_PRICE_INVALID"
    title = "A price for usage contradicts itself or another one"


class PriceModel(StrEnum):
    PER_UNIT = "per_unit"
    TIERED = "tiered"
    VOLUME = "volume"
    PACKAGE = "package"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """What `per` units cost, up to the unit of this number; None is without end."""

    up_to: int | None
    price_micro: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UsagePrice:
    """What a meter's quantity costs. `tiered` asks of each unit the price of the tier that it lies
    in, `volume` of all of them that of the tier which the last one lies in; `package` asks for each
    package of `per` that was begun. Refuses: UsagePriceInvalid.
    """

    meter: str
    model: PriceModel
    per: int
    included: int
    tiers: tuple[Tier, ...]

    def __post_init__(self) -> None:
        bounds = [tier.up_to for tier in self.tiers]
        if not bounds or bounds[-1] is not None or None in bounds[:-1]:
            raise UsagePriceInvalid("The last tier, and no other one, is without end.")
        ends = [end for end in bounds if end is not None]
        if ends != sorted(set(ends)) or ends[:1] == [0]:
            raise UsagePriceInvalid("Each tier ends behind the one before it.")
        if len(bounds) > 1 and self.model not in (PriceModel.TIERED, PriceModel.VOLUME):
            raise UsagePriceInvalid("Only a tiered and a volume price have more than one tier.")

    def amount(
        self, quantity: int, aggregation: Aggregation, months: int, currency: Currency
    ) -> Money:
        """What the quantity of a period of so many months costs, in whole minor units.

        Refuses: AmountOutOfRange.
        """
        wider, dearer = (months, 1) if aggregation.flows else (1, months)
        beyond = max(quantity - self.included * wider, 0)
        minor = currency.minor_unit_micro
        exact = self._times_per(beyond, wider) * dearer
        return Money(divided(exact, self.per * minor) * minor, currency)

    def _times_per(self, beyond: int, wider: int) -> int:
        """What so many units cost in micro units, times `per`: an integer."""
        match self.model:
            case PriceModel.PER_UNIT:
                return beyond * self.tiers[0].price_micro
            case PriceModel.PACKAGE:
                return -(-beyond // self.per) * self.per * self.tiers[0].price_micro
            case PriceModel.VOLUME:
                return beyond * self._tier_of(beyond, wider).price_micro
            case PriceModel.TIERED:
                return self._through_tiers(beyond, wider)

    def _tier_of(self, beyond: int, wider: int) -> Tier:
        return next(
            tier for tier in self.tiers if tier.up_to is None or beyond <= tier.up_to * wider
        )

    def _through_tiers(self, beyond: int, wider: int) -> int:
        cost, below = 0, 0
        for tier in self.tiers:
            end = beyond if tier.up_to is None else min(beyond, tier.up_to * wider)
            cost += max(end - below, 0) * tier.price_micro
            below = max(below, end)
        return cost

    def document(self) -> dict[str, Any]:
        """As the plan keeps it."""
        return {
            "meter": self.meter,
            "model": self.model.value,
            "per": self.per,
            "included": self.included,
            "tiers": [[tier.up_to, tier.price_micro] for tier in self.tiers],
        }

    @classmethod
    def of(cls, document: dict[str, Any]) -> "UsagePrice":
        """The price that a document tells of."""
        return cls(
            meter=document["meter"],
            model=PriceModel(document["model"]),
            per=document["per"],
            included=document["included"],
            tiers=tuple(Tier(up_to=end, price_micro=micro) for end, micro in document["tiers"]),
        )


def one_price_a_meter(prices: tuple[UsagePrice, ...]) -> tuple[UsagePrice, ...]:
    """The prices, if no meter has two of them. Refuses: UsagePriceInvalid."""
    if len({price.meter for price in prices}) < len(prices):
        raise UsagePriceInvalid("A meter has one price.")
    return prices
