"""What there is about a customer, as an export reads it: first by which ids, then piece by piece.

A piece is a few questions in one round trip, each by the ids that the first question has found.
"""

from collections import defaultdict
from typing import Final

from common.domain.customer_export import (
    Asked,
    Disclosures,
    Exported,
    ExportedPayment,
    MethodsPiece,
    PaymentsPiece,
    Piece,
)
from common.domain.dispute import Dispute, DisputeStatus
from common.domain.identifiers import CustomerId, PaymentIntentId, StoredMethodId
from common.domain.payment import Payment
from common.domain.refund import Refund
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
WHERE id IN (
  SELECT paid.id
  FROM payment_disputes AS paid
  WHERE paid.payment_id IN {OF_INTENTS}
  UNION ALL
  SELECT back.id
  FROM payment_intents
  JOIN payment_disputes AS back ON back.returned_id = payment_intents.returned_id
  WHERE payment_intents.id = ANY ($1::text[])
)
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
    back: defaultdict[str | None, list[Refund]] = defaultdict(list)
    for refund in map(refund_of, refunds):
        back[refund.payment_id].append(refund)
    claims: defaultdict[str | None, list[Dispute]] = defaultdict(list)
    for dispute in map(dispute_of, disputes):
        claims[dispute.payment_id or dispute.returned_id].append(dispute)
    return tuple(
        ExportedPayment(
            standing=StandingPayment(
                intent=intent,
                payment=paid.get(intent.payment_id),
                is_disputed=any(each.status not in GIVEN_UP for each in claims[paid_as]),
                returned=returned.get(intent.returned_id),
            ),
            refunds=tuple(back[paid_as]),
            disputes=tuple(claims[paid_as]),
        )
        for intent, paid_as in (
            (each, each.payment_id or each.returned_id) for each in map(intent_of, intents)
        )
    )
