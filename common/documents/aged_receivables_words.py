"""The words that the report of aged receivables has beside those of a company's statement."""

from collections.abc import Mapping

from common.documents import arabic, dari, pashto
from common.documents.vocabulary import AgedReceivablesWords, LanguageUnknown

ENGLISH = AgedReceivablesWords(
    title="Aged receivables",
    not_an_invoice="This is a report of the house and not an invoice.",
    house="Property",
    as_of="As of",
    not_invoiced="Not invoiced",
    to_their_credit="To their credit",
    total="Total",
    nothing_owed="No company owes anything.",
)
GERMAN = AgedReceivablesWords(
    title="Offene Forderungen nach Alter",
    not_an_invoice="Dies ist ein Bericht des Hauses und keine Rechnung.",
    house="Haus",
    as_of="Stand",
    not_invoiced="Nicht berechnet",
    to_their_credit="Guthaben",
    total="Summe",
    nothing_owed="Keine Firma schuldet etwas.",
)
FRENCH = AgedReceivablesWords(
    title="Balance âgée des débiteurs",
    not_an_invoice="Ceci est un rapport de la maison et non une facture.",
    house="Établissement",
    as_of="Au",
    not_invoiced="Non facturé",
    to_their_credit="À leur crédit",
    total="Total",
    nothing_owed="Aucune société ne doit rien.",
)

AGED_RECEIVABLES_WORDS: Mapping[str, AgedReceivablesWords] = {
    "en": ENGLISH,
    "de": GERMAN,
    "fr": FRENCH,
    "fa": dari.AGED_RECEIVABLES,
    "ps": pashto.AGED_RECEIVABLES,
    "ar": arabic.AGED_RECEIVABLES,
}


def aged_receivables_words_in(language: str) -> AgedReceivablesWords:
    """The words of a BCP 47 tag; `de-AT` reads German. Refuses: `LanguageUnknown`."""
    words = AGED_RECEIVABLES_WORDS.get(language.partition("-")[0].lower())
    if words is None:
        raise LanguageUnknown(f"no words for a report of receivables in {language!r}")
    return words
