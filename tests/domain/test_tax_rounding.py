"""Tax rounds once, per line or per invoice, and never changes a price (TAX-3, MON-2)."""

from collections import defaultdict
from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.domain.money import Currency, Money, divided
from common.domain.tax import (
    PPM,
    Rounding,
    TaxAmount,
    Taxation,
    TaxRule,
    invoice_breakdown,
    post_taxes,
    tax_line_amount,
    taxes_for,
)

EUR = Currency("EUR")
NEW_YEAR = date(2026, 1, 1)


def eur(cents: int) -> Money:
    return Money.of_minor_units(cents, EUR)


def rule(code: str = "VAT", percent: int | None = None, **given_parts) -> TaxRule:
    parts = {
        "name": f"{code} of Utopia",
        "jurisdiction": "UT",
        "charge_kinds": frozenset({"room"}),
        "rate_ppm": None if percent is None else percent * 10_000,
        "valid_from": NEW_YEAR,
    }
    return TaxRule(code=code, **(parts | given_parts))


def taxed(cents: int, *rules: TaxRule, rounding: Rounding = "line") -> Taxation:
    return taxes_for(eur(cents), "room", NEW_YEAR, "UT", rules, rounding=rounding)


def figures(taxation: Taxation) -> tuple[int, list[tuple[str, int, int]], int]:
    """Net, (code, base, tax) and gross in cents."""
    taxes = [(t.rule_code, t.base.minor_units, t.amount.minor_units) for t in taxation.taxes]
    return taxation.net.minor_units, taxes, taxation.gross.minor_units


class Folio:
    """The running sums that a folio keeps by group, in the smallest form."""

    def __init__(self):
        self.exact = defaultdict(lambda: eur(0))
        self.posted = defaultdict(lambda: eur(0))
        self.charges: list[Taxation] = []

    def post(self, taxation: Taxation) -> Taxation:
        self.charges.append(post_taxes(taxation, self.moved_by))
        return self.charges[-1]

    def void(self, charge: Taxation) -> Taxation:
        return self.post(Taxation.of(-charge.net, [-tax for tax in charge.taxes]))

    def moved_by(self, tax: TaxAmount) -> Money:
        amount = tax_line_amount(self.exact[tax.key], self.posted[tax.key], tax.exact)
        self.exact[tax.key] += tax.exact
        self.posted[tax.key] += amount
        return amount

    @property
    def taxes(self) -> list[TaxAmount]:
        return [tax for charge in self.charges for tax in charge.taxes]


@pytest.mark.req("TAX-3", "MON-2")
class TestRounding:
    seven = rule(percent=7)

    def test_per_line_rounds_each_charge(self):
        """7 % of 1.05 is 0.0735, so 0.07; ten of them 0.70."""
        amounts = [taxed(105, self.seven).taxes[0].amount for _ in range(10)]
        assert Money.total(amounts, EUR) == eur(70)

    def test_per_invoice_keeps_a_charges_tax_exact(self):
        (tax,) = taxed(105, self.seven, rounding="invoice").taxes
        assert tax.amount == tax.exact == Money(73_500, EUR)

    def test_per_invoice_posts_what_the_rounded_sum_moves_by(self):
        """Ten times 0.0735 is 0.735, so 0.74. The sums, rounded, go 0.07 0.15 0.22 0.29 0.37 0.44
        0.51 0.59 0.66 0.74, and each line is the step from one to the next."""
        folio = Folio()
        for _ in range(10):
            folio.post(taxed(105, self.seven, rounding="invoice"))
        assert [tax.amount.minor_units for tax in folio.taxes] == [7, 8, 7, 7, 8, 7, 7, 8, 7, 8]
        (group,) = invoice_breakdown(folio.taxes)
        assert (group.base, group.tax) == (eur(1050), eur(74))

    def test_per_line_posts_what_it_showed(self):
        folio = Folio()
        charge = taxed(105, self.seven)
        assert folio.post(charge) == folio.post(charge) == charge

    def test_of_a_reversal_leaves_the_tax_of_what_stands(self):
        """10 % of 0.04 is 0.4 cents: the first posts 0, the second 1 (0.8). Without the first, 0.4
        cents stand, which are none: its reversal takes the cent back, though it never posted it."""
        folio, ten = Folio(), rule(percent=10)
        first = folio.post(taxed(4, ten, rounding="invoice"))
        folio.post(taxed(4, ten, rounding="invoice"))
        assert [tax.amount.minor_units for tax in folio.taxes] == [0, 1]
        assert folio.void(first).taxes[0].amount == eur(-1)
        assert folio.void(folio.charges[1]).taxes[0].amount == eur(0)

    def test_of_an_inclusive_price_never_changes_the_price(self):
        """0.04 contains 0.3636 cents at 10 %: posted 0 and 1 (0.727), net 0.04 and 0.03. The first
        reversed: 0.3636 stand, none posted, so -0.01 tax and -0.03 net."""
        folio, ten = Folio(), rule(percent=10, inclusive=True)
        first = folio.post(taxed(4, ten, rounding="invoice"))
        second = folio.post(taxed(4, ten, rounding="invoice"))
        assert [figures(c) for c in (first, second, folio.void(first))] == [
            (4, [("VAT", 4, 0)], 4),
            (3, [("VAT", 3, 1)], 4),
            (-3, [("VAT", -3, -1)], -4),
        ]

    def test_of_a_breakdown_is_by_code_rate_and_category(self):
        """8.00 and 16.00 at 7 %: 1.68 on 24.00; 10.00 at 19 %: 1.90; 2.50 a night, twice."""
        nineteen, city = rule(percent=19), rule("CITY", per_night=eur(250), category="E")
        charges = [taxed(800, self.seven, city), taxed(1600, self.seven, city)]
        charges += [taxed(1000, nineteen), taxed(300, rule(percent=7, category="AA"))]
        rows = invoice_breakdown(tax for charge in reversed(charges) for tax in charge.taxes)
        assert [
            (g.rule_code, g.rate_ppm, g.category, g.base.minor_units, g.tax.minor_units)
            for g in rows
        ] == [
            ("CITY", None, "E", 2400, 500),
            ("VAT", 70_000, "AA", 300, 21),
            ("VAT", 70_000, "S", 2400, 168),
            ("VAT", 190_000, "S", 1000, 190),
        ]
        assert rows[0].name == "CITY of Utopia"

    def test_of_nothing_is_an_empty_breakdown(self):
        assert invoice_breakdown([]) == ()


