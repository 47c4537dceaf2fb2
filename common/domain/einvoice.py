"""An issued document in the terms of EN 16931, the European standard of e-invoices (INV-5).

The standard knows one tax, VAT, and one category and rate of it for each line; ours may bear a
service charge, a city's fee on both, VAT on all three and a levy a night beside them. The standard
has a place for those: a charge of the whole document (BG-21), "charges and taxes other than VAT",
which names its own VAT category. So of each line

* its VAT is its tax at a rate that is not marked as a levy. Where there are several, it is the one
  whose base holds the others: what VAT is levied on is part of the price. Two that stand side by
  side are two value-added taxes, which the standard cannot say: refused;
* every other tax becomes a charge. What the VAT's base holds bears VAT like its line; what it does
  not hold bears none and has the levy's own category (FOL-12).

A levy without VAT is category E, as money that is passed on in the guest's name (Directive
2006/112/EC article 79 c, VATEX-EU-79-C within the Union). "Not subject to VAT" (O) may not stand
beside any other category (BR-O-11): so O is kept where all of a document is outside of VAT, and is
said as E elsewhere. A rate of nothing is Z unless the rule says what else it is.

What a company settles later (the city ledger) is not paid: it is the amount due (BT-115).

All sums are recomputed here, to the micro unit, and held against those that were signed: the
validators' rules leave a whole unit of the currency free (BR-CO-17, BR-S-09), so they prove no
cents. What cannot be said without changing a figure is refused by name, never bent: thousandths
(the standard has two decimals), and tax rounded on so many lines that it is a unit off its rate.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

from common.domain.dataclass import dataclass
from common.domain.einvoice_terms import (
    FINEST_MICRO,
    OUTSIDE,
    UNIT_MICRO,
    EInvoice,
    EInvoiceCharge,
    EInvoiceLine,
    Vat,
    VatGroup,
)
from common.domain.payment import PaymentMethod
from common.domain.refusal import Unmet

PPM: Final = 1_000_000

EUROPEAN_UNION: Final = frozenset({
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU",
    "IE", "IT", "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK",
})  # fmt: skip
AT_A_RATE: Final = frozenset({"S", "L", "M"})  # standard, Canaries, Ceuta and Melilla
AT_NOTHING: Final = frozenset({"Z", "E", "AE", "G", "O", "L", "M"})
EXEMPT: Final = "E"

# BT-120, and BT-121 within the Union. E's reasons are those of what is exempt.
REASONS: Final = {
    "AE": ("Reverse charge", "VATEX-EU-AE"),
    "G": ("Export outside the European Union", "VATEX-EU-G"),
    OUTSIDE: ("Not subject to value-added tax", "VATEX-EU-O"),
}
PASSED_ON: Final = "VATEX-EU-79-C"


class EInvoiceNotPossible(Unmet):
    code = "E_INVOICE_NOT_POSSIBLE"
    title = "EN 16931 has no words for something on this document; its PDF says it"


@dataclass(slots=True)
class _Part:
    """Something that bears VAT, or none: a line's net price, or a charge. `why` where none."""

    amount_micro: int
    vat: Vat
    tax_micro: int = 0
    why: str = ""
    passed_on: bool = False


@dataclass(slots=True)
class _Row:
    """A row of the payload taken apart: its own part, and one for each other tax by its name."""

    row: Mapping[str, Any]
    own: _Part
    vat_key: tuple[str, int | None, str] | None = None
    others: list[tuple[str, _Part]] = field(default_factory=list)


def e_invoice(payload: Mapping[str, Any]) -> EInvoice:
    """An invoice's or a credit note's signed payload in the standard's terms.

    Raises ValueError when the figures do not come to those that were signed.
    Refuses: EInvoiceNotPossible.
    """
    rows = [_taken_apart(row) for row in payload["lines"]]
    if not rows:
        raise EInvoiceNotPossible("Nothing stands on the document (BR-16).")
    parts = [part for row in rows for part in _parts(row)]
    _settle_outside(parts, payload["issuer"])
    paid, on_account = _paid(payload)
    found = EInvoice(
        lines=tuple(_line(row) for row in rows),
        charges=tuple(_charges(rows)),
        vat=tuple(_groups(parts, payload["issuer"]["country"])),
        rounding_micro=payload["totals"]["roundingMicro"],
        paid_micro=paid,
        on_account_micro=on_account,
        **_home_tax(payload, rows),
    )
    must_add_up(found, payload)
    _must_be_sayable(found)
    return found


