"""Whole stays in three cities, with every tax worked out by hand (TAX-1, TAX-3, FOL-12).

The rates are those of the places at the time, put simply; what is tested is that a hotel there
comes to the figures that its accountant comes to.
"""

import json
from datetime import date, timedelta
from typing import Any

import pytest

from common.domain.guest import Stay
from common.domain.money import Currency, Money
from tests.domain.front_desk import (
    AFN,
    EUR,
    USD,
    Account,
    Desk,
    figures,
    house,
    rate,
    rule,
    series,
    settings_of,
)

pytestmark = pytest.mark.req("TAX-1", "TAX-3", "FOL-12")

AED = Currency("AED")
ROOM, TABLE = frozenset({"room"}), frozenset({"food_beverage"})
EUROPE_CHANGES = date(2026, 1, 1)


def breakdown(account: Account) -> list[tuple[str, int, int]]:
    """(code, base, tax) of each group on the invoice, in minor units."""
    payload: dict[str, Any] = json.loads(account.invoice(account.close(), series()).payload)
    return [
        (group["code"], group["baseMicro"] // 10_000, group["amountMicro"] // 10_000)
        for group in payload["taxBreakdown"]
    ]


class TestDubai:
    """A room at 500.00 dirhams. 10 % service charge on the price; 10 % municipality fee on price
    and service charge; 5 % VAT on all three; the tourism dirham, 15.00 a room and night, on top.
    """

    RULES = (
        rule("SERVICE", 10, charge_kinds=ROOM, order=0),
        rule("MUNICIPALITY", 10, charge_kinds=ROOM, order=1, levy=True),
        rule("VAT", 5, charge_kinds=ROOM, order=2),
        rule(
            "TOURISM",
            per_night=Money.of_minor_units(1_500, AED),
            charge_kinds=ROOM,
            order=2,
            levy=True,
            cap_nights=30,
        ),
    )

    def guest(self) -> Account:
        hotel = house(currency=AED)
        return Account(Desk(settings_of(*self.RULES, hotel=hotel)), currency=AED)

    def test_a_night_compounds_as_the_emirate_asks(self) -> None:
        """500.00; 50.00; 10 % of 550.00 are 55.00; 5 % of 605.00 are 30.25; 15.00: 650.25."""
        account = self.guest()

        assert figures(account.charge(50_000)) == [
            ("charge", 50_000), ("tax", 5_000), ("tax", 5_500), ("tax", 1_500), ("tax", 3_025),
        ]  # fmt: skip
        assert account.balance == 65_025

    def test_three_nights_in_one_charge_come_to_three_nights(self) -> None:
        """3 x 650.25 = 1,950.75: service 150.00, fee 165.00, tourism 45.00, VAT 90.75.
        What has order 2 stands on 1,500.00 + 150.00 + 165.00 = 1,815.00."""
        account = self.guest()
        account.charge(
            150_000, quantity="3", unit_amount=Money.of_minor_units(50_000, AED), nights=3
        )
        account.pay(195_075, method="card")

        assert breakdown(account) == [
            ("MUNICIPALITY", 165_000, 16_500),
            ("SERVICE", 150_000, 15_000),
            ("TOURISM", 181_500, 4_500),
            ("VAT", 181_500, 9_075),
        ]
        assert account.in_the_ledger("tax_payable:VAT", AED) == -9_075


class TestBerlin:
    """Two nights over New Year 2026 at 120.00 with 7 % in the price; breakfast for two at 36.00,
    with 19 % in it until the end of 2025 and 7 % from then on; city tax, 7.5 % of the net price.
    """

    RULES = (
        rule("VAT", 7, charge_kinds=ROOM, inclusive=True, valid_from=date(2025, 1, 1)),
        rule("CITY", rate_ppm=75_000, charge_kinds=ROOM, levy=True, valid_from=date(2025, 1, 1)),
        rule(
            "VAT",
            19,
            charge_kinds=TABLE,
            inclusive=True,
            valid_from=date(2025, 1, 1),
            valid_to=EUROPE_CHANGES,
        ),
        rule("VAT", 7, charge_kinds=TABLE, inclusive=True, valid_from=EUROPE_CHANGES),
    )

    def test_a_stay_is_taxed_by_the_rates_of_its_days(self) -> None:
        """The room: 240.00 hold 240 x 7/107 = 15.70; 224.30 net; 7.5 % of it are 16.82.
        Breakfast of 31 December: 36.00 hold 36 x 19/119 = 5.75, of 1 January 36 x 7/107 = 2.36.
        Together 240.00 + 16.82 + 36.00 + 36.00 = 328.82; at 7 % 224.30 + 33.64 = 257.94 net."""
        hotel = house(currency=EUR)
        account = Account(Desk(settings_of(*self.RULES, hotel=hotel)), currency=EUR)
        arrival = date(2025, 12, 30)
        room = account.charge(
            24_000,
            quantity="2",
            unit_amount=Money.of_minor_units(12_000, EUR),
            nights=2,
            persons=2,
            service_date=arrival,
        )
        breakfasts = [
            account.charge(3_600, "food_beverage", service_date=arrival + timedelta(days=day))
            for day in (1, 2)
        ]

        assert sorted(figures(room)) == [("charge", 22_430), ("tax", 1_570), ("tax", 1_682)]
        assert [figures(each) for each in breakfasts] == [
            [("charge", 3_025), ("tax", 575)],
            [("charge", 3_364), ("tax", 236)],
        ]
        assert account.balance == 32_882
        account.pay(32_882, method="card")
        assert breakdown(account) == [
            ("CITY", 22_430, 1_682),
            ("VAT", 25_794, 1_806),
            ("VAT", 3_025, 575),
        ]


class TestKabul:
    """Three nights at 6,500.00 afghanis and 10 % business receipts tax, paid in dollars."""

    def test_a_stay_in_afghanis_is_paid_in_dollars_at_the_rate_of_its_first_day(self) -> None:
        """19,500.00 and 1,950.00 are 21,450.00. 300 dollars at 70.25 are 21,075.00; 375.00 are
        left, and are paid in afghanis. The rate of the day is another one by then."""
        pinned, later = rate(USD, "70.25", AFN), rate(USD, "71", AFN)
        hotel = house(currency=AFN)
        desk = Desk(settings_of(rule("BRT", 10), hotel=hotel, fx_rates=(pinned,)))
        account = Account(
            desk, currency=AFN, stay=Stay(arrival=date(2026, 3, 2), departure=date(2026, 3, 5))
        )
        account.charge(
            1_950_000, quantity="3", unit_amount=Money.of_minor_units(650_000, AFN), nights=3
        )
        assert account.balance == 2_145_000
        desk.change(fx_rates=(later,))

        account.pay(30_000, USD)
        assert account.balance == 37_500
        account.pay(37_500)

        assert breakdown(account) == [("BRT", 1_950_000, 195_000)]
        assert account.in_the_ledger("tax_payable:BRT") == -195_000
