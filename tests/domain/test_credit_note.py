"""Taking a line back in portions: whatever the pieces are, they come to the line (INV-2, MON-3)."""

from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.domain.credited import Portion, TaxPortion
from common.domain.money import Currency, Money

USD = Currency("USD")
CENTS = st.integers(1, 100_000)


def usd(cents: int) -> Money:
    return Money.of_minor_units(cents, USD)


def line(net: int, *taxes: int, sign: int = 1) -> Portion:
    """A net price and taxes, in cents; the base of each tax is the net price."""
    return Portion(
        usd(sign * net),
        tuple(
            TaxPortion(
                code=f"T{place}",
                name="Tax",
                rate_ppm=None,
                category="S",
                inclusive=False,
                base=usd(sign * net),
                amount=usd(sign * tax),
            )
            for place, tax in enumerate(taxes)
        ),
    )


def cents(portion: Portion) -> list[int]:
    """The net price and the taxes."""
    return [portion.net.minor_units, *(tax.amount.minor_units for tax in portion.taxes)]


@pytest.mark.req("INV-2", "MON-3")
@pytest.mark.parametrize(
    ("asked", "expected"),
    [(1_000, [909, 91]), (1, [1, 0]), (11_000, [10_000, 1_000]), (10_999, [9_999, 1_000])],
)
def test_a_share_goes_by_the_largest_remainder(asked: int, expected: list[int]) -> None:
    """Of 100.00 + 10.00. In 109.99 are 99.9909 and 9.9991: the cent goes to the tax."""
    assert cents(line(10_000, 1_000).share(usd(asked))) == expected


@pytest.mark.req("INV-2", "MON-3")
@given(
    net=CENTS,
    taxes=st.lists(st.integers(0, 30_000), max_size=4),
    cuts=st.lists(st.floats(0, 1, exclude_min=True), max_size=6),
    sign=st.sampled_from([1, -1]),
)
def test_pieces_never_exceed_a_part_and_come_to_the_whole(
    net: int, taxes: list[int], cuts: list[float], sign: int
) -> None:
    whole = line(net, *taxes, sign=sign)
    gross = abs(whole.gross.minor_units)
    ends = sorted({max(1, int(gross * cut)) for cut in cuts} | {gross})
    pieces = [end - before for before, end in zip([0, *ends], ends, strict=False)]
    assert list(accumulate(pieces)) == ends
    left, taken = whole, whole.none

    for piece in pieces:
        share = left.share(usd(sign * piece))
        assert share.gross == usd(sign * piece)
        assert all(sign * part >= 0 for part in cents(share))
        left, taken = left.less(share), taken.plus(share)
        assert all(sign * part >= 0 for part in cents(left))
        assert all(abs(tax.base.amount_micro) <= abs(whole.net.amount_micro) for tax in share.taxes)

    assert taken == whole
    assert left == whole.none
