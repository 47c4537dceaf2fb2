"""Taxes on a charge, by the rules that a tenant's jurisdiction gives (TAX-1 to TAX-3, FOL-12).

Rules are effective-dated, half-open: a stay over a rate change is taxed night by night. Rules of
one compounding order stand side by side on one base; a higher order is computed on that base and
the taxes of all lower orders. So every tax is an affine function of the net price, which is how a
price that contains inclusive taxes is taken apart exactly.

A levy, such as a city tax, is no value-added tax: on an e-invoice it is a charge of its own, and
its category says how VAT treats that charge (EN 16931 BG-21).

Rounding (TAX-3, MON-2). "line": each tax is rounded to the minor unit on its charge. "invoice": a
charge's taxes stay exact to the micro unit, and each group (code, rate, category) is rounded once
an invoice, as EN 16931 BR-CO-17 asks. A folio's lines are whole minor units in either case, so
`post_taxes` posts what the rounded running sum of a group has moved by. Whatever lines there are,
and whichever are reversed, what is posted for a group is its exact tax, rounded once. Where some
prices contain a tax and others bear it on top, these are two sums, each rounded once.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import date
from fractions import Fraction
from typing import Final, Literal, Self

from common.domain.dataclass import dataclass
from common.domain.money import Money, divided
from common.domain.refusal import Unmet

PPM: Final = 1_000_000

Rounding = Literal["line", "invoice"]
TaxKey = tuple[str, int | None, str]


class TaxRuleMissing(Unmet):
    code = "TAX_RULE_MISSING"
    title = "No tax rule covers this charge"


class TaxRuleInvalid(Unmet):
    code = "TAX_RULE_INVALID"
    title = "The tax rule contradicts itself"


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxRule:
    """One tax of a jurisdiction on some kinds of charge, for a time.

    It has exactly one of `rate_ppm` (70,000 is 7 %, at most 100 %), `per_night` and
    `per_person_night`. `inclusive`: the price given contains it. `valid_to` is the first day
    without it. It spares guests with one of `exemptions` ("resident", "diplomat") and stays of more
    than `long_stay_over_nights`, and may end after `cap_nights` of a stay; a fixed amount may spare
    persons under `from_age`. `category` is EN 16931's (S, Z, E ...), `levy` says that it is no VAT.
    Refuses: `TaxRuleInvalid`.
    """

    code: str
    name: str
    jurisdiction: str
    charge_kinds: frozenset[str]
    rate_ppm: int | None = None
    per_night: Money | None = None
    per_person_night: Money | None = None
    inclusive: bool = False
    order: int = 0
    valid_from: date
    valid_to: date | None = None
    exemptions: frozenset[str] = frozenset()
    long_stay_over_nights: int | None = None
    cap_nights: int | None = None
    from_age: int = 0
    category: str = "S"
    levy: bool = False

    def __post_init__(self) -> None:
        fixed = [amount for amount in (self.per_night, self.per_person_night) if amount]
        if len(fixed) + (self.rate_ppm is not None) != 1:
            raise TaxRuleInvalid(f"{self.code}: either a rate, or an amount a night or a person")
        if self.rate_ppm is not None and not 0 <= self.rate_ppm <= PPM:
            raise TaxRuleInvalid(f"{self.code}: a rate is 0 to 100 %")
        if self.rate_ppm is not None and self.from_age:
            raise TaxRuleInvalid(f"{self.code}: a rate has no age")
        if any(amount.amount_micro < 0 for amount in fixed):
            raise TaxRuleInvalid(f"{self.code}: a fixed amount is not negative")
        if self.valid_to is not None and self.valid_to <= self.valid_from:
            raise TaxRuleInvalid(f"{self.code}: it ends before it begins")

    def covers(self, kind: str, on: date, jurisdiction: str) -> bool:
        """Whether it is in force on that day, in that jurisdiction, for that kind of charge."""
        concerned = self.jurisdiction == jurisdiction and kind in self.charge_kinds
        return concerned and self.is_in_force(on)

    def is_in_force(self, on: date) -> bool:
        return self.valid_from <= on and (self.valid_to is None or on < self.valid_to)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxAmount:
    """One tax on one charge: `amount` is what it comes to, on `base`.

    `exact` is the tax before the rounding of "invoice" (elsewhere the same), which the running sum
    of its group needs. `base` holds the taxes of lower `order`.
    """

    rule_code: str
    name: str
    rate_ppm: int | None
    base: Money
    amount: Money
    inclusive: bool
    category: str
    order: int
    exact: Money
    levy: bool = False

    @property
    def key(self) -> TaxKey:
        """The group of the invoice's breakdown that it belongs to."""
        return self.rule_code, self.rate_ppm, self.category

    def __neg__(self) -> Self:
        """The tax of a reversed charge, to be posted like any other."""
        return replace(self, base=-self.base, amount=-self.amount, exact=-self.exact)


