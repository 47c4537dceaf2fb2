"""An invoice of the platform to a tenant, or a credit note of one, as a PDF, from its payload alone
(SUB-5, INV-4).

The platform writes to its tenants in English. As with the documents of hotels, the same payload in
the same template version gives the same bytes, and the metadata carry the number and the hash of
the payload; a version is a file that is never edited again. A payload from before there were taxes
has its total as its net, and nothing is said of tax.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from common.documents.archival import Label, archived
from common.documents.drawing import RenderingFailed, draw
from common.documents.filling import filled
from common.documents.legible import legible
from common.documents.localised import Localised
from common.documents.page import Labelled, Party
from common.domain.dataclass import dataclass
from common.domain.money import Currency, CurrencyUnknown

LANGUAGE: Final = "en"
TEMPLATES: Final = {
    "platform-invoice-1": "subscription_invoice",
    "platform-credit-note-1": "platform_credit_note",
    "platform-set-off-1": "subscription_invoice",
}
"""What each is for, by the type in the payload; one that says what is set off is titled as the
credit note that it is."""
TITLES: Final = {"subscription_invoice": "Invoice", "platform_credit_note": "Credit note"}
KINDS: Final = {
    "plan_fee": "Subscription fee",
    "unused": "Unused part of the period, given back",
    "rest_of_period": "Rest of the period",
    "usage": "Usage",
    "late_usage": "Usage of an earlier period",
    "given_back": "Refunded already",
}
CHARGED: Final = frozenset({"domestic", "one_stop_shop"})
Document = Mapping[str, Any]


@dataclass(frozen=True)
class BilledLine:
    """A row of the invoice."""

    period: str
    description: str
    amount: str


@dataclass(frozen=True)
class TaxOnPage:
    """The one row of tax, and what is to be said about it."""

    name: str
    rate: str
    taxable: str
    amount: str
    note: str


@dataclass(frozen=True)
class PlatformInvoiceOnPage:
    """Everything that a template may print; of a credit note, `due` is what was given back."""

    language: str
    number: str
    payload_sha256: str
    issued_at: str
    issuer: Party
    customer: Party
    facts: tuple[Labelled, ...]
    currency: str
    lines: tuple[BilledLine, ...]
    tax: TaxOnPage | None
    sums: tuple[Labelled, ...]
    due: str


def platform_invoice_pdf(payload: Document, payload_sha256: str, template_version: str) -> bytes:
    """The PDF (PDF/A-3b, without an e-invoice). Raises `RenderingFailed`."""
    from jinja2 import TemplateError

    kind = payload.get("type")
    if TEMPLATES.get(template_version, "") != kind:
        raise RenderingFailed(f"there is no template {template_version!r} for this")
    here = Localised.into(LANGUAGE)
    lay_out = note_laid_out if kind == "platform_credit_note" else laid_out
    try:
        page = lay_out(payload, payload_sha256, here)
        html = filled(template_version, page=page)
    except (KeyError, TypeError, ValueError, CurrencyUnknown, TemplateError) as refused:
        raise RenderingFailed(type(refused).__name__) from None
    label = Label(
        title=f"{TITLES['platform_credit_note' if 'setOff' in payload else kind]} {page.number}",
        author=page.issuer.name,
        language=LANGUAGE,
        issued_at=datetime.fromisoformat(payload["issuedAt"]),
        number=page.number,
        payload_sha256=payload_sha256,
        template_version=template_version,
        e_invoice=None,
        without_xml="not made of the platform's own invoices",
    )
    return archived(draw(html, here.script), label)


def laid_out(payload: Document, payload_sha256: str, here: Localised) -> PlatformInvoiceOnPage:
    """What stands where."""
    currency, issued_at = Currency(payload["currency"]), datetime.fromisoformat(payload["issuedAt"])
    return PlatformInvoiceOnPage(
        language=here.language,
        number=payload["number"],
        payload_sha256=payload_sha256,
        issued_at=here.moment(issued_at),
        issuer=_party(payload["issuer"], here),
        customer=_party(payload["customer"], here),
        facts=(
            Labelled("Date of issue", here.long_day(issued_at.date())),
            *_set_off_against(payload),
            Labelled("Period", _period(payload["periodStart"], payload["periodEnd"], here)),
            Labelled("Subscription", payload["subscription"]),
            Labelled("Currency", here.currency(currency)),
        ),
        currency=currency,
        lines=tuple(_line(line, currency, here) for line in payload["lines"]),
        tax=_tax(payload, currency, here),
        sums=_sums(payload, currency, here),
        due=here.money(payload["dueMicro"], currency),
    )


def note_laid_out(payload: Document, payload_sha256: str, here: Localised) -> PlatformInvoiceOnPage:
    """What stands where on a credit note: which invoice it corrects, and by how much."""
    currency, issued_at = Currency(payload["currency"]), datetime.fromisoformat(payload["issuedAt"])
    invoice, tax = payload["invoice"], payload["tax"]["taxMicro"]
    figures = [("Net", payload["netMicro"]), *([("Tax", tax)] if tax else [])]
    return PlatformInvoiceOnPage(
        language=here.language,
        number=payload["number"],
        payload_sha256=payload_sha256,
        issued_at=here.moment(issued_at),
        issuer=_party(payload["issuer"], here),
        customer=_party(payload["customer"], here),
        facts=(
            Labelled("Date of issue", here.long_day(issued_at.date())),
            Labelled("Corrects invoice", invoice["number"]),
            Labelled("Subscription", payload["subscription"]),
            Labelled("Currency", here.currency(currency)),
        ),
        currency=currency,
        lines=(
            BilledLine(
                period="",
                description=legible(f"Given back of {invoice['number']}: {payload['reason']}"),
                amount=here.amount(payload["netMicro"], currency),
            ),
        ),
        tax=_tax(payload, currency, here),
        sums=tuple(Labelled(name, here.amount(micro, currency)) for name, micro in figures),
        due=here.money(payload["totalMicro"], currency),
    )


def _set_off_against(payload: Document) -> tuple[Labelled, ...]:
    """The invoices that the document's credit pays a part of."""
    numbers = [each["invoice"]["number"] for each in payload.get("setOff", ())]
    return (Labelled("Set off against", ", ".join(numbers)),) if numbers else ()


