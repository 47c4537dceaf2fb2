"""The sums of an e-invoice, added up again from its XML alone, as whoever receives it would.

The schema and the standard's rules leave a whole unit of the currency free where they multiply, and
say nothing of what the hotel meant. Here every sum is exact: what is said of the lines, of the
charges, of each VAT group and of the whole (EN 16931 BR-CO-10 to BR-CO-16, BR-S-08 and its like).
"""

from collections import defaultdict
from decimal import Decimal
from typing import Any, Final

from common.ports.powers import DrawingRefused

RAM: Final = "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100"
_NAMES: Final = {"ram": RAM}


def must_add_up(xml: bytes) -> None:
    """Add the XML up. Raises DrawingRefused."""
    from lxml import etree

    document = etree.fromstring(xml)
    settlement = document.find(".//ram:ApplicableHeaderTradeSettlement", _NAMES)
    sums = settlement.find("ram:SpecifiedTradeSettlementHeaderMonetarySummation", _NAMES)
    bases: dict[tuple[str, Decimal], Decimal] = defaultdict(Decimal)
    lines = _lines(document, bases)
    charges, allowances = _charges(settlement, bases)
    groups = settlement.findall("ram:ApplicableTradeTax", _NAMES)
    tax = sum((_amount(group, "CalculatedAmount") for group in groups), Decimal(0))
    net = lines - allowances + charges
    due = net + tax - _amount(sums, "TotalPrepaidAmount") + _amount(sums, "RoundingAmount")
    said = {_bears(group): _amount(group, "BasisAmount") for group in groups}
    holds = {
        "LineTotalAmount": lines,
        "ChargeTotalAmount": charges,
        "AllowanceTotalAmount": allowances,
        "TaxBasisTotalAmount": net,
        "TaxTotalAmount": tax,
        "GrandTotalAmount": net + tax,
        "DuePayableAmount": due,
    }
    wrong = [name for name, amount in holds.items() if _amount(sums, name) != amount]
    if wrong or said != dict(bases) or len(said) != len(groups):
        raise DrawingRefused(f"the e-invoice does not add up: {', '.join(wrong) or 'VAT groups'}")


def _lines(document: Any, bases: dict[tuple[str, Decimal], Decimal]) -> Decimal:
    total = Decimal(0)
    for line in document.iterfind(".//ram:SpecifiedLineTradeSettlement", _NAMES):
        summed = line.find("ram:SpecifiedTradeSettlementLineMonetarySummation", _NAMES)
        net = _amount(summed, "LineTotalAmount")
        bases[_bears(line.find("ram:ApplicableTradeTax", _NAMES))] += net
        total += net
    return total


def _charges(settlement: Any, bases: dict[tuple[str, Decimal], Decimal]) -> tuple[Decimal, Decimal]:
    """What charges come to, and what allowances take off."""
    sums = {"true": Decimal(0), "false": Decimal(0)}
    for each in settlement.iterfind("ram:SpecifiedTradeAllowanceCharge", _NAMES):
        adds = "".join(each.find("ram:ChargeIndicator", _NAMES).itertext()).strip()
        amount = _amount(each, "ActualAmount")
        sums[adds] += amount
        sign = 1 if adds == "true" else -1
        bases[_bears(each.find("ram:CategoryTradeTax", _NAMES))] += sign * amount
    return sums["true"], sums["false"]


def _bears(tax: Any) -> tuple[str, Decimal]:
    return tax.findtext("ram:CategoryCode", "", _NAMES), _amount(tax, "RateApplicablePercent")


def _amount(parent: Any, name: str) -> Decimal:
    """An amount that is said, or nothing."""
    return Decimal(parent.findtext(f"ram:{name}", "0", _NAMES))
