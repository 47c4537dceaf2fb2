"""A charge: what a guest consumed, what it cost, and which taxes it bears.

A charge is worth its quantity times its unit price, rounded once. Its taxes come from the rules in
force at the property on the day of the service; each becomes a line of its own, tied to the charge.
Where no rule covers it the charge is refused, unless the property allows untaxed charges for the day:
then the line says so.
"""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from common.domain.folio_line import ChargeKind, Source, Text
from common.domain.identifiers import ChargeId
from common.domain.moment import Moment
from common.domain.money import Money
from common.domain.refusal import Conflict, Missing, Unmet
from common.domain.settings import Property
from common.domain.tax import TaxAmount, TaxRuleMissing, tax_line_amount, taxes_for

UNTAXED_ALLOWED = "allowed"


class ChargeUnknown(Missing):
    code = "CHARGE_UNKNOWN"
    title = "The folio has no such charge"


class ChargeAlreadyVoided(Conflict):
    code = "CHARGE_ALREADY_VOIDED"
    title = "The charge has been voided already"


class ChargeAlreadyPosted(Conflict):
    code = "EXTERNAL_REFERENCE_POSTED"
    title = "A charge with this external reference has been posted already"


class AmountNotPositive(Unmet):
    code = "AMOUNT_NOT_POSITIVE"
    title = "The amount is not more than zero"


class AmountDiffers(Unmet):
    code = "AMOUNT_DIFFERS"
    title = "Quantity times unit amount is not the amount given"


class AdjustmentExceedsCharge(Unmet):
    code = "ADJUSTMENT_EXCEEDS_CHARGE"
    title = "The adjustments would take more than the charge"


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """One thing consumed. `quantity` is a decimal string such as "2" or "0.5"; `unit_amount` may be
    finer than the minor unit; `nights` and `persons` count for fixed taxes."""

    id: ChargeId
    kind: ChargeKind
    description: Text
    quantity: str
    unit_amount: Money
    amount: Money
    service_date: date | None = None
    source: Source = Source.MANUAL
    external_reference: str | None = None
    window: str | None = None
    nights: int = 1
    persons: int = 1

    @classmethod
    def price(cls, quantity: str, unit_amount: Money, amount: Money | None) -> Money:
        """What the charge is worth, in whole minor units.

        Refuses: AmountNotPositive, AmountDiffers, AmountOutOfRange, CurrenciesDiffer,
        AmountNotInMinorUnits (for an amount given).
        """
        worth = unit_amount.times(*Decimal(quantity).as_integer_ratio())
        if amount is not None and amount.in_minor_units() != worth:
            raise AmountDiffers(expectedMicro=worth.amount_micro)
        if worth.amount_micro <= 0:
            raise AmountNotPositive()
        return worth


@dataclass(frozen=True, slots=True)
class TaxLine:
    """A tax, and the whole minor units that its line moves the balance by."""

    tax: TaxAmount
    amount: Money


@dataclass(frozen=True, slots=True)
class TaxedAmount:
    """An amount taken apart: what the house earns, and what it owes to the tax office.

    `untaxed` says why there is no tax, where a rule or a permission says so.
    """

    net: Money
    taxes: tuple[TaxLine, ...]
    untaxed: str | None = None


@dataclass(slots=True)
class TaxSums:
    """Running sums of the taxes that are rounded per invoice: exact and posted micro by group."""

    groups: dict[str, list[int]] = field(default_factory=dict)

    def copy(self) -> "TaxSums":
        """Sums to go on with, so that a refusal leaves these as they were."""
        return TaxSums({group: list(sums) for group, sums in self.groups.items()})

    def holds(self, tax: TaxAmount) -> bool:
        """Whether this tax's group is rounded per invoice on this folio."""
        return _group(tax) in self.groups

    def moved_by(self, tax: TaxAmount) -> Money:
        """Add a tax to its group; answer what the rounded sum of the group moves by."""
        currency = tax.exact.currency
        exact, posted = self.groups.get(_group(tax), [0, 0])
        amount = tax_line_amount(Money(exact, currency), Money(posted, currency), tax.exact)
        self.groups[_group(tax)] = [exact + tax.exact.amount_micro, posted + amount.amount_micro]
        return amount


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """What taxes hang on besides the amount: where, when, and whose stay it is."""

    house: Property
    kind: str
    on: date
    exemptions: frozenset[str] = frozenset()
    nights: int = 1
    persons: int = 1
    stay_nights: int | None = None


def taxed(amount: Money, occasion: Occasion, sums: TaxSums, moment: Moment) -> TaxedAmount:
    """Resolve the taxes of an amount; `sums` move on where tax is rounded per invoice.

    Refuses: TaxRuleMissing.
    """
    per_invoice = moment.settings.rounds_tax_per_invoice
    try:
        taxation = taxes_for(
            amount,
            occasion.kind,
            occasion.on,
            occasion.house.jurisdiction,
            moment.settings.tax_rules,
            nights=occasion.nights,
            persons=occasion.persons,
            guest_exemptions=occasion.exemptions,
            stay_nights=occasion.stay_nights,
            rounding="invoice" if per_invoice else "line",
        )
    except TaxRuleMissing:
        if not occasion.house.allows_untaxed(moment.now):
            raise
        return TaxedAmount(amount, (), UNTAXED_ALLOWED)
    lines = tuple(
        TaxLine(tax, sums.moved_by(tax) if per_invoice else tax.amount) for tax in taxation.taxes
    )
    contained = Money.total((line.amount for line in lines if line.tax.inclusive), amount.currency)
    reasons = sorted({exemption.reason for exemption in taxation.exempt}) if not lines else []
    return TaxedAmount(amount - contained, lines, ",".join(reasons) or None)


def _group(tax: TaxAmount) -> str:
    return "|".join(str(part) for part in tax.key)
