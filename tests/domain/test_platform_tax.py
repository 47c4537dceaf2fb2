"""Whose tax the platform charges, and that it is charged and given back to the cent (SUB-5)."""

import random
from copy import copy
from datetime import UTC, date, datetime, timedelta

import pytest

from common.contracts.vat_ids import vat_id_of
from common.domain.identifiers import SubscriptionId
from common.domain.money import Money
from common.domain.platform_tax import (
    MEMBER_STATES,
    CountryRate,
    PlatformTaxRules,
    PlatformTaxRulesId,
    PlatformTaxRulesInvalid,
    Seller,
    TaxedCustomer,
    Treatment,
    quarter_of,
    treatment_by,
)
from common.domain.subscription import Subscription, begin, change_of
from common.domain.subscription_invoice import Bill, entries_of
from common.domain.subscription_life import renew
from common.domain.subscription_quote import outcome_of
from tests.domain.test_subscription import START, changed, terms, usd

pytestmark = pytest.mark.req("SUB-5")
NEW_YEAR = datetime(2027, 1, 1, tzinfo=UTC)


def berlin(country: str = "DE", **more: object) -> PlatformTaxRules:
    """19 % at home and 21 % everywhere else, but for Germany's 16 % from 1 January 2027 on."""
    seller = Seller(
        name="Melmastoon GmbH",
        address_lines=("Invalidenstrasse 1",),
        country=country,
        tax_id="DE136695976",
        time_zone="Europe/Berlin",
    )
    rates = [
        CountryRate(country=each, rate_ppm=210_000, valid_from=date(2020, 1, 1))
        for each in sorted(MEMBER_STATES - {"DE"} | {country} - {"DE"})
    ]
    rates += [
        CountryRate(country="DE", rate_ppm=190_000, valid_from=date(2020, 1, 1)),
        CountryRate(country="DE", rate_ppm=160_000, valid_from=date(2027, 1, 1)),
    ]
    given = {
        "id": PlatformTaxRulesId.of("0" * 26),
        "number": 1,
        "seller": seller,
        "one_stop_shop": True,
        "rates": tuple(rates),
        "in_force_from": START,
        "published_at": START,
        **more,
    }
    return PlatformTaxRules(**given)  # type: ignore[arg-type]  # whatever a test wants otherwise


def taxed(rules: PlatformTaxRules, cents: int = 2_900, country: str = "DE") -> Subscription:
    by = rules.treat(TaxedCustomer(country=country), START)
    return begin(SubscriptionId.of("0" * 26), terms(cents), "UTC", START, None, taxed=by).subject


@pytest.mark.parametrize(
    ("home", "shop", "there", "vat_id", "treatment", "rate_ppm"),
    [
        ("DE", True, "DE", None, Treatment.DOMESTIC, 190_000),
        ("DE", True, "DE", "DE136695976", Treatment.DOMESTIC, 190_000),
        ("DE", True, "FR", "FR40303265045", Treatment.REVERSE_CHARGE, 0),
        ("DE", True, "FR", None, Treatment.ONE_STOP_SHOP, 210_000),
        ("DE", False, "FR", None, Treatment.DOMESTIC, 190_000),
        ("DE", False, "FR", "FR40303265045", Treatment.REVERSE_CHARGE, 0),
        ("DE", True, "AF", None, Treatment.ELSEWHERE, 0),
        ("DE", True, "GB", None, Treatment.ELSEWHERE, 0),
        ("AE", True, "AE", None, Treatment.DOMESTIC, 210_000),
        ("AE", True, "AF", None, Treatment.ELSEWHERE, 0),
        ("AE", True, "FR", None, Treatment.ONE_STOP_SHOP, 210_000),
        ("AE", True, "FR", "FR40303265045", Treatment.REVERSE_CHARGE, 0),
        ("AE", False, "FR", None, Treatment.ELSEWHERE, 0),
    ],
)
def test_a_tax_is_owed_where_the_customer_is(
    home: str, shop: bool, there: str, vat_id: str | None, treatment: Treatment, rate_ppm: int
) -> None:
    rules = berlin(home, one_stop_shop=shop)

    by = rules.treat(TaxedCustomer(country=there, vat_id=vat_id), START)

    assert (by.treatment, by.rate_ppm, by.vat_id) == (treatment, rate_ppm, vat_id)
    assert by.seller == rules.seller
    taxes = {Treatment.DOMESTIC: home, Treatment.ONE_STOP_SHOP: there}
    assert by.country == taxes.get(treatment, there)


