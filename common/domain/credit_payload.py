"""What a credit note says: the document that is hashed, signed, printed and handed to an auditor.

It names the invoice that it corrects by number and by the hash of its payload, and each line by the
line's own id. Amounts are what is given back: positive for what a charge had cost. Whom it is made
out to is the customer of the invoice, by the same salted hash.
"""

import json
from collections.abc import Sequence

from common.domain.credited import InvoicedLine, Portion, TaxPortion, portion_document
from common.domain.invoice import Invoice
from common.domain.invoice_payload import Document, Place, instant, issuer_part, series_part
from common.domain.moment import Moment
from common.domain.money import Money

CREDIT_SCHEMA = "melmastoon.billing.credit_note/1"
_OF_THE_LINE = ("lineId", "sequence", "kind", "description", "serviceDate")


def credit_document(
    place: Place,
    invoice: Invoice,
    lines: Sequence[tuple[InvoicedLine, Portion]],
    rounding: Money,
    moment: Moment,
) -> Document:
    """The credit note over portions of an invoice's lines, and over its rounding."""
    settings, signed = moment.settings, json.loads(invoice.payload)
    house = settings.property(invoice.property_id)
    return {
        "schema": CREDIT_SCHEMA,
        "creditNoteId": place.id,
        "number": place.number,
        "type": place.document_type,
        "issuedAt": instant(place.issued_at),
        "businessDate": house.business_date(moment.now).isoformat(),
        "tenantId": str(settings.tenant_id),
        "propertyId": str(invoice.property_id),
        "issuer": issuer_part(settings.issuer),
        "customer": signed["customer"],
        "folioId": invoice.folio_id,
        "invoice": {
            "invoiceId": invoice.id,
            "number": invoice.number,
            "businessDate": invoice.business_date.isoformat(),
            "payloadSha256": invoice.payload_sha256.hex(),
        },
        "currency": invoice.currency,
        "lines": [
            {key: line.document[key] for key in _OF_THE_LINE} | portion_document(portion)
            for line, portion in lines
        ],
        "taxBreakdown": _breakdown([portion for _, portion in lines]),
        "totals": _totals([portion for _, portion in lines], rounding),
        "series": series_part(place),
        "previousDocumentSha256": place.previous_sha256.hex() if place.previous_sha256 else None,
        "language": invoice.language,
    }


def _breakdown(portions: Sequence[Portion]) -> list[Document]:
    """Tax by rule, rate and category: the sums of the lines."""
    groups: dict[tuple[str, int, str], list[TaxPortion]] = {}
    for tax in (tax for portion in portions for tax in portion.taxes):
        groups.setdefault((tax.code, tax.rate_ppm or 0, tax.category), []).append(tax)
    return [
        {
            "code": group[0].code,
            "name": group[0].name,
            "ratePpm": group[0].rate_ppm,
            "category": group[0].category,
            "levy": group[0].levy,
            "baseMicro": sum(tax.base.amount_micro for tax in group),
            "amountMicro": sum(tax.amount.amount_micro for tax in group),
        }
        for _, group in sorted(groups.items(), key=lambda each: each[0])
    ]


def _totals(portions: Sequence[Portion], rounding: Money) -> Document:
    currency = rounding.currency
    net = Money.total((portion.net for portion in portions), currency)
    gross = Money.total((portion.gross for portion in portions), currency)
    return {
        "netMicro": net.amount_micro,
        "taxMicro": (gross - net).amount_micro,
        "grossMicro": gross.amount_micro,
        "roundingMicro": rounding.amount_micro,
        "totalMicro": (gross + rounding).amount_micro,
    }
