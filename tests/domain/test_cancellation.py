"""What a canceled stay forfeits, and what goes back of what was paid ahead; by hand."""

from datetime import date, timedelta

import pytest

from common.domain.cancellation import Held, forfeited, give_back_ahead
from common.domain.folio_line import ChargeKind
from common.domain.guest import Stay
from common.domain.identifiers import FolioId
from common.domain.money import Money
from common.domain.payment import Payment, PaymentMethod
from common.domain.settings import CancellationPolicy
from common.domain.stay_plan import PlannedCharge, StayPlan, audit
from common.domain.tax import PPM, TaxRuleMissing
from tests.domain.front_desk import KABUL, USD, Account, Desk, figures, rule, settings_of

pytestmark = pytest.mark.req("FOL-11")

ARRIVAL = date(2026, 3, 10)
DEPOSIT = frozenset({"deposit"})
HALF = CancellationPolicy(free_until_days_before=7, forfeit_ppm=500_000)


def ahead(units: int, *rules: object, policy: CancellationPolicy | None = HALF) -> Account:
    """A folio on which so much was paid by card, of a hotel with these rules."""
    taxes = rules or (rule(percent=10, charge_kinds=DEPOSIT),)
    account = Account(Desk(settings_of(*taxes, cancellation_policy=policy)))
    account.pay(units, method="card", allow_credit=True)
    return account


def held(account: Account, *payments: Payment, standing: int = 10**9) -> Held:
    given = payments or tuple(reversed(account.payments))
    return Held(account.folio, None, given, Money.of_minor_units(standing, USD))


def kept(account: Account, on: date) -> list[tuple[str, int]]:
    """The lines by which a cancellation on a day takes its part; none where it takes nothing."""
    charge = forfeited(held(account), ARRIVAL, on, account.desk)
    if charge is None:
        return []
    return figures(account.do(lambda folio: folio.post_charge(charge, account.desk)))


def test_a_half_of_200_at_ten_percent_is_90_91_and_9_09():
    assert kept(ahead(20_000), date(2026, 3, 8)) == [("charge", 9_091), ("tax", 909)]


@pytest.mark.parametrize(
    ("on", "cents"),
    [(date(2026, 3, 3), 0), (date(2026, 3, 4), 10_000), (date(2026, 3, 12), 10_000)],
    ids=["seven days before", "six days before", "after the arrival"],
)
def test_is_free_until_seven_days_before(on: date, cents: int):
    assert sum(amount for _, amount in kept(ahead(20_000), on)) == cents


@pytest.mark.parametrize(
    "policy", [None, CancellationPolicy(free_until_days_before=7, forfeit_ppm=0)]
)
def test_keeps_nothing_where_the_policy_says_so(policy: CancellationPolicy | None):
    assert kept(ahead(20_000, policy=policy), ARRIVAL) == []


def test_a_stay_without_an_arrival_forfeits_nothing():
    account = ahead(20_000)

    assert forfeited(held(account), None, ARRIVAL, account.desk) is None


@pytest.mark.req("TAX-3")
@pytest.mark.parametrize("units", [*range(1, 60), 4_999, 10_007, 999_999])
@pytest.mark.parametrize("percent", [0, 7, 10, 33])
@pytest.mark.parametrize("per_invoice", [False, True], ids=["line", "invoice"])
def test_never_takes_more_than_its_part_and_a_cent_more_would(
    units: int, percent: int, per_invoice: bool
):
    """All of it is forfeited: what is left is less than what the next price comes to more."""
    policy = CancellationPolicy(free_until_days_before=1, forfeit_ppm=1_000_000)
    account = ahead(units, rule(percent=percent, charge_kinds=DEPOSIT), policy=policy)
    account.desk.change(rounds_tax_per_invoice=per_invoice)

    lines = kept(account, ARRIVAL)

    taken, price = sum(amount for _, amount in lines), lines[0][1] if lines else 0
    # What one more would come to, its tax at so many percent rounded half up.
    more = price + 1 + ((price + 1) * percent * 2 + 100) // 200
    assert taken <= units < more
    assert account.balance == taken - units


def test_a_tax_of_so_much_leaves_nothing_to_forfeit_of_less_than_that():
    """2.00 for each stay: of 1.00 nothing can be kept, and of 5.00 it is 3.00 and 2.00."""
    fixed = rule("CITY", per_night=Money.of_minor_units(200, USD), charge_kinds=DEPOSIT)
    policy = CancellationPolicy(free_until_days_before=1, forfeit_ppm=1_000_000)

    assert kept(ahead(100, fixed, policy=policy), ARRIVAL) == []
    assert kept(ahead(500, fixed, policy=policy), ARRIVAL) == [("charge", 300), ("tax", 200)]


def test_needs_a_rule_as_every_charge_does():
    with pytest.raises(TaxRuleMissing):
        kept(ahead(20_000, rule(percent=10, charge_kinds=frozenset({"room"}))), ARRIVAL)


@pytest.mark.req("REF-1")
def test_the_newest_cards_are_given_theirs_first_and_no_more_than_is_ahead():
    """50.00 by card, 60.00 by bank, 70.00 by card, and a bar of 80.00 taken: 100.00 are ahead. The
    newest card gets its 70.00 and the first one 30.00 of its 50.00."""
    account = ahead(5_000, rule(percent=0, charge_kinds=frozenset({"minibar"})))
    account.pay(6_000, method=PaymentMethod.BANK_TRANSFER, allow_credit=True)
    account.pay(7_000, method="card", allow_credit=True)
    account.charge(8_000, "minibar")
    first, _, newest = account.payments

    given = list(give_back_ahead(held(account), account.desk))

    assert [(each.refund.payment_id, each.refund.amount.minor_units) for each in given] == [
        (newest.id, 7_000),
        (first.id, 3_000),
    ]
    assert all(each.refund.is_pending and each.refund.confirmed is None for each in given)


def test_gives_no_more_back_than_what_stands_of_payments():
    """200.00 are ahead, and of payments 30.00 stand here: the less is given back."""
    account = ahead(20_000)

    (given,) = give_back_ahead(held(account, standing=3_000), account.desk)

    assert given.refund.amount.minor_units == 3_000


@pytest.mark.req("EVT-5")
def test_a_check_in_that_began_before_the_cancellation_is_no_earlier_than_it():
    """Begun at 10:00, it waited for a cancellation of 10:05: the guest is there since then."""
    desk = Desk()
    stay = Stay(arrival=ARRIVAL, departure=date(2026, 3, 12))
    plan = StayPlan(folio_id=desk.new_id(FolioId), property_id=KABUL, stay=stay)
    begun = desk.now
    desk.now = begun + timedelta(minutes=5)
    canceled = plan.canceled(desk)
    desk.now = begun

    arrived = canceled.arrived(desk)

    assert arrived.checked_in_at == canceled.canceled_at == begun + timedelta(minutes=5)


@pytest.mark.req("FOL-9")
def test_a_canceled_stay_is_no_no_show():
    account = Account(Desk(settings_of(rule(percent=10), no_show_fee_ppm=PPM)))
    night = PlannedCharge(
        night=ARRIVAL,
        place=0,
        kind=ChargeKind.ROOM,
        description={"en": "Room"},
        price=Money.of_minor_units(10_000, USD),
    )
    stay = Stay(arrival=ARRIVAL, departure=date(2026, 3, 12))
    plan = StayPlan(
        folio_id=account.folio.id, property_id=KABUL, stay=stay, planned=(night,)
    ).canceled(account.desk)

    audited = audit(plan, account.folio, ARRIVAL, account.desk)

    assert (audited.charges, audited.plan) == ((), plan)
