"""Credit notes of the platform, and what went back of the money of its invoices.

Whoever writes here holds the lock of the invoice's subscription. The series of the notes is the
platform's: one row a year that all tenants' notes are numbered by.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from common.domain.identifiers import (
    SubscriptionId,
    SubscriptionInvoiceId,
)
from common.domain.money import Currency, Money
from common.domain.platform_credit import PlatformCreditNote, ReversalEntry
from common.domain.platform_identifiers import PlatformCreditNoteId
from common.domain.platform_tax import UNTAXED, BillTax
from common.domain.subscription_invoice import PlatformSeries, SubscriptionInvoice
from common.domain.subscription_set_off import SetOffMoved
from common.postgres import ranks
from common.postgres.connection import Row, Statement
from common.postgres.platform_taxes import declare_credit
from common.postgres.session import Insert, Write
from common.postgres.stores import Desk
from common.postgres.subscription_rows import series_of

COLUMNS: Final = (
    "id, subscription_id, invoice_id, processor_refund_id, year, series_number, number, currency,"
    " net_micro, tax_micro, total_micro, issued_at, payload, payload_sha256, previous_sha256"
)
ENTRY_COLUMNS: Final = (
    "source, part, invoice_id, debit_account, credit_account, currency, amount_micro, occurred_at"
)
BOOKED: Final = """
SELECT tenant_id, part, debit_account, credit_account, amount_micro, currency
FROM billing_central.platform_reversal_entries
WHERE tenant_id = billing_central.current_tenant() AND source = $1
ORDER BY part
"""
NOTES_OF: Final = f"""
SELECT notes.tenant_id, {", ".join(f"notes.{each.strip()}" for each in COLUMNS.split(","))},
       taxed_as
FROM billing_central.platform_credit_notes AS notes
JOIN billing_central.subscription_invoices AS invoices ON invoices.id = invoice_id
WHERE invoice_id = $1
ORDER BY notes.id
"""
BEGIN_SERIES: Final = """
INSERT INTO billing_central.platform_credit_series (year, last_number)
VALUES ($1, 0)
ON CONFLICT DO NOTHING
"""
TAKE_SERIES: Final = """
SELECT billing_central.current_tenant(), last_number, last_sha256
FROM billing_central.platform_credit_series
WHERE year = $1
FOR NO KEY UPDATE
"""
KEEP_SERIES: Final = """
UPDATE billing_central.platform_credit_series
SET last_number = $2, last_sha256 = $3
WHERE year = $1
"""
GONE: Final = """
UPDATE billing_central.subscription_invoices
SET refunded_micro = $2, withheld_micro = $3, lost_micro = $4
WHERE id = $1
"""
SET_OFF: Final = """
UPDATE billing_central.subscription_invoices
SET set_off_micro = set_off_micro + $2
WHERE id = $1
"""
INSERT_NOTE = Insert.into(ranks.DOCUMENT_PARTS, "billing_central.platform_credit_notes", COLUMNS)
INSERT_ENTRY = Insert.into(ranks.LEDGER, "billing_central.platform_reversal_entries", ENTRY_COLUMNS)


class PlatformCredits:
    """See the module."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def booked(self, source: str) -> Mapping[int, ReversalEntry]:
        return {
            row[1]: ReversalEntry(
                source=source,
                part=row[1],
                debit=row[2],
                credit=row[3],
                amount=Money(row[4], Currency(row[5])),
            )
            for row in self._desk.rows(BOOKED, source)
        }

    def notes_of(self, invoice_id: SubscriptionInvoiceId) -> Sequence[PlatformCreditNote]:
        return [_note_of(row[1:]) for row in self._desk.rows(NOTES_OF, invoice_id)]

    def take_series(self, year: int) -> PlatformSeries:
        _, rows = self._desk.batch(
            Statement(BEGIN_SERIES, (year,)), Statement(TAKE_SERIES, (year,))
        )
        return series_of(year, rows[0])

    def keep_note(self, note: PlatformCreditNote, series: PlatformSeries) -> None:
        self._desk.insert(INSERT_NOTE, [_row(note)])
        declare_credit(note, self._desk)
        moved = Statement(KEEP_SERIES, (series.year, series.last_number, series.last_sha256))
        self._desk.write(
            ("platform_credit_series", series.year), Write(ranks.AGGREGATE_CHANGES, moved)
        )

    def set_off(self, moved: SetOffMoved) -> None:
        change = Statement(SET_OFF, (moved.invoice_id, moved.more.amount_micro))
        key = ("set off", moved.source, moved.part)
        self._desk.write(key, Write(ranks.DOCUMENTS, change))
        row = _entry_row(moved, moved.invoice_id)
        self._desk.insert(INSERT_ENTRY, [{**row, "occurred_at": self._desk.now}])

    def keep(self, invoice: SubscriptionInvoice, entries: Sequence[ReversalEntry]) -> None:
        gone = (invoice.refunded, invoice.withheld, invoice.lost)
        change = Statement(GONE, (invoice.id, *(each.amount_micro for each in gone)))
        self._desk.write(("invoice gone", invoice.id), Write(ranks.DOCUMENTS, change))
        rows = [_entry_row(each, invoice.id) for each in entries]
        self._desk.insert(INSERT_ENTRY, [{**row, "occurred_at": self._desk.now} for row in rows])


def _row(note: PlatformCreditNote) -> dict[str, Any]:
    return {
        "id": note.id,
        "subscription_id": note.subscription_id,
        "invoice_id": note.invoice_id,
        "processor_refund_id": note.processor_refund_id,
        "year": note.year,
        "series_number": note.series_number,
        "number": note.number,
        "currency": note.total.currency,
        "net_micro": note.net.amount_micro,
        "tax_micro": note.tax.amount_micro,
        "total_micro": note.total.amount_micro,
        "issued_at": note.issued_at,
        "payload": note.payload,
        "payload_sha256": note.payload_sha256,
        "previous_sha256": note.previous_sha256,
    }


def _entry_row(
    entry: ReversalEntry | SetOffMoved, invoice_id: SubscriptionInvoiceId
) -> dict[str, Any]:
    return {
        "source": entry.source,
        "part": entry.part,
        "invoice_id": invoice_id,
        "debit_account": entry.debit,
        "credit_account": entry.credit,
        "currency": entry.amount.currency,
        "amount_micro": entry.amount.amount_micro,
    }


def _note_of(row: Row) -> PlatformCreditNote:
    currency = Currency(row[7])
    return PlatformCreditNote(
        id=PlatformCreditNoteId(row[0]),
        subscription_id=SubscriptionId(row[1]),
        invoice_id=SubscriptionInvoiceId(row[2]),
        processor_refund_id=row[3],
        year=row[4],
        series_number=row[5],
        number=row[6],
        net=Money(row[8], currency),
        tax=Money(row[9], currency),
        taxed=BillTax.of(row[15]) if row[15] else UNTAXED,
        issued_at=row[11],
        payload=row[12],
        payload_sha256=bytes(row[13]),
        previous_sha256=row[14] and bytes(row[14]),
        version=1,
        is_new=False,
    )
