"""An invoice: a numbered document that never changes once it is issued.

Its number comes from a series without gaps, in the transaction that issues it. Its payload is one
canonical document; each payload names the hash of the document before it in its series, so that a
series can be proven whole with nothing but the documents. Who the customer is stands beside the
payload and is committed to by a salted hash: erasing the person later breaks no hash, no signature
and no chain. Signing and rendering happen after the commit and add to the invoice, never change it.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, ClassVar

from common.domain.aggregate import Aggregate, Fact
from common.domain.canonical import canonical
from common.domain.folio import Folio
from common.domain.folio_line import Line, LineType, Text
from common.domain.fx import FxSnapshot
from common.domain.identifiers import FolioId, InvoiceId, PropertyId
from common.domain.moment import Moment
from common.domain.money import Currency, Money
from common.domain.payment import Payment
from common.domain.refusal import Conflict, Missing
from common.domain.settlement import FxShown, Settlement

PAYLOAD_SCHEMA = "melmastoon.billing.invoice/1"
_SHOWN = frozenset({LineType.CHARGE, LineType.TAX, LineType.ADJUSTMENT})


class InvoiceUnknown(Missing):
    code = "INVOICE_UNKNOWN"
    title = "There is no such invoice"


class InvoiceNotRendered(Conflict):
    code = "INVOICE_NOT_RENDERED"
    title = "The invoice's PDF is still being made"


@dataclass(slots=True, kw_only=True)
class Series:
    """A locked row that numbers documents of one kind without a gap. Year 0 never restarts."""

    jurisdiction: str
    document_type: str
    year: int
    last_number: int = 0
    last_sha256: bytes | None = None

    def next_number(self, prefix: str) -> str:
        """Take the next number, as it is printed: `INV-AF-KBL-2026-000001`."""
        self.last_number += 1
        parts = [prefix, self.jurisdiction, *([str(self.year)] if self.year else [])]
        return "-".join([*parts, f"{self.last_number:06d}"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """The customer as the document names them; `salt` and document can be erased together."""

    salt: bytes
    document: dict[str, Any]

    @property
    def commitment(self) -> str:
        """SHA-256 over salt and canonical document, in hex: binds without telling."""
        return hashlib.sha256(self.salt + canonical(self.document)).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """A signature over the payload's SHA-256 by a version of the tenant's key."""

    key_version: str
    algorithm: str
    value: bytes
    signed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendition:
    """A PDF of the invoice. Copy 0 is the one that was issued; later ones stand beside it."""

    copy: int
    language: str
    template_version: str
    object_name: str
    pdf_sha256: bytes
    rendered_at: datetime


@dataclass(frozen=True, kw_only=True)
class InvoiceIssued(Fact):
    name = "invoice.generated"


@dataclass(frozen=True, kw_only=True)
class InvoiceRendered(Fact):
    name = "invoice.rendered"
    rendition: Rendition
    signature: Signature | None = None


@dataclass(kw_only=True)
class Invoice(Aggregate):
    """See the module. `payload` is the canonical text that was hashed, byte for byte."""

    kind: ClassVar[str] = "invoice"
    id: InvoiceId
    folio_id: FolioId
    property_id: PropertyId
    jurisdiction: str
    document_type: str
    year: int
    series_number: int
    number: str
    currency: Currency
    total: Money
    business_date: date
    issued_at: datetime
    language: str
    template_version: str
    payload: str
    payload_sha256: bytes
    previous_sha256: bytes | None
    person: Person | None
    line_ids: tuple[str, ...] = ()
    signature: Signature | None = None
    renditions: tuple[Rendition, ...] = ()

    def state(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "number": self.number,
            "payloadSha256": self.payload_sha256.hex(),
            "signed": self.signature is not None,
            "copies": len(self.renditions),
        }

    def rendered(self, rendition: Rendition, signature: Signature | None) -> InvoiceRendered:
        """Add a PDF, and the signature if this was the first."""
        self.renditions = (*self.renditions, rendition)
        self.signature = self.signature or signature
        return InvoiceRendered(
            subject=self,
            sequence=self.next_sequence(),
            rendition=rendition,
            signature=signature,
        )


def issue(
    folio: Folio,
    lines: Sequence[Line],
    payments: Sequence[Payment],
    settlement: Settlement,
    series: Series,
    moment: Moment,
) -> InvoiceIssued:
    """Give the next number of the series to what a folio's lines come to.

    `lines` are those that are on no document yet; the payload names every one of them.
    """
    settings = moment.settings
    house = settings.property(folio.property_id)
    invoice_id = moment.new_id(InvoiceId)
    number = series.next_number(settings.number_prefix)
    person = Person(salt=moment.new_salt(), document=_person(folio))
    totals = _totals(lines, folio.currency)
    payload = {
        "schema": PAYLOAD_SCHEMA,
        "invoiceId": invoice_id,
        "number": number,
        "type": series.document_type,
        "issuedAt": _instant(moment.now),
        "businessDate": house.business_date(moment.now).isoformat(),
        "tenantId": str(settings.tenant_id),
        "propertyId": str(folio.property_id),
        "issuer": {
            "name": settings.issuer.name,
            "addressLines": list(settings.issuer.address_lines),
            "taxId": settings.issuer.tax_id,
            "country": settings.issuer.country,
        },
        "customer": {"commitment": person.commitment},
        "folioId": folio.id,
        "settlementId": settlement.id,
        "reservationId": folio.reservation_id,
        "stay": _stay(folio),
        "currency": folio.currency,
        "lines": _rows(lines, settings.language),
        "lineIds": [line.id for line in lines],
        "taxBreakdown": _breakdown(lines),
        "totals": totals,
        "payments": [_payment(payment) for payment in payments],
        "fx": _fx(settlement.fx),
        "series": {
            "jurisdiction": series.jurisdiction,
            "documentType": series.document_type,
            "year": series.year or None,
            "sequence": series.last_number,
        },
        "previousDocumentSha256": series.last_sha256.hex() if series.last_sha256 else None,
        "language": settings.language,
    }
    text = canonical(payload)
    invoice = Invoice(
        id=invoice_id,
        folio_id=folio.id,
        property_id=folio.property_id,
        jurisdiction=series.jurisdiction,
        document_type=series.document_type,
        year=series.year,
        series_number=series.last_number,
        number=number,
        currency=folio.currency,
        total=Money(totals["grossMicro"] + totals["roundingMicro"], folio.currency),
        business_date=house.business_date(moment.now),
        issued_at=moment.now,
        language=settings.language,
        template_version=settings.invoice_template,
        payload=text.decode(),
        payload_sha256=hashlib.sha256(text).digest(),
        previous_sha256=series.last_sha256,
        person=person,
        line_ids=tuple(line.id for line in lines),
    )
    series.last_sha256 = invoice.payload_sha256
    return InvoiceIssued(subject=invoice, sequence=invoice.next_sequence())


def _person(folio: Folio) -> dict[str, Any]:
    guest = folio.guest
    return {
        "name": guest.name,
        "addressLines": list(guest.address_lines),
        "taxId": guest.tax_id,
    }


def _stay(folio: Folio) -> dict[str, str] | None:
    if folio.stay is None:
        return None
    return {"from": folio.stay.arrival.isoformat(), "to": folio.stay.departure.isoformat()}


def _rows(lines: Sequence[Line], language: str) -> list[dict[str, Any]]:
    """A row for each charge and adjustment that stands, with the taxes that were posted with it."""
    corrected = {line.corrects for line in lines if line.type is LineType.VOID}
    rows: list[dict[str, Any]] = []
    for line in lines:
        if line.id in corrected or line.type in (
            LineType.VOID,
            LineType.PAYMENT,
            LineType.ROUNDING,
        ):
            continue
        if line.tax is None:
            rows.append(_row(line, language))
            continue
        row = rows[-1]  # a tax is posted right behind the line that bears it
        row["taxes"].append(_tax(line))
        row["taxMicro"] += line.amount.amount_micro
        row["grossMicro"] += line.amount.amount_micro
    return rows


def _row(line: Line, language: str) -> dict[str, Any]:
    unit = line.unit_amount or line.amount
    return {
        "lineId": line.id,
        "sequence": line.sequence,
        "kind": line.kind,
        "description": in_language(line.description, language),
        "quantity": line.quantity or "1",
        "unitAmountMicro": unit.amount_micro,
        "netMicro": line.amount.amount_micro,
        "taxMicro": 0,
        "grossMicro": line.amount.amount_micro,
        "serviceDate": (line.service_date or line.business_date).isoformat(),
        "businessDate": line.business_date.isoformat(),
        "settingsVersion": line.settings_version,
        "untaxed": line.untaxed,
        "taxes": [],
    }


def _tax(line: Line) -> dict[str, Any]:
    if line.tax is None:
        raise ValueError(f"{line.id} is no tax")
    return {
        "code": line.tax.rule_code,
        "name": line.tax.name,
        "ratePpm": line.tax.rate_ppm,
        "amountMicro": line.amount.amount_micro,
        "baseMicro": line.tax.base.amount_micro,
        "category": line.tax.category,
        "inclusive": line.tax.inclusive,
    }


def _breakdown(lines: Iterable[Line]) -> list[dict[str, Any]]:
    """Tax by rule, rate and category; sums exactly to the tax that was posted (TAX-3)."""
    groups: dict[tuple[str, str], dict[str, Any]] = {}
    for line in lines:
        if line.tax is None:
            continue
        tax = line.tax
        group = groups.setdefault(
            (tax.rule_code, f"{tax.rate_ppm}/{tax.category}"),
            {
                "code": tax.rule_code,
                "name": tax.name,
                "ratePpm": tax.rate_ppm,
                "category": tax.category,
                "baseMicro": 0,
                "amountMicro": 0,
            },
        )
        group["baseMicro"] += tax.base.amount_micro
        group["amountMicro"] += line.amount.amount_micro
    return [groups[key] for key in sorted(groups)]


def _totals(lines: Sequence[Line], currency: Currency) -> dict[str, int]:
    sums = {"net": 0, "tax": 0, "paid": 0, "rounding": 0}
    for line in lines:
        match line.type:
            case LineType.PAYMENT:
                sums["paid"] -= line.amount.amount_micro
            case LineType.ROUNDING:
                sums["rounding"] += line.amount.amount_micro
            case _:
                sums["tax" if line.tax else "net"] += line.amount.amount_micro
    gross = Money(sums["net"] + sums["tax"], currency).amount_micro
    return {
        "netMicro": sums["net"],
        "taxMicro": sums["tax"],
        "grossMicro": gross,
        "paidMicro": sums["paid"],
        "roundingMicro": sums["rounding"],
        "dueMicro": gross + sums["rounding"] - sums["paid"],
    }


def _payment(payment: Payment) -> dict[str, Any]:
    return {
        "method": payment.method.value,
        "paidMicro": payment.paid.amount_micro,
        "paidCurrency": payment.paid.currency,
        "amountMicro": payment.amount.amount_micro,
        "businessDate": payment.business_date.isoformat(),
    }


def _fx(shown: Sequence[FxShown]) -> dict[str, Any] | None:
    if not shown:
        return None
    differences = [fx.difference.amount_micro for fx in shown if fx.difference is not None]
    return {
        "snapshots": [_snapshot(fx.pinned) for fx in shown],
        "today": [_snapshot(fx.today) for fx in shown if fx.today],
        "differenceMicro": sum(differences) if differences else None,
    }


def _snapshot(rate: FxSnapshot) -> dict[str, str]:
    return {
        "base": rate.base,
        "quote": rate.quote,
        "rate": rate.rate,
        "source": rate.source,
        "takenAt": _instant(rate.taken_at),
    }


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def in_language(text: Text, language: str) -> str:
    """A description in a language, or in the nearest thing to it that was given."""
    return text.get(language) or text.get("und") or next(iter(text.values()), "")
