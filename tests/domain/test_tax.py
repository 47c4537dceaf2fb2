"""Taxes by dated rules: which apply, how they stack, whom they spare (TAX-1, TAX-2, FOL-12)."""

from datetime import date

import pytest

from common.domain.money import AmountNotInMinorUnits, CurrenciesDiffer, Currency, Money
from common.domain.tax import (
    PPM,
    Exemption,
    Taxation,
    TaxRule,
    TaxRuleInvalid,
    TaxRuleMissing,
    taxes_for,
)

EUR, USD = Currency("EUR"), Currency("USD")
NEW_YEAR = date(2026, 1, 1)
LONG_AGO = date(2000, 1, 1)


def eur(cents: int) -> Money:
    return Money.of_minor_units(cents, EUR)


def rule(code: str = "VAT", percent: int | None = None, **given_parts) -> TaxRule:
    parts = {
        "name": f"{code} of Utopia",
        "jurisdiction": "UT",
        "charge_kinds": frozenset({"room"}),
        "rate_ppm": None if percent is None else percent * 10_000,
        "valid_from": LONG_AGO,
    }
    return TaxRule(code=code, **(parts | given_parts))


def taxed(cents: int, *rules: TaxRule, on: date = NEW_YEAR, **stay) -> Taxation:
    return taxes_for(eur(cents), "room", on, "UT", rules, **stay)


def figures(taxation: Taxation) -> tuple[int, list[tuple[str, int, int]], int]:
    """Net, (code, base, tax) and gross in cents."""
    taxes = [(t.rule_code, t.base.minor_units, t.amount.minor_units) for t in taxation.taxes]
    return taxation.net.minor_units, taxes, taxation.gross.minor_units


@pytest.mark.req("TAX-1")
class TestARule:
    def test_adds_its_rate_to_the_price(self):
        """7 % on 100.00 is 7.00, together 107.00."""
        assert figures(taxed(10_000, rule(percent=7))) == (10_000, [("VAT", 10_000, 700)], 10_700)

    def test_is_told_on_each_tax(self):
        (tax,) = taxed(10_000, rule(percent=7, category="AA", inclusive=True)).taxes
        assert (tax.rule_code, tax.name, tax.rate_ppm) == ("VAT", "VAT of Utopia", 70_000)
        assert (tax.inclusive, tax.category) == (True, "AA")

    def test_of_zero_percent_is_a_rule(self):
        zero = taxed(10_000, rule(percent=0, category="Z"))
        assert figures(zero) == (10_000, [("VAT", 10_000, 0)], 10_000)
        assert zero.exempt == ()

    @pytest.mark.parametrize(
        ("stay", "tax"), [({"nights": 3, "persons": 2}, 750), ({"persons": 0}, 250)]
    )
    def test_may_be_an_amount_a_night_whoever_sleeps_there(self, stay, tax):
        """2.50 a night: three nights are 7.50; a night without a person is 2.50."""
        by_night = taxed(10_000, rule("BED", per_night=eur(250)), **stay)
        assert by_night.taxes[0].amount == eur(tax)
        assert by_night.taxes[0].rate_ppm is None

    def test_of_a_fixed_amount_keeps_its_currency(self):
        with pytest.raises(CurrenciesDiffer):
            taxed(10_000, rule("BED", per_night=Money(2_500_000, USD)))

    def test_taxes_a_discount_as_it_taxed_the_price(self):
        """7 % on -10.50 is -0.735, hence -0.74."""
        assert taxed(-1050, rule(percent=7)).taxes[0].amount == eur(-74)

    def test_taxes_whole_minor_units(self):
        with pytest.raises(AmountNotInMinorUnits):
            taxes_for(Money(1, EUR), "room", NEW_YEAR, "UT", [rule(percent=7)])

    @pytest.mark.parametrize(
        "parts",
        [
            {},
            {"rate_ppm": 70_000, "per_night": eur(250)},
            {"per_night": eur(250), "per_person_night": eur(250)},
            {"rate_ppm": -1},
            {"rate_ppm": PPM + 1},
            {"per_night": eur(-1)},
            {"rate_ppm": 1, "valid_to": LONG_AGO},
            {"rate_ppm": 1, "from_age": 18},
        ],
    )
    def test_that_contradicts_itself_is_refused(self, parts):
        with pytest.raises(TaxRuleInvalid):
            rule(**parts)

    def test_of_a_rate_ends_with_the_night_that_it_is_capped_at(self):
        """5 % of 100.00 for three nights of a stay: 5.00, and from the fourth on nothing."""
        capped = rule("CITY", 5, cap_nights=3)
        assert taxed(10_000, capped, first_night=3).taxes[0].amount == eur(500)
        spared = taxed(10_000, capped, first_night=4)
        assert (spared.taxes, spared.exempt) == ((), (Exemption("CITY", "cap_nights"),))

    def test_of_a_rate_is_never_asked_about_nights_on_both_sides_of_its_cap(self):
        with pytest.raises(ValueError):
            taxed(10_000, rule("CITY", 5, cap_nights=3), nights=2, first_night=3)

    @pytest.mark.parametrize("stay", [{"nights": -1}, {"persons": -1}, {"first_night": 0}])
    def test_is_never_asked_about_an_impossible_stay(self, stay):
        with pytest.raises(ValueError):
            taxed(100, rule(percent=7), **stay)


