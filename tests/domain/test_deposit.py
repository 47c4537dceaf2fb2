"""What is ahead on a folio, what moves of it, and what goes back of a payment; by hand."""

import copy

import pytest

from common.domain.deposit import Moved, TransferExceedsCredit, move_deposit
from common.domain.folio import FolioAlreadyClosed
from common.domain.identifiers import DepositTransferId, RefundId
from common.domain.ledger import (
    BROUGHT_OVER,
    DEPOSITS_IN_TRANSIT,
    GUEST_DEPOSITS,
    GUEST_LEDGER,
)
from common.domain.money import AmountNotPositive, CurrenciesDiffer, Money
from common.domain.refund import RefundOfMovedMoney, give_back, most_of, worth_of
from common.domain.transfer import TransferToSameFolio
from tests.domain.front_desk import EUR, JPY, KWD, USD, Account, figures, rate

pytestmark = pytest.mark.req("FOL-11", "PAY-4")


def dollars(units: int) -> Money:
    return Money.of_minor_units(units, USD)


def ahead(units: int, **opening: object) -> Account:
    account = Account(**opening)
    account.pay(units, method="card", allow_credit=True)
    return account


def moved(source: Account, target: Account, units: int, standing: int = 10**6) -> Moved:
    """Move an amount, and keep both folios as a store does."""
    ends = copy.copy(source.folio), copy.copy(target.folio)
    told = move_deposit(
        *ends,
        dollars(standing),
        dollars(units),
        source.desk,
        id=source.desk.new_id(DepositTransferId),
        reason="one room less",
    )
    for account, folio, half in zip((source, target), ends, (told.left, told.reached), strict=True):
        account._keep(folio, half)
    return told


def entries(account: Account) -> list[tuple[str, str, int, int]]:
    """Debit, credit, cents and part of all that is booked of deposits."""
    return [
        (each.debit, each.credit, each.amount.minor_units, each.part)
        for each in account.entries
        if GUEST_DEPOSITS in (each.debit, each.credit)
    ]


def test_what_is_brought_over_is_the_difference_and_only_that():
    """100.00 ahead; a night of 60.00 and 6.00 leaves 34.00, a second one owes 32.00, and 50.00 more
    that are paid are 18.00 ahead."""
    account = ahead(10_000)
    account.charge(6_000)
    account.charge(6_000)
    account.pay(5_000, allow_credit=True)

    assert entries(account) == [
        (GUEST_LEDGER, GUEST_DEPOSITS, 10_000, BROUGHT_OVER),
        (GUEST_DEPOSITS, GUEST_LEDGER, 6_600, BROUGHT_OVER),
        (GUEST_DEPOSITS, GUEST_LEDGER, 3_400, BROUGHT_OVER),
        (GUEST_LEDGER, GUEST_DEPOSITS, 1_800, BROUGHT_OVER),
    ]
    assert account.folio.deposits_held == dollars(1_800)


def test_what_is_brought_over_is_of_the_last_line_and_its_day():
    account = ahead(10_000)
    posted = account.charge(1_000)

    *_, brought = posted.entries
    assert (brought.source, brought.business_date) == (
        posted.lines[-1].id,
        posted.lines[-1].business_date,
    )


def test_nothing_is_brought_over_on_a_folio_that_owes():
    account = Account()
    account.charge(10_000)
    account.pay(4_000)

    assert entries(account) == []


def test_moves_through_an_account_between_the_two():
    """60.00 of 100.00: 40.00 are left ahead here, and 60.00 are ahead there."""
    here = ahead(10_000)
    there = Account(here.desk)

    told = moved(here, there, 6_000)

    assert (figures(told.left), figures(told.reached)) == (
        [("deposit_transfer", 6_000)],
        [("deposit_transfer", -6_000)],
    )
    assert told.reached.lines[0].moved_from == told.left.lines[0].id
    assert (here.in_the_ledger(GUEST_DEPOSITS), there.in_the_ledger(GUEST_DEPOSITS)) == (
        -4_000,
        -6_000,
    )
    assert here.in_the_ledger(DEPOSITS_IN_TRANSIT) == -6_000
    assert there.in_the_ledger(DEPOSITS_IN_TRANSIT) == 6_000


