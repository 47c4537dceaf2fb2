"""A folio: opening it and charging to it. What it refuses leaves it as it was."""

import copy
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest

from common.domain.charge import AmountDiffers, Charge
from common.domain.folio import FolioAlreadyClosed, WindowUnknown
from common.domain.fx import FxRateInvalid
from common.domain.guest import Guest, Stay, StayInvalid
from common.domain.identifiers import PropertyId
from common.domain.money import (
    AmountNotInMinorUnits,
    AmountNotPositive,
    AmountOutOfRange,
    CurrenciesDiffer,
    Money,
)
from common.domain.refusal import Refusal
from common.domain.settings import PropertyUnknown
from common.domain.tax import TaxRuleMissing
from tests.domain.front_desk import (
    AFN,
    EUR,
    GUEST,
    JPY,
    MORNING,
    TENANT,
    USD,
    Account,
    Desk,
    figures,
    house,
    rate,
    rule,
    settings_of,
    usd,
)

TODAY = date(2026, 3, 2)


@pytest.mark.req("FOL-1")
class TestOpening:
    def test_takes_currency_and_business_date_from_the_property(self):
        """22:30 UTC on 1 March is 3:00 on the 2nd in Kabul, whose day ends at four: the 1st."""
        night = datetime(2026, 3, 1, 22, 30, tzinfo=UTC)
        folio = Account(Desk(now=night)).folio
        assert (folio.currency, folio.business_date) == (USD, date(2026, 3, 1))
        assert (folio.balance, folio.status, folio.version) == (usd(0), "open", 1)

    def test_pins_todays_rates_that_lead_to_its_currency(self):
        desk = Desk(settings_of(fx_rates=(rate(EUR, "1.08"), rate(USD, "0.92", EUR))))
        assert Account(desk).folio.rates.snapshots == (rate(EUR, "1.08"),)

    def test_pins_the_rates_that_are_given_instead(self):
        desk = Desk(settings_of(fx_rates=(rate(EUR, "1.08"),)))
        given = (rate(AFN, "0.0141"),)
        assert Account(desk, rates=given).folio.rates.snapshots == given

    def test_refuses_a_rate_that_leads_to_another_currency(self):
        with pytest.raises(CurrenciesDiffer):
            Account(rates=[rate(USD, "70.92", AFN)])

    def test_refuses_two_rates_for_one_currency(self):
        with pytest.raises(FxRateInvalid):
            Account(rates=[rate(EUR, "1.08"), rate(EUR, "1.09")])

    def test_keeps_another_currency_than_the_propertys_when_asked(self):
        folio = Account(currency=JPY).folio
        assert (folio.currency, folio.balance) == (JPY, Money.zero(JPY))

    def test_refuses_a_property_that_is_not_the_tenants(self):
        with pytest.raises(PropertyUnknown):
            Account(property_id=PropertyId(TENANT))

    def test_names_each_window_once_its_own_first(self):
        folio = Account(window="guest", windows=["company", "guest", "company"]).folio
        assert folio.windows == ("guest", "company")

    def test_refuses_a_route_to_a_window_that_it_lacks(self):
        with pytest.raises(WindowUnknown):
            Account(windows=["company"], routing={"room": "agency"})

    def test_refuses_a_stay_that_ends_before_it_begins(self):
        with pytest.raises(StayInvalid):
            Stay(arrival=TODAY, departure=date(2026, 3, 1))

    def test_takes_a_stay_of_one_day_without_a_night(self):
        assert Stay(arrival=TODAY, departure=TODAY).nights == 0