def test_without_a_seller_nothing_is_taxed_and_the_bill_says_why() -> None:
    by = treatment_by(None, TaxedCustomer(country="DE"), START)

    assert (by.treatment, by.seller, by.on(usd(2_900))) == (Treatment.NO_SELLER, None, usd(0))
    assert "named no seller" in by.note


def test_a_rate_begins_at_midnight_where_the_seller_is() -> None:
    """Berlin's new year begins an hour before that of Greenwich; quarters are of that calendar."""
    customer, hour = TaxedCustomer(country="DE"), timedelta(hours=1)

    rates = [
        berlin().treat(customer, NEW_YEAR - hour - timedelta(seconds=1)).rate_ppm,
        berlin().treat(customer, NEW_YEAR - hour).rate_ppm,
    ]

    assert rates == [190_000, 160_000]
    assert quarter_of(berlin().seller.day(NEW_YEAR - hour)) == (2027, 1)
    assert [quarter_of(date(2026, month, 1))[1] for month in (1, 3, 4, 9, 10, 12)] == [
        *(1, 1, 2, 3, 4, 4)
    ]


def test_the_numbers_of_the_union_are_read_by_their_check_digits() -> None:
    """As they are printed; a digit more or less, or another country's, is none of that country."""
    assert vat_id_of("FR 40 303265045", "FR") == "FR40303265045"
    assert vat_id_of("EL 094259216", "GR") == "EL094259216"
    assert vat_id_of("atu12011204", "AT") == "ATU12011204"
    for text, country in (
        ("FR41303265045", "FR"),
        ("FR40303265045", "DE"),
        ("DE136695977", "DE"),
        ("136695976", "DE"),
        ("GR094259216x", "GR"),
        ("AF-1", "AF"),
        ("", "DE"),
    ):
        assert vat_id_of(text, country) is None


@pytest.mark.parametrize(
    "more",
    [
        {"rates": (CountryRate(country="DE", rate_ppm=1, valid_from=date(2020, 1, 1)),)},
        {"rates": (*berlin().rates, berlin().rates[0])},
        {"rates": berlin().rates[:-2]},
        {"rates": (*berlin().rates[:-2], berlin().rates[-1])},
        {"in_force_from": START - timedelta(seconds=1)},
    ],
)
def test_refuses_rules_that_would_leave_a_bill_without_a_rate(more: dict[str, object]) -> None:
    """A state's rate that is missing, is given twice, or begins too late; rules for the past."""
    with pytest.raises(PlatformTaxRulesInvalid):
        berlin(**more).published(seller_is_known=True)


def test_refuses_a_seller_of_the_union_without_a_valid_number() -> None:
    with pytest.raises(PlatformTaxRulesInvalid):
        berlin().published(seller_is_known=False)
    assert berlin("AE").published(seller_is_known=False).subject.number == 1


