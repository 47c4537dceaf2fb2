"""A charge for several nights is taxed night by night (FOL-12): cut, shared out, added up again.

The hotel's VAT is 10 % until 31 March 2026 and 12 % from 1 April on, unless a test says otherwise.
"""

from dataclasses import replace
from datetime import date

import pytest

from common.domain.charge import TaxRuleMissing
from common.domain.folio_line import standing
from common.domain.guest import Guest, Stay
from common.domain.money import Money
from common.domain.nights import Occupancy, Stretch, stretches
from tests.domain.front_desk import USD, Account, Desk, figures, house, rule, settings_of, usd

pytestmark = pytest.mark.req("FOL-12", "TAX-1")

APRIL = date(2026, 4, 1)
OLD = rule(percent=10, valid_to=APRIL)
NEW = rule(percent=12, valid_from=APRIL)
MARCH_30 = date(2026, 3, 30)


def cut(*rules, nights: int, first_night: int = 1) -> list[tuple[str, int, int]]:
    """(day, nights, place in the stay) of each stretch."""
    occupancy = Occupancy(nights=nights, first_night=first_night)
    found = stretches(MARCH_30, occupancy, "room", "AF-KBL", rules)
    return [(s.on.isoformat(), s.occupancy.nights, s.occupancy.first_night) for s in found]


def changing(**given: object) -> Account:
    return Account(Desk(settings_of(OLD, NEW, **given)))


class TestNights:
    def test_stand_together_while_nothing_changes(self):
        assert cut(rule(percent=10), nights=9) == [("2026-03-30", 9, 1)]

    def test_are_cut_where_one_rule_follows_another(self):
        """The nights of 30 and 31 March, and those of 1 to 3 April."""
        assert cut(OLD, NEW, nights=5) == [("2026-03-30", 2, 1), ("2026-04-01", 3, 3)]

    def test_are_cut_where_a_rate_reaches_its_cap(self):
        """The third night is the last one with the levy: nights 2 and 3, then 4 and 5."""
        levy = rule("CITY", 5, cap_nights=3)
        assert cut(rule(percent=10), levy, nights=4, first_night=2) == [
            ("2026-03-30", 2, 2),
            ("2026-04-01", 2, 4),
        ]

    @pytest.mark.parametrize(
        "other",
        [
            rule("SPA", 5, valid_from=APRIL, charge_kinds=frozenset({"spa"})),
            rule("HER", 5, valid_from=APRIL, jurisdiction="AF-HER"),
            rule("BED", per_night=usd(100), cap_nights=2),
            rule("LATER", 5, valid_from=date(2026, 4, 3)),
            rule("BEFORE", 5, valid_to=MARCH_30),
        ],
        ids=["kind", "place", "fixed amount", "after the stay", "before the stay"],
    )
    def test_are_not_cut_by_what_does_not_change_them(self, other):
        assert cut(rule(percent=10), other, nights=4) == [("2026-03-30", 4, 1)]

    def test_of_no_number_are_one_stretch(self):
        occupancy = Occupancy(nights=0)
        assert stretches(APRIL, occupancy, "room", "AF-KBL", [OLD, NEW]) == [
            Stretch(APRIL, occupancy)
        ]


