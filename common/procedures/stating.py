"""Stating a document as an e-invoice: the XML that its PDF carries, for an accountant's program."""

import json

from common.contracts.shapes import Outcome
from common.domain.issued_document import IssuedDocument
from common.ports.powers import Powers


class EInvoiceFile(Outcome):
    """The XML of EN 16931 in the syntax CII (Factur-X), under the document's number."""

    file_name: str
    content: bytes


def state(document: IssuedDocument, powers: Powers) -> EInvoiceFile:
    """Write the e-invoice of a document. Refuses: EInvoiceNotPossible."""
    return EInvoiceFile(file_name=f"{document.number}.xml", content=e_invoice_of(document, powers))


def e_invoice_of(document: IssuedDocument, powers: Powers) -> bytes:
    """The XML of a document: the same bytes wherever it is asked for.

    Refuses: EInvoiceNotPossible.
    """
    person = document.person.document if document.person else {}
    return powers.printer.e_invoice(json.loads(document.payload), person)
