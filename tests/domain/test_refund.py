"""What goes back of a payment, what that is worth, and what a failed refund leaves; by hand."""

from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from common.domain.cash import Confirmed
from common.domain.folio import FolioAlreadyClosed
from common.domain.identifiers import FolioId, PaymentId, RefundId
from common.domain.ledger import FX_CLEARING, GUEST_DEPOSITS
from common.domain.money import AmountNotPositive, CurrenciesDiffer, Currency, Money
from common.domain.payment import NoOpenCashSession, Payment
from common.domain.refund import (
    Refund,
    RefundExceedsPayment,
    RefundRecorded,
    RefundReferenceMissing,
    RefundSettled,
    RefundStatus,
    give_back,
    refund_sha256,
    settle_refund,
)
from common.domain.settlement import BalanceDue, RefundPending
from tests.domain.front_desk import (
    EUR,
    JPY,
    KWD,
    MORNING,
    TENANT,
    TILL,
    USD,
    Account,
    figures,
    rate,
    rule,
    settings_of,
)
from tests.domain.front_desk import Desk as FrontDesk
from tests.till import signed

pytestmark = pytest.mark.req("REF-1")

SIGNED = Confirmed(by="amina", at=MORNING, token_id="t" * 8, assertion_hash="a" * 64, method="totp")


@dataclass
class Desk:
    """A guest who has paid, and gets some of it back."""

    account: Account
    payment: Payment
    refunds: list[Refund] = field(default_factory=list)

    @classmethod
    def paid(cls, units: int, paid: Currency = USD, method: str = "card", **opening: object):
        account = Account(**opening)
        recorded = account.pay(units, paid, method, allow_credit=True)
        return cls(account, recorded.payment)

    def refund(
        self, units: int, currency: Currency | None = None, **more: object
    ) -> RefundRecorded:
        paid = Money.of_minor_units(units, currency or self.payment.paid.currency)
        given = {
            "id": self.account.desk.new_id(RefundId),
            "reason": "left early",
            "confirmed": SIGNED,
            "reference": "T-1",
            "cash_session_id": TILL if self.payment.method == "cash" else None,
        } | more
        recorded = self.account.do(
            lambda folio: give_back(
                folio, self.payment, paid, self.payment.kept, self.account.desk, **given
            )
        )
        self.payment = recorded.payment
        self.account.payments = [self.payment]
        self.refunds.append(recorded.refund)
        return recorded

    def settle(self, place: int, failure_code: str | None = None) -> RefundSettled | None:
        refund = self.refunds[place]
        desk = self.account.desk
        settled = settle_refund(self.account.folio, self.payment, refund, failure_code, desk)
        if settled is None:
            return None
        folio = self.account.folio
        self.account.lines += folio.fresh
        self.account.entries += settled.entries
        folio.fresh = ()
        self.payment, self.refunds[place] = settled.payment, settled.refund
        return settled

    def worth(self) -> list[int]:
        """What each refund was worth, in minor units of the folio's currency."""
        return [refund.amount.minor_units for refund in self.refunds]


def test_a_part_goes_back_and_the_rest_is_left():
    """100.00 less 40.00: 60.00 left, and the guest is 60.00 in credit."""
    desk = Desk.paid(10_000)

    recorded = desk.refund(4_000)

    assert figures(recorded) == [("refund", 4_000)]
    assert desk.payment.left == Money.of_minor_units(6_000, USD)
    assert desk.account.balance == desk.account.in_the_ledger(GUEST_DEPOSITS) == -6_000
    assert desk.account.in_the_ledger("card_clearing") == 6_000


@pytest.mark.parametrize(
    ("method", "status"),
    [
        ("card", "pending"),
        ("cash", "succeeded"),
        ("bank_transfer", "succeeded"),
        ("mobile_money", "succeeded"),
        ("voucher", "succeeded"),
        ("city_ledger", "succeeded"),
        ("credits", "succeeded"),
    ],
)
def test_only_a_card_waits(method, status):
    desk = Desk.paid(10_000, method=method)

    recorded = desk.refund(10_000)

    assert recorded.refund.status == status
    assert desk.account.folio.pending_refunds == (status == "pending")
    assert (recorded.refund.settled_at is None) == (status == "pending")


