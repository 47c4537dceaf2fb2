"""Taxes on what the platform itself bills (SUB-5): who sells, to whom, and whose tax is owed.

What is sold is supplied over the network, so a tax is owed where the customer is. At home it is the
seller's own. To a business in another member state of the Union, known by its VAT number, no tax is
charged: the customer owes it (reverse charge, Directive 2006/112/EC art. 44 and 196). Whoever shows
no valid number there counts as a consumer and is charged their own state's tax, which is declared
through the one-stop shop (art. 58, title XII chapter 6); a seller who does not use that charges the
tax of home, as who sells less than the threshold may. Elsewhere nothing is charged.

The seller and the rates are data of the platform, in versions that never change; a rate begins on a
day of the seller's calendar. One supply bears one rate, so an invoice has one row of tax, rounded
once (EN 16931 BR-CO-17). What a period was billed with stays with it: a change on the way gives
back and asks for tax at that rate, whatever rules came meanwhile, so that a change and its undoing
cost nothing.
"""

from collections import Counter
from dataclasses import field
from datetime import date, datetime
from enum import StrEnum
from typing import Any, ClassVar, Final, Self

from common.domain.aggregate import Aggregate, Fact
from common.domain.business_date import zone_of
from common.domain.dataclass import dataclass
from common.domain.money import Currency, Money
from common.domain.platform_identifiers import PlatformTaxRulesId
from common.domain.refusal import Unmet

PPM: Final = 1_000_000
MEMBER_STATES: Final = frozenset(
    {
        *("AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU"),
        *("IE", "IT", "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK"),
    }
)
"""The states of the Union, by ISO 3166: Greece is GR here, and EL in front of its VAT numbers."""


class PlatformTaxRulesInvalid(Unmet):
    code = "PLATFORM_TAX_RULES_INVALID"
    title = "The platform's tax rules leave something open, or contradict themselves"


class Treatment(StrEnum):
    """How a bill is taxed, and so what stands on it."""

    NO_SELLER = "no_seller"
    DOMESTIC = "domestic"
    REVERSE_CHARGE = "reverse_charge"
    ONE_STOP_SHOP = "one_stop_shop"
    ELSEWHERE = "elsewhere"


