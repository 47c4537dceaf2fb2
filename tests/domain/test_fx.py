"""Converting by a pinned snapshot rounds once and loses nothing unseen (MON-5)."""

from datetime import UTC, datetime
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.domain.fx import FxRateInvalid, FxRateMissing, FxRates, FxSnapshot
from common.domain.money import AmountOutOfRange, CurrenciesDiffer, Currency, Money

pytestmark = pytest.mark.req("MON-5")

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
rates = st.integers(10**6, 10**12).map(lambda n: f"{n // 10**9}.{n % 10**9:09}")


def snapshot(base: str, quote: str, rate: str) -> FxSnapshot:
    return FxSnapshot(Currency(base), Currency(quote), rate, "central-bank", NOON)


def money(units: int, code: str) -> Money:
    return Money.of_minor_units(units, Currency(code))


class TestConverting:
    @pytest.mark.parametrize(
        ("pair", "given_money", "converted"),
        [
            (("EUR", "USD", "1.0837"), (10_000, "EUR"), (10_837, "USD")),
            (("EUR", "USD", "1.0837"), (5_000, "USD"), (4_614, "EUR")),
            (("JPY", "USD", "0.0067"), (1_500, "JPY"), (1_005, "USD")),
            (("JPY", "USD", "0.0067"), (1_005, "USD"), (1_500, "JPY")),
            (("KWD", "USD", "3.2573"), (1_000, "KWD"), (326, "USD")),
            (("KWD", "USD", "3.2573"), (100, "USD"), (307, "KWD")),
            (("USD", "AFN", "70.123456789012"), (1_234, "USD"), (86_532, "AFN")),
            (("USD", "AFN", "70"), (-1_234, "USD"), (-86_380, "AFN")),
            (("EUR", "USD", "1.005"), (100, "EUR"), (101, "USD")),
            (("EUR", "USD", "1.115"), (100, "EUR"), (112, "USD")),
        ],
    )
    def test_goes_both_ways_by_the_exact_rate(self, pair, given_money, converted):
        """In order: 108.37; 50/1.0837 = 46.138; 10.05; 10.05/0.0067 = 1500; 3.2573;
        1/3.2573 = 0.30700; 865.3234...; -863.80; 1.005 and 1.115, which no float holds exactly:
        the nearest ones lie below them and would give a cent less."""
        assert snapshot(*pair).convert(money(*given_money)) == money(*converted)

    @pytest.mark.parametrize(("units", "cents"), [(1, 1), (-1, -1), (3, 2), (2, 1)])
    def test_takes_a_half_away_from_zero(self, units, cents):
        """At 0.005 one yen is half a cent: 1, -1, 3 yen are 0.5, -0.5, 1.5 cents; 2 yen 1 cent."""
        assert snapshot("JPY", "USD", "0.005").convert(money(units, "JPY")) == money(cents, "USD")

    def test_refuses_a_currency_outside_the_pair(self):
        with pytest.raises(FxRateMissing) as refused:
            snapshot("EUR", "USD", "1.1").convert(money(1, "CHF"))
        assert refused.value.code == "FX_RATE_MISSING"

    def test_refuses_what_the_rate_makes_too_large(self):
        with pytest.raises(AmountOutOfRange):
            snapshot("USD", "AFN", "0.000000000001").convert(money(100, "AFN"))

    @given(st.integers(-(10**6), 10**6), rates, st.booleans())
    def test_is_within_half_a_minor_unit_of_the_truth(self, units, rate, forth):
        pinned = snapshot("JPY", "KWD", rate)
        given_money = money(units, "JPY" if forth else "KWD")
        exact = Fraction(rate) if forth else 1 / Fraction(rate)
        converted = pinned.convert(given_money)
        error = converted.amount_micro - given_money.amount_micro * exact
        assert abs(error) * 2 <= converted.currency.minor_unit_micro
        assert pinned.convert(-given_money) == -converted
        assert converted.in_minor_units() == converted


class TestThereAndBack:
    @pytest.mark.parametrize(
        ("rate", "yen", "residual"), [("0.0067", 3, 0), ("0.0067", 2, 1), ("0.005", 1, -1)]
    )
    def test_shows_what_rounding_cost(self, rate, yen, residual):
        """3 yen are 0.02 USD, which are 2.985, so 3 yen: nothing lost. 2 yen are 0.0134, so 0.01
        USD, which are 1.49, so 1 yen: the guest lost 1. At 0.005, 1 yen is 0.01 USD, which is
        2 yen: the house would lose 1, and sees it."""
        assert snapshot("JPY", "USD", rate).residual(money(yen, "JPY")) == money(residual, "JPY")

    @given(st.integers(-(10**7), 10**7), rates)
    def test_never_makes_or_loses_more_than_the_two_roundings(self, units, rate):
        pinned, euros = snapshot("EUR", "USD", rate), money(units, "EUR")
        back = pinned.convert(pinned.convert(euros))
        assert back + pinned.residual(euros) == euros
        half_a_cent = Fraction(1, 2)
        most = half_a_cent / Fraction(rate) + half_a_cent
        assert abs(pinned.residual(euros).minor_units) <= most


class TestASnapshot:
    @pytest.mark.parametrize(
        "rate",
        [
            "0",
            "0.000",
            "-1",
            "1e3",
            "1,5",
            "",
            ".5",
            "5.",
            "NaN",
            "1.1234567890123",
            "١",
            " 1",
            "1\n",
        ],
    )
    def test_has_a_positive_decimal_rate_of_at_most_twelve_places(self, rate):
        with pytest.raises(FxRateInvalid):
            snapshot("EUR", "USD", rate)

    def test_keeps_the_rate_as_its_source_wrote_it(self):
        assert snapshot("EUR", "USD", "1.10").rate == "1.10"
        assert snapshot("EUR", "USD", "1.10").ratio == (110, 100)

    def test_is_between_two_currencies(self):
        with pytest.raises(FxRateInvalid):
            snapshot("EUR", "EUR", "1")

    def test_knows_when_it_was_taken(self):
        with pytest.raises(ValueError):
            FxSnapshot(Currency("EUR"), Currency("USD"), "1", "x", NOON.replace(tzinfo=None))


class TestTheRatesOfAFolio:
    rates = FxRates((snapshot("EUR", "USD", "1.1"), snapshot("AFN", "USD", "0.0142")))

    def test_convert_by_the_pair_that_fits(self):
        """1,000.00 AFN at 0.0142 are 14.20 USD; 11.00 USD at 1.1 are 10.00 EUR."""
        assert self.rates.convert(money(100_000, "AFN"), Currency("USD")) == money(1_420, "USD")
        assert self.rates.convert(money(1_100, "USD"), Currency("EUR")) == money(1_000, "EUR")

    def test_leave_money_that_is_there_already(self):
        assert FxRates().convert(money(5, "CHF"), Currency("CHF")) == money(5, "CHF")

    @pytest.mark.parametrize(("code", "to"), [("CHF", "USD"), ("EUR", "AFN"), ("USD", "CHF")])
    def test_refuse_a_pair_that_is_not_pinned(self, code, to):
        with pytest.raises(FxRateMissing):
            self.rates.convert(money(1, code), Currency(to))

    def test_have_one_quote(self):
        with pytest.raises(CurrenciesDiffer):
            FxRates((snapshot("EUR", "USD", "1.1"), snapshot("AFN", "EUR", "0.013")))

    def test_have_one_rate_a_currency(self):
        with pytest.raises(FxRateInvalid):
            FxRates((snapshot("EUR", "USD", "1.1"), snapshot("EUR", "USD", "1.2")))