@dataclass(frozen=True, slots=True)
class Exemption:
    """A rule that covers the charge and spares it: by a guest's exemption, "long_stay",
    "cap_nights" or "age"."""

    rule_code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Taxation:
    """A charge taken apart. The price given is always `net` and the inclusive taxes, exactly;
    `gross` is `net` and all taxes."""

    net: Money
    taxes: tuple[TaxAmount, ...]
    gross: Money
    exempt: tuple[Exemption, ...] = ()

    @classmethod
    def of(cls, net: Money, taxes: Sequence[TaxAmount], exempt: tuple[Exemption, ...] = ()) -> Self:
        """A net price and the taxes on it."""
        return cls(net, tuple(taxes), net + _sum((tax.amount for tax in taxes), net), exempt)

    @classmethod
    def untaxed(cls, amount: Money) -> Self:
        """A charge that no rule covers, where the tenant allows that (TAX-2)."""
        return cls.of(amount, ())

    @property
    def price(self) -> Money:
        """The amount that was given: the net price and what it contains."""
        return self.net + _sum((tax.amount for tax in self.taxes if tax.inclusive), self.net)


@dataclass(frozen=True, slots=True)
class TaxGroup:
    """One row of an invoice's tax breakdown, in whole minor units."""

    rule_code: str
    name: str
    rate_ppm: int | None
    category: str
    base: Money
    tax: Money
    levy: bool = False


@dataclass(frozen=True, slots=True)
class _Stay:
    """Who slept how often: what exemptions and fixed amounts go by."""

    nights: int
    first_night: int
    persons: int
    ages: Sequence[int]
    exemptions: frozenset[str]
    stay_nights: int | None

    def __post_init__(self) -> None:
        if self.nights < 0 or self.persons < 0 or self.first_night < 1:
            raise ValueError("nights and persons are not negative, the first night is 1")

    def exemption(self, rule: TaxRule) -> str | None:
        claimed = rule.exemptions & self.exemptions
        if claimed:
            return min(claimed)
        limit = rule.long_stay_over_nights
        if limit is not None and self.stay_nights is not None and self.stay_nights > limit:
            return "long_stay"
        if self.nights and not self.nights_under(rule):
            return "cap_nights"
        if self.persons and not self.persons_under(rule):
            return "age"
        return None

    def nights_under(self, rule: TaxRule) -> int:
        if rule.cap_nights is None:
            return self.nights
        return max(0, min(self.nights, rule.cap_nights + 1 - self.first_night))

    def persons_under(self, rule: TaxRule) -> int:
        return max(0, self.persons - sum(age < rule.from_age for age in self.ages))


@dataclass(frozen=True, slots=True)
class _Term:
    """A rule as an affine function of its base, in micro units."""

    rule: TaxRule
    slope: Fraction
    constant: int

    @classmethod
    def of(cls, rule: TaxRule, stay: _Stay, zero: Money) -> Self:
        if rule.rate_ppm is not None:
            if stay.nights_under(rule) != stay.nights:
                raise ValueError("nights are cut where the cap of a rate is reached")
            return cls(rule, Fraction(rule.rate_ppm, PPM), 0)
        count = stay.nights_under(rule)
        if rule.per_person_night is not None:
            count *= stay.persons_under(rule)
        fixed = zero + (rule.per_night or rule.per_person_night or zero)  # refuses a currency
        return cls(rule, Fraction(0), fixed.amount_micro * count)

    def on(self, base: Fraction | int) -> Fraction:
        return base * self.slope + self.constant


def taxes_for(
    amount: Money,
    kind: str,
    on: date,
    jurisdiction: str,
    rules: Iterable[TaxRule],
    *,
    nights: int = 1,
    persons: int = 1,
    guest_exemptions: frozenset[str] = frozenset(),
    stay_nights: int | None = None,
    rounding: Rounding = "line",
    first_night: int = 1,
    ages: Sequence[int] = (),
) -> Taxation:
    """The taxes on a charge of `amount` (whole minor units) for `nights` nights and `persons`.

    `stay_nights` is the length of the whole stay, `first_night` the place of this charge's first
    night in it (from 1), `ages` the persons' ages where known: others count as grown up. A charge
    over a change of rules, or over the cap of a rate, is cut before (`stretches`). A spared
    guest pays the price given: an inclusive tax that falls away is not taken off it. Where every
    rule is spared there are no taxes, and the exemptions say why. A reversal is not taxed anew but
    posts the negated taxes of what it reverses. Refuses: `TaxRuleMissing`, `CurrenciesDiffer` (a
    fixed amount in another currency), `AmountNotInMinorUnits`.
    """
    covering = sorted(
        (rule for rule in rules if rule.covers(kind, on, jurisdiction)),
        key=lambda rule: (rule.order, rule.code),
    )
    if not covering:
        raise TaxRuleMissing(kind=kind, on=on.isoformat(), jurisdiction=jurisdiction)
    stay = _Stay(nights, first_night, persons, ages, guest_exemptions, stay_nights)
    exempt, terms = [], []
    for rule in covering:
        if reason := stay.exemption(rule):
            exempt.append(Exemption(rule.code, reason))
        else:
            terms.append(_Term.of(rule, stay, Money.zero(amount.currency)))
    unit_micro = amount.currency.minor_unit_micro if rounding == "line" else 1
    net, taxes = _taken_apart(amount.in_minor_units(), terms, unit_micro)
    return Taxation.of(net, taxes, tuple(exempt))