_NOTES: Final = {
    Treatment.NO_SELLER: "No tax is charged: the platform has named no seller who charges it.",
    Treatment.DOMESTIC: "Taxed in the seller's own country.",
    Treatment.REVERSE_CHARGE: (
        "Reverse charge: the customer owes the VAT (Directive 2006/112/EC art. 44 and 196)."
    ),
    Treatment.ONE_STOP_SHOP: (
        "VAT of the customer's state, declared through the one-stop shop"
        " (Directive 2006/112/EC art. 58)."
    ),
    Treatment.ELSEWHERE: "No tax is charged here: the place of supply is the customer's country.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Seller:
    """Who sells for the platform, and by whose calendar its rates begin."""

    name: str
    address_lines: tuple[str, ...]
    country: str
    tax_id: str
    time_zone: str

    @classmethod
    def of(cls, document: dict[str, Any]) -> Self:
        return cls(
            name=document["name"],
            address_lines=tuple(document["addressLines"]),
            country=document["country"],
            tax_id=document["taxId"],
            time_zone=document["timeZone"],
        )

    def document(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "addressLines": list(self.address_lines),
            "country": self.country,
            "taxId": self.tax_id,
            "timeZone": self.time_zone,
        }

    def day(self, moment: datetime) -> date:
        """The date where the seller is."""
        return moment.astimezone(zone_of(self.time_zone)).date()


@dataclass(frozen=True, slots=True, kw_only=True)
class CountryRate:
    """A country's rate from a day on, until its next one; 190,000 is 19 %."""

    country: str
    rate_ppm: int
    valid_from: date

    @classmethod
    def of(cls, document: dict[str, Any]) -> Self:
        return cls(
            country=document["country"],
            rate_ppm=document["ratePpm"],
            valid_from=date.fromisoformat(document["validFrom"]),
        )

    def document(self) -> dict[str, Any]:
        return {
            "country": self.country,
            "ratePpm": self.rate_ppm,
            "validFrom": self.valid_from.isoformat(),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxedCustomer:
    """Who is billed: where they are, and their VAT number, None without one that is valid there."""

    country: str
    vat_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BillTax:
    """How a bill is taxed: by whom, at whose rate, and why."""

    treatment: Treatment
    country: str | None = None
    rate_ppm: int = 0
    vat_id: str | None = None
    seller: Seller | None = None
    rules_number: int | None = None

    @classmethod
    def of(cls, document: dict[str, Any]) -> Self:
        seller = document["seller"]
        return cls(
            treatment=Treatment(document["treatment"]),
            country=document["country"],
            rate_ppm=document["ratePpm"],
            vat_id=document["customerVatId"],
            seller=Seller.of(seller) if seller else None,
            rules_number=document["rulesNumber"],
        )

    def document(self) -> dict[str, Any]:
        """As it is kept beside the invoice."""
        return {
            "treatment": self.treatment.value,
            "country": self.country,
            "ratePpm": self.rate_ppm,
            "customerVatId": self.vat_id,
            "seller": self.seller.document() if self.seller else None,
            "rulesNumber": self.rules_number,
        }

    def on(self, net: Money) -> Money:
        """The tax on what all lines come to, rounded once to minor units; below zero for less."""
        return net.times(self.rate_ppm, PPM)

    @property
    def note(self) -> str:
        """What the law, or whoever wonders, wants to read on the invoice."""
        return _NOTES[self.treatment]


UNTAXED: Final = BillTax(treatment=Treatment.NO_SELLER)
"""How it was before there was a seller, and is where there is none."""


@dataclass(frozen=True, kw_only=True)
class PlatformTaxRulesPublished(Fact):
    """A version of the rules is there; it is in force from the instant that it names."""

    name = "platform_tax_rules.published"
    subject: "PlatformTaxRules" = field(repr=False, compare=False)


@dataclass(kw_only=True)
class PlatformTaxRules(Aggregate):
    """A version: the newest that is in force is gone by. See the module.

    `one_stop_shop`: the seller declares the tax of other states there.
    """

    kind: ClassVar[str] = "platform_tax_rules"
    id: PlatformTaxRulesId
    number: int
    seller: Seller
    one_stop_shop: bool
    rates: tuple[CountryRate, ...]
    in_force_from: datetime
    published_at: datetime

    def state(self) -> dict[str, object]:
        return {
            "number": self.number,
            "seller": self.seller.document(),
            "oneStopShop": self.one_stop_shop,
            "rates": [rate.document() for rate in self.rates],
            "inForceFrom": self.in_force_from.isoformat(),
        }

    def published(self, *, seller_is_known: bool) -> PlatformTaxRulesPublished:
        """Tell of a new version; `seller_is_known` says that a member state's VAT number is valid.

        Whatever a bill may need is there from the first day on, so that no cycle ever stops for
        want of a rate. Refuses: PlatformTaxRulesInvalid, TimeZoneUnknown.
        """
        day = self.seller.day(self.in_force_from)
        if self.in_force_from < self.published_at:
            raise PlatformTaxRulesInvalid("What was billed already is not taxed anew.")
        if self.seller.country in MEMBER_STATES and not seller_is_known:
            raise PlatformTaxRulesInvalid("The seller's VAT number is none of its country's.")
        begin = Counter((rate.country, rate.valid_from) for rate in self.rates)
        if any(count > 1 for count in begin.values()):
            raise PlatformTaxRulesInvalid("A country has two rates from one day on.")
        needed = MEMBER_STATES if self.one_stop_shop else frozenset[str]()
        missing = [
            country
            for country in sorted(needed | {self.seller.country})
            if self._rate(country, day) is None
        ]
        if missing:
            raise PlatformTaxRulesInvalid(f"No rate is in force then for {', '.join(missing)}.")
        return PlatformTaxRulesPublished(subject=self, sequence=self.next_sequence())

    def treat(self, customer: TaxedCustomer, moment: datetime) -> BillTax:
        """How what is billed to a customer now is taxed."""
        home, there = self.seller.country, customer.country
        if there == home:
            return self._taxed(Treatment.DOMESTIC, home, customer, moment)
        if there not in MEMBER_STATES:
            return self._untaxed(Treatment.ELSEWHERE, customer)
        if customer.vat_id is not None:
            return self._untaxed(Treatment.REVERSE_CHARGE, customer)
        if self.one_stop_shop:
            return self._taxed(Treatment.ONE_STOP_SHOP, there, customer, moment)
        if home in MEMBER_STATES:
            return self._taxed(Treatment.DOMESTIC, home, customer, moment)
        return self._untaxed(Treatment.ELSEWHERE, customer)

    def _taxed(
        self, treatment: Treatment, country: str, customer: TaxedCustomer, moment: datetime
    ) -> BillTax:
        rate_ppm = self._rate(country, self.seller.day(moment))
        if rate_ppm is None:  # `published` has seen to it, and `treat` is asked of what is in force
            raise PlatformTaxRulesInvalid(f"No rate is in force for {country}.")
        return BillTax(
            treatment=treatment,
            country=country,
            rate_ppm=rate_ppm,
            vat_id=customer.vat_id,
            seller=self.seller,
            rules_number=self.number,
        )

    def _untaxed(self, treatment: Treatment, customer: TaxedCustomer) -> BillTax:
        return BillTax(
            treatment=treatment,
            country=customer.country,
            vat_id=customer.vat_id,
            seller=self.seller,
            rules_number=self.number,
        )

    def _rate(self, country: str, on: date) -> int | None:
        begun = [each for each in self.rates if each.country == country and each.valid_from <= on]
        return max(begun, key=lambda each: each.valid_from).rate_ppm if begun else None


def treatment_by(
    rules: PlatformTaxRules | None, customer: TaxedCustomer, moment: datetime
) -> BillTax:
    """How a bill is taxed by the rules that are in force, if there are any."""
    return UNTAXED if rules is None else rules.treat(customer, moment)


@dataclass(frozen=True, slots=True, kw_only=True)
class OneStopShopRow:
    """What is to be declared of a quarter for a country, at a rate: below zero where more was given
    back than billed."""

    country: str
    rate_ppm: int
    net: Money
    tax: Money

    @property
    def currency(self) -> Currency:
        return self.net.currency


def quarter_of(day: date) -> tuple[int, int]:
    """The year and the quarter, 1 to 4, that a day is declared with."""
    return day.year, (day.month + 2) // 3