@pytest.mark.req("TAX-1")
class TestSeveralRules:
    def test_of_one_order_stand_on_the_same_base(self):
        """10 % and 5 % of 100.00 side by side: 10.00 and 5.00."""
        both = taxed(10_000, rule("B", 5), rule("A", 10))
        assert figures(both) == (10_000, [("A", 10_000, 1000), ("B", 10_000, 500)], 11_500)

    def test_of_a_higher_order_stand_on_the_lower_taxes_too(self):
        """7 % of 100.00 is 7.00; 10 % of 107.00 is 10.70."""
        stacked = taxed(10_000, rule("TOP", 10, order=2), rule("LOW", 7, order=1))
        assert figures(stacked) == (
            10_000,
            [("LOW", 10_000, 700), ("TOP", 10_700, 1070)],
            11_770,
        )

    def test_compound_on_the_figures_that_the_guest_reads(self):
        """30 % of 0.05 is 0.015, shown as 0.02; 50 % of 0.07 is 0.035, hence 0.04. On the unrounded
        0.065 it were 0.03, which nobody could recompute."""
        stacked = taxed(5, rule("LOW", 30), rule("TOP", 50, order=1))
        assert figures(stacked) == (5, [("LOW", 5, 2), ("TOP", 7, 4)], 11)

    def test_let_a_city_tax_bear_value_added_tax_or_not_by_their_order(self):
        """2.00 a night; 7 % of 100.00 is 7.00 beside it, 7 % of 102.00 is 7.14 above it."""
        city = rule("CITY", per_night=eur(200), category="E")
        assert figures(taxed(10_000, city, rule(percent=7)))[2] == 10_900
        assert figures(taxed(10_000, city, rule(percent=7, order=1)))[2] == 10_914


@pytest.mark.req("TAX-1")
class TestAnInclusivePrice:
    @pytest.mark.parametrize(
        ("price", "percent", "net", "tax"),
        [(11_900, 19, 10_000, 1900), (10_000, 19, 8403, 1597), (-10_000, 19, -8403, -1597)],
    )
    def test_contains_its_tax(self, price, percent, net, tax):
        """100.00 * 19/119 is 15.966, hence 15.97, and 84.03 is left."""
        assert figures(taxed(price, rule(percent=percent, inclusive=True))) == (
            net,
            [("VAT", net, tax)],
            price,
        )

    @pytest.mark.parametrize(
        ("price", "net", "first", "second"), [(11_500, 10_000, 1000, 500), (10_000, 8695, 870, 435)]
    )
    def test_contains_taxes_side_by_side(self, price, net, first, second):
        """100.00/1.15 is 86.9565: 10 % of it is 8.70, 5 % is 4.35, and the net is what is left."""
        both = taxed(price, rule("A", 10, inclusive=True), rule("B", 5, inclusive=True))
        assert figures(both) == (net, [("A", net, first), ("B", net, second)], price)

    def test_contains_taxes_on_taxes(self):
        """117.70 is 100.00 by 1.07 by 1.10: 7.00, and 10.70 on 107.00."""
        low, top = rule("LOW", 7, inclusive=True), rule("TOP", 10, inclusive=True, order=1)
        assert figures(taxed(11_770, low, top)) == (
            10_000,
            [("LOW", 10_000, 700), ("TOP", 10_700, 1070)],
            11_770,
        )

    def test_contains_a_fixed_tax_that_bears_another(self):
        """(100.00 + 2.00) by 1.07 is 109.14."""
        city = rule("CITY", per_night=eur(200), inclusive=True)
        assert figures(taxed(10_914, city, rule(percent=7, inclusive=True, order=1))) == (
            10_000,
            [("CITY", 10_000, 200), ("VAT", 10_200, 714)],
            10_914,
        )

    def test_may_have_another_tax_put_on_top(self):
        """119.00 contains 19.00; 5 % of 119.00 is 5.95 on top."""
        top = rule("CITY", 5, order=1)
        assert figures(taxed(11_900, rule(percent=19, inclusive=True), top)) == (
            10_000,
            [("VAT", 10_000, 1900), ("CITY", 11_900, 595)],
            12_495,
        )

    def test_may_contain_a_tax_on_one_that_it_does_not_contain(self):
        """5 % of 100.00 comes on top; 10 % of 105.00, 10.50, is contained: 110.50 to 115.50."""
        low, top = rule("CITY", 5), rule("VAT", 10, inclusive=True, order=1)
        assert figures(taxed(11_050, low, top)) == (
            10_000,
            [("CITY", 10_000, 500), ("VAT", 10_500, 1050)],
            11_550,
        )