def tax_line_amount(exact_before: Money, already_posted: Money, exact_now: Money) -> Money:
    """What to post for one more tax of a group, in whole minor units.

    `exact_before` and `already_posted` are the group's sums over the lines that will stand on the
    same invoice; `exact_now` is the new tax, negative for a reversal. Afterwards what is posted is
    the exact sum, rounded once (TAX-3), so a single line may be a minor unit off its own tax.
    """
    return (exact_before + exact_now).rounded() - already_posted


def post_taxes(taxation: Taxation, post: Callable[[TaxAmount], Money]) -> Taxation:
    """The same charge, or the reversal of one, in the whole minor units that a folio posts.

    `post` answers what a tax's line moves the balance by (`tax_line_amount` of its group's running
    sums). The price stays as it is: what an inclusive tax gains or loses by rounding, the net price
    gives or takes, and the bases follow.
    """
    posted = [replace(tax, amount=post(tax)) for tax in taxation.taxes]
    net = taxation.price - _sum((tax.amount for tax in posted if tax.inclusive), taxation.net)
    taxes = [replace(tax, base=_base(net, posted, tax.order)) for tax in posted]
    return Taxation.of(net, taxes, taxation.exempt)


def invoice_breakdown(taxes: Iterable[TaxAmount]) -> tuple[TaxGroup, ...]:
    """The rows of an invoice's tax breakdown, by code, rate and category in this order.

    Each row's base and tax are rounded once; the invoice's tax total is the sum of the rows, by
    definition and, where `post_taxes` posted the lines, also the sum of the lines.
    """
    groups: dict[TaxKey, list[TaxAmount]] = {}
    for tax in taxes:
        groups.setdefault(tax.key, []).append(tax)
    return tuple(
        TaxGroup(
            rule_code=code,
            name=group[0].name,
            rate_ppm=rate_ppm,
            category=category,
            base=_sum((tax.base for tax in group), group[0].base).rounded(),
            tax=_sum((tax.amount for tax in group), group[0].base).rounded(),
            levy=group[0].levy,
        )
        for (code, rate_ppm, category), group in sorted(
            groups.items(), key=lambda row: (row[0][0], row[0][1] or 0, row[0][2])
        )
    )


def _taken_apart(
    amount: Money, terms: Sequence[_Term], unit_micro: int
) -> tuple[Money, list[TaxAmount]]:
    """The net price within `amount`, and each tax to the nearest `unit_micro`.

    Inclusive taxes come out of the exact net price, and what is left of the amount is the net.
    Others are computed on the figures as they are shown, so that a reader can compute them again.
    """
    currency = amount.currency
    exact_taxes = _cascade(_net_within(amount, terms), terms)
    contained = [
        _to_unit(tax, unit_micro)
        for tax, term in zip(exact_taxes, terms, strict=True)
        if term.rule.inclusive
    ]
    net = amount - Money(sum(contained), currency)
    taxes: list[TaxAmount] = []
    for term, exact_tax in zip(terms, exact_taxes, strict=True):
        rule = term.rule
        base = _base(net, taxes, rule.order)
        tax = exact_tax if rule.inclusive else term.on(base.amount_micro)
        shown = Money(_to_unit(tax, unit_micro), currency)
        taxes.append(
            TaxAmount(
                rule_code=rule.code,
                name=rule.name,
                rate_ppm=rule.rate_ppm,
                base=base,
                amount=shown,
                inclusive=rule.inclusive,
                category=rule.category,
                order=rule.order,
                exact=shown,
                levy=rule.levy,
            )
        )
    return net, taxes


def _net_within(amount: Money, terms: Sequence[_Term]) -> Fraction:
    """The exact net price that with its inclusive taxes is `amount`, in micro units.

    The taxes it contains are affine in the net price, so their values at two prices tell them all.
    """

    def contained(net: int) -> Fraction:
        taxes = zip(_cascade(Fraction(net), terms), terms, strict=True)
        return sum((tax for tax, term in taxes if term.rule.inclusive), start=Fraction(0))

    constant = contained(0)
    return Fraction(amount.amount_micro - constant, 1 + contained(1) - constant)


def _cascade(net: Fraction, terms: Sequence[_Term]) -> list[Fraction]:
    """The exact tax of each term, in micro units, in the order of compounding."""
    taxes: list[Fraction] = []
    for term in terms:
        lower = zip(taxes, terms, strict=False)
        taxes.append(
            term.on(net + sum(tax for tax, other in lower if other.rule.order < term.rule.order))
        )
    return taxes


def _base(net: Money, taxes: Iterable[TaxAmount], order: int) -> Money:
    return net + _sum((tax.amount for tax in taxes if tax.order < order), net)


def _to_unit(tax_micro: Fraction, unit_micro: int) -> int:
    return divided(tax_micro.numerator, tax_micro.denominator * unit_micro) * unit_micro


def _sum(amounts: Iterable[Money], like: Money) -> Money:
    return Money.total(amounts, like.currency)