class TestAChargeOverARateChange:
    def test_is_a_line_for_each_stretch_with_the_taxes_of_its_days(self):
        """5 nights at 100.00: 2 x 100.00 and 10 % are 220.00; 3 x 100.00 and 12 % are 336.00."""
        account = changing()
        posted = account.charge(
            50_000, quantity="5", unit_amount=usd(10_000), nights=5, service_date=MARCH_30
        )
        assert figures(posted) == [
            ("charge", 20_000), ("tax", 2_000), ("charge", 30_000), ("tax", 3_600),
        ]  # fmt: skip
        first, _, second, _ = posted.lines
        assert (first.quantity, first.unit_amount) == ("2", usd(10_000))
        assert (second.quantity, second.unit_amount) == ("3", usd(10_000))
        assert (first.service_date, second.service_date) == (MARCH_30, APRIL)
        assert {line.charge_id for line in posted.lines} == {first.id}
        assert second.id != first.id
        assert account.balance == 55_600

    def test_shares_a_package_out_by_the_nights_to_the_cent(self):
        """100.00 for 3 nights, one in March: 33.33 and 66.67, as the larger remainder is that of
        66.666...; 10 % of 33.33 are 3.33, 12 % of 66.67 are 8.00. Together 111.33."""
        account = changing()
        posted = account.charge(10_000, nights=3, service_date=date(2026, 3, 31))
        assert figures(posted) == [
            ("charge", 3_333), ("tax", 333), ("charge", 6_667), ("tax", 800),
        ]  # fmt: skip
        assert [line.quantity for line in posted.lines if not line.tax] == ["1", "1"]
        assert account.balance == 11_133

    def test_at_a_price_finer_than_a_cent_is_counted_where_that_comes_to_its_share(self):
        """3 x 33.335 = 100.005, or 100.01. One night is 33.34, as is 1 x 33.335; two are
        66.67, which is 2 x 33.335."""
        account = changing()
        fine = Money(33_335_000, USD)
        posted = account.charge(
            10_001, quantity="3", unit_amount=fine, nights=3, service_date=date(2026, 3, 31)
        )
        charges = [line for line in posted.lines if not line.tax]
        assert [(line.quantity, line.unit_amount, line.amount) for line in charges] == [
            ("1", fine, usd(3_334)), ("2", fine, usd(6_667)),
        ]  # fmt: skip

    def test_is_one_piece_where_nights_at_that_price_do_not_come_to_its_share(self):
        """4 x 0.014 = 0.056, or 0.06. Shared out by 1 and 3 nights: 0.015 and 0.045 leave a cent,
        which goes to the first of two equal remainders: 0.02 and 0.04. 1 x 0.014 is 0.01, so the
        first is a piece at 0.02; 3 x 0.014 = 0.042, or 0.04, so the others are counted."""
        account = changing()
        fine = Money(14_000, USD)
        posted = account.charge(
            6, quantity="4", unit_amount=fine, nights=4, service_date=date(2026, 3, 31)
        )
        charges = [line for line in posted.lines if not line.tax]
        assert [(line.quantity, line.unit_amount, line.amount) for line in charges] == [
            ("1", usd(2), usd(2)), ("3", fine, usd(4)),
        ]  # fmt: skip

    def test_is_named_once_by_what_posted_it(self):
        posted = changing().charge(
            20_000, nights=2, service_date=date(2026, 3, 31), external_reference="POS-1"
        )
        references = [line.external_reference for line in posted.lines]
        assert references == ["POS-1", None, None, None]

    def test_is_voided_as_a_whole(self):
        account = changing()
        posted = account.charge(20_000, nights=2, service_date=date(2026, 3, 31))
        voided = account.void(posted.lines[0].charge_id)
        assert figures(voided) == [("void", -a) for a in (10_000, 1_000, 10_000, 1_200)]
        assert (account.balance, standing(account.lines)) == (0, [])

    def test_is_adjusted_night_by_night_at_the_rates_of_the_nights(self):
        """30.00 off 300.00, of which two thirds are April's: 10.00 with 10 %, 20.00 with 12 %."""
        account = changing()
        posted = account.charge(30_000, nights=3, service_date=date(2026, 3, 31))
        adjusted = account.adjust(posted.lines[0].charge_id, -3_000)
        assert figures(adjusted) == [
            ("adjustment", -1_000), ("tax", -100), ("adjustment", -2_000), ("tax", -240),
        ]  # fmt: skip

    def test_of_a_price_that_contains_its_tax_keeps_the_price(self):
        """110.00 with 10 % in it are 100.00 and 10.00; with 12 % in it, 98.21 and 11.79."""
        account = Account(
            Desk(settings_of(replace(OLD, inclusive=True), replace(NEW, inclusive=True)))
        )
        posted = account.charge(22_000, nights=2, service_date=date(2026, 3, 31))
        assert figures(posted) == [
            ("charge", 10_000), ("tax", 1_000), ("charge", 9_821), ("tax", 1_179),
        ]  # fmt: skip
        assert account.balance == 22_000

    def test_is_refused_for_one_night_without_a_rule_and_leaves_nothing(self):
        account = Account(Desk(settings_of(OLD)))
        with pytest.raises(TaxRuleMissing) as refused:
            account.charge(20_000, nights=2, service_date=date(2026, 3, 31))
        assert refused.value.extra["on"] == "2026-04-01"
        assert (account.folio.last_line, account.balance) == (0, 0)