def must_add_up(found: EInvoice, payload: Mapping[str, Any]) -> None:
    """Hold every sum against the signed one. Raises ValueError."""
    totals = payload["totals"]
    signed = (totals["netMicro"], totals["grossMicro"])
    if (found.lines_micro, found.gross_micro) != signed:
        raise ValueError(f"the e-invoice comes to {found.lines_micro}, {found.gross_micro}")
    if "dueMicro" in totals and found.due_micro - found.on_account_micro != totals["dueMicro"]:
        raise ValueError(f"the e-invoice leaves {found.due_micro} to pay")
    base = sum(group.base_micro for group in found.vat)
    if base != found.net_micro:
        raise ValueError(f"the VAT breakdown stands on {base}, not on {found.net_micro}")


def _taken_apart(row: Mapping[str, Any]) -> _Row:
    taxes: Sequence[Mapping[str, Any]] = row["taxes"]
    vat_tax = _vat_among([tax for tax in taxes if _may_be_vat(tax)])
    if vat_tax is None:
        own = _Part(row["netMicro"], Vat(EXEMPT, 0), why=_why_untaxed(row))
    else:
        vat = _vat_of(vat_tax)
        why = vat_tax["name"] if vat.category == EXEMPT else ""
        own = _Part(row["netMicro"], vat, vat_tax["amountMicro"], why)
    taken = _Row(row, own, None if vat_tax is None else _key(vat_tax))
    for tax in taxes:
        if tax is not vat_tax and tax["amountMicro"]:
            taken.others.append((tax["name"], _other(tax, vat_tax, own)))
    return taken


def _key(tax: Mapping[str, Any]) -> tuple[str, int | None, str]:
    return tax["code"], tax["ratePpm"], tax["category"]


def _may_be_vat(tax: Mapping[str, Any]) -> bool:
    """VAT has a rate, and a levy is none (FOL-12)."""
    return tax["ratePpm"] is not None and not tax.get("levy", False)


