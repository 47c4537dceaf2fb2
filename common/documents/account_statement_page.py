"""A company account's statement as people read it: a page for a browser, and a PDF to send.

Both show the same figures in the same words, and say in a sentence that this is no invoice. What
stands where is decided here, purely; the templates only place it. As a folio's statement, the page
fetches nothing, and the PDF bears no number or hash: it is no document of ours where they are
verified.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from io import BytesIO
from typing import Any, Final

from common.documents.account_statement_words import account_statement_words_in
from common.documents.drawing import draw
from common.documents.filling import filled, style_of
from common.documents.joining import Script
from common.documents.legible import legible
from common.documents.localised import Localised
from common.documents.page import Labelled, Party
from common.documents.payload import MAX_LINES
from common.documents.statement_page import StatementTooLong
from common.documents.vocabulary import AccountStatementWords, Words
from common.domain.dataclass import dataclass
from common.domain.money import Currency

BUCKETS: Final = ("notDue", "days1To30", "days31To60", "days61To90", "over90")
Document = Mapping[str, Any]


@dataclass(frozen=True)
class StatedEntry:
    """A row: what moved the account, and the balance that it left."""

    date: str
    description: str
    amount: str
    balance: str


@dataclass(frozen=True)
class OpenInvoice:
    """A row: what is open of an invoice, and since when."""

    number: str
    due_on: str
    days_overdue: str
    open: str


@dataclass(frozen=True)
class AccountStatementOnPage:
    """Everything that a template may print."""

    language: str
    words: Words
    script: Script
    stated: AccountStatementWords
    property_name: str
    issuer: Party
    party: Party
    facts: tuple[Labelled, ...]
    as_of: str
    currency: str
    opening: str
    entries: tuple[StatedEntry, ...]
    closing: str
    invoices: tuple[OpenInvoice, ...]
    buckets: tuple[Labelled, ...]


def account_statement_html(document: Document) -> str:
    """The page, for a browser. Refuses: `LanguageUnknown`, `CurrencyUnknown`."""
    return filled("account-statement", page=laid_out(document), style=style_of("statement"))


def account_statement_pdf(document: Document) -> bytes:
    """The statement as a PDF, dated by when it was asked for.

    Raises `RenderingFailed` when anything of it cannot be printed, `StatementTooLong` when it has
    more rows than an invoice may have. Refuses: `LanguageUnknown`, `CurrencyUnknown`.
    """
    from pypdf import PdfWriter

    if len(document["entries"]) + len(document["items"]) > MAX_LINES:
        raise StatementTooLong
    page = laid_out(document)
    stated_at = datetime.fromisoformat(document["statedAt"]).astimezone(UTC)
    dated = f"D:{stated_at:%Y%m%d%H%M%S}Z"
    drawn = draw(filled("account-statement-print", page=page), page.script)
    writer, labelled = PdfWriter(clone_from=BytesIO(drawn)), BytesIO()
    writer.metadata = {
        "/Title": page.stated.title,
        "/Producer": "Melmastoon Billing",
        "/CreationDate": dated,
        "/ModDate": dated,
    }
    writer.write(labelled)
    return labelled.getvalue()


def laid_out(document: Document) -> AccountStatementOnPage:
    """A statement in the words and figures of its language.

    Refuses: `LanguageUnknown`, `CurrencyUnknown`.
    """
    here, currency = Localised.into(document["language"]), Currency(document["currency"])
    stated, issuer = account_statement_words_in(document["language"]), document["issuer"]
    country = here.territory(legible(issuer["country"]))
    return AccountStatementOnPage(
        language=here.language,
        words=here.words,
        script=here.script,
        stated=stated,
        property_name=here.text(legible(document["propertyName"])),
        issuer=_party(issuer, (country,), here),
        party=_party(document["company"], (), here),
        facts=_facts(document, stated, here),
        as_of=_period(document, here),
        currency=currency,
        opening=_amount(document["opening"], here),
        entries=tuple(_entry(entry, stated, here) for entry in document["entries"]),
        closing=here.money(document["closing"]["amountMicro"], currency),
        invoices=tuple(_invoice(item, here) for item in document["items"]),
        buckets=tuple(
            Labelled(stated.buckets[name], _amount(document["buckets"][name], here))
            for name in BUCKETS
        ),
    )


def _facts(
    document: Document, stated: AccountStatementWords, here: Localised
) -> tuple[Labelled, ...]:
    return (
        Labelled(stated.period, _period(document, here)),
        Labelled(stated.account, here.text(document["companyAccountId"])),
        Labelled(here.words.currency, here.currency(Currency(document["currency"]))),
    )


def _party(party: Document, more_lines: tuple[str, ...], here: Localised) -> Party:
    lines = (*(legible(line) for line in party["addressLines"]), *more_lines)
    return Party(
        name=here.text(legible(party["name"])),
        lines=tuple(here.text(line) for line in lines if line),
        tax_id=here.text(legible(party["taxId"])) if party["taxId"] else None,
    )


def _entry(entry: Document, stated: AccountStatementWords, here: Localised) -> StatedEntry:
    """What moved the account; of a stay its invoice, or its folio while there is none."""
    known = entry["number"] or entry["folioId"] or entry["reference"]
    words = stated.entries[entry["kind"]]
    return StatedEntry(
        date=_day(entry["businessDate"], here),
        description=f"{words}: {here.text(legible(known))}" if known else words,
        amount=_amount(entry["amount"], here),
        balance=_amount(entry["balance"], here),
    )


def _invoice(item: Document, here: Localised) -> OpenInvoice:
    return OpenInvoice(
        number=here.text(legible(item["number"])),
        due_on=_day(item["dueOn"], here),
        days_overdue=here.number(Decimal(max(item["daysOverdue"], 0))),
        open=_amount(item["open"], here),
    )


def _amount(amount: Document, here: Localised) -> str:
    return here.amount(amount["amountMicro"], Currency(amount["currency"]))


def _period(document: Document, here: Localised) -> str:
    first, last = (date.fromisoformat(document[end]) for end in ("first", "last"))
    return here.days(first, last)


def _day(day: str, here: Localised) -> str:
    return here.day(date.fromisoformat(day))
