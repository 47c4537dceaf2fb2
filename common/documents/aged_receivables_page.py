"""What the companies of a house owed on a day, as people read it: a page, and a PDF to file.

A table for each currency, a row for each company and one for their sum. Nothing is worked out here;
the templates only place what is decided here. The PDF is dated by its day, so that a report of a
day that is over is the same whenever it is drawn.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from io import BytesIO
from typing import Any, Final

from common.documents.account_statement_page import BUCKETS
from common.documents.account_statement_words import account_statement_words_in
from common.documents.aged_receivables_words import aged_receivables_words_in
from common.documents.drawing import draw
from common.documents.filling import filled, style_of
from common.documents.joining import Script
from common.documents.legible import legible
from common.documents.localised import Localised
from common.documents.page import Labelled, Party
from common.documents.payload import MAX_LINES
from common.documents.statement_page import StatementTooLong
from common.documents.vocabulary import AccountStatementWords, AgedReceivablesWords, Words
from common.domain.dataclass import dataclass
from common.domain.money import Currency

NOTHING: Final = ""
Document = Mapping[str, Any]


@dataclass(frozen=True)
class AgedRow:
    """A company, or all of them: by days past due, and what else moves the balance."""

    company: str
    buckets: tuple[str, ...]
    not_invoiced: str
    to_their_credit: str
    balance: str


@dataclass(frozen=True)
class AgedTable:
    """The companies that owe in one currency."""

    currency: str
    rows: tuple[AgedRow, ...]
    total: AgedRow


@dataclass(frozen=True)
class AgedReceivablesOnPage:
    """Everything that a template may print."""

    language: str
    words: Words
    script: Script
    stated: AgedReceivablesWords
    account: AccountStatementWords
    property_name: str
    issuer: Party
    party: Party
    facts: tuple[Labelled, ...]
    as_of: str
    buckets: tuple[str, ...]
    tables: tuple[AgedTable, ...]


def aged_receivables_html(document: Document) -> str:
    """The page, for a browser. Refuses: `LanguageUnknown`, `CurrencyUnknown`."""
    return filled("aged-receivables", page=laid_out(document), style=style_of("statement"))


def aged_receivables_pdf(document: Document) -> bytes:
    """The report as a PDF, dated by the day that it is about.

    Raises `RenderingFailed` when anything of it cannot be printed, `StatementTooLong` when it has
    more rows than an invoice may have. Refuses: `LanguageUnknown`, `CurrencyUnknown`.
    """
    from pypdf import PdfWriter

    if len(document["accounts"]) > MAX_LINES:
        raise StatementTooLong
    page = laid_out(document)
    drawn = draw(filled("aged-receivables-print", page=page), page.script)
    writer, labelled = PdfWriter(clone_from=BytesIO(drawn)), BytesIO()
    dated = f"D:{date.fromisoformat(document['asOf']):%Y%m%d}000000Z"
    writer.metadata = {
        "/Title": page.stated.title,
        "/Producer": "Melmastoon Billing",
        "/CreationDate": dated,
        "/ModDate": dated,
    }
    writer.write(labelled)
    return labelled.getvalue()


def laid_out(document: Document) -> AgedReceivablesOnPage:
    """A report in the words and figures of its language.

    Refuses: `LanguageUnknown`, `CurrencyUnknown`.
    """
    here, issuer = Localised.into(document["language"]), document["issuer"]
    stated = aged_receivables_words_in(document["language"])
    account = account_statement_words_in(document["language"])
    house = here.text(legible(document["propertyName"]))
    day = here.day(date.fromisoformat(document["asOf"]))
    lines = (*issuer["addressLines"], here.territory(legible(issuer["country"])))
    return AgedReceivablesOnPage(
        language=here.language,
        words=here.words,
        script=here.script,
        stated=stated,
        account=account,
        property_name=house,
        issuer=Party(
            name=here.text(legible(issuer["name"])),
            lines=tuple(here.text(legible(line)) for line in lines if line),
            tax_id=here.text(legible(issuer["taxId"])) if issuer["taxId"] else None,
        ),
        party=Party(name=house, lines=(), tax_id=None),
        facts=(Labelled(stated.as_of, day),),
        as_of=day,
        buckets=tuple(account.buckets[name] for name in BUCKETS),
        tables=tuple(
            _table(total, document["accounts"], stated, here) for total in document["totals"]
        ),
    )


def _table(
    total: Document, accounts: Sequence[Document], stated: AgedReceivablesWords, here: Localised
) -> AgedTable:
    currency = Currency(total["currency"])
    owing = [each for each in accounts if each["balance"]["currency"] == currency]
    return AgedTable(
        currency=here.currency(currency),
        rows=tuple(_row(each, here) for each in owing),
        total=AgedRow(
            company=stated.total,
            buckets=_buckets(total, here),
            not_invoiced=NOTHING,
            to_their_credit=NOTHING,
            balance=_amount(total["balance"], here),
        ),
    )


def _row(each: Document, here: Localised) -> AgedRow:
    return AgedRow(
        company=here.text(legible(each["name"])),
        buckets=_buckets(each, here),
        not_invoiced=_amount(each["notInvoiced"], here),
        to_their_credit=_amount(each["unallocated"], here),
        balance=_amount(each["balance"], here),
    )


def _buckets(each: Document, here: Localised) -> tuple[str, ...]:
    return tuple(_amount(each["buckets"][name], here) for name in BUCKETS)


def _amount(money: Document, here: Localised) -> str:
    return here.amount(money["amountMicro"], Currency(money["currency"]))
