"""How the platform's tax rules, and what it declares, read on the wire."""

from typing import Annotated

from pydantic import Field

from common.contracts.fields import (
    Amount,
    Day,
    Instant,
    Name,
    ZoneName,
)
from common.contracts.references import PlatformTaxRulesRef
from common.contracts.shapes import Outcome, Request, Shape
from common.domain.moment import Moment
from common.domain.platform_identifiers import PlatformTaxRulesId
from common.domain.platform_tax import (
    PPM,
    CountryRate,
    OneStopShopRow,
    PlatformTaxRules,
    Seller,
)

Country = Annotated[str, Field(pattern="^[A-Z]{2}$", examples=["DE"])]
RatePpm = Annotated[int, Field(ge=0, le=PPM, examples=[190_000])]


class SellerShape(Shape):
    """Who sells for the platform; `timeZone` is the calendar by which rates begin."""

    name: Name
    address_lines: Annotated[tuple[Name, ...], Field(min_length=1, max_length=6)]
    country: Country
    tax_id: Annotated[Name, Field(examples=["DE136695976"])]
    time_zone: Annotated[ZoneName, Field(examples=["Europe/Berlin"])]

    def seller(self) -> Seller:
        return Seller(**dict(self))

    @classmethod
    def of(cls, seller: Seller) -> "SellerShape":
        return cls(
            name=seller.name,
            address_lines=seller.address_lines,
            country=seller.country,
            tax_id=seller.tax_id,
            time_zone=seller.time_zone,
        )


class CountryRateShape(Shape):
    """A country's rate from a day on, in millionths: 190,000 are 19 %."""

    country: Country
    rate_ppm: RatePpm
    valid_from: Day

    @classmethod
    def of(cls, rate: CountryRate) -> "CountryRateShape":
        return cls(country=rate.country, rate_ppm=rate.rate_ppm, valid_from=rate.valid_from)


class PlatformTaxRulesGiven(Request):
    """Who sells, and what is taxed how, from `inForceFrom` on: from now on, where it is not given.
    `oneStopShop`: the tax of other states of the Union is declared there."""

    seller: SellerShape
    one_stop_shop: bool = False
    rates: Annotated[tuple[CountryRateShape, ...], Field(min_length=1, max_length=400)]
    in_force_from: Instant | None = None

    def rules(self, rules_id: PlatformTaxRulesId, number: int, at: Moment) -> PlatformTaxRules:
        """As the rules read it."""
        return PlatformTaxRules(
            id=rules_id,
            number=number,
            seller=self.seller.seller(),
            one_stop_shop=self.one_stop_shop,
            rates=tuple(CountryRate(**dict(rate)) for rate in self.rates),
            in_force_from=self.in_force_from or at.now,
            published_at=at.now,
        )


class PlatformTaxRulesView(Outcome):
    """A version of the rules."""

    platform_tax_rules_id: PlatformTaxRulesRef
    rules_number: int
    seller: SellerShape
    one_stop_shop: bool
    rates: tuple[CountryRateShape, ...]
    in_force_from: Instant
    published_at: Instant

    @classmethod
    def of(cls, rules: PlatformTaxRules) -> "PlatformTaxRulesView":
        return cls(
            platform_tax_rules_id=rules.id,
            rules_number=rules.number,
            seller=SellerShape.of(rules.seller),
            one_stop_shop=rules.one_stop_shop,
            rates=tuple(CountryRateShape.of(rate) for rate in rules.rates),
            in_force_from=rules.in_force_from,
            published_at=rules.published_at,
        )


class OneStopShopRowView(Shape):
    """What a quarter's invoices come to for a country, at a rate."""

    country: str
    rate_ppm: int
    net: Amount
    tax: Amount

    @classmethod
    def of(cls, row: OneStopShopRow) -> "OneStopShopRowView":
        return cls(country=row.country, rate_ppm=row.rate_ppm, net=row.net, tax=row.tax)
