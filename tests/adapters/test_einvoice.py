"""An issued document as an e-invoice: right to the cent, and whole by the standard's own rules.

Each document is made at the desk as a hotel makes it; its figures are worked out by hand. That the
rules of EN 16931 break none of it is asked of the rules themselves (`tests.einvoicing`).
"""

import json
import re
from copy import deepcopy
from datetime import date

import pytest

from common.documents.einvoice import einvoice_xml
from common.domain.credit_note import Credits, credit
from common.domain.einvoice import EInvoiceNotPossible, e_invoice
from common.domain.guest import Guest, Stay
from common.domain.money import Money
from common.domain.payment import PaymentMethod
from tests.domain.front_desk import AFN, EUR, JPY, KWD, USD, rate, rule, series
from tests.domain.test_stays import TestBerlin as Berlin
from tests.domain.test_stays import TestDubai as Dubai
from tests.einvoicing import (
    BERLIN,
    COMPANY,
    ROOM,
    breakdown,
    broken_rules,
    charges,
    guest_of,
    invoice_of,
    said,
    settled,
    sums,
    xml_of,
)

pytestmark = pytest.mark.req("INV-5")


@pytest.mark.req("FOL-12")
def test_a_fee_on_a_fee_in_dubai_is_a_charge_that_bears_vat() -> None:
    """Three nights, 1,500.00: service 150.00 and the municipality's 165.00 are in the VAT's base,
    1,815.00, of which 5 % are 90.75. The tourism dirham, 45.00, is not, and is exempt."""
    account = Dubai().guest()
    nights = {"quantity": "3", "unit_amount": Money.of_minor_units(50_000, account.folio.currency)}
    account.charge(150_000, nights=3, **nights)

    xml = settled(account)

    assert charges(xml) == [
        ("SERVICE of Kabul", "150.00", "S", "5"),
        ("MUNICIPALITY of Kabul", "165.00", "S", "5"),
        ("TOURISM of Kabul", "45.00", "E", "0"),
    ]
    assert breakdown(xml) == [("E", "0", "45.00", "0.00"), ("S", "5", "1815.00", "90.75")]
    assert sums(xml) == {
        "LineTotalAmount": "1500.00",
        "ChargeTotalAmount": "360.00",
        "TaxBasisTotalAmount": "1860.00",
        "TaxTotalAmount": "90.75",
        "GrandTotalAmount": "1950.75",
        "TotalPrepaidAmount": "1950.75",
        "DuePayableAmount": "0.00",
    }
    assert said(xml, "NetPriceProductTradePrice/ChargeAmount") == ["500.0000"]
    assert said(xml, "ExemptionReasonCode") == []  # the Union's codes are the Union's


@pytest.mark.req("FOL-12")
def test_the_city_tax_of_berlin_is_passed_on_beside_two_rates() -> None:
    """240.00 for two nights with 15.70 in it, 7 %; breakfast 36.00 with 5.75 in it, 19 %, and 36.00
    with 2.36 in it, 7 %. At 7 %: 224.30 + 33.64 = 257.94, tax 18.06; at 19 %: 30.25, tax 5.75. The
    city's 16.82 is an expense in the guest's name. 257.94 + 30.25 + 16.82 + 23.81 = 328.82."""
    arrival = date(2025, 12, 30)
    account = guest_of(
        *Berlin.RULES,
        currency=EUR,
        issuer=BERLIN,
        guest=Guest(name="Zoë Ørsted"),
        stay=Stay(arrival=arrival, departure=date(2026, 1, 1)),
    )
    night = Money.of_minor_units(12_000, EUR)
    account.charge(
        24_000, quantity="2", unit_amount=night, nights=2, persons=2, service_date=arrival
    )
    for day in (date(2025, 12, 31), date(2026, 1, 1)):
        account.charge(3_600, "food_beverage", service_date=day)

    xml = settled(account)

    assert charges(xml) == [("CITY of Kabul", "16.82", "E", "0")]
    assert breakdown(xml) == [
        ("E", "0", "16.82", "0.00"),
        ("S", "7", "257.94", "18.06"),
        ("S", "19", "30.25", "5.75"),
    ]
    assert sums(xml)["GrandTotalAmount"] == "328.82"
    assert said(xml, "ExemptionReasonCode") == ["VATEX-EU-79-C"]
    assert said(xml, "SellerTradeParty/SpecifiedTaxRegistration/ID") == ["DE136695976"]
    assert said(xml, "BuyerTradeParty/PostalTradeAddress/CountryID") == ["DE"]
    assert said(xml, "BillingSpecifiedPeriod/EndDateTime")  # BG-14, the stay
    # 224.30 for two is 112.15 each
    assert said(xml, "NetPriceProductTradePrice/ChargeAmount")[0] == "112.1500"


