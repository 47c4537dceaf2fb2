"""Money is exact, whole and in one currency (MON-1 to MON-4)."""

from fractions import Fraction

import iso4217
import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.domain.currencies import MINOR_EXPONENTS
from common.domain.money import (
    MAX_AMOUNT_MICRO,
    AmountNotInMinorUnits,
    AmountOutOfRange,
    CurrenciesDiffer,
    Currency,
    CurrencyUnknown,
    Money,
    divided,
)
from common.domain.refusal import Unmet

USD, EUR, JPY, KWD = (Currency(code) for code in ("USD", "EUR", "JPY", "KWD"))
CENT = 10_000

currencies = st.sampled_from([USD, JPY, KWD, Currency("CLF")])
units = st.integers(-(10**9), 10**9)


def usd(cents: int) -> Money:
    return Money.of_minor_units(cents, USD)


@pytest.mark.req("MON-1")
class TestAnAmount:
    def test_is_a_count_of_millionths(self):
        """12.50 USD is 12,500,000 micro units, which is 1,250 cents."""
        assert Money(12_500_000, USD) == usd(1250)

    def test_reaches_to_what_every_reader_of_json_keeps_exactly(self):
        assert Money(2**53 - 1, USD).amount_micro == 9_007_199_254_740_991

    @pytest.mark.parametrize("amount_micro", [2**53, -(2**53), 10**30])
    def test_is_refused_beyond_that(self, amount_micro):
        with pytest.raises(AmountOutOfRange):
            Money(amount_micro, USD)

    def test_is_refused_when_a_sum_goes_beyond(self):
        with pytest.raises(AmountOutOfRange):
            Money(MAX_AMOUNT_MICRO, USD) + Money(1, USD)

    @pytest.mark.parametrize("amount_micro", [1.0, True, "1", None])
    def test_is_an_integer_and_nothing_that_looks_like_one(self, amount_micro):
        with pytest.raises(TypeError):
            Money(amount_micro, USD)

    def test_has_a_checked_currency(self):
        with pytest.raises(TypeError):
            Money(1, "USD")  # type: ignore[arg-type]  # the mistake that is tested


@pytest.mark.req("MON-2")
class TestACurrency:
    @pytest.mark.parametrize(
        ("code", "decimals"), [("JPY", 0), ("USD", 2), ("KWD", 3), ("AFN", 2), ("IQD", 3)]
    )
    def test_has_the_decimals_of_iso_4217(self, code, decimals):
        assert Currency(code).minor_exponent == decimals
        assert Currency(code).minor_unit_micro * 10**decimals == 1_000_000

    def test_stands_in_the_table_exactly_as_in_the_package(self):
        published = {c.code: c.exponent for c in iso4217.Currency if c.exponent is not None}
        assert dict(MINOR_EXPONENTS) == published

    @pytest.mark.parametrize("code", ["XAU", "XTS", "XXX", "XDR", "usd", "US", "", "ZZZ"])
    def test_is_refused_when_it_has_no_minor_unit_or_is_none(self, code):
        with pytest.raises(CurrencyUnknown) as refused:
            Currency(code)
        assert refused.value.code == "CURRENCY_UNKNOWN"


@pytest.mark.req("MON-2")
class TestWholeMinorUnits:
    @pytest.mark.parametrize(("currency", "minor"), [(JPY, 1_000_000), (USD, CENT), (KWD, 1_000)])
    def test_are_what_the_currency_counts_in(self, currency, minor):
        assert Money(3 * minor, currency).in_minor_units().minor_units == 3

    @pytest.mark.parametrize(("currency", "micro"), [(JPY, 500_000), (USD, 1), (KWD, -999)])
    def test_refuse_anything_finer(self, currency, micro):
        with pytest.raises(AmountNotInMinorUnits) as refused:
            Money(micro, currency).in_minor_units()
        assert refused.value.code == "AMOUNT_NOT_IN_MINOR_UNITS"

    def test_are_zero_when_nothing_is_owed(self):
        assert Money.zero(USD).in_minor_units().is_zero


