"""Refunds and their settlements as rows: each mapping in both directions, side by side."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from common.domain.advice import Advice
from common.domain.cash import Confirmed
from common.domain.identifiers import CashSessionId, FolioId, PaymentId, RefundId, SignalId
from common.domain.money import Currency, Money
from common.domain.payment import PaymentMethod
from common.domain.refund import Refund, RefundStatus
from common.postgres.connection import Row

REFUND_COLUMNS: Final = (
    "id, folio_id, payment_id, method, amount_micro, currency, paid_amount_micro, paid_currency,"
    " reason, reference, cash_session_id, confirmed_by, step_up_token_id, assertion_hash,"
    " step_up_method, business_date, processor_refund_id"
)
SETTLEMENT_COLUMNS: Final = "status, failure_code, settled_at, came_back_as, came_back_at"


def advice_about(*things: str) -> str:
    """What was pointed out about things, as an array; their ids are columns or parameters."""
    return f"""(
  SELECT coalesce(
    jsonb_agg(jsonb_build_array(signal.id, pattern, score_ppm, verdict) ORDER BY signal.id), '[]')
  FROM ai_signals AS signal
  WHERE subject IN ({", ".join(things)}))"""


def refunds_where(condition: str) -> str:
    """Refunds with what became of them; one that nothing became of yet is pending, and one that was
    made may have failed afterwards."""
    return f"""
SELECT refunds.tenant_id, {REFUND_COLUMNS}, occurred_at, {SETTLEMENT_COLUMNS},
       {advice_about("refunds.id", "payment_id", "folio_id")}
FROM refunds
LEFT JOIN refund_settlements ON refund_id = id
LEFT JOIN (
  SELECT refund_id AS came_back, failure_code AS came_back_as, failed_at AS came_back_at
  FROM refund_failures
) AS failures ON came_back = id
WHERE {condition}
"""


def refund_row(refund: Refund, now: datetime) -> dict[str, Any]:
    """A refund as it is written, once."""
    confirmed = refund.confirmed
    return {
        "id": refund.id,
        "folio_id": refund.folio_id,
        "payment_id": refund.payment_id,
        "method": refund.method,
        "amount_micro": refund.amount.amount_micro,
        "currency": refund.amount.currency,
        "paid_amount_micro": refund.paid.amount_micro,
        "paid_currency": refund.paid.currency,
        "reason": refund.reason,
        "reference": refund.reference,
        "cash_session_id": refund.cash_session_id,
        "confirmed_by": confirmed and confirmed.by,
        "step_up_token_id": confirmed and confirmed.token_id,
        "assertion_hash": confirmed and confirmed.assertion_hash,
        "step_up_method": confirmed and confirmed.method,
        "business_date": refund.business_date,
        "processor_refund_id": refund.processor_refund_id,
        "occurred_at": now,
        "recorded_at": now,
    }


def refund_settlement_row(refund: Refund) -> dict[str, Any]:
    """What became of a refund as it is written, once."""
    return {
        "refund_id": refund.id,
        "status": refund.status,
        "failure_code": refund.failure_code,
        "settled_at": refund.settled_at,
    }


def refund_of(row: Row) -> Refund:
    """A refund as it was read: by `refunds_where`."""
    return Refund(
        id=RefundId(row[1]),
        folio_id=FolioId(row[2]),
        payment_id=PaymentId(row[3]),
        method=PaymentMethod(row[4]),
        amount=Money(row[5], Currency(row[6])),
        paid=Money(row[7], Currency(row[8])),
        reason=row[9],
        reference=row[10],
        cash_session_id=row[11] and CashSessionId(row[11]),
        confirmed=row[12]
        and Confirmed(
            by=row[12],
            token_id=row[13],
            assertion_hash=row[14],
            method=row[15],
            at=row[18],
        ),
        business_date=row[16],
        processor_refund_id=row[17],
        promised_at=row[18],
        status=RefundStatus.FAILED if row[23] else RefundStatus(row[19] or RefundStatus.PENDING),
        failure_code=row[22] or row[20],
        settled_at=row[21],
        came_back_at=row[23],
        advice=advice_of(row[24]),
    )


def advice_of(told: Sequence[Sequence[Any]]) -> tuple[Advice, ...]:
    """What was pointed out, as it was read: by `advice_about`."""
    return tuple(Advice(SignalId(each[0]), each[1], each[2], each[3]) for each in told)
