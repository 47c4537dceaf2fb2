"""What there is about a customer, as an export reads it: first by which ids, then piece by piece.

A piece is a few questions in one round trip, each by the ids that the first question has found.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Final, TypeVar

from common.domain.customer_export import (
    Asked,
    Disclosures,
    Exported,
    ExportedPayment,
    MethodsPiece,
    PaymentsPiece,
    Piece,
)
from common.domain.dispute import DisputeStatus
from common.domain.identifiers import CustomerId, PaymentIntentId, StoredMethodId
from common.domain.payment import Payment
from common.domain.returned_payment import ReturnedPayment
from common.domain.standing_payment import StandingPayment
from common.postgres.connection import Statement
from common.postgres.disputes import COLUMNS as DISPUTE_COLUMNS
from common.postgres.disputes import dispute_of
from common.postgres.folio_rows import PAYMENT_COLUMNS, payment_of
from common.postgres.payment_intent_rows import COLUMNS as INTENT_COLUMNS
from common.postgres.payment_intent_rows import intent_of
from common.postgres.refund_rows import refund_of, refunds_where
from common.postgres.returned_payments import OF_INTENTS as RETURNED
from common.postgres.returned_payments import returned_of
from common.postgres.stored_methods import COLUMNS as METHOD_COLUMNS
from common.postgres.stored_methods import method_of
from common.postgres.stores import Desk, held_properties, text_array
from common.postgres.trails import continued, head_of, line_for

T = TypeVar("T")
GIVEN_UP: Final = (DisputeStatus.WON, DisputeStatus.WARNING_CLOSED)

METHOD_IDS: Final = """
SELECT tenant_id, id
FROM payment_methods
WHERE customer_id = $1
ORDER BY id
LIMIT $2
"""
PAYMENT_IDS: Final = """
SELECT tenant_id, id
FROM payment_intents
WHERE customer_id = $1 AND property_id = ANY ($2::uuid[])
ORDER BY id
LIMIT $3
"""
METHODS: Final = f"""
SELECT tenant_id, {METHOD_COLUMNS}
FROM payment_methods
WHERE id = ANY ($1::text[])
ORDER BY id
"""
INTENTS: Final = f"""
SELECT tenant_id, {INTENT_COLUMNS}
FROM payment_intents
WHERE id = ANY ($1::text[])
ORDER BY id
"""
OF_INTENTS: Final = """(
  SELECT payment_intents.payment_id FROM payment_intents WHERE payment_intents.id = ANY ($1::text[])
)"""
PAYMENTS: Final = f"""
SELECT tenant_id, {PAYMENT_COLUMNS}
FROM payments
WHERE id IN {OF_INTENTS}
"""
REFUNDS: Final = refunds_where(f"refunds.payment_id IN {OF_INTENTS}\nORDER BY refunds.id")
DISPUTES: Final = f"""
SELECT tenant_id, {DISPUTE_COLUMNS}
FROM payment_disputes
WHERE payment_id IN {OF_INTENTS}
ORDER BY id
"""


def asked(desk: Desk, customer_id: CustomerId, limit: int) -> Asked:
    """What there is: no more than so much of each."""
    methods, payments = desk.batch(
        Statement(METHOD_IDS, (customer_id, limit)),
        Statement(PAYMENT_IDS, (customer_id, held_properties(desk, None), limit)),
    )
    return Asked(
        methods=tuple(StoredMethodId(row[1]) for row in methods),
        payments=tuple(PaymentIntentId(row[1]) for row in payments),
    )


def read(desk: Desk, piece: Piece) -> Exported:
    """A piece, in the order of its ids."""
    ids = text_array(piece.ids)
    match piece:
        case MethodsPiece():
            return tuple(method_of(row) for row in desk.rows(METHODS, ids))
        case PaymentsPiece():
            return _payments(desk, ids)


def disclosures(desk: Desk, customer_id: CustomerId) -> Disclosures:
    """The trail of who was handed what; nobody else adds to it meanwhile."""
    line = line_for(desk.tenant_id, Disclosures.kind, customer_id)
    _, head = desk.batch(line, head_of(Disclosures.kind, customer_id))
    return continued(Disclosures(id=customer_id), head)


def _payments(desk: Desk, ids: str) -> tuple[ExportedPayment, ...]:
    intents, payments, refunds, disputes, sent_back = desk.batch(
        *(Statement(sql, (ids,)) for sql in (INTENTS, PAYMENTS, REFUNDS, DISPUTES, RETURNED))
    )
    returned: dict[str | None, ReturnedPayment] = {
        each.id: each for each in map(returned_of, sent_back)
    }
    paid: dict[str | None, Payment] = {each.id: each for each in map(payment_of, payments)}
    back = _by_payment([refund_of(row) for row in refunds])
    claims = _by_payment([dispute_of(row) for row in disputes])
    return tuple(
        ExportedPayment(
            standing=StandingPayment(
                intent=intent,
                payment=paid.get(intent.payment_id),
                is_disputed=any(each.status not in GIVEN_UP for each in claims[intent.payment_id]),
                returned=returned.get(intent.returned_id),
            ),
            refunds=tuple(back[intent.payment_id]),
            disputes=tuple(claims[intent.payment_id]),
        )
        for intent in map(intent_of, intents)
    )


def _by_payment(things: Sequence[T]) -> defaultdict[Any, list[T]]:
    found: defaultdict[Any, list[T]] = defaultdict(list)
    for each in things:
        found[each.payment_id].append(each)  # type: ignore[attr-defined] # refunds and disputes
    return found