def test_all_that_is_left_may_go_back_and_no_unit_more():
    desk = Desk.paid(10_000)
    desk.refund(6_000)

    with pytest.raises(RefundExceedsPayment) as refused:
        desk.refund(4_001)
    assert refused.value.extra == {"leftMicro": 40_000_000, "currency": USD}
    desk.refund(4_000)
    with pytest.raises(RefundExceedsPayment):
        desk.refund(1)
    assert desk.account.balance == 0


@pytest.mark.req("MON-5")
def test_three_thirds_of_a_foreign_payment_are_worth_the_whole():
    """10.00 EUR at 1.0005 were 10.01 USD (10.005, half up). 3.33 of them are worth 3.33 (of
    3.3333), 6.66 together 6.67 (of 6.6667), so that the second third is worth 3.34; the last 3.34
    are what is missing of 10.01: 3.34."""
    desk = Desk.paid(1_000, EUR, rates=[rate(EUR, "1.0005")])
    assert desk.payment.amount == Money.of_minor_units(1_001, USD)

    for cents in (333, 333, 334):
        desk.refund(cents)

    assert desk.worth() == [333, 334, 334]
    assert desk.account.balance == 0
    assert desk.account.in_the_ledger(FX_CLEARING, EUR) == 0
    assert desk.account.in_the_ledger(FX_CLEARING, USD) == 0


@pytest.mark.req("MON-5")
def test_a_part_too_small_for_the_folio_is_worth_nothing_and_goes_back_all_the_same():
    """0.003 KWD at 490 were 1 JPY (1.47). 0.001 is worth 0 (of 0.33), 0.002 together 1 (of 0.67),
    and the last 0.001 is worth nothing more. The 1 JPY is brought back from the deposits, too."""
    desk = Desk.paid(3, KWD, currency=JPY, rates=[rate(KWD, "490", JPY)])

    told = [desk.refund(1) for _ in range(3)]

    assert desk.worth() == [0, 1, 0]
    assert [len(each.entries) for each in told] == [1, 3, 1]
    assert desk.account.balance == 0
    assert desk.account.in_the_ledger(FX_CLEARING, KWD) == 0


@pytest.mark.req("MON-5")
def test_what_failed_is_missing_again_and_what_comes_next_makes_the_whole():
    """The thirds above; the first one fails. 6.67 are left to give, worth the 6.67 missing of
    10.01: 10.01 less the 3.34 of the second one."""
    desk = Desk.paid(1_000, EUR, rates=[rate(EUR, "1.0005")])
    desk.refund(333)
    desk.refund(333)

    desk.settle(0, "card_declined")
    desk.settle(1)
    desk.refund(667)

    assert desk.worth() == [333, 334, 667]
    assert desk.payment.left == Money.zero(EUR)
    assert desk.account.balance == 0


@pytest.mark.req("MON-5")
def test_what_a_failure_rounded_up_is_not_taken_from_the_next():
    """30 cents EUR worth 2 of a folio in yen (at 7). 8 of them: 1 (of 0.53); 22: 1 (of 1.47), so 0;
    23: 2 (of 1.53), so 1. The 14 in the middle fail: 9 are given back for 2, and one more is worth
    1 (of 0.67) altogether. That is less already, and worth nothing, not less than nothing."""
    desk = Desk.paid(30, EUR, currency=JPY, rates=[rate(EUR, "7", JPY)])
    for cents in (8, 14, 1):
        desk.refund(cents)
    desk.settle(1, "card_declined")

    desk.refund(1)
    desk.refund(20)

    assert desk.worth() == [1, 0, 1, 0, 0]
    assert desk.account.balance == 0


@pytest.mark.req("FOL-6")
def test_a_failed_refund_gets_a_line_that_takes_it_back():
    desk = Desk.paid(10_000)
    desk.refund(4_000)

    settled = desk.settle(0, "card_declined")

    assert figures(settled) == [("refund_reversal", -4_000)]
    (line,) = settled.lines
    assert (line.corrects, line.reason) == (desk.refunds[0].id, "card_declined")
    assert desk.refunds[0].status is RefundStatus.FAILED
    assert desk.payment.left == Money.of_minor_units(10_000, USD)
    assert desk.account.balance == desk.account.in_the_ledger(GUEST_DEPOSITS) == -10_000
    assert desk.account.in_the_ledger("card_clearing") == 10_000
    assert [line.type.value for line in desk.account.lines] == [
        "payment",
        "refund",
        "refund_reversal",
    ]


