"""Handing an issued document over to be sent: the same for an invoice and for a credit note."""

from typing import Final

from common.contracts.sendings import SendingAsked, SendingView
from common.domain.issued_document import IssuedDocument
from common.domain.languages import check_written
from common.ports.transaction import Transaction

SCOPE: Final = "billing.invoice.send"


def send(document: IssuedDocument, asked: SendingAsked, tx: Transaction) -> SendingView:
    """Hand the issued copy over; the notification service hears of it by the event.

    Refuses: DocumentNotRendered, LanguageNotWritten.
    """
    language = asked.language or document.language
    check_written(language)
    sent = document.send(asked.recipients, language, tx.actor.sub, tx)
    tx.sendings.keep(sent.sending)
    tx.tell(sent)
    return SendingView.of(sent.sending)
