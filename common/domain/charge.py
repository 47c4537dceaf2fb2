"""A charge: what a guest consumed, what it cost, and which taxes it bears.

A charge is worth its quantity times its unit price, rounded once. Its taxes come from the rules in
force at the property on the day of the service; each becomes a line of its own, tied to the charge.
Where no rule covers it the charge is refused, unless the property allows untaxed charges for the
day: then the line says so. A charge for several nights is taxed night by night, and becomes a line
for each stretch of nights that are taxed alike.

Every tax is posted through the running sums of its group, so that what stands on a folio for a
group is always its exact tax, rounded once, whichever way a tenant rounds and whenever it changes
its mind. Where tax is rounded per line the exact tax is in minor units already.
"""

from collections.abc import Iterable
from dataclasses import field, replace
from datetime import date
from decimal import Decimal

from common.domain.dataclass import dataclass
from common.domain.folio_line import ChargeKind, Line, Source, Text
from common.domain.identifiers import ChargeId, LineId
from common.domain.moment import Moment
from common.domain.money import AmountNotPositive, Money
from common.domain.nights import Occupancy, stretches
from common.domain.refusal import Conflict, Missing, Unmet
from common.domain.settings import Property
from common.domain.tax import (
    TaxAmount,
    Taxation,
    TaxRule,
    TaxRuleMissing,
    post_taxes,
    tax_line_amount,
    taxes_for,
)

UNTAXED_ALLOWED = "allowed"


class ChargeUnknown(Missing):
    code = "CHARGE_UNKNOWN"
    title = "The folio has no such charge"


class ChargeAlreadyVoided(Conflict):
    code = "CHARGE_ALREADY_VOIDED"
    title = "The charge has been voided already"


class ChargeCredited(Conflict):
    code = "CHARGE_CREDITED"
    title = "A credit note took back some of the charge; the rest is credited on its invoice"


class ChargeAlreadyPosted(Conflict):
    code = "EXTERNAL_REFERENCE_POSTED"
    title = "A charge with this external reference has been posted already"


class AmountDiffers(Unmet):
    code = "AMOUNT_DIFFERS"
    title = "Quantity times unit amount is not the amount given"


class AdjustmentExceedsCharge(Unmet):
    code = "ADJUSTMENT_EXCEEDS_CHARGE"
    title = "The adjustments would take more than the charge"


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """One thing consumed. `quantity` is a decimal string such as "2" or "0.5"; `unit_amount` may be
    finer than the minor unit.

    Taxes go by `nights` from the service date on, of which the first is the stay's `first_night`
    (from 1; None where the folio's stay says it), and by `persons`, whose `ages` are given where
    they are known. `corrects` is the untaxed charge that it stands in for, `booked_on` the business
    date that it belongs to, where that is not the one of the moment. Refuses: AmountNotPositive,
    AmountNotInMinorUnits.
    """

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
    first_night: int | None = None
    ages: tuple[int, ...] = ()
    corrects: LineId | None = None
    booked_on: date | None = None

    def __post_init__(self) -> None:
        if self.amount.in_minor_units().amount_micro <= 0:
            raise AmountNotPositive()

    @classmethod
    def price(cls, quantity: str, unit_amount: Money, amount: Money | None) -> Money:
        """What the charge is worth, in whole minor units.

        Refuses: AmountNotPositive, AmountDiffers, AmountOutOfRange, CurrenciesDiffer,
        AmountNotInMinorUnits (for an amount given).
        """
        worth = unit_amount.times(*Decimal(quantity).as_integer_ratio())
        if amount is not None and not (amount.in_minor_units() - worth).is_zero:
            raise AmountDiffers(expectedMicro=worth.amount_micro)
        if worth.amount_micro <= 0:
            raise AmountNotPositive()
        return worth


def is_posted(charge: Charge, line: Line | None) -> bool:
    """Whether a line of the folio is this charge, told before under the same reference.

    What is something else under the reference is a mistake of who told it. Refuses:
    ChargeAlreadyPosted.
    """
    if line is None:
        return False
    then = (line.kind, line.quantity, line.unit_amount)
    if then != (charge.kind, charge.quantity, charge.unit_amount):
        raise ChargeAlreadyPosted()
    return True


@dataclass(frozen=True, slots=True)
class TaxedAmount:
    """An amount taken apart: what the house earns, and what it owes to the tax office.

    All of it in the whole minor units that lines move the balance by. `untaxed` says why there is
    no tax, where a rule or a permission says so.
    """

    net: Money
    taxes: tuple[TaxAmount, ...]
    untaxed: str | None = None


