"""Disputes of card payments. One is locked while a word about it is weighed."""

from collections.abc import Mapping
from typing import Any, Final

from common.domain.dispute import Dispute, DisputeStatus
from common.domain.identifiers import (
    DisputeId,
    FolioId,
    PaymentId,
    PaymentIntentId,
    PropertyId,
    ReceiptId,
    SubscriptionInvoiceId,
)
from common.domain.money import Currency, Money
from common.postgres import ranks
from common.postgres.connection import Row, Statement
from common.postgres.session import Insert, Write
from common.postgres.stores import Desk

COLUMNS: Final = (
    "id, property_id, folio_id, payment_id, processor_dispute_id, amount_micro, currency, reason,"
    " status, opened_at, changed_at, version, trail, state_digest, is_withheld, fee_micro,"
    " fee_currency, receipt_id, on_account_micro, subscription_invoice_id, returned_id, surplus_id"
)
TAKE: Final = f"""
SELECT tenant_id, {COLUMNS}
FROM payment_disputes
WHERE processor_dispute_id = $1
FOR NO KEY UPDATE
"""
CHANGE: Final = """
UPDATE payment_disputes
SET status = $2, changed_at = $3, version = $4, trail = $5, state_digest = $6, is_withheld = $7,
    fee_micro = $8, fee_currency = $9, on_account_micro = $10
WHERE id = $1
"""
OF_RETURN: Final = """
SELECT tenant_id, id, status
FROM payment_disputes
WHERE returned_id = $1
"""
OF_SURPLUS: Final = """
SELECT tenant_id, id, status
FROM payment_disputes
WHERE surplus_id = $1
"""
# What banks withhold, or have got, of a company's payment beyond what had not gone back of it.
BEYOND_WHAT_IS_OWED: Final = """
SELECT tenant_id, sum(amount_micro - on_account_micro)::bigint
FROM payment_disputes
WHERE receipt_id = $1 AND is_withheld AND status <> 'won'
GROUP BY tenant_id
"""
INSERT_DISPUTE = Insert.into(ranks.AGGREGATES, "payment_disputes", COLUMNS)


class Disputes:
    """See the module."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def find(self, processor_dispute_id: str) -> Dispute | None:
        rows = self._desk.rows(TAKE, processor_dispute_id)
        return self._desk.loaded(dispute_of(rows[0])) if rows else None

    def of_return(self, returned_id: PaymentId) -> Mapping[DisputeId, DisputeStatus]:
        rows = self._desk.rows(OF_RETURN, returned_id)
        return {DisputeId(row[1]): DisputeStatus(row[2]) for row in rows}

    def of_surplus(self, surplus_id: PaymentIntentId) -> Mapping[DisputeId, DisputeStatus]:
        rows = self._desk.rows(OF_SURPLUS, surplus_id)
        return {DisputeId(row[1]): DisputeStatus(row[2]) for row in rows}

    def beyond_what_is_owed(self, receipt_id: ReceiptId, currency: Currency) -> Money:
        rows = self._desk.rows(BEYOND_WHAT_IS_OWED, receipt_id)
        return Money(rows[0][1] if rows else 0, currency)

    def keep(self, dispute: Dispute) -> None:
        self._desk.keep(dispute, lambda: self._write(dispute))

    def _write(self, dispute: Dispute) -> None:
        if dispute.is_new:
            dispute.is_new = False
            self._desk.insert(INSERT_DISPUTE, [_row(dispute)])
            return
        values = (
            dispute.id,
            dispute.status,
            dispute.changed_at,
            dispute.version,
            dispute.trail,
            dispute.state_digest,
            dispute.is_withheld,
            *_fee(dispute),
            _on_account(dispute),
        )
        change = Write(ranks.AGGREGATE_CHANGES, Statement(CHANGE, values))
        self._desk.write((dispute.kind, dispute.id), change)


def _fee(dispute: Dispute) -> tuple[int | None, Currency | None]:
    return (dispute.fee.amount_micro, dispute.fee.currency) if dispute.fee else (None, None)


def _on_account(dispute: Dispute) -> int:
    return dispute.on_account.amount_micro if dispute.on_account else 0


def _row(dispute: Dispute) -> dict[str, Any]:
    return {
        "id": dispute.id,
        "property_id": dispute.property_id,
        "folio_id": dispute.folio_id,
        "payment_id": dispute.payment_id,
        "processor_dispute_id": dispute.processor_dispute_id,
        "amount_micro": dispute.amount.amount_micro,
        "currency": dispute.amount.currency,
        "reason": dispute.reason,
        "status": dispute.status,
        "opened_at": dispute.opened_at,
        "changed_at": dispute.changed_at,
        "version": dispute.version,
        "trail": dispute.trail,
        "state_digest": dispute.state_digest,
        "is_withheld": dispute.is_withheld,
        "fee_micro": _fee(dispute)[0],
        "fee_currency": _fee(dispute)[1],
        "receipt_id": dispute.receipt_id,
        "on_account_micro": _on_account(dispute),
        "subscription_invoice_id": dispute.invoice_id,
        "returned_id": dispute.returned_id,
        "surplus_id": dispute.surplus_id,
    }


def dispute_of(row: Row) -> Dispute:
    return Dispute(
        id=DisputeId(row[1]),
        property_id=row[2] and PropertyId(row[2]),
        folio_id=row[3] and FolioId(row[3]),
        payment_id=row[4] and PaymentId(row[4]),
        processor_dispute_id=row[5],
        amount=Money(row[6], Currency(row[7])),
        reason=row[8],
        status=DisputeStatus(row[9]),
        opened_at=row[10],
        changed_at=row[11],
        version=row[12],
        trail=bytes(row[13]),
        state_digest=bytes(row[14]),
        is_withheld=row[15],
        fee=None if row[16] is None else Money(row[16], Currency(row[17])),
        receipt_id=row[18] and ReceiptId(row[18]),
        on_account=Money(row[19], Currency(row[7])) if row[18] or row[21] or row[22] else None,
        invoice_id=row[20] and SubscriptionInvoiceId(row[20]),
        returned_id=row[21] and PaymentId(row[21]),
        surplus_id=row[22] and PaymentIntentId(row[22]),
        is_new=False,
    )
