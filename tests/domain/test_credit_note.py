"""Taking a line back in portions: whatever the pieces are, they come to the line (INV-2, MON-3)."""

from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.domain.credit_note import (
    CreditExceedsInvoice,
    Credits,
    InvoiceAlreadyVoided,
    LineNotInvoiced,
)
from common.domain.credited import Portion, TaxPortion
from common.domain.identifiers import LineId
from common.domain.money import (
    AmountNotInMinorUnits,
    AmountNotPositive,
    CurrenciesDiffer,
    Currency,
    Money,
)
from tests.domain.front_desk import Account, series

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


@pytest.mark.req("INV-2")
class TestCredits:
    """An invoice of a room, 100.00 and 10.00, and a drink, 50.00 and 5.00: 165.00. No database
    stands behind these: what it would refuse as well has to be refused here first."""

    def credits(self) -> Credits:
        account = Account()
        self.room = account.charge(10_000).lines[0].id
        self.drink = account.charge(5_000, "minibar").lines[0].id
        account.pay(16_500)
        invoice = account.invoice(account.close(), series())
        return Credits(invoice=invoice, credited=usd(0), by_line={})

    def test_takes_a_part_and_says_what_is_left(self) -> None:
        credits = self.credits()
        (taken,), rounding = credits.take([(self.room, usd(2_200))])
        assert cents(taken.portion) == [2_000, 200]
        assert (taken.before, rounding) == (usd(0), usd(0))
        assert (credits.left, credits.status) == (usd(14_300), "credited")

    def test_with_nothing_asked_takes_all(self) -> None:
        credits = self.credits()
        taken, _ = credits.take(None)
        assert [cents(each.portion) for each in taken] == [[10_000, 1_000], [5_000, 500]]
        assert (credits.left, credits.status) == (usd(0), "voided")

    def test_refuses_more_than_a_line_though_the_invoice_has_it(self) -> None:
        """56.00 of a drink of 55.00, on an invoice of 165.00."""
        credits = self.credits()
        with pytest.raises(CreditExceedsInvoice) as refused:
            credits.take([(self.drink, usd(5_600))])
        assert refused.value.extra["leftMicro"] == 55_000_000

    def test_refuses_more_than_others_have_left_of_a_line(self) -> None:
        """50.00 of the drink are gone, so 5.00 are left: 5.01 are too much, and 5.00 are not."""
        credits = self.credits()
        (taken,), _ = credits.take([(self.drink, usd(5_000))])
        credits.by_line = {self.drink: taken.portion}
        with pytest.raises(CreditExceedsInvoice):
            credits.take([(self.drink, usd(501))])
        (rest,), _ = credits.take([(self.drink, usd(500))])
        assert rest.before == usd(5_000)

    def test_refuses_a_line_twice_over_its_amount(self) -> None:
        credits = self.credits()
        with pytest.raises(CreditExceedsInvoice):
            credits.take([(self.drink, usd(3_000)), (self.drink, usd(3_000))])

    @pytest.mark.parametrize(
        ("amount", "refusal"),
        [
            (usd(0), AmountNotPositive),
            (usd(-100), CreditExceedsInvoice),
            (Money(1, USD), AmountNotInMinorUnits),
            (Money.of_minor_units(100, Currency("EUR")), CurrenciesDiffer),
        ],
    )
    def test_refuses_an_amount_that_takes_nothing_back(
        self, amount: Money, refusal: type[Exception]
    ) -> None:
        credits = self.credits()
        with pytest.raises(refusal):
            credits.take([(self.room, amount)])

    def test_refuses_a_line_of_another_invoice_and_an_invoice_that_is_gone(self) -> None:
        credits = self.credits()
        with pytest.raises(LineNotInvoiced):
            credits.take([(LineId("chg_" + "0" * 26), usd(100))])
        credits.take(None)
        with pytest.raises(InvoiceAlreadyVoided):
            credits.take(None)
