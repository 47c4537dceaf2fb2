"""A folio's statement as people read it: a page for a browser, and a PDF to hand over.

Both show the same figures in the same words, and both say in a sentence that this is no invoice.
What stands where is decided here, purely; the templates only place it. The page has no script,
fetches nothing and holds one style sheet, so that it can be served under
`content_security_policy()`. The PDF bears neither number nor hash in its metadata: uploaded where
invoices are verified, it is no document of ours.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from io import BytesIO
from typing import Any, Final

from common.documents.drawing import draw
from common.documents.filling import filled, policy_with, style_of
from common.documents.joining import Script
from common.documents.legible import legible
from common.documents.localised import Localised
from common.documents.page import NOTHING, Labelled, Party, TaxOnPage
from common.documents.payload import MAX_LINES
from common.documents.statement_words import statement_words_in
from common.documents.vocabulary import StatementWords, Words
from common.domain.dataclass import dataclass
from common.domain.money import Currency

MONEY: Final = frozenset({"payment", "refund", "refund_reversal", "deposit_transfer"})
Document = Mapping[str, Any]


class StatementTooLong(Exception):
    """Drawing it would take longer than anybody waits."""


@dataclass(frozen=True)
class StatedLine:
    """A row: what was posted, what it moved, and the balance that it left."""

    date: str
    description: str
    amount: str
    balance: str


@dataclass(frozen=True)
class StatementOnPage:
    """Everything that a template may print."""

    language: str
    words: Words
    script: Script
    stated: StatementWords
    property_name: str
    issuer: Party
    party: Party
    facts: tuple[Labelled, ...]
    as_of: str
    currency: str
    lines: tuple[StatedLine, ...]
    taxes: tuple[TaxOnPage, ...]
    sums: tuple[Labelled, ...]
    balance: str


def statement_html(document: Document) -> str:
    """The page of a statement, for a browser. Refuses: `LanguageUnknown`, `CurrencyUnknown`."""
    style = style_of("statement")
    return filled("statement", page=laid_out(document), style=style)


def statement_pdf(document: Document) -> bytes:
    """The statement as a PDF, dated by when it was asked for.

    Raises `RenderingFailed` when anything of it cannot be printed, `StatementTooLong` when it has
    more lines than an invoice may have. Refuses: `LanguageUnknown`, `CurrencyUnknown`.
    """
    from pypdf import PdfWriter

    if len(document["lines"]) > MAX_LINES:
        raise StatementTooLong
    page = laid_out(document)
    stated_at = f"D:{_instant(document['statedAt']).astimezone(UTC):%Y%m%d%H%M%S}Z"
    labelled, drawn = BytesIO(), draw(filled("statement-print", page=page), page.script)
    writer = PdfWriter(clone_from=BytesIO(drawn))
    writer.metadata = {
        "/Title": page.stated.title,
        "/Producer": "Melmastoon Billing",
        "/CreationDate": stated_at,
        "/ModDate": stated_at,
    }
    writer.write(labelled)
    return labelled.getvalue()


def content_security_policy() -> str:
    """The policy under which the page is whole and a browser runs and fetches nothing."""
    return policy_with(style_of("statement"))


def laid_out(document: Document) -> StatementOnPage:
    """A statement in the words and figures of its language.

    Refuses: `LanguageUnknown`, `CurrencyUnknown`.
    """
    here, currency = Localised.into(document["language"]), Currency(document["currency"])
    stated = statement_words_in(document["language"])
    return StatementOnPage(
        language=here.language,
        words=here.words,
        script=here.script,
        stated=stated,
        property_name=here.text(legible(document["propertyName"])),
        issuer=_issuer(document["issuer"], here),
        party=_party(document["guest"], (), here),
        facts=_facts(document, stated, here),
        as_of=f"{stated.as_of} {here.moment(_instant(document['statedAt']))}",
        currency=currency,
        lines=tuple(_line(line, stated, here) for line in document["lines"]),
        taxes=tuple(_tax(tax, here) for tax in document["taxes"]),
        sums=_sums(document, stated, here),
        balance=here.money(document["balance"]["amountMicro"], currency),
    )


def _issuer(issuer: Document, here: Localised) -> Party:
    return _party(issuer, (here.territory(legible(issuer["country"])),), here)


def _party(party: Document, more_lines: tuple[str, ...], here: Localised) -> Party:
    lines = (*(legible(line) for line in party["addressLines"]), *more_lines)
    return Party(
        name=here.text(legible(party["name"])),
        lines=tuple(here.text(line) for line in lines if line),
        tax_id=here.text(legible(party["taxId"])) if party["taxId"] else None,
    )


def _facts(document: Document, stated: StatementWords, here: Localised) -> tuple[Labelled, ...]:
    words, stay = here.words, document["stay"]
    facts = [Labelled(stated.as_of, here.long_day(date.fromisoformat(document["businessDate"])))]
    if stay:
        arrival, departure = (date.fromisoformat(stay[end]) for end in ("arrival", "departure"))
        facts.append(Labelled(words.stay, here.days(arrival, departure)))
    facts.append(Labelled(words.folio, here.text(document["folioId"])))
    if document["reservationId"]:
        facts.append(Labelled(words.reservation, here.text(legible(document["reservationId"]))))
    facts.append(Labelled(words.currency, here.currency(Currency(document["currency"]))))
    return tuple(facts)


def _line(line: Document, stated: StatementWords, here: Localised) -> StatedLine:
    return StatedLine(
        date=_day(line["businessDate"], here),
        description=_description(line, stated, here),
        amount=_amount(line["amount"], here),
        balance=_amount(line["balance"], here),
    )


def _description(line: Document, stated: StatementWords, here: Localised) -> str:
    """What a line is, by its own text; of money, how it was paid, and in what where that differs.

    A template of words may hold nothing but `{}`: what stands in it is never read as one.
    """
    text = here.text(legible(line["description"])) or NOTHING
    if line["type"] in MONEY:
        text = here.words.methods.get(line["kind"], text)
    words = stated.lines.get(line["type"], "{}").format(text)
    tendered = line["tendered"]
    if tendered and tendered["currency"] != line["amount"]["currency"]:
        handed = here.money(tendered["amountMicro"], Currency(tendered["currency"]))
        words = f"{words} ({handed})"
    return stated.pending.format(words) if line["refundStatus"] == "pending" else words


def _tax(tax: Document, here: Localised) -> TaxOnPage:
    rate = tax["ratePpm"]
    return TaxOnPage(
        name=here.text(legible(f"{tax['name']} ({tax['code']})")),
        rate=NOTHING if rate is None else here.percentage(rate),
        taxable=_amount(tax["base"], here),
        amount=_amount(tax["amount"], here),
    )


def _sums(document: Document, stated: StatementWords, here: Localised) -> tuple[Labelled, ...]:
    """What the balance is made of, in its order; what came to nothing may be left out."""
    words = here.words
    sums = (
        (words.total_net, document["net"], True),
        (words.total_tax, document["tax"], True),
        (words.rounding, document["rounding"], False),
        (words.paid, document["paid"], True),
        (stated.refunded, document["refunded"], False),
        (stated.moved, document["moved"], False),
    )
    return tuple(
        Labelled(label, _amount(amount, here))
        for label, amount, always in sums
        if always or amount["amountMicro"]
    )


def _amount(amount: Document, here: Localised) -> str:
    return here.amount(amount["amountMicro"], Currency(amount["currency"]))


def _day(day: str, here: Localised) -> str:
    return here.day(date.fromisoformat(day))


def _instant(instant: str) -> datetime:
    return datetime.fromisoformat(instant)