class TestTheStayOfTheFolio:
    stay = Stay(arrival=MARCH_30, departure=date(2026, 4, 6))
    capped = staticmethod(
        lambda: Desk(
            settings_of(
                rule(percent=10),
                rule("CITY", per_person_night=usd(200), cap_nights=3, levy=True, category="O"),
            )
        )
    )

    @pytest.mark.parametrize(
        ("night", "levied"), [("2026-03-30", 200), ("2026-04-01", 200), ("2026-04-02", 0)]
    )
    def test_says_which_night_a_charge_is_for(self, night, levied):
        """Nights posted one at a time: the third is the last one that the cap leaves."""
        account = Account(self.capped(), stay=self.stay)
        posted = account.charge(10_000, service_date=date.fromisoformat(night))
        assert sum(li.amount.minor_units for li in posted.lines if li.tax and li.tax.levy) == levied

    def test_yields_to_what_the_charge_says_itself(self):
        account = Account(self.capped(), stay=self.stay)
        posted = account.charge(10_000, service_date=MARCH_30, first_night=4)
        assert figures(posted) == [("charge", 10_000), ("tax", 1_000)]

    def test_counts_a_day_before_it_as_its_first(self):
        account = Account(self.capped(), stay=self.stay)
        posted = account.charge(10_000, service_date=date(2026, 3, 20))
        assert figures(posted) == [("charge", 10_000), ("tax", 200), ("tax", 1_000)]

    def test_ends_a_rate_within_one_charge(self):
        """5 % for 3 nights of a stay, on 4 nights of 100.00: 15.00, and 10 % on all of it."""
        levy = rule("CITY", 5, cap_nights=3, levy=True)
        account = Account(Desk(settings_of(rule(percent=10), levy)), stay=self.stay)
        posted = account.charge(40_000, nights=4, service_date=MARCH_30)
        assert figures(posted) == [
            ("charge", 30_000), ("tax", 1_500), ("tax", 3_000), ("charge", 10_000), ("tax", 1_000),
        ]  # fmt: skip

    def test_spares_a_diplomat_each_night(self):
        levy = rule("CITY", 5, exemptions=frozenset({"diplomat"}))
        guest = Guest(name="H. E.", exemptions=frozenset({"diplomat"}))
        account = Account(Desk(settings_of(OLD, NEW, levy)), guest=guest)
        posted = account.charge(20_000, nights=2, service_date=date(2026, 3, 31))
        assert figures(posted) == [
            ("charge", 10_000), ("tax", 1_000), ("charge", 10_000), ("tax", 1_200),
        ]  # fmt: skip


def test_an_untaxed_night_is_a_line_of_its_own_and_says_so():
    hotel = house(untaxed_until=Desk().now.replace(hour=20))
    account = Account(Desk(settings_of(OLD, hotel=hotel)))
    posted = account.charge(20_000, nights=2, service_date=date(2026, 3, 31))
    assert figures(posted) == [("charge", 10_000), ("tax", 1_000), ("charge", 10_000)]
    assert [line.untaxed for line in posted.lines] == [None, None, "allowed"]