def _party(party: Document, here: Localised) -> Party:
    lines = [legible(line) for line in party.get("addressLines", ())]
    if country := party.get("country"):
        lines.append(here.territory(legible(country)))
    return Party(
        name=legible(party["name"]), lines=tuple(lines), tax_id=legible(party.get("taxId") or "")
    )


def _line(line: Document, currency: Currency, here: Localised) -> BilledLine:
    seats = "1 seat" if line["seats"] == 1 else f"{line['seats']:,} seats"
    of = f"{line['plan']}, version {line['planVersion']}, {seats}"
    used = f": {line['quantity']:,} {line['meter']}" if line.get("meter") else ""
    return BilledLine(
        period=_period(line["from"], line["until"], here),
        description=legible(f"{KINDS[line['kind']]} ({of}){used}"),
        amount=here.amount(line["amountMicro"], currency),
    )


def _tax(payload: Document, currency: Currency, here: Localised) -> TaxOnPage | None:
    tax = payload.get("tax")
    if tax is None:
        return None
    is_charged = tax["treatment"] in CHARGED
    return TaxOnPage(
        name=f"VAT, {here.territory(tax['country'])}" if is_charged else "No VAT",
        rate=here.percentage(tax["ratePpm"]),
        taxable=here.amount(tax["baseMicro"], currency),
        amount=here.amount(tax["taxMicro"], currency),
        note=tax["note"],
    )


def _sums(payload: Document, currency: Currency, here: Localised) -> tuple[Labelled, ...]:
    """From the net to what is due: a credit that was used is taken off; of what is left of one it
    is said what pays earlier invoices, and what the next ones."""
    total, tax = payload["totalMicro"], payload.get("tax")
    set_off = min(
        sum(each["amountMicro"] for each in payload.get("setOff", ())), payload["creditLeftMicro"]
    )
    named = [
        ("Net", payload.get("netMicro", total)),
        ("Tax", tax["taxMicro"] if tax else 0),
        ("Total", total),
        ("Credit used", -payload["creditUsedMicro"]),
        ("Left as a credit", payload["creditLeftMicro"] - set_off),
    ]
    for each in payload.get("setOff", ()):
        named.insert(-1, (f"Set off, {each['invoice']['number']}", each["amountMicro"]))
    always = {"Net", "Total"}
    return tuple(
        Labelled(name, here.amount(micro, currency))
        for name, micro in named
        if micro or name in always
    )


def _period(start: str, end: str, here: Localised) -> str:
    first, last = (datetime.fromisoformat(each).date() for each in (start, end))
    return here.days(first, last)