@dataclass(slots=True)
class TaxSums:
    """Running sums of the taxes on a folio's open document: exact and posted micro by group."""

    groups: dict[str, list[int]] = field(default_factory=dict)

    def copy(self) -> "TaxSums":
        """Sums to go on with, so that a refusal leaves these as they were."""
        return TaxSums(dict(self.groups))

    def moved_by(self, tax: TaxAmount) -> Money:
        """Add a tax to its group; answer what the rounded sum of the group moves by.

        What prices contain is summed apart from what comes on top of them. In one sum, a cent could
        be taken out of the one and given back through the other: the guest would owe another price.
        """
        parts = (*tax.key, "inside") if tax.inclusive else tax.key
        group = "|".join(str(part) for part in parts)
        exact_micro, posted_micro = self.groups.get(group, (0, 0))
        currency = tax.exact.currency
        amount = tax_line_amount(
            Money(exact_micro, currency), Money(posted_micro, currency), tax.exact
        )
        self.groups[group] = [
            exact_micro + tax.exact.amount_micro,
            posted_micro + amount.amount_micro,
        ]
        return amount

    def posted(self, taxation: Taxation) -> Taxation:
        """A charge, or the reversal of one, as its lines are posted; the price stays as it is."""
        return post_taxes(taxation, self.moved_by)


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """What taxes hang on besides the amount: where, when, and whose stay it is."""

    house: Property
    kind: str
    on: date
    exemptions: frozenset[str] = frozenset()
    stay_nights: int | None = None
    occupancy: Occupancy = field(default_factory=Occupancy)
    untaxed_allowed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Portion:
    """What a charge comes to for nights that are taxed alike: mostly the whole of it."""

    on: date
    occupancy: Occupancy
    quantity: str
    unit_amount: Money
    parts: TaxedAmount


def portions(charge: Charge, occasion: Occasion, sums: TaxSums, moment: Moment) -> list[Portion]:
    """Cut a charge where its taxes change, its amount by the nights, and tax it; `sums` move on.

    The shares always sum to the whole (MON-3). A portion names nights and their price where these
    come to its share; with a price finer than the minor unit they may not, and it is one piece.
    Refuses: TaxRuleMissing, CurrenciesDiffer (a fixed tax in another currency).
    """
    cut = stretches(
        occasion.on,
        occasion.occupancy,
        occasion.kind,
        occasion.house.jurisdiction,
        moment.settings.tax_rules,
    )
    if len(cut) == 1:
        parts = taxed(charge.amount, occasion, sums, moment)
        return [
            Portion(
                on=occasion.on,
                occupancy=occasion.occupancy,
                quantity=charge.quantity,
                unit_amount=charge.unit_amount,
                parts=parts,
            )
        ]
    shares = charge.amount.allocate([stretch.occupancy.nights for stretch in cut])
    by_night = Decimal(charge.quantity) == charge.nights
    found = []
    for stretch, share in zip(cut, shares, strict=True):
        nights = stretch.occupancy.nights
        counted = by_night and charge.unit_amount.times(nights) == share
        night = replace(occasion, on=stretch.on, occupancy=stretch.occupancy)
        found.append(
            Portion(
                on=stretch.on,
                occupancy=stretch.occupancy,
                quantity=str(nights) if counted else "1",
                unit_amount=charge.unit_amount if counted else share,
                parts=taxed(share, night, sums, moment),
            )
        )
    return found


def taxed(amount: Money, occasion: Occasion, sums: TaxSums, moment: Moment) -> TaxedAmount:
    """Resolve the taxes of an amount by the rules in force; `sums` move on.

    Refuses: TaxRuleMissing, CurrenciesDiffer (a fixed tax in another currency).
    """
    try:
        taxation = _taxation(amount, occasion, moment.settings.tax_rules, moment)
    except TaxRuleMissing:
        if not occasion.untaxed_allowed:
            raise
        return TaxedAmount(amount, (), UNTAXED_ALLOWED)
    posted = sums.posted(taxation)
    reasons = sorted({exemption.reason for exemption in posted.exempt}) if not posted.taxes else []
    return TaxedAmount(posted.net, posted.taxes, ",".join(reasons) or None)


def taxed_alike(
    amount: Money, taxes: Iterable[TaxAmount], occasion: Occasion, sums: TaxSums, moment: Moment
) -> TaxedAmount:
    """Tax a correction of a price by the rates that the price itself bears; `sums` move on.

    A fixed tax is owed for a night or a person, not for the price, so a correction bears none.
    """
    rules = [
        TaxRule(
            code=tax.rule_code,
            name=tax.name,
            jurisdiction=occasion.house.jurisdiction,
            charge_kinds=frozenset({occasion.kind}),
            rate_ppm=tax.rate_ppm,
            inclusive=tax.inclusive,
            order=tax.order,
            valid_from=occasion.on,
            category=tax.category,
            levy=tax.levy,
        )
        for tax in taxes
        if tax.rate_ppm is not None
    ]
    if not rules:
        return TaxedAmount(amount, ())
    posted = sums.posted(_taxation(amount, occasion, rules, moment))
    return TaxedAmount(posted.net, posted.taxes)


def _taxation(
    amount: Money, occasion: Occasion, rules: Iterable[TaxRule], moment: Moment
) -> Taxation:
    return taxes_for(
        amount,
        occasion.kind,
        occasion.on,
        occasion.house.jurisdiction,
        rules,
        nights=occasion.occupancy.nights,
        persons=occasion.occupancy.persons,
        guest_exemptions=occasion.exemptions,
        stay_nights=occasion.stay_nights,
        rounding="invoice" if moment.settings.rounds_tax_per_invoice else "line",
        first_night=occasion.occupancy.first_night,
        ages=occasion.occupancy.ages,
    )
