"""What usage costs, worked out by hand (SUB-12, MON-3)."""

import pytest

from common.domain.meter import Aggregation
from common.domain.money import Currency, Money
from common.domain.usage_price import PriceModel, Tier, UsagePrice, UsagePriceInvalid

pytestmark = pytest.mark.req("SUB-12", "MON-3")
USD = Currency("USD")
TIERS = ((10, 1_000_000), (100, 500_000), (None, 1_000))


def price(
    model: str, *tiers: tuple[int | None, int], per: int = 1, included: int = 0
) -> UsagePrice:
    return UsagePrice(
        meter="m",
        model=PriceModel(model),
        per=per,
        included=included,
        tiers=tuple(Tier(up_to=end, price_micro=micro) for end, micro in tiers),
    )


def cents(of: UsagePrice, quantity: int, *, months: int = 1, counts: str = "sum") -> int:
    amount = of.amount(quantity, Aggregation(counts), months, USD)
    return amount.amount_micro // 10_000


@pytest.mark.parametrize(
    ("quantity", "cost"), [(0, 0), (1, 100), (10, 1_000), (11, 1_050), (100, 5_500), (105, 5_501)]
)
def test_tiered_asks_of_each_unit_the_price_of_its_tier(quantity: int, cost: int) -> None:
    """10 at 1.00, the next 90 at 0.50, then 0.001 each: 105 cost 10 + 45 + 0.005, rounded 55.01."""
    assert cents(price("tiered", *TIERS), quantity) == cost


@pytest.mark.parametrize(
    ("quantity", "cost"), [(0, 0), (10, 1_000), (11, 550), (100, 5_000), (101, 10)]
)
def test_volume_asks_of_all_the_price_of_the_last_ones_tier(quantity: int, cost: int) -> None:
    assert cents(price("volume", *TIERS), quantity) == cost


@pytest.mark.parametrize(("quantity", "cost"), [(0, 0), (5, 0), (6, 300), (105, 300), (106, 600)])
def test_a_package_that_was_begun_is_paid_whole(quantity: int, cost: int) -> None:
    """Five are included; then 3.00 for each hundred."""
    assert cents(price("package", (None, 3_000_000), per=100, included=5), quantity) == cost


def test_a_unit_may_cost_less_than_a_micro_and_is_rounded_once() -> None:
    """A micro for three: 15,000 come to half a cent and are a cent, 14,999 are none."""
    fine = price("per_unit", (None, 1), per=3)
    assert [cents(fine, quantity) for quantity in (14_997, 14_999, 15_000)] == [0, 0, 1]
    assert fine.amount(15_000, Aggregation.SUM, 1, Currency("KWD")) == Money(5_000, Currency("KWD"))


def test_a_year_includes_twelve_times_what_flows_and_costs_twelve_times_a_level() -> None:
    """100 included, then 10 at 1.00 and 0.50: in a year 1,200, then 120 at 1.00. Of a level the
    same 110 are 10 at 1.00 for each of twelve months."""
    tiers = price("tiered", (10, 1_000_000), (None, 500_000), included=100)
    assert cents(tiers, 1_330, months=12) == 12_000 + 500
    assert cents(tiers, 110, months=12, counts="max") == 12_000
    assert cents(tiers, 110, months=12, counts="unique") == 12_000


@pytest.mark.parametrize(
    ("model", "tiers"),
    [
        ("tiered", ()),
        ("tiered", ((10, 1),)),
        ("tiered", ((None, 1), (None, 1))),
        ("volume", ((10, 1), (10, 1), (None, 1))),
        ("volume", ((0, 1), (None, 1))),
        ("package", ((10, 1), (None, 1))),
        ("per_unit", ((10, 1), (None, 1))),
    ],
)
def test_refuses_tiers_that_contradict_one_another(
    model: str, tiers: tuple[tuple[int | None, int], ...]
) -> None:
    with pytest.raises(UsagePriceInvalid):
        price(model, *tiers)
