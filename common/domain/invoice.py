"""An invoice: what a folio came to, as a numbered document."""

import hashlib
from collections.abc import Sequence
from dataclasses import field
from typing import ClassVar

from common.domain.aggregate import Fact
from common.domain.canonical import canonical
from common.domain.dataclass import dataclass
from common.domain.folio import Folio
from common.domain.folio_line import Line
from common.domain.identifiers import InvoiceId
from common.domain.invoice_payload import Totals, document
from common.domain.issued_document import (
    DocumentRendered,
    DocumentSent,
    IssuedDocument,
    Person,
    Series,
)
from common.domain.moment import Moment
from common.domain.payment import Payment
from common.domain.refund import Refund
from common.domain.refusal import Missing
from common.domain.settlement import Settlement


class InvoiceUnknown(Missing):
    code = "INVOICE_UNKNOWN"
    title = "There is no such invoice"


@dataclass(frozen=True, kw_only=True)
class InvoiceFact(Fact):
    """Something that happened to an invoice."""

    subject: "Invoice" = field(repr=False, compare=False)


@dataclass(frozen=True, kw_only=True)
class InvoiceIssued(InvoiceFact):
    name = "invoice.generated"


@dataclass(frozen=True, kw_only=True)
class InvoiceRendered(DocumentRendered):
    name = "invoice.rendered"


@dataclass(frozen=True, kw_only=True)
class InvoiceSent(DocumentSent):
    name = "invoice.sent"


@dataclass(kw_only=True)
class Invoice(IssuedDocument):
    """What a folio came to; `line_ids` are the lines of the folio that stand on it.

    `status` says whether credit notes have taken something off it since (INV-8).
    """

    kind: ClassVar[str] = "invoice"
    rendered_fact = InvoiceRendered
    sent_fact = InvoiceSent
    id: InvoiceId
    line_ids: tuple[str, ...] = ()
    status: str = "issued"


def issue(
    folio: Folio,
    lines: Sequence[Line],
    payments: Sequence[Payment],
    settlement: Settlement,
    series: Series,
    moment: Moment,
    refunds: Sequence[Refund] = (),
) -> InvoiceIssued:
    """Give the next number of the series to what a folio's lines come to.

    `lines` are those that are on no document yet; the payload names every one of them. The series
    moves on when everything else is done. Refuses: AmountOutOfRange, FxRateMissing.
    """
    settings = moment.settings
    invoice_id = moment.new_id(InvoiceId)
    place = series.next_place(invoice_id, settings.number_prefix, moment.now)
    person = Person.of(folio.guest, moment)
    text = canonical(
        document(place, folio, lines, payments, settlement, person.commitment, moment, refunds)
    )
    invoice = Invoice(
        id=invoice_id,
        folio_id=folio.id,
        property_id=folio.property_id,
        jurisdiction=place.jurisdiction,
        document_type=place.document_type,
        year=place.year,
        series_number=place.sequence,
        number=place.number,
        currency=folio.currency,
        total=Totals.of(lines, folio.currency).total,
        business_date=settings.property(folio.property_id).business_date(moment.now),
        issued_at=place.issued_at,
        language=settings.language,
        template_version=settings.invoice_template,
        payload=text.decode(),
        payload_sha256=hashlib.sha256(text).digest(),
        previous_sha256=place.previous_sha256,
        person=person,
        line_ids=tuple(line.id for line in lines),
    )
    series.move_on(place, invoice.payload_sha256)
    return InvoiceIssued(subject=invoice, sequence=invoice.next_sequence())