def _vat_among(rated: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The tax whose base holds the others. Refuses: EInvoiceNotPossible where two have one base."""
    if not rated:
        return None
    *others, last = sorted(rated, key=_size)
    if others and _size(others[-1]) == _size(last):
        names = f"{others[-1]['name']} and {last['name']}"
        raise EInvoiceNotPossible(f"A line bears two value-added taxes side by side: {names}.")
    return last


def _size(tax: Mapping[str, Any]) -> int:
    return abs(int(tax["baseMicro"]))


def _vat_of(tax: Mapping[str, Any]) -> Vat:
    """Refuses: EInvoiceNotPossible for a category that its rate contradicts."""
    category, rate = tax["category"], tax["ratePpm"]
    if rate and category in AT_NOTHING - AT_A_RATE:
        raise EInvoiceNotPossible(f"{tax['name']} has a rate, and its category is {category}.")
    if rate:
        return Vat(category if category in AT_A_RATE else "S", rate)
    if category not in AT_NOTHING | {"S"}:
        raise EInvoiceNotPossible(f"{category} is no category of what a house sells.")
    return Vat("Z" if category == "S" else category, 0)


def _other(tax: Mapping[str, Any], vat_tax: Mapping[str, Any] | None, own: _Part) -> _Part:
    """A charge: with its line's VAT where the VAT's base holds it, else with its own category."""
    amount, category = tax["amountMicro"], tax["category"]
    if vat_tax is not None and _size(tax) < _size(vat_tax):
        return _Part(amount, own.vat, why=own.why)
    if category in {"Z", OUTSIDE}:
        return _Part(amount, Vat(category, 0))
    return _Part(amount, Vat(EXEMPT, 0), why=f"{tax['name']}, passed on", passed_on=True)


def _why_untaxed(row: Mapping[str, Any]) -> str:
    match row.get("untaxed"):
        case None | "":
            return "No value-added tax applies"
        case "allowed":
            return "No tax rule was in force"
        case reason:
            return f"Exempt: {str(reason).replace('_', ' ')}"


def _settle_outside(parts: Sequence[_Part], issuer: Mapping[str, Any]) -> None:
    """Say O only where all is outside of VAT; a house without a tax number is.

    Refuses: EInvoiceNotPossible.
    """
    if any(part.vat.rate_ppm or part.vat.category not in {EXEMPT, OUTSIDE} for part in parts):
        outside = False
        if not issuer["taxId"]:
            raise EInvoiceNotPossible("Whoever charges tax names a tax number (BR-S-02).")
    else:
        outside = not issuer["taxId"] or all(part.vat.category == OUTSIDE for part in parts)
    for part in parts:
        if outside:
            part.vat, part.why, part.passed_on = Vat(OUTSIDE, None), "", False
        elif part.vat.category == OUTSIDE:
            part.vat, part.why = Vat(EXEMPT, 0), REASONS[OUTSIDE][0]


def _parts(row: _Row) -> Iterator[_Part]:
    yield row.own
    for _, part in row.others:
        yield part


def _line(taken: _Row) -> EInvoiceLine:
    row = taken.row
    quantity = abs(Decimal(row.get("quantity", "1"))) or Decimal(1)
    return EInvoiceLine(
        description=row["description"] or row["kind"],
        quantity=-quantity if row["netMicro"] < 0 else quantity,
        net_micro=row["netMicro"],
        vat=taken.own.vat,
        service_date=date.fromisoformat(row["serviceDate"]),
    )


def _charges(rows: Iterable[_Row]) -> Iterator[EInvoiceCharge]:
    sums: dict[tuple[str, Vat], int] = {}
    for row in rows:
        for name, part in row.others:
            sums[name, part.vat] = sums.get((name, part.vat), 0) + part.amount_micro
    for (name, vat), amount in sums.items():
        if amount:
            yield EInvoiceCharge(reason=name, amount_micro=amount, vat=vat)


def _groups(parts: Sequence[_Part], country: str) -> Iterator[VatGroup]:
    """One for each category and rate that there is; rates above nothing need no reason."""
    by_vat: dict[Vat, list[_Part]] = {}
    for part in parts:
        by_vat.setdefault(part.vat, []).append(part)
    for vat, group in sorted(by_vat.items(), key=lambda each: _order(each[0])):
        reason, code = REASONS.get(vat.category, ("", ""))
        if vat.category == EXEMPT:
            reason = "; ".join(dict.fromkeys(part.why for part in group if part.why))
            code = PASSED_ON if all(part.passed_on for part in group) else ""
        yield VatGroup(
            vat=vat,
            base_micro=sum(part.amount_micro for part in group),
            tax_micro=sum(part.tax_micro for part in group),
            reason=reason,
            reason_code=code if country in EUROPEAN_UNION else "",
        )


def _order(vat: Vat) -> tuple[str, int]:
    return vat.category, vat.rate_ppm or 0


def _home_tax(payload: Mapping[str, Any], rows: Sequence[_Row]) -> dict[str, Any]:
    """Of what is said in the currency of the tax office, the VAT (BT-6, BT-111)."""
    said = payload.get("taxInHomeCurrency")
    if not said:
        return {}
    keys = {row.vat_key for row in rows}
    tax = sum(group["amountMicro"] for group in said["groups"] if _key(group) in keys)
    return {"home_currency": said["currency"], "home_tax_micro": tax}


def _paid(payload: Mapping[str, Any]) -> tuple[int, int]:
    """What was paid, or by a credit note given back, and what a company settles later instead."""
    payments: Sequence[Mapping[str, Any]] = payload.get("payments", ())
    sign = 1 if "paidMicro" in payload["totals"] else -1
    later = sum(
        payment["amountMicro"]
        for payment in payments
        if payment["method"] == PaymentMethod.CITY_LEDGER
    )
    settled = sum(payment["amountMicro"] for payment in payments)
    paid = payload["totals"].get("paidMicro", sign * settled)
    return paid - sign * later, sign * later


def _must_be_sayable(found: EInvoice) -> None:
    """Refuses: EInvoiceNotPossible."""
    amounts = [
        *(line.net_micro for line in found.lines),
        *(charge.amount_micro for charge in found.charges),
        *(group.tax_micro for group in found.vat),
        found.rounding_micro,
        found.paid_micro,
        found.home_tax_micro,
    ]
    if any(amount % FINEST_MICRO for amount in amounts):
        raise EInvoiceNotPossible("An amount has thousandths; the standard has two decimals.")
    for group in found.vat:
        tax = Fraction(abs(group.base_micro) * (group.vat.rate_ppm or 0), PPM)
        if abs(abs(group.tax_micro) - tax) >= UNIT_MICRO - FINEST_MICRO:
            raise EInvoiceNotPossible(
                "Tax that was rounded line by line is a whole unit off its rate (BR-S-09)."
            )