@pytest.mark.req("MON-3")
class TestRounding:
    @pytest.mark.parametrize(
        ("micro", "cents"),
        [
            (5_000, 1),
            (-5_000, -1),
            (4_999, 0),
            (-4_999, 0),
            (15_000, 2),
            (25_000, 3),
            (-25_000, -3),
        ],
    )
    def test_takes_a_half_away_from_zero(self, micro, cents):
        assert Money(micro, USD).rounded() == usd(cents)

    def test_happens_once_at_the_end(self):
        """10.00 by 2/3 by 3/2 in one fraction is 10.00; in two steps it would be 10.01."""
        assert usd(1000).times(2 * 3, 3 * 2) == usd(1000)
        assert usd(1000).times(2, 3).times(3, 2) == usd(1001)

    def test_of_a_quantity_by_a_finer_unit_price(self):
        """3 times 0.3333 USD is 0.9999 USD: one dollar to the cent."""
        assert Money(333_300, USD).times(3) == usd(100)

    def test_of_a_unit_price_stays_finer_than_a_cent(self):
        """1.00 USD for 3 pieces is 0.333333 USD apiece."""
        assert usd(100).times_micro(1, 3) == Money(333_333, USD)

    def test_of_a_share_of_yen_gives_whole_yen(self):
        """7.5 % of 1,000 JPY is 75 JPY; of 1,020 JPY it is 76.5, hence 77 JPY."""
        assert Money.of_minor_units(1000, JPY).times(75, 1000) == Money.of_minor_units(75, JPY)
        assert Money.of_minor_units(1020, JPY).times(75, 1000) == Money.of_minor_units(77, JPY)

    def test_needs_a_positive_denominator(self):
        with pytest.raises(ValueError):
            divided(1, 0)

    @given(st.integers(-(10**20), 10**20), st.integers(1, 10**12))
    def test_is_the_nearest_and_the_same_for_both_signs(self, numerator, denominator):
        nearest = divided(numerator, denominator)
        error = nearest - Fraction(numerator, denominator)
        assert abs(error) <= Fraction(1, 2)
        assert abs(error) < Fraction(1, 2) or abs(nearest) > abs(Fraction(numerator, denominator))
        assert divided(-numerator, denominator) == -nearest


@pytest.mark.req("MON-3")
class TestSplitting:
    @pytest.mark.parametrize(
        ("cents", "weights", "parts"),
        [
            (10_000, [1, 1, 1], [3334, 3333, 3333]),
            (-10_000, [1, 1, 1], [-3334, -3333, -3333]),
            (5, [3, 7], [2, 3]),
            (1, [1, 2, 1], [0, 1, 0]),
            (7, [0, 1, 0, 1], [0, 4, 0, 3]),
            (0, [1, 2], [0, 0]),
        ],
    )
    def test_gives_the_rest_to_the_largest_remainders(self, cents, weights, parts):
        """0.05 by 3:7 is 0.015 and 0.035: equal remainders, so the earlier part gets the cent."""
        assert usd(cents).allocate(weights) == [usd(part) for part in parts]

    @pytest.mark.parametrize("weights", [[], [0, 0], [2, -1]])
    def test_needs_weights_that_weigh_something(self, weights):
        with pytest.raises(ValueError):
            usd(100).allocate(weights)

    def test_refuses_what_is_not_in_minor_units(self):
        with pytest.raises(AmountNotInMinorUnits):
            Money(1, USD).allocate([1, 1])

    @given(
        units,
        currencies,
        st.lists(st.integers(0, 10**6), min_size=1, max_size=12).filter(any),
    )
    def test_makes_parts_that_are_the_whole(self, count, currency, weights):
        whole = Money.of_minor_units(count, currency)
        parts = whole.allocate(weights)
        assert Money.total(parts, currency) == whole
        assert (-whole).allocate(weights) == [-part for part in parts]
        for part, weight in zip(parts, weights, strict=True):
            assert abs(part.minor_units - Fraction(count * weight, sum(weights))) < 1


@pytest.mark.req("MON-4")
class TestTwoCurrencies:
    @pytest.mark.parametrize(
        "mixed",
        [
            lambda: usd(1) + Money.zero(EUR),
            lambda: usd(1) - Money.zero(EUR),
            lambda: usd(1) < Money.zero(EUR),
            lambda: usd(1) >= Money.zero(EUR),
            lambda: Money.total([usd(1)], EUR),
        ],
    )
    def test_are_never_added_or_compared(self, mixed):
        with pytest.raises(CurrenciesDiffer) as refused:
            mixed()
        assert refused.value.code == "CURRENCY_MISMATCH"
        assert isinstance(refused.value, Unmet)

    def test_make_two_different_amounts(self):
        assert Money.zero(USD) != Money.zero(EUR)

    def test_do_not_hinder_arithmetic_in_one(self):
        assert usd(250) + usd(-50) - usd(100) == usd(100) == -usd(-100) == abs(usd(-100))
        assert usd(1) < usd(2) <= usd(2) < max(usd(3), usd(1))
        assert Money.total([], USD) == Money.zero(USD)