some_rules = st.lists(
    st.builds(
        lambda code, basis, inclusive, order: rule(code, inclusive=inclusive, order=order, **basis),
        code=st.sampled_from("ABC"),
        basis=st.one_of(
            st.integers(0, 300_000).map(lambda ppm: {"rate_ppm": ppm}),
            st.integers(0, 500).map(lambda cents: {"per_person_night": eur(cents)}),
        ),
        inclusive=st.booleans(),
        order=st.integers(0, 2),
    ),
    min_size=1,
    max_size=4,
)
prices = st.integers(-(10**7), 10**7)


@pytest.mark.req("TAX-1", "TAX-3", "MON-3")
class TestAlways:
    @given(prices, some_rules, st.sampled_from(["line", "invoice"]))
    def test_the_price_is_the_net_and_what_it_contains(self, price, rules, rounding):
        taxation = taxed(price, *rules, rounding=rounding)
        contained = Money.total((t.amount for t in taxation.taxes if t.inclusive), EUR)
        on_top = Money.total((t.amount for t in taxation.taxes if not t.inclusive), EUR)
        assert taxation.net + contained == taxation.price == eur(price)
        assert taxation.gross == eur(price) + on_top

    @given(prices, some_rules)
    def test_each_figure_of_a_line_is_whole_and_near_its_base_by_its_rate(self, price, rules):
        """Half a cent for its own rounding. An inclusive one is computed on the exact base, from
        which the shown one may differ by half a cent for each of four taxes and three below it."""
        for tax in taxed(price, *rules).taxes:
            assert tax.amount.in_minor_units() == tax.amount
            assert tax.base.in_minor_units() == tax.base
            if tax.rate_ppm is not None:
                near = Fraction(tax.base.minor_units * tax.rate_ppm, PPM)
                slack = Fraction(1, 2) + (Fraction(3, 10) * Fraction(7, 2) if tax.inclusive else 0)
                assert abs(tax.amount.minor_units - near) <= slack

    @given(prices, st.integers(0, PPM))
    def test_one_inclusive_rate_is_the_textbooks_fraction_of_the_price(self, price, rate_ppm):
        """tax = price * r / (1 + r), rounded once."""
        (tax,) = taxed(price, rule(rate_ppm=rate_ppm, inclusive=True)).taxes
        assert tax.amount.minor_units == divided(price * rate_ppm, PPM + rate_ppm)

    @given(st.lists(st.tuples(prices, some_rules, st.integers(0, 9)), min_size=1, max_size=8))
    def test_what_is_posted_for_a_group_is_its_exact_tax_rounded_once(self, steps):
        """Whatever is charged, and whichever charges are reversed again (one in five)."""
        folio, owed = Folio(), eur(0)
        for price, rules, choice in steps:
            if choice < 2 and folio.charges:
                charge = folio.void(folio.charges[choice % len(folio.charges)])
            else:
                charge = folio.post(taxed(price, *rules, rounding="invoice"))
                assert charge.price == eur(price)
            owed += charge.price
        for key, posted in folio.posted.items():
            assert posted == folio.exact[key].rounded()
        rows = invoice_breakdown(folio.taxes)
        assert {(g.rule_code, g.rate_ppm, g.category): g.tax for g in rows} == dict(folio.posted)
        assert Money.total((c.price for c in folio.charges), EUR) == owed
        assert all(g.base.in_minor_units() == g.base for g in rows)
