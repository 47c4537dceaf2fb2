"""Which VAT category a line of an e-invoice has, and what the standard has no words for."""

import pytest

from common.domain.einvoice import EInvoiceNotPossible
from common.domain.guest import Guest
from common.domain.settings import Issuer
from tests.domain.front_desk import EUR, rule
from tests.einvoicing import (
    BERLIN,
    COMPANY,
    breakdown,
    charges,
    guest_of,
    invoice_of,
    said,
    settled,
    xml_of,
)

pytestmark = pytest.mark.req("INV-5")


def test_a_reverse_charge_needs_the_buyers_number() -> None:
    """100.00 at nothing: the company owes the tax (category AE)."""
    reverse = rule("VAT", 0, category="AE")
    account = guest_of(reverse, issuer=BERLIN, guest=COMPANY, currency=EUR)
    account.charge(10_000)
    xml = settled(account)
    assert breakdown(xml) == [("AE", "0", "100.00", "0.00")]
    assert said(xml, "ExemptionReasonCode") == ["VATEX-EU-AE"]
    assert said(xml, "BuyerTradeParty/Name") == [COMPANY.name]

    nameless = guest_of(reverse, issuer=BERLIN, guest=Guest(name="Nobody"), currency=EUR)
    nameless.charge(10_000)
    nameless.pay(10_000, method="card")
    with pytest.raises(EInvoiceNotPossible, match="VAT number"):
        xml_of(invoice_of(nameless))


@pytest.mark.parametrize(("category", "said_as"), [("S", "Z"), ("Z", "Z"), ("E", "E")])
def test_a_rate_of_nothing(category: str, said_as: str) -> None:
    account = guest_of(rule(percent=0, category=category))
    account.charge(10_000)
    assert breakdown(settled(account)) == [(said_as, "0", "100.00", "0.00")]


def test_outside_of_vat_stands_alone_and_names_no_vat_number() -> None:
    outside = rule(percent=0, category="O")
    account = guest_of(outside, issuer=BERLIN, guest=COMPANY, currency=EUR)
    account.charge(10_000)
    xml = settled(account)
    assert breakdown(xml) == [("O", None, "100.00", "0.00")]
    assert b'schemeID="VA"' not in xml


def test_outside_of_vat_is_exempt_beside_others() -> None:
    """BR-O-11: O stands beside nothing else. Laundry at 10 %, a ride outside of VAT."""
    laundry = rule(percent=10, charge_kinds=frozenset({"laundry"}))
    ride = rule(percent=0, category="O", charge_kinds=frozenset({"transport"}))
    account = guest_of(laundry, ride)
    account.charge(10_000, "laundry")
    account.charge(5_000, "transport")
    xml = settled(account)
    assert breakdown(xml) == [("E", "0", "50.00", "0.00"), ("S", "10", "100.00", "10.00")]
    assert said(xml, "ExemptionReason") == ["Not subject to value-added tax"]


def test_a_house_without_a_tax_number_is_outside_of_vat() -> None:
    """A levy alone, 7.00 on 100.00."""
    small = Issuer(name="Guest house", address_lines=(), tax_id="", country="AF")
    account = guest_of(rule("CITY", 7, levy=True), issuer=small)
    account.charge(10_000)
    xml = settled(account)
    assert breakdown(xml) == [("O", None, "107.00", "0.00")]
    assert charges(xml) == [("CITY of Kabul", "7.00", "O", None)]


def test_a_house_without_a_tax_number_charges_no_tax() -> None:
    small = Issuer(name="Guest house", address_lines=(), tax_id="", country="AF")
    account = guest_of(rule(percent=10), issuer=small)
    account.charge(10_000)
    account.pay(11_000)
    with pytest.raises(EInvoiceNotPossible, match="tax number"):
        xml_of(invoice_of(account))


def test_two_value_added_taxes_side_by_side_are_refused() -> None:
    account = guest_of(rule("GST", 5), rule("PST", 7))
    account.charge(10_000)
    account.pay(11_200)
    with pytest.raises(EInvoiceNotPossible, match="side by side"):
        xml_of(invoice_of(account))


def test_a_category_that_its_rate_contradicts_is_refused() -> None:
    account = guest_of(rule(percent=10, category="E"))
    account.charge(10_000)
    account.pay(11_000)
    with pytest.raises(EInvoiceNotPossible, match="category is E"):
        xml_of(invoice_of(account))


def test_a_diplomat_is_exempt_and_it_says_why() -> None:
    guest = Guest(name="Ambassador", exemptions=frozenset({"diplomat"}))
    account = guest_of(rule(percent=10, exemptions=frozenset({"diplomat"})), guest=guest)
    account.charge(10_000)
    xml = settled(account)
    assert breakdown(xml) == [("E", "0", "100.00", "0.00")]
    assert said(xml, "ExemptionReason") == ["Exempt: diplomat"]