@pytest.mark.parametrize(
    ("units", "standing", "free"), [(10_001, 10**6, 10_000), (9_001, 9_000, 9_000)]
)
def test_moves_at_most_what_is_in_credit_and_what_stands_of_payments(
    units: int, standing: int, free: int
):
    here = ahead(10_000)

    with pytest.raises(TransferExceedsCredit) as refused:
        moved(here, Account(here.desk), units, standing)

    assert refused.value.extra["creditMicro"] == free * 10_000


@pytest.mark.parametrize("units", [0, -1])
def test_moves_something(units: int):
    here = ahead(10_000)

    with pytest.raises(AmountNotPositive):
        moved(here, Account(here.desk), units)


def test_goes_to_another_folio_that_is_open_and_of_its_currency():
    here = ahead(10_000)
    closed = Account(here.desk)
    closed.close()

    with pytest.raises(TransferToSameFolio):
        moved(here, here, 100)
    with pytest.raises(FolioAlreadyClosed):
        moved(here, closed, 100)
    with pytest.raises(CurrenciesDiffer):
        moved(here, Account(here.desk, currency=EUR), 100)


@pytest.mark.req("REF-1")
@pytest.mark.parametrize(("units", "is_refused"), [(4_000, False), (4_001, True)])
def test_a_refund_takes_at_most_what_stands_on_the_folio(units: int, is_refused: bool):
    """100.00 were paid, and 60.00 moved away: 40.00 stand here."""
    account = ahead(10_000)
    given = {"id": account.desk.new_id(RefundId), "reason": "left early", "confirmed": None}

    def ask() -> object:
        (payment,) = account.payments
        return account.do(
            lambda folio: give_back(
                folio, payment, dollars(units), dollars(4_000), account.desk, **given
            )
        )

    if is_refused:
        with pytest.raises(RefundOfMovedMoney) as refused:
            ask()
        assert refused.value.extra == {"leftMicro": 40_000_000, "currency": "USD"}
    else:
        ask()


@pytest.mark.req("MON-5")
@pytest.mark.parametrize(
    ("paid", "worth", "most"),
    [
        (10_000, 11_000, 10_000),  # all of 100.00 EUR, worth 110.00 USD
        (10_000, 11_001, 10_000),
        (10_000, 5_500, 5_000),
        (10_000, 5_501, 5_001),  # of 50.01 the worth is 55.011, which is 55.01
        (10_000, 1, 1),  # of 0.01 it is 0.011
        (10_000, 0, 0),
        (3, 1, 1),  # 0.03 are worth 0.03; of 0.01 it is 0.01
    ],
    ids=["all", "more", "half", "a cent more", "a cent", "nothing", "of three"],
)
def test_the_most_of_a_foreign_payment_is_worth_no_more(paid: int, worth: int, most: int):
    account = Account(rates=[rate(EUR, "1.10", USD)])
    payment = account.pay(paid, EUR, "card", allow_credit=True).payment

    found = most_of(payment, dollars(worth))

    assert found == Money.of_minor_units(most, EUR)
    assert worth_of(payment, found) <= dollars(worth)


@pytest.mark.req("MON-5")
def test_the_most_of_a_payment_in_a_coarser_currency_leaves_what_no_unit_is_worth():
    """0.100 KWD at 490 are 49 JPY; 0.001 KWD are 0.49 JPY. For 10 JPY it is 0.020 KWD (9.8, which
    are 10), and not 0.022 (10.78, which are 11)."""
    account = Account(currency=JPY, rates=[rate(KWD, "490", JPY)])
    payment = account.pay(100, KWD, "card", allow_credit=True).payment

    found = most_of(payment, Money.of_minor_units(10, JPY))

    assert found == Money.of_minor_units(20, KWD)
    assert worth_of(payment, found) == Money.of_minor_units(10, JPY)