def test_a_bill_has_one_rounding_and_is_booked_whole() -> None:
    """29.00 and 19 %: 5.51, so 34.51. Down to 10.00 in the same second: 19.00 and 3.61 are back.

    0.03 at 19 % is 0.0057, a cent; 0.02 is 0.0038, none.
    """
    subscription = taxed(berlin())
    assert (subscription.taxed.on(usd(3)), subscription.taxed.on(usd(2))) == (usd(1), usd(0))

    bill = changed(subscription, terms(1_000), START)

    assert bill is not None
    assert (bill.net, bill.tax, bill.total) == (usd(-1_900), usd(-361), usd(-2_261))
    assert (bill.due, subscription.credit) == (usd(0), usd(2_261))
    booked = [(each.debit, each.credit, each.amount) for each in entries_of(bill)]
    assert booked == [
        ("subscription_revenue", "customer_credit", usd(1_900)),
        ("vat_payable:DE", "customer_credit", usd(361)),
    ]
    following = renew(subscription, subscription.period.end).bill
    assert following is not None
    assert (following.total, following.brought, following.due) == (usd(1_190), usd(1_190), usd(0))
    booked = [(each.debit, each.credit, each.amount) for each in entries_of(following)]
    assert booked == [
        ("receivable", "subscription_revenue", usd(1_000)),
        ("receivable", "vat_payable:DE", usd(190)),
        ("customer_credit", "receivable", usd(1_190)),
    ]


def test_what_changes_within_a_period_is_taxed_as_the_period_was() -> None:
    """Billed at 19 %, changed when the rules say 16 %: 71.00 more cost 13.49. The next are 16 %."""
    subscription = taxed(berlin())
    subscription.taxed = berlin().treat(TaxedCustomer(country="DE"), NEW_YEAR)

    up = changed(subscription, terms(10_000), START)
    down = changed(subscription, terms(2_900), START)
    following = renew(subscription, subscription.period.end).bill

    assert up is not None
    assert down is not None
    assert following is not None
    assert (up.tax, down.tax, following.tax) == (usd(1_349), usd(-1_349), usd(464))
    assert subscription.period_taxed.rate_ppm == 160_000


@pytest.mark.req("BEY-5")
def test_a_quote_binds_how_it_is_taxed() -> None:
    """The same sums, as no tax is charged on either; but the one says that the customer owes it."""
    told = []
    for customer in (TaxedCustomer(country="AF"), TaxedCustomer(country="FR", vat_id="FR1")):
        subscription = taxed(berlin())
        subscription.period_taxed = berlin().treat(customer, START)
        told.append(change_of(subscription, terms(9_900), terms(9_900), START, "why"))

    assert told[0].bill is not None
    assert told[1].bill is not None
    assert told[0].bill.due == told[1].bill.due
    assert outcome_of(told[0]) != outcome_of(told[1])


@pytest.mark.req("BEY-5", "BEY-8")
def test_a_change_and_its_undoing_cost_nothing_whatever_the_rate() -> None:
    """300 pairs: any rate, any fees, any second; what was quoted from a copy is what is charged."""
    rng = random.Random(20261130)
    for _ in range(300):
        rules = berlin(
            rates=tuple(
                CountryRate(
                    country=each, rate_ppm=rng.randrange(300_000), valid_from=date(2020, 1, 1)
                )
                for each in sorted(MEMBER_STATES)
            )
        )
        subscription = taxed(rules, rng.randrange(1, 10_000), rng.choice(["DE", "FR", "HU"]))
        before, wanted = subscription.terms, terms(rng.randrange(10_001, 30_000))
        at = START + timedelta(seconds=rng.randrange(30 * 86_400))
        settled: list[Bill] = []
        for asked in (wanted, before) * 2:
            quoted = change_of(copy(subscription), asked, asked, at, "why")
            charged = change_of(subscription, asked, asked, at, "why")
            assert charged.bill is not None
            assert charged.bill == quoted.bill
            assert outcome_of(charged) == outcome_of(quoted)
            settled.append(charged.bill)
        first, second = settled[2:]
        assert first.total + second.total == usd(0)
        assert first.tax + second.tax == usd(0)
        owed = Money.total((bill.due for bill in settled), first.due.currency)
        given = Money.total((bill.total for bill in settled), first.due.currency)
        assert owed - given == subscription.credit
