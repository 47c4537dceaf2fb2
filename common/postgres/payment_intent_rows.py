"""Payment intents as rows."""

from typing import Any, Final

from common.domain.identifiers import (
    CustomerId,
    FolioId,
    PaymentId,
    PaymentIntentId,
    PropertyId,
    ReviewId,
    StoredMethodId,
)
from common.domain.money import Currency, Money
from common.domain.payment_intent import PaymentIntent
from common.domain.processor_payment import PaymentStatus
from common.postgres.connection import Row

COLUMNS: Final = (
    "id, property_id, folio_id, customer_id, amount_micro, currency, status, payment_method_id,"
    " confirmed_at, processor_payment_id, failure_code, payment_id, created_at, changed_at,"
    " version, trail, state_digest, review_id, is_challenged, allow_credit, returned_id"
)


def row_of(intent: PaymentIntent) -> dict[str, Any]:
    return {
        "id": intent.id,
        "property_id": intent.property_id,
        "folio_id": intent.folio_id,
        "customer_id": intent.customer_id,
        "amount_micro": intent.amount.amount_micro,
        "currency": intent.amount.currency,
        "status": intent.status,
        "payment_method_id": intent.method_id,
        "confirmed_at": intent.confirmed_at,
        "processor_payment_id": intent.processor_payment_id,
        "failure_code": intent.failure_code,
        "payment_id": intent.payment_id,
        "created_at": intent.created_at,
        "changed_at": intent.changed_at,
        "version": intent.version,
        "trail": intent.trail,
        "state_digest": intent.state_digest,
        "review_id": intent.review_id,
        "is_challenged": intent.is_challenged,
        "allow_credit": intent.allow_credit,
        "returned_id": intent.returned_id,
    }


def intent_of(row: Row) -> PaymentIntent:
    return PaymentIntent(
        id=PaymentIntentId(row[1]),
        property_id=PropertyId(row[2]),
        folio_id=FolioId(row[3]),
        customer_id=CustomerId(row[4]),
        amount=Money(row[5], Currency(row[6])),
        status=PaymentStatus(row[7]),
        method_id=row[8] and StoredMethodId(row[8]),
        confirmed_at=row[9],
        processor_payment_id=row[10],
        failure_code=row[11],
        payment_id=row[12] and PaymentId(row[12]),
        created_at=row[13],
        changed_at=row[14],
        version=row[15],
        trail=bytes(row[16]),
        state_digest=bytes(row[17]),
        review_id=row[18] and ReviewId(row[18]),
        is_challenged=row[19],
        allow_credit=row[20],
        returned_id=row[21] and PaymentId(row[21]),
        is_new=False,
    )
