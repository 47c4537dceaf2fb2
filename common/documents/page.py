"""What an invoice or a credit note says on paper, as finished strings.

A template only places words: which figure is shown, in which language, with how many decimals, and
what stands there when something is absent is decided here, purely, so that it can be read and
tested without a PDF. The page shows the signed payload; it computes no money.
"""

from decimal import Decimal
from typing import Any

from common.documents.joining import Script
from common.documents.localised import Localised
from common.documents.payload import (
    CreditedLine,
    CreditNote,
    ForeignExchange,
    HomeTax,
    Invoice,
    Line,
    Payment,
    Personal,
    RateSnapshot,
    Tax,
    Totals,
)
from common.documents.vocabulary import Words
from common.domain.dataclass import dataclass
from common.domain.money import Currency

NOTHING = "–"


@dataclass(frozen=True)
class Labelled:
    """A value and what it is."""

    label: str
    value: str


@dataclass(frozen=True)
class Party:
    """Who bills, or who is billed."""

    name: str
    lines: tuple[str, ...]
    tax_id: str | None


@dataclass(frozen=True)
class LineOnPage:
    """A row of the table of charges."""

    date: str
    description: str
    quantity: str
    unit_price: str
    net: str
    tax: str
    gross: str


@dataclass(frozen=True)
class TaxOnPage:
    """A row of the tax breakdown."""

    name: str
    rate: str
    taxable: str
    amount: str


@dataclass(frozen=True)
class HomeTaxOnPage:
    """The tax in the home currency, row by row and together, and the rate."""

    label: str
    rows: tuple[Labelled, ...]
    rate: str


@dataclass(frozen=True)
class PaymentOnPage:
    """A row of the payments; `tendered` in the currency that was handed over."""

    date: str
    method: str
    tendered: str
    amount: str


@dataclass(frozen=True)
class Page:
    """Everything that a template may print; a credit note has no payments and no rates."""

    language: str
    words: Words
    script: Script
    title: str
    number: str
    is_copy: bool
    issuer: Party
    customer: Party
    facts: tuple[Labelled, ...]
    issued_at: str
    currency: str
    lines: tuple[LineOnPage, ...]
    taxes: tuple[TaxOnPage, ...]
    home_tax: HomeTaxOnPage | None
    sums: tuple[Labelled, ...]
    total: str
    settled: tuple[Labelled, ...]
    balance_due: str
    payments: tuple[PaymentOnPage, ...]
    rates: tuple[str, ...]
    exchange_difference: str | None
    payload_sha256: str
    verify_url: str


def invoice_page(
    invoice: Invoice,
    person: Personal,
    *,
    payload_sha256: str,
    verify_url: str,
    language: str,
    copy: bool = False,
) -> Page:
    """Lay an invoice, and the personal data beside it, out in a language.

    Refuses: `LanguageUnknown`, `CurrencyUnknown`.
    """
    here, currency = Localised.into(language), Currency(invoice.currency)
    totals = invoice.totals
    return _laid_out(
        invoice,
        person,
        here,
        title=here.words.invoice,
        is_copy=copy,
        facts=_facts(invoice, here),
        lines=tuple(_line(line, currency, here) for line in invoice.lines),
        total=here.money(totals.gross_micro, currency),
        settled=_settled(totals, currency, here),
        balance_due=here.money(totals.due_micro, currency),
        payments=tuple(_payment(payment, currency, here) for payment in invoice.payments),
        rates=_rates(invoice.fx, here),
        exchange_difference=_exchange_difference(invoice.fx, currency, here),
        payload_sha256=payload_sha256,
        verify_url=verify_url,
    )


def credit_note_page(
    note: CreditNote,
    person: Personal,
    *,
    payload_sha256: str,
    verify_url: str,
    language: str,
    copy: bool = False,
) -> Page:
    """Lay a credit note, and the personal data beside it, out in a language.

    Refuses: `LanguageUnknown`, `CurrencyUnknown`.
    """
    here, currency = Localised.into(language), Currency(note.currency)
    words, totals = here.words, note.totals
    total = here.money(totals.total_micro, currency)
    rounding = here.amount(totals.rounding_micro, currency)
    return _laid_out(
        note,
        person,
        here,
        title=words.credit_note,
        is_copy=copy,
        facts=(
            Labelled(words.issue_date, here.long_day(note.business_date)),
            Labelled(words.corrects_invoice, here.text(note.invoice.number)),
            Labelled(words.invoice_issued, here.long_day(note.invoice.business_date)),
            Labelled(words.folio, here.text(note.folio_id)),
            Labelled(words.currency, here.currency(currency)),
        ),
        lines=tuple(_credited(line, currency, here) for line in note.lines),
        total=total,
        settled=(Labelled(words.rounding, rounding),) if totals.rounding_micro else (),
        balance_due=total,
        payments=(),
        rates=(),
        exchange_difference=None,
        payload_sha256=payload_sha256,
        verify_url=verify_url,
    )


def _laid_out(
    document: Invoice | CreditNote, person: Personal, here: Localised, **parts: Any
) -> Page:
    """What every document has on its page, with the `parts` of its own kind."""
    words, currency = here.words, Currency(document.currency)
    return Page(
        language=here.language,
        words=words,
        script=here.script,
        number=here.text(document.number),
        issuer=_issuer(document, here),
        customer=_customer(person, here),
        issued_at=words.issued_at.format(here.moment(document.issued_at)),
        currency=currency,
        taxes=tuple(_tax(tax, currency, here) for tax in document.tax_breakdown),
        home_tax=_home_tax(document.tax_in_home_currency, here),
        sums=(
            Labelled(words.total_net, here.amount(document.totals.net_micro, currency)),
            Labelled(words.total_tax, here.amount(document.totals.tax_micro, currency)),
        ),
        **parts,
    )