@pytest.mark.req("TAX-1", "FOL-12")
class TestDates:
    nine = rule("BTW", 9, inclusive=True, valid_to=NEW_YEAR)
    twenty_one = rule("BTW", 21, inclusive=True, valid_from=NEW_YEAR)

    def test_tax_a_stay_over_a_rate_change_night_by_night(self):
        """Lodging in the Netherlands, 150.00 a night: 9/109 of it is 12.385 in December 2025,
        21/121 of it is 26.033 from the first of January 2026."""
        nights = [date(2025, 12, 31), NEW_YEAR]
        taxes = [taxed(15_000, self.twenty_one, self.nine, on=night).taxes for night in nights]
        assert [tax.amount for (tax,) in taxes] == [eur(1239), eur(2603)]

    def test_are_half_open(self):
        with pytest.raises(TaxRuleMissing):
            taxed(15_000, self.nine, on=NEW_YEAR)
        with pytest.raises(TaxRuleMissing):
            taxed(15_000, self.twenty_one, on=date(2025, 12, 31))


@pytest.mark.req("TAX-2")
class TestAMissingRule:
    @pytest.mark.parametrize(
        ("kind", "on", "jurisdiction"),
        [("spa", NEW_YEAR, "UT"), ("room", date(1999, 12, 31), "UT"), ("room", NEW_YEAR, "ZZ")],
    )
    def test_is_refused(self, kind, on, jurisdiction):
        with pytest.raises(TaxRuleMissing) as refused:
            taxes_for(eur(100), kind, on, jurisdiction, [rule(percent=7)])
        assert refused.value.code == "TAX_RULE_MISSING"
        assert refused.value.extra["kind"] == kind

    def test_leaves_a_charge_that_may_go_untaxed_as_it_is(self):
        assert figures(Taxation.untaxed(eur(100))) == (100, [], 100)


@pytest.mark.req("TAX-1", "FOL-12")
class TestExemptions:
    city = rule(
        "CITY",
        per_person_night=eur(250),
        exemptions=frozenset({"resident", "diplomat"}),
        long_stay_over_nights=28,
        cap_nights=7,
        from_age=18,
        category="E",
    )

    @pytest.mark.parametrize(
        ("stay", "tax"),
        [
            ({"nights": 3, "persons": 2}, 1500),
            ({"persons": 2, "guest_exemptions": frozenset({"staff"})}, 500),
            ({"persons": 4, "ages": (41, 18, 17, 0)}, 500),
            ({"persons": 3, "ages": (17,)}, 500),
            ({"nights": 10, "persons": 1}, 1750),
            ({"nights": 2, "persons": 1, "first_night": 7}, 250),
            ({"stay_nights": 28}, 250),
        ],
    )
    def test_that_do_not_apply_leave_the_tax(self, stay, tax):
        """2.50 a person and night from 18 years, for 7 nights: 3 nights of 2; 2; 2 of 4 grown up;
        2 of 3, two of unknown age; 7 of 10 nights; the seventh night only; 28 nights are not more
        than 28."""
        taxation = taxed(10_000, self.city, **stay)
        assert taxation.taxes[0].amount == eur(tax)
        assert taxation.exempt == ()

    @pytest.mark.parametrize(
        ("stay", "reason"),
        [
            ({"guest_exemptions": frozenset({"resident"})}, "resident"),
            ({"guest_exemptions": frozenset({"resident", "diplomat"})}, "diplomat"),
            ({"stay_nights": 29}, "long_stay"),
            ({"first_night": 8}, "cap_nights"),
            ({"persons": 2, "ages": (9, 17)}, "age"),
        ],
    )
    def test_that_take_every_rule_are_recorded_and_nothing_is_missing(self, stay, reason):
        taxation = taxed(10_000, self.city, **stay)
        assert figures(taxation) == (10_000, [], 10_000)
        assert taxation.exempt == (Exemption("CITY", reason),)

    def test_spare_one_tax_and_leave_another(self):
        taxation = taxed(
            10_000, self.city, rule(percent=7), guest_exemptions=frozenset({"diplomat"})
        )
        assert figures(taxation) == (10_000, [("VAT", 10_000, 700)], 10_700)
        assert taxation.exempt == (Exemption("CITY", "diplomat"),)

    def test_leave_an_inclusive_price_as_it_was_given(self):
        spared = rule(percent=10, inclusive=True, exemptions=frozenset({"diplomat"}))
        taxation = taxed(11_000, spared, guest_exemptions=frozenset({"diplomat"}))
        assert figures(taxation) == (11_000, [], 11_000)