@pytest.mark.req("FOL-3", "FOL-4")
class TestCharging:
    def test_adds_the_price_and_the_tax_on_it_in_lines_of_their_own(self):
        """10 % of 120.00 is 12.00, on top."""
        account = Account()
        posted = account.charge(12000)
        assert figures(posted) == [("charge", 12000), ("tax", 1200)]
        charge, tax = posted.lines
        assert (charge.charge_id, tax.charge_id) == (charge.id, charge.id)
        assert (charge.business_date, charge.service_date) == (TODAY, TODAY)
        assert (tax.tax.rule_code, tax.tax.base, tax.corrects) == ("VAT", usd(12000), None)
        assert posted.balance == usd(13200)

    def test_takes_an_inclusive_tax_out_of_the_price(self):
        """110.00 contain 10.00 at 10 %: 100.00 are earned."""
        account = Account(Desk(settings_of(rule(percent=10, inclusive=True))))
        assert figures(account.charge(11000)) == [("charge", 10000), ("tax", 1000)]

    def test_numbers_lines_without_a_gap_and_facts_one_by_one(self):
        account = Account()
        told = [account.charge(100), account.charge(200), account.pay(100)]
        assert [line.sequence for line in account.lines] == [1, 2, 3, 4, 5]
        assert [fact.sequence for fact in told] == [2, 3, 4]
        assert account.folio.version == 4

    def test_sends_a_kind_to_the_window_of_its_route(self):
        account = Account(windows=["company"], routing={"room": "company"})
        windows = [account.charge(100, kind).lines[0].window for kind in ("room", "spa")]
        assert windows == ["company", "guest"]

    def test_prefers_the_window_that_is_asked_for(self):
        account = Account(windows=["company"], routing={"room": "company"})
        assert {line.window for line in account.charge(100, window="guest").lines} == {"guest"}

    def test_refuses_a_window_that_the_folio_lacks(self):
        with pytest.raises(WindowUnknown):
            Account().charge(100, window="agency")

    def test_refuses_another_currency(self):
        euros = Money.of_minor_units(100, EUR)
        with pytest.raises(CurrenciesDiffer):
            Account().charge(1, unit_amount=euros, amount=euros)

    @pytest.mark.parametrize("cents", [0, -1])
    def test_refuses_what_is_not_more_than_nothing(self, cents: int):
        with pytest.raises(AmountNotPositive):
            Account().charge(cents)

    def test_refuses_a_part_of_a_cent(self):
        with pytest.raises(AmountNotInMinorUnits):
            Account().charge(1, amount=Money(12_345, USD))

    def test_refuses_a_balance_that_cannot_be_kept_exactly(self):
        """The bound is 9,007,199,254.740991."""
        account = Account(Desk(settings_of(rule(percent=0))))
        account.charge(900_000_000_000)
        with pytest.raises(AmountOutOfRange):
            account.charge(900_000_000_000)
        assert account.balance == account.in_the_ledger() == 900_000_000_000

    def test_is_refused_late_on_a_closed_folio(self):
        account = Account()
        account.close()
        with pytest.raises(FolioAlreadyClosed):
            account.charge(100)

    def test_books_revenue_by_kind_and_what_is_owed_to_the_tax_office(self):
        """10 % of 120.00 and of 20.00."""
        account = Account()
        account.charge(12000)
        account.charge(2000, "minibar")
        owed = {name: account.in_the_ledger(name) for name in ("revenue:room", "revenue:minibar")}
        assert owed == {"revenue:room": -12000, "revenue:minibar": -2000}
        assert account.in_the_ledger("tax_payable:VAT") == -1400
        assert account.balance == account.in_the_ledger() == 15400


@pytest.mark.req("FOL-3", "MON-3")
class TestPricing:
    def test_multiplies_and_rounds_once(self):
        """1.5 times 3.33 is 4.995, half a cent goes up; 0.3333 times 3 is 0.9999."""
        assert Charge.price("1.5", usd(333), None) == usd(500)
        assert Charge.price("3", Money(333_300, USD), None) == usd(100)

    def test_refuses_an_amount_that_is_not_quantity_times_unit(self):
        with pytest.raises(AmountDiffers) as refused:
            Charge.price("2", usd(100), usd(201))
        assert refused.value.extra == {"expectedMicro": 2_000_000}

    def test_refuses_an_amount_in_another_currency(self):
        with pytest.raises(CurrenciesDiffer):
            Charge.price("1", usd(100), Money.of_minor_units(100, EUR))

    def test_refuses_what_rounds_to_nothing(self):
        with pytest.raises(AmountNotPositive):
            Charge.price("0.004", usd(100), None)

    def test_refuses_an_amount_finer_than_a_cent(self):
        with pytest.raises(AmountNotInMinorUnits):
            Charge.price("1", Money(1_005_000, USD), Money(1_005_000, USD))


@pytest.mark.req("TAX-2")
class TestWithoutARule:
    spa_only = rule(percent=10, charge_kinds=frozenset({"spa"}))

    def test_is_refused(self):
        account = Account(Desk(settings_of(self.spa_only)))
        with pytest.raises(TaxRuleMissing) as refused:
            account.charge(10000, service_date=date(2026, 3, 1))
        assert refused.value.extra == {
            "kind": "room",
            "on": "2026-03-01",
            "jurisdiction": "AF-KBL",
        }

    def test_is_marked_untaxed_while_the_property_allows_it(self):
        hotel = house(untaxed_until=MORNING + timedelta(hours=1))
        posted = Account(Desk(settings_of(self.spa_only, hotel=hotel))).charge(10000)
        assert figures(posted) == [("charge", 10000)]
        assert posted.lines[0].untaxed == "allowed"

    def test_is_refused_again_when_the_permission_has_ended(self):
        hotel = house(untaxed_until=MORNING)
        with pytest.raises(TaxRuleMissing):
            Account(Desk(settings_of(self.spa_only, hotel=hotel))).charge(10000)

    def test_a_permission_takes_no_tax_off_where_there_is_a_rule(self):
        hotel = house(untaxed_until=MORNING + timedelta(hours=1))
        posted = Account(Desk(settings_of(self.spa_only, hotel=hotel))).charge(10000, "spa")
        assert figures(posted) == [("charge", 10000), ("tax", 1000)]

    def test_names_why_a_guest_is_spared(self):
        desk = Desk(settings_of(rule(percent=10, exemptions=frozenset({"diplomat"}))))
        guest = Guest(name="H. E.", exemptions=frozenset({"diplomat"}))
        posted = Account(desk, guest=guest).charge(10000)
        assert figures(posted) == [("charge", 10000)]
        assert posted.lines[0].untaxed == "diplomat"

    def test_spares_a_long_stay_by_the_nights_of_the_whole_of_it(self):
        desk = Desk(settings_of(rule(percent=10, long_stay_over_nights=27)))
        stay = Stay(arrival=date(2026, 3, 1), departure=date(2026, 3, 29))
        assert Account(desk, stay=stay).charge(10000).lines[0].untaxed == "long_stay"