def test_kabul_bills_in_afghanis_that_have_two_decimals() -> None:
    """6,543.21 a night: 10 % are 654.321, so 654.32; the city's 150.00 a night on top: 7,347.53.
    CLDR draws the afghani without decimals; ISO 4217 has two of them."""
    city = rule("CITY", per_night=Money.of_minor_units(15_000, AFN), charge_kinds=ROOM)
    account = guest_of(rule(percent=10), city, currency=AFN)
    account.charge(654_321)

    xml = settled(account, "cash")

    assert breakdown(xml) == [("E", "0", "150.00", "0.00"), ("S", "10", "6543.21", "654.32")]
    assert sums(xml)["GrandTotalAmount"] == "7347.53"
    assert said(xml, "SellerTradeParty/SpecifiedTaxRegistration/ID") == ["AF-9001234567"]


def test_a_currency_without_decimals_has_none() -> None:
    """JPY 12,000 and 10 %: 1,200."""
    account = guest_of(rule(percent=10), currency=JPY)
    account.charge(12_000)

    assert breakdown(settled(account)) == [("S", "10", "12000", "1200")]


def test_thousandths_are_said_where_they_are_hundredths_and_refused_elsewhere() -> None:
    """KWD 12.340 at 10 %: 1.234 cannot be said; of 12.300, 1.230 can."""
    account = guest_of(rule(percent=10), currency=KWD)
    account.charge(12_300)
    assert breakdown(settled(account)) == [("S", "10", "12.30", "1.23")]

    finer = guest_of(rule(percent=10), currency=KWD)
    finer.charge(12_340)
    finer.pay(finer.balance, method="card")
    with pytest.raises(EInvoiceNotPossible, match="thousandths"):
        e_invoice(json.loads(invoice_of(finer).payload))


class TestWhatIsPaid:
    def test_a_company_that_settles_later_has_paid_nothing_yet(self) -> None:
        """110.00, of which 30.00 in cash; the company owes 80.00."""
        account = guest_of(rule(percent=10), guest=COMPANY)
        account.charge(10_000)
        account.pay(3_000)
        xml = settled(account, PaymentMethod.CITY_LEDGER)
        assert (sums(xml)["TotalPrepaidAmount"], sums(xml)["DuePayableAmount"]) == (
            "30.00",
            "80.00",
        )
        assert said(xml, "SpecifiedTradePaymentTerms/Description") == [
            "On account: settled later by a company"
        ]

    def test_what_conversion_left_over_is_the_rounding(self) -> None:
        """10.82 USD, and 10.00 EUR at 1.0806 are 10.81: a cent is rounded away."""
        account = guest_of(rule(percent=0), rates=[rate(EUR, "1.0806")])
        account.charge(1_082)
        account.pay(1_000, EUR)
        xml = xml_of(invoice_of(account))
        assert sums(xml) == {
            "LineTotalAmount": "10.82",
            "TaxBasisTotalAmount": "10.82",
            "TaxTotalAmount": "0.00",
            "RoundingAmount": "-0.01",
            "GrandTotalAmount": "10.82",
            "TotalPrepaidAmount": "10.81",
            "DuePayableAmount": "0.00",
        }

    def test_what_was_voided_is_not_on_it_and_what_was_taken_off_is_less_than_nothing(self) -> None:
        """100.00, less 20.00 for the noise, and a drink that was voided: 80.00 and 8.00."""
        account = guest_of(rule(percent=10))
        room = account.charge(10_000).lines[0]
        drink = account.charge(500, "minibar").lines[0]
        account.void(drink.charge_id)
        account.adjust(room.charge_id, -2_000)
        xml = settled(account)
        assert said(xml, "BilledQuantity") == ["1", "-1"]
        assert said(xml, "NetPriceProductTradePrice/ChargeAmount") == ["100.0000", "20.0000"]
        assert breakdown(xml) == [("S", "10", "80.00", "8.00")]


def test_a_price_that_does_not_divide_is_that_of_all_pieces() -> None:
    """100.00 for three with 7 % in it: 93.46 net, and no third of that has four decimals."""
    account = guest_of(rule(percent=7, inclusive=True))
    account.charge(10_000, quantity="3", unit_amount=Money(33_333_333, USD))
    xml = settled(account)
    assert said(xml, "NetPriceProductTradePrice/ChargeAmount") == ["93.46"]
    assert said(xml, "NetPriceProductTradePrice/BasisQuantity") == ["3"]


def test_tax_that_is_a_unit_off_its_rate_is_refused() -> None:
    """Eight times JPY 14 at 10 %: 1.4 each are 1, together 8, and 11.2 of the whole."""
    account = guest_of(rule(percent=10), currency=JPY)
    for _ in range(8):
        account.charge(14, "minibar")
    account.pay(account.balance, method="card")
    with pytest.raises(EInvoiceNotPossible, match="line by line"):
        xml_of(invoice_of(account))


