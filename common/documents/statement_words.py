"""The words that a statement has and an invoice has not, in every language that invoices have.

That it is no invoice is said in a whole sentence under the title, in the reader's own language: a
guest who takes it for one would hand it to a tax office.
"""

from collections.abc import Mapping

from common.documents import arabic, dari, pashto
from common.documents.vocabulary import LanguageUnknown, StatementWords

ENGLISH = StatementWords(
    title="Statement",
    not_an_invoice="This is a statement of your account and not an invoice. It gives no right to "
    "deduct tax; the invoice is issued when the account is closed.",
    guest="Guest",
    as_of="As of",
    charges_and_payments="Charges and payments",
    nothing_posted="Nothing has been posted yet.",
    refunded="Refunded",
    moved="Moved to other accounts",
    balance="Balance",
    pending="{}, on its way",
    lines={
        "void": "Cancelled: {}",
        "payment": "Payment: {}",
        "refund": "Refund: {}",
        "refund_reversal": "Refund that failed, taken back: {}",
        "rounding": "Rounding",
    },
)
GERMAN = StatementWords(
    title="Kontoauszug",
    not_an_invoice="Dies ist ein Auszug Ihres Kontos und keine Rechnung. Er berechtigt nicht zum "
    "Vorsteuerabzug; die Rechnung wird ausgestellt, wenn das Konto abgeschlossen ist.",
    guest="Gast",
    as_of="Stand",
    charges_and_payments="Leistungen und Zahlungen",
    nothing_posted="Es ist noch nichts gebucht.",
    refunded="Erstattet",
    moved="Auf andere Konten umgebucht",
    balance="Saldo",
    pending="{}, unterwegs",
    lines={
        "void": "Storniert: {}",
        "payment": "Zahlung: {}",
        "refund": "Erstattung: {}",
        "refund_reversal": "Fehlgeschlagene Erstattung, zurückgenommen: {}",
        "rounding": "Rundung",
    },
)
FRENCH = StatementWords(
    title="Relevé de compte",
    not_an_invoice="Ceci est un relevé de votre compte et non une facture. Il n’ouvre droit à "
    "aucune déduction de taxe ; la facture est émise à la clôture du compte.",
    guest="Client",
    as_of="Arrêté au",
    charges_and_payments="Prestations et paiements",
    nothing_posted="Rien n’a encore été porté au compte.",
    refunded="Remboursé",
    moved="Transféré à d’autres comptes",
    balance="Solde",
    pending="{}, en cours",
    lines={
        "void": "Annulé : {}",
        "payment": "Paiement : {}",
        "refund": "Remboursement : {}",
        "refund_reversal": "Remboursement échoué, repris : {}",
        "rounding": "Arrondi",
    },
)

STATEMENT_WORDS: Mapping[str, StatementWords] = {
    "en": ENGLISH,
    "de": GERMAN,
    "fr": FRENCH,
    "fa": dari.STATEMENT,
    "ps": pashto.STATEMENT,
    "ar": arabic.STATEMENT,
}


def statement_words_in(language: str) -> StatementWords:
    """The words of a BCP 47 tag; `de-AT` reads German. Refuses: `LanguageUnknown`."""
    words = STATEMENT_WORDS.get(language.partition("-")[0].lower())
    if words is None:
        raise LanguageUnknown(f"no words for a statement in the language {language!r}")
    return words
