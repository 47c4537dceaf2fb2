"""The words that a company account's statement has beside those of invoices and statements."""

from collections.abc import Mapping

from common.documents import arabic, dari, pashto
from common.documents.vocabulary import AccountStatementWords, LanguageUnknown

ENGLISH = AccountStatementWords(
    title="Statement of account",
    not_an_invoice="This is a statement of your account and not an invoice. It gives no right to "
    "deduct tax; the invoices that it names do.",
    company="Company",
    account="Account",
    period="Period",
    opening="Opening balance",
    movements="Invoices and payments",
    nothing_moved="Nothing has moved the account.",
    closing="Closing balance",
    balance="Balance",
    open_invoices="Open invoices",
    nothing_open="No invoice is open.",
    due_on="Due on",
    days_overdue="Days overdue",
    open="Open",
    entries={
        "settlement": "Stay",
        "refund": "Taken back",
        "payment": "Payment",
        "write_off": "Written off",
        "credit_note": "Credit note",
    },
    buckets={
        "notDue": "Not due",
        "days1To30": "1–30 days",
        "days31To60": "31–60 days",
        "days61To90": "61–90 days",
        "over90": "Over 90 days",
    },
)
GERMAN = AccountStatementWords(
    title="Kontoauszug",
    not_an_invoice="Dies ist ein Auszug Ihres Kontos und keine Rechnung. Er berechtigt nicht zum "
    "Vorsteuerabzug; das tun die Rechnungen, die er nennt.",
    company="Firma",
    account="Konto",
    period="Zeitraum",
    opening="Anfangssaldo",
    movements="Rechnungen und Zahlungen",
    nothing_moved="Das Konto wurde nicht bewegt.",
    closing="Endsaldo",
    balance="Saldo",
    open_invoices="Offene Rechnungen",
    nothing_open="Keine Rechnung ist offen.",
    due_on="Fällig am",
    days_overdue="Tage überfällig",
    open="Offen",
    entries={
        "settlement": "Aufenthalt",
        "refund": "Zurückgenommen",
        "payment": "Zahlung",
        "write_off": "Ausgebucht",
        "credit_note": "Gutschrift",
    },
    buckets={
        "notDue": "Nicht fällig",
        "days1To30": "1–30 Tage",
        "days31To60": "31–60 Tage",
        "days61To90": "61–90 Tage",
        "over90": "Über 90 Tage",
    },
)
FRENCH = AccountStatementWords(
    title="Relevé de compte",
    not_an_invoice="Ceci est un relevé de votre compte et non une facture. Il n’ouvre droit à "
    "aucune déduction de taxe ; les factures qu’il nomme le font.",
    company="Société",
    account="Compte",
    period="Période",
    opening="Solde initial",
    movements="Factures et paiements",
    nothing_moved="Aucun mouvement sur le compte.",
    closing="Solde final",
    balance="Solde",
    open_invoices="Factures ouvertes",
    nothing_open="Aucune facture n’est ouverte.",
    due_on="Échéance",
    days_overdue="Jours de retard",
    open="Ouvert",
    entries={
        "settlement": "Séjour",
        "refund": "Repris",
        "payment": "Paiement",
        "write_off": "Passé en perte",
        "credit_note": "Avoir",
    },
    buckets={
        "notDue": "Non échu",
        "days1To30": "1–30 jours",
        "days31To60": "31–60 jours",
        "days61To90": "61–90 jours",
        "over90": "Plus de 90 jours",
    },
)

ACCOUNT_STATEMENT_WORDS: Mapping[str, AccountStatementWords] = {
    "en": ENGLISH,
    "de": GERMAN,
    "fr": FRENCH,
    "fa": dari.ACCOUNT_STATEMENT,
    "ps": pashto.ACCOUNT_STATEMENT,
    "ar": arabic.ACCOUNT_STATEMENT,
}


def account_statement_words_in(language: str) -> AccountStatementWords:
    """The words of a BCP 47 tag; `de-AT` reads German. Refuses: `LanguageUnknown`."""
    words = ACCOUNT_STATEMENT_WORDS.get(language.partition("-")[0].lower())
    if words is None:
        raise LanguageUnknown(f"no words for an account's statement in {language!r}")
    return words