@pytest.mark.req("FOL-12")
def test_a_credit_note_names_its_invoice_and_keeps_the_levy_apart() -> None:
    """A night at 100.00 with 10.00 VAT and 5.00 city levy: of 115.00, 23.00 are given back:
    20.00, 2.00 and 1.00."""
    account = guest_of(rule(percent=10), rule("CITY", 5, levy=True))
    room = account.charge(10_000).lines[0]
    account.pay(11_500, method="card")
    invoice = invoice_of(account)
    credits = Credits(invoice=invoice, credited=Money.zero(USD), by_line={})
    numbers = series(document_type="credit_note")
    asked = [(room.id, Money.of_minor_units(2_300, USD))]
    issued, _ = credit(credits, asked, numbers, None, "noise", account.desk)  # type: ignore[arg-type]

    xml = xml_of(issued.subject)

    assert said(xml, "TypeCode")[0] != "380"
    assert re.search(rb"<rsm:ExchangedDocument>.*?<ram:TypeCode>381<", xml, re.DOTALL)
    assert said(xml, "InvoiceReferencedDocument/IssuerAssignedID") == [invoice.number]
    assert charges(xml) == [("CITY of Kabul", "1.00", "E", "0")]
    assert breakdown(xml) == [("E", "0", "1.00", "0.00"), ("S", "10", "20.00", "2.00")]
    assert sums(xml)["DuePayableAmount"] == "23.00"


@pytest.mark.req("INV-9")
def test_the_tax_offices_currency_is_told_the_vat_and_no_levy() -> None:
    """10.00 USD of VAT are 700.50 AFN there; the levy's 5.00, 350.25, are no VAT."""
    account = guest_of(rule(percent=10), rule("CITY", 5, levy=True))
    account.charge(10_000)
    account.pay(11_500)
    invoice = invoice_of(account)
    payload = json.loads(invoice.payload) | {
        "taxInHomeCurrency": {
            "currency": "AFN",
            "rate": {},
            "groups": [
                {"code": "CITY", "ratePpm": 50_000, "category": "S", "amountMicro": 350_250_000},
                {"code": "VAT", "ratePpm": 100_000, "category": "S", "amountMicro": 700_500_000},
            ],
            "taxMicro": 1_050_750_000,
        }
    }

    xml = einvoice_xml(payload, {})

    assert broken_rules(xml) == []
    assert said(xml, "TaxCurrencyCode") == ["AFN"]
    assert said(xml, "TaxTotalAmount") == ["10.00", "700.50"]


def test_who_was_erased_has_no_name_and_the_figures_stay() -> None:
    account = guest_of(rule(percent=10))
    account.charge(10_000)
    account.pay(11_000)
    payload = json.loads(invoice_of(account).payload)

    xml = einvoice_xml(payload, {})

    assert broken_rules(xml) == []
    assert said(xml, "BuyerTradeParty/Name") == ["Personal data erased"]
    assert sums(xml)["GrandTotalAmount"] == "110.00"


@pytest.mark.parametrize(
    ("given", "country"),
    [
        ({"country": "FR", "tax_id": "NL003313299B01"}, "FR"),
        ({"tax_id": "EL123456789"}, "GR"),
        ({"tax_id": "12345"}, "AF"),
        ({"country": "QQ"}, "AF"),
        ({}, "AF"),
    ],
)
def test_a_buyers_country_is_given_or_the_numbers_or_the_houses(
    given: dict[str, str], country: str
) -> None:
    account = guest_of(rule(percent=10), guest=Guest(name="A. Guest", **given))
    account.charge(10_000)
    xml = settled(account)
    assert said(xml, "BuyerTradeParty/PostalTradeAddress/CountryID") == [country]


def test_nothing_unseen_and_no_markup_comes_in_by_a_name() -> None:
    guest = Guest(name="A\u202eb\x00</ram:Name><evil/>", address_lines=("1", "2", "3", "4"))
    account = guest_of(rule(percent=10), guest=guest)
    account.charge(10_000, description={"en": "<b>&\x0b"})
    xml = settled(account)
    assert said(xml, "BuyerTradeParty/Name") == ["Ab</ram:Name><evil/>"]
    assert said(xml, "BuyerTradeParty/PostalTradeAddress/LineThree") == ["3, 4"]
    assert said(xml, "SpecifiedTradeProduct/Name") == ["<b>&"]


def test_figures_that_were_not_signed_are_no_invoice() -> None:
    account = guest_of(rule(percent=10))
    account.charge(10_000)
    account.pay(11_000)
    payload = json.loads(invoice_of(account).payload)
    for path in ("netMicro", "grossMicro", "dueMicro"):
        bent = deepcopy(payload)
        bent["totals"][path] += 10_000
        with pytest.raises(ValueError):
            e_invoice(bent)


def test_the_rules_would_find_a_broken_document() -> None:
    account = guest_of(rule(percent=10))
    account.charge(10_000)
    xml = settled(account)
    assert any("BR-CO-15" in each for each in broken_rules(xml.replace(b">110.00<", b">111.00<")))