def _issuer(invoice: Invoice | CreditNote, here: Localised) -> Party:
    issuer = invoice.issuer
    lines = (*issuer.address_lines, here.territory(issuer.country))
    return _party(issuer.name, lines, issuer.tax_id, here)


def _customer(person: Personal, here: Localised) -> Party:
    name = person.name or here.words.personal_data_erased
    return _party(name, person.address_lines, person.tax_id, here)


def _party(name: str, lines: tuple[str, ...], tax_id: str | None, here: Localised) -> Party:
    return Party(
        name=here.text(name),
        lines=tuple(here.text(line) for line in lines if line),
        tax_id=here.text(tax_id) if tax_id else None,
    )


def _facts(invoice: Invoice, here: Localised) -> tuple[Labelled, ...]:
    words = here.words
    facts = [Labelled(words.issue_date, here.long_day(invoice.business_date))]
    if stay := invoice.stay:
        facts.append(Labelled(words.stay, here.days(stay.from_, stay.to)))
    facts.append(Labelled(words.folio, here.text(invoice.folio_id)))
    if invoice.reservation_id:
        facts.append(Labelled(words.reservation, here.text(invoice.reservation_id)))
    facts.append(Labelled(words.currency, here.currency(Currency(invoice.currency))))
    return tuple(facts)


def _line(line: Line, currency: Currency, here: Localised) -> LineOnPage:
    return LineOnPage(
        date=here.day(line.service_date),
        description=here.text(line.description),
        quantity=here.number(line.quantity),
        unit_price=here.amount(line.unit_amount_micro, currency),
        net=here.amount(line.net_micro, currency),
        tax=here.text(", ".join(tax.code for tax in line.taxes)) or NOTHING,
        gross=here.amount(line.gross_micro, currency),
    )


def _credited(line: CreditedLine, currency: Currency, here: Localised) -> LineOnPage:
    return LineOnPage(
        date=here.day(line.service_date),
        description=here.text(line.description),
        quantity=NOTHING,
        unit_price=NOTHING,
        net=here.amount(line.net_micro, currency),
        tax=here.text(", ".join(tax.code for tax in line.taxes)) or NOTHING,
        gross=here.amount(line.gross_micro, currency),
    )


def _tax(tax: Tax, currency: Currency, here: Localised) -> TaxOnPage:
    return TaxOnPage(
        name=here.text(f"{tax.name} ({tax.code})"),
        rate=NOTHING if tax.rate_ppm is None else here.percentage(tax.rate_ppm),
        taxable=here.amount(tax.base_micro, currency),
        amount=here.amount(tax.amount_micro, currency),
    )


def _home_tax(tax: HomeTax | None, here: Localised) -> HomeTaxOnPage | None:
    if tax is None:
        return None
    currency = Currency(tax.currency)
    rows = [
        Labelled(
            _coded(group.code, group.rate_ppm, here), here.amount(group.amount_micro, currency)
        )
        for group in tax.groups
    ]
    total = Labelled(here.words.total_tax, here.money(tax.tax_micro, currency))
    return HomeTaxOnPage(
        label=here.words.tax_in_currency.format(here.text(currency)),
        rows=(*rows, total) if len(rows) > 1 else (total,),
        rate=_rate(tax.rate, here),
    )


def _coded(code: str, rate_ppm: int | None, here: Localised) -> str:
    """`VAT 10%`; of a tax by the night its code."""
    return here.text(code if rate_ppm is None else f"{code} {here.percentage(rate_ppm)}")


def _settled(totals: Totals, currency: Currency, here: Localised) -> tuple[Labelled, ...]:
    paid = Labelled(here.words.paid, here.amount(totals.paid_micro, currency))
    if not totals.rounding_micro:
        return (paid,)
    rounding = here.amount(totals.rounding_micro, currency)
    return (Labelled(here.words.rounding, rounding), paid)


def _payment(payment: Payment, currency: Currency, here: Localised) -> PaymentOnPage:
    method = here.words.methods.get(payment.method, payment.method.replace("_", " "))
    return PaymentOnPage(
        date=here.day(payment.business_date),
        method=here.text(method),
        tendered=here.money(payment.paid_micro, Currency(payment.paid_currency)),
        amount=here.amount(payment.amount_micro, currency),
    )


def _rates(fx: ForeignExchange | None, here: Localised) -> tuple[str, ...]:
    return tuple(_rate(snapshot, here) for snapshot in fx.snapshots) if fx else ()


def _rate(snapshot: RateSnapshot, here: Localised) -> str:
    one, rate = here.number(Decimal(1)), here.number(snapshot.rate)
    equation = here.text(f"{one} {snapshot.base} = {rate} {snapshot.quote}")
    return f"{equation} · {here.text(snapshot.source)} · {here.moment(snapshot.taken_at)}"


def _exchange_difference(
    fx: ForeignExchange | None, currency: Currency, here: Localised
) -> str | None:
    if fx is None or not fx.difference_micro:
        return None
    return here.words.exchange_difference.format(here.money(fx.difference_micro, currency))