@pytest.mark.req("TAX-1", "FOL-12")
class TestCityTax:
    """2.00 a person and night, from 18 years on, for the first 3 nights of a stay."""

    desk_with_city_tax = staticmethod(
        lambda: Desk(
            settings_of(
                rule(percent=10),
                rule("CITY", per_person_night=usd(200), cap_nights=3, from_age=18, category="O"),
            )
        )
    )

    def test_counts_nights_and_persons(self):
        """2 nights for 2 persons: 8.00."""
        posted = Account(self.desk_with_city_tax()).charge(20000, nights=2, persons=2)
        assert figures(posted) == [("charge", 20000), ("tax", 800), ("tax", 2000)]

    def test_ends_with_the_night_that_it_is_capped_at(self):
        """Nights 3 and 4 of the stay: one of them, 2.00."""
        posted = Account(self.desk_with_city_tax()).charge(20000, nights=2, first_night=3)
        assert figures(posted) == [("charge", 20000), ("tax", 200), ("tax", 2000)]

    def test_spares_children_whose_ages_are_known(self):
        """Two adults (one of them 18) and a child: 4.00."""
        posted = Account(self.desk_with_city_tax()).charge(10000, persons=3, ages=(18, 17))
        assert figures(posted) == [("charge", 10000), ("tax", 400), ("tax", 1000)]


@pytest.mark.req("FOL-4")
class TestRefusedCommand:
    """Commands of one transaction share an aggregate by shallow copies (see `aggregate`)."""

    @pytest.mark.parametrize(
        "command",
        [
            lambda account: account.charge(900_000_000_000),
            lambda account: account.charge(100, window="agency"),
            lambda account: account.adjust(account.lines[0].charge_id, -1001),
            lambda account: account.adjust(account.lines[0].charge_id, 900_000_000_000),
            lambda account: account.void(account.lines[2].charge_id),
            lambda account: account.pay(900_000_000_000),
            lambda account: account.close(),
        ],
        ids=["too much", "window", "below zero", "beyond", "twice", "overpaid", "owing"],
    )
    def test_leaves_the_folio_as_it_was(self, command: Callable[[Account], object]):
        account = Account(Desk(settings_of(rule(percent=7), rounds_tax_per_invoice=True)))
        account.charge(1000)
        account.void(account.charge(105).lines[0].charge_id)
        account.charge(800_000_000_000, "deposit")
        before = copy.deepcopy(account.folio)
        with pytest.raises(Refusal):
            command(account)
        assert account.folio == before

    @pytest.mark.parametrize(
        "command",
        [
            lambda account: account.charge(1000),
            lambda account: account.adjust(account.lines[0].charge_id, -10),
            lambda account: account.void(account.lines[0].charge_id),
            lambda account: account.pay(10, allow_credit=True),
            lambda account: account.close(),
        ],
        ids=["charge", "adjust", "void", "pay", "close"],
    )
    def test_that_is_refused_after_the_folio_agreed_leaves_no_trace_on_it(
        self, command: Callable[[Account], object]
    ):
        """The folio said yes on the command's copy; then something else said no."""
        account = Account(Desk(settings_of(rule(percent=7), rounds_tax_per_invoice=True)))
        account.charge(1000)
        account.pay(1070)
        shared = account.folio
        before = copy.deepcopy(shared)
        command(account)
        assert account.folio is not shared
        assert shared == before

    def test_shares_no_lines_with_a_copy_that_is_dropped(self):
        kept = Account().folio
        dropped = copy.copy(kept)
        (line,) = dropped.add(Account().charge(100).lines[0])
        assert (kept.fresh, kept.last_line, kept.balance) == ((), 0, usd(0))
        assert dropped.fresh == (line,)


@pytest.mark.req("FOL-4")
def test_a_batch_on_one_folio_leaves_all_its_lines_to_be_written():
    """Three charges with a tax each, before the folio is kept."""
    account = Account()
    posted = [account.charge(price) for price in (100, 200, 300)]
    folio = account.folio
    for fact in posted:
        folio.add(*fact.lines)
    assert [line.sequence for line in folio.fresh] == [7, 8, 9, 10, 11, 12]
    assert folio.balance == usd(1320)


@pytest.mark.req("GDPR-1", "AUD-2")
def test_its_state_in_the_audit_trail_names_no_guest():
    account = Account(reservation_id="RES-1")
    text = str(account.folio.state())
    assert GUEST.name not in text
    assert "RES-1" in text