@pytest.mark.parametrize("first", [None, "card_declined"])
@pytest.mark.parametrize("later", [None, "lost_card"])
def test_what_is_said_first_stays(first, later):
    desk = Desk.paid(10_000)
    desk.refund(4_000)
    desk.settle(0, first)
    before = (desk.account.folio.version, desk.account.balance, desk.refunds[0])

    assert desk.settle(0, later) is None
    assert (desk.account.folio.version, desk.account.balance, desk.refunds[0]) == before


@pytest.mark.req("CLO-1")
@pytest.mark.parametrize("failure_code", [None, "card_declined"])
def test_is_not_settled_before_it_was_promised(failure_code):
    """Promised at 6:00, settled by a clock that says 5:00: the settlement bears 6:00."""
    desk = Desk.paid(10_000)
    desk.refund(4_000)
    desk.account.desk.now = MORNING - timedelta(hours=1)

    settled = desk.settle(0, failure_code)

    assert settled.refund.settled_at == MORNING


def test_a_folio_closes_when_its_refund_has_been_settled():
    """100.00 and 10 %, 150.00 paid, 40.00 promised: at zero, and not closed yet."""
    desk = Desk.paid(15_000)
    desk.account.charge(10_000)
    desk.refund(4_000)
    assert desk.account.balance == 0

    with pytest.raises(RefundPending):
        desk.account.close()
    desk.settle(0)
    closed = desk.account.close()

    assert closed.settlement.payments == Money.of_minor_units(11_000, USD)
    assert closed.settlement.residual.is_zero


@pytest.mark.req("CLO-3")
def test_rates_at_close_are_about_what_was_kept():
    """400.00 EUR at 1.08, of which 100.00 go back: the 324.00 USD left would be 375.00 at 1.25."""
    settings = settings_of(rule(percent=0), show_fx_at_close=True, fx_rates=(rate(EUR, "1.25"),))
    desk = Desk.paid(40_000, EUR, desk=FrontDesk(settings), rates=[rate(EUR, "1.08")])
    desk.account.charge(32_400)
    desk.refund(10_000)
    desk.settle(0)

    (shown,) = desk.account.close().settlement.fx

    assert shown.difference == Money.of_minor_units(5_100, USD)


@pytest.mark.req("CLO-1")
def test_a_payment_that_went_back_whole_excuses_no_cent():
    """One that stays may leave a cent by its conversion; one that is gone leaves none."""
    desk = Desk.paid(10_000, EUR, rates=[rate(EUR, "1.08")])
    desk.account.charge(10_800)
    desk.refund(10_000)
    desk.settle(0)
    desk.account.pay(11_879)
    assert desk.account.balance == 1

    with pytest.raises(BalanceDue):
        desk.account.close()


def test_refuses_what_is_no_refund():
    desk = Desk.paid(10_000)
    for units in (0, -1):
        with pytest.raises(AmountNotPositive):
            desk.refund(units)
    with pytest.raises(CurrenciesDiffer):
        desk.refund(1, EUR)
    with pytest.raises(RefundReferenceMissing):
        Desk.paid(100, method="voucher").refund(1, reference=None)
    with pytest.raises(NoOpenCashSession):
        Desk.paid(100, method="cash").refund(1, cash_session_id=None)
    assert desk.account.balance == -10_000


def test_a_closed_folio_gives_nothing_back():
    desk = Desk.paid(11_000)
    desk.account.charge(10_000)
    desk.account.close()

    with pytest.raises(FolioAlreadyClosed):
        desk.refund(1)


@pytest.mark.req("SEC-4")
def test_what_is_confirmed_is_written_down_for_clients():
    """SHA-256 over sorted JSON without spaces, worked out here anew."""
    ulid = "01K9ZQ0M8Y" + "0" * 16
    named = FolioId(f"fol_{ulid}"), PaymentId(f"pay_{ulid}"), RefundId(f"rfd_{ulid}")

    confirmed = refund_sha256(TENANT, *named, Money.of_minor_units(4_000, USD))

    assert confirmed.hex() == signed(
        deed="folio.refund",
        tenant=str(TENANT),
        folio=f"fol_{ulid}",
        payment=f"pay_{ulid}",
        refund=f"rfd_{ulid}",
        amountMicro=40_000_000,
        currency="USD",
    )
