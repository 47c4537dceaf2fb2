"""Every word that a document prints, language by language.

A hotel's guest reads the invoice in the guest's own language, an auditor perhaps in another: the
figures are the same, only these words change. A language is complete or does not exist, because
each is one call of a constructor without defaults: the type checker finds a word left out.
Numbers, dates and names of currencies are not words; they come from CLDR (`localised`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Direction = Literal["ltr", "rtl"]


class LanguageUnknown(Exception):
    """No words stand here in the language that was asked for."""


@dataclass(frozen=True)
class VerificationWords:
    """The page that a guest reaches by the QR code."""

    title: str
    genuine: str
    genuine_detail: str
    pending: str
    pending_detail: str
    corrected: str
    corrected_detail: str
    changed: str
    changed_detail: str
    unknown: str
    unknown_detail: str
    signature: str
    status: str
    signatures: Mapping[str, str]
    statuses: Mapping[str, str]


@dataclass(frozen=True)
class Words:
    """The words of one language; `{}` marks where a value stands in a sentence."""

    direction: Direction
    invoice: str
    credit_note: str
    corrects_invoice: str
    invoice_issued: str
    total_credited: str
    verify_credit_note: str
    copy_mark: str
    tax_id: str
    bill_to: str
    personal_data_erased: str
    number: str
    issue_date: str
    issued_at: str
    stay: str
    folio: str
    reservation: str
    currency: str
    date: str
    description: str
    quantity: str
    unit_price: str
    net: str
    tax: str
    gross: str
    taxes: str
    tax_rate: str
    taxable: str
    tax_amount: str
    total_net: str
    total_tax: str
    rounding: str
    total: str
    paid: str
    balance_due: str
    payments: str
    method: str
    tendered: str
    amount: str
    no_payments: str
    exchange_rates: str
    exchange_difference: str
    verify: str
    verify_detail: str
    fingerprint: str
    page: str
    page_of: str
    issuer: str
    methods: Mapping[str, str]
    verification: VerificationWords


ENGLISH = Words(
    direction="ltr",
    invoice="Invoice",
    credit_note="Credit note",
    corrects_invoice="Corrects invoice",
    invoice_issued="Invoice of",
    total_credited="Total credited",
    verify_credit_note="Is this credit note genuine?",
    copy_mark="Copy",
    tax_id="Tax ID",
    bill_to="Billed to",
    personal_data_erased="Personal data erased",
    number="Invoice number",
    issue_date="Date of issue",
    issued_at="Issued {}",
    stay="Stay",
    folio="Folio",
    reservation="Reservation",
    currency="Currency",
    date="Date",
    description="Description",
    quantity="Qty",
    unit_price="Unit price",
    net="Net",
    tax="Tax",
    gross="Gross",
    taxes="Tax breakdown",
    tax_rate="Rate",
    taxable="Taxable",
    tax_amount="Tax",
    total_net="Net amount",
    total_tax="Tax",
    rounding="Rounding",
    total="Total",
    paid="Paid",
    balance_due="Balance due",
    payments="Payments",
    method="Method",
    tendered="Tendered",
    amount="Amount",
    no_payments="No payment has been received.",
    exchange_rates="Exchange rates",
    exchange_difference="Exchange difference: {}",
    verify="Is this invoice genuine?",
    verify_detail="Scan the code or open the address to check it with the issuer.",
    fingerprint="Payload SHA-256",
    page="Page",
    page_of="of",
    issuer="Issuer",
    methods={
        "cash": "Cash",
        "card": "Card",
        "bank_transfer": "Bank transfer",
        "mobile_money": "Mobile money",
        "voucher": "Voucher",
        "city_ledger": "City ledger",
        "deposit_transfer": "Deposit moved",
    },
    verification=VerificationWords(
        title="Document verification",
        genuine="This document is genuine",
        genuine_detail="The issuer wrote it, and nothing in it has been changed since.",
        pending="This document is the issuer's, and is being signed",
        pending_detail="Nothing in it has been changed. Its signature follows within moments; look "
        "again then.",
        corrected="This document is genuine, but no longer stands",
        corrected_detail="The issuer wrote it and has credited or voided it since. Ask the issuer "
        "which document holds now.",
        changed="This document does not match",
        changed_detail="What you hold differs from what the issuer wrote, or its signature cannot "
        "be confirmed. Do not rely on it, and ask the issuer for a new copy.",
        unknown="This document is not known",
        unknown_detail="No document was found for this address. It may be incomplete or invented.",
        signature="Signature",
        status="Status",
        signatures={
            "pending": "not there yet",
            "valid": "Valid",
            "unknown_key": "Made with an unknown key",
            "broken": "Broken",
        },
        statuses={"issued": "Issued", "credited": "Credited", "voided": "Voided"},
    ),
)

GERMAN = Words(
    direction="ltr",
    invoice="Rechnung",
    credit_note="Gutschrift",
    corrects_invoice="Berichtigt Rechnung",
    invoice_issued="Rechnung vom",
    total_credited="Gutgeschrieben",
    verify_credit_note="Ist diese Gutschrift echt?",
    copy_mark="Kopie",
    tax_id="Steuernummer",
    bill_to="Rechnung an",
    personal_data_erased="Personenbezogene Daten gelöscht",
    number="Rechnungsnummer",
    issue_date="Rechnungsdatum",
    issued_at="Ausgestellt {}",
    stay="Aufenthalt",
    folio="Folio",
    reservation="Reservierung",
    currency="Währung",
    date="Datum",
    description="Leistung",
    quantity="Menge",
    unit_price="Einzelpreis",
    net="Netto",
    tax="Steuer",
    gross="Brutto",
    taxes="Steueraufstellung",
    tax_rate="Satz",
    taxable="Bemessung",
    tax_amount="Steuer",
    total_net="Nettobetrag",
    total_tax="Steuer",
    rounding="Rundung",
    total="Gesamtbetrag",
    paid="Bezahlt",
    balance_due="Offener Betrag",
    payments="Zahlungen",
    method="Zahlungsart",
    tendered="Gegeben",
    amount="Betrag",
    no_payments="Es ist noch keine Zahlung eingegangen.",
    exchange_rates="Wechselkurse",
    exchange_difference="Kursdifferenz: {}",
    verify="Ist diese Rechnung echt?",
    verify_detail="Code scannen oder Adresse öffnen, um sie beim Aussteller zu prüfen.",
    fingerprint="SHA-256 des Inhalts",
    page="Seite",
    page_of="von",
    issuer="Aussteller",
    methods={
        "cash": "Bar",
        "card": "Karte",
        "bank_transfer": "Überweisung",
        "mobile_money": "Mobiles Geld",
        "voucher": "Gutschein",
        "city_ledger": "Debitorenkonto",
        "deposit_transfer": "Umgebuchte Anzahlung",
    },
    verification=VerificationWords(
        title="Dokumentprüfung",
        genuine="Dieses Dokument ist echt",
        genuine_detail="Der Aussteller hat es geschrieben, und seither wurde nichts geändert.",
        pending="Dieses Dokument stammt vom Aussteller und wird gerade signiert",
        pending_detail="Nichts daran wurde geändert. Die Signatur folgt in wenigen Augenblicken; "
        "sehen Sie dann noch einmal nach.",
        corrected="Dieses Dokument ist echt, gilt aber so nicht mehr",
        corrected_detail="Der Aussteller hat es geschrieben und seither gutgeschrieben oder "
        "storniert. Fragen Sie ihn, welches Dokument nun gilt.",
        changed="Dieses Dokument stimmt nicht überein",
        changed_detail="Was Ihnen vorliegt, weicht von dem ab, was der Aussteller schrieb, oder "
        "die Signatur ist nicht bestätigt. Verlassen Sie sich nicht darauf und bitten Sie den "
        "Aussteller um eine neue Kopie.",
        unknown="Dieses Dokument ist nicht bekannt",
        unknown_detail="Unter dieser Adresse wurde kein Dokument gefunden. Sie ist vielleicht "
        "unvollständig oder erfunden.",
        signature="Signatur",
        status="Stand",
        signatures={
            "pending": "steht noch aus",
            "valid": "Gültig",
            "unknown_key": "Mit einem unbekannten Schlüssel erstellt",
            "broken": "Gebrochen",
        },
        statuses={"issued": "Ausgestellt", "credited": "Gutgeschrieben", "voided": "Storniert"},
    ),
)

FRENCH = Words(
    direction="ltr",
    invoice="Facture",
    credit_note="Avoir",
    corrects_invoice="Rectifie la facture",
    invoice_issued="Facture du",
    total_credited="Total de l’avoir",
    verify_credit_note="Cet avoir est-il authentique ?",
    copy_mark="Copie",
    tax_id="N° fiscal",
    bill_to="Facturé à",
    personal_data_erased="Données personnelles effacées",
    number="Numéro de facture",
    issue_date="Date d’émission",
    issued_at="Émise le {}",
    stay="Séjour",
    folio="Folio",
    reservation="Réservation",
    currency="Devise",
    date="Date",
    description="Désignation",
    quantity="Qté",
    unit_price="Prix unitaire",
    net="Net",
    tax="Taxe",
    gross="Brut",
    taxes="Détail des taxes",
    tax_rate="Taux",
    taxable="Base",
    tax_amount="Taxe",
    total_net="Montant net",
    total_tax="Taxes",
    rounding="Arrondi",
    total="Total",
    paid="Payé",
    balance_due="Solde dû",
    payments="Paiements",
    method="Mode",
    tendered="Remis",
    amount="Montant",
    no_payments="Aucun paiement n’a été reçu.",
    exchange_rates="Taux de change",
    exchange_difference="Écart de change : {}",
    verify="Cette facture est-elle authentique ?",
    verify_detail="Scannez le code ou ouvrez l’adresse pour la vérifier auprès de l’émetteur.",
    fingerprint="SHA-256 du contenu",
    page="Page",
    page_of="sur",
    issuer="Émetteur",
    methods={
        "cash": "Espèces",
        "card": "Carte",
        "bank_transfer": "Virement",
        "mobile_money": "Paiement mobile",
        "voucher": "Bon",
        "city_ledger": "Compte débiteur",
        "deposit_transfer": "Acompte transféré",
    },
    verification=VerificationWords(
        title="Vérification de document",
        genuine="Ce document est authentique",
        genuine_detail="L’émetteur l’a écrit, et rien n’y a été changé depuis.",
        pending="Ce document est de l’émetteur, et sa signature est en cours",
        pending_detail="Rien n’y a été changé. La signature suit dans quelques instants ; revenez "
        "la vérifier.",
        corrected="Ce document est authentique, mais ne vaut plus telle quelle",
        corrected_detail="L’émetteur l’a écrit, puis crédité ou annulé. Demandez-lui quel "
        "document vaut à présent.",
        changed="Ce document ne correspond pas",
        changed_detail="Ce que vous tenez diffère de ce que l’émetteur a écrit, ou sa signature "
        "ne peut être confirmée. Ne vous y fiez pas et demandez une nouvelle copie à l’émetteur.",
        unknown="Ce document est inconnu",
        unknown_detail="Aucun document ne se trouve à cette adresse, peut-être incomplète ou "
        "inventée.",
        signature="Signature",
        status="État",
        signatures={
            "pending": "pas encore là",
            "valid": "Valide",
            "unknown_key": "Faite avec une clé inconnue",
            "broken": "Rompue",
        },
        statuses={"issued": "Émis", "credited": "Crédité", "voided": "Annulé"},
    ),
)

WORDS: Mapping[str, Words] = {"en": ENGLISH, "de": GERMAN, "fr": FRENCH}


def words_in(language: str) -> Words:
    """The words of a BCP 47 tag; `de-AT` reads German. Refuses: `LanguageUnknown`."""
    words = WORDS.get(language.partition("-")[0].lower())
    if words is None:
        raise LanguageUnknown(f"no words in the language {language!r}")
    return words
