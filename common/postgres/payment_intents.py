"""Payments that the processor is to take, and those of which something is still to become.

Whoever changes one takes its folio first, as everybody does who puts a payment on one; the intent
is read behind that lock, as a statement of its own.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from common.domain.charge_ids import invoices_charged_as
from common.domain.collection_lease import Lease
from common.domain.customer import Customer
from common.domain.folio import Folio
from common.domain.identifiers import (
    CustomerId,
    DataKeyId,
    FolioId,
    PaymentId,
    PaymentIntentId,
    StoredMethodId,
)
from common.domain.payment_intent import PaymentIntent, PaymentIntentUnknown
from common.domain.standing_payment import StandingPayment
from common.domain.stored_method import StoredMethod
from common.ports.payments import Means, Placing
from common.ports.vault import DataKey, Wrapped
from common.postgres import collection_leases as lease_sql
from common.postgres import customers as customer_sql
from common.postgres import folios as folio_sql
from common.postgres import ranks
from common.postgres import returned_payments as returned_sql
from common.postgres import stored_methods as method_sql
from common.postgres.connection import Row, Statement
from common.postgres.customers import Customers
from common.postgres.folio_rows import FOLIO_COLUMNS, PAYMENT_COLUMNS, payment_of
from common.postgres.folios import Folios
from common.postgres.payment_intent_rows import COLUMNS, intent_of, row_of
from common.postgres.session import Insert, Write
from common.postgres.stored_methods import StoredMethods
from common.postgres.stores import Desk

if TYPE_CHECKING:  # a payment of a folio loads nothing of credits
    from common.domain.credit_purchase import CreditPurchase
    from common.domain.subscription_payment import SubscriptionPayment

FIRST_ATTEMPT_WITHIN: Final = timedelta(minutes=1)
"""So long whoever asked the processor has for an answer, before a job asks."""

GET: Final = f"SELECT tenant_id, {COLUMNS} FROM payment_intents WHERE id = $1"
TAKE: Final = f"{GET} FOR NO KEY UPDATE"
# A purchase of this id, or an invoice of which a charge may have it.
OTHERS: Final = """
SELECT tenant_id FROM credit_purchases WHERE id = $1
UNION ALL
SELECT tenant_id
FROM billing_central.subscription_invoices
WHERE tenant_id = billing_central.current_tenant() AND id BETWEEN $2 AND $3
"""
SENT_BACK: Final = f"""
SELECT tenant_id, {COLUMNS}
FROM payment_intents
WHERE processor_payment_id = (SELECT processor_payment_id FROM returned_payments WHERE id = $1)
  AND returned_id = $1
FOR NO KEY UPDATE
"""
TAKE_FOLIO: Final = f"""
SELECT tenant_id, {FOLIO_COLUMNS}
FROM folios
WHERE id = (SELECT folio_id FROM payment_intents WHERE id = $1)
FOR NO KEY UPDATE
"""
PAYMENT: Final = f"""
SELECT tenant_id, {PAYMENT_COLUMNS}
FROM payments
WHERE id = (SELECT payment_id FROM payment_intents WHERE id = $1)
"""
DISPUTED: Final = """
SELECT tenant_id, id
FROM payment_disputes
WHERE (payment_id = (SELECT payment_id FROM payment_intents WHERE id = $1)
    OR returned_id = (SELECT returned_id FROM payment_intents WHERE id = $1))
  AND status NOT IN ('won', 'warning_closed')
LIMIT 1
"""
MEANS: Final = """
SELECT customers.tenant_id, processor_customer_id, sealed_token, data_keys.id, key_version, wrapped
FROM customers
LEFT JOIN payment_methods ON payment_methods.id = $2
LEFT JOIN data_keys ON data_keys.id = data_key_id
WHERE customers.id = $1
"""
MEANS_OF: Final = """
SELECT customers.tenant_id, processor_customer_id, sealed_token, data_keys.id, key_version, wrapped,
       payment_methods.id
FROM payment_intents
JOIN customers ON customers.id = payment_intents.customer_id
LEFT JOIN payment_methods ON payment_methods.id = coalesce($2, payment_method_id)
LEFT JOIN data_keys ON data_keys.id = data_key_id
WHERE payment_intents.id = $1
"""
METHOD: Final = f"""
SELECT tenant_id, {method_sql.COLUMNS}
FROM payment_methods
WHERE id = (SELECT payment_method_id FROM payment_intents WHERE id = $1)
"""
DUE: Final = """
SELECT tenant_id, intent_id
FROM payment_intent_queue
WHERE next_attempt_at <= $1
ORDER BY next_attempt_at
LIMIT $2
"""
CHANGE: Final = """
UPDATE payment_intents
SET status = $2, payment_method_id = $3, confirmed_at = $4, processor_payment_id = $5,
    failure_code = $6, payment_id = $7, changed_at = $8, version = $9, trail = $10,
    state_digest = $11, review_id = $12, is_challenged = $13, returned_id = $14
WHERE id = $1
"""
PUT: Final = """
INSERT INTO payment_intent_queue (intent_id, attempts, next_attempt_at, queued_at)
VALUES ($1, 0, $2, $3)
ON CONFLICT ON CONSTRAINT intent_waits_once DO NOTHING
"""
DONE: Final = "DELETE FROM payment_intent_queue WHERE intent_id = $1"
RELEASE: Final = "DELETE FROM collection_leases WHERE intent_id = $1"
POSTPONE: Final = """
UPDATE payment_intent_queue
SET attempts = attempts + 1,
    next_attempt_at = $2::timestamptz + power(2, least(attempts, 6)) * interval '1 minute'
WHERE intent_id = $1
"""
INSERT_INTENT = Insert.into(ranks.DOCUMENTS, "payment_intents", COLUMNS)


class PaymentIntents:
    """The payment intents of a tenant, as far as the actor's properties reach."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._means: dict[tuple[PaymentIntentId, StoredMethodId], Means] = {}

    def get(self, intent_id: PaymentIntentId) -> StandingPayment:
        intents, payments, disputes, returned = self._desk.batch(
            Statement(GET, (intent_id,)),
            Statement(PAYMENT, (intent_id,)),
            Statement(DISPUTED, (intent_id,)),
            Statement(returned_sql.OF_INTENT, (intent_id,)),
        )
        return StandingPayment(
            intent=self._known(intents),
            payment=payment_of(payments[0]) if payments else None,
            is_disputed=bool(disputes),
            returned=returned_sql.returned_of(returned[0]) if returned else None,
        )

    def foresee_other(self, payment_id: PaymentIntentId) -> None:
        self._desk.foresee(OTHERS, payment_id, *invoices_charged_as(payment_id))

    def is_others(self, payment_id: PaymentIntentId) -> bool:
        return bool(self._desk.rows(OTHERS, payment_id, *invoices_charged_as(payment_id)))

    def get_parties(self, folio_id: FolioId, customer_id: CustomerId) -> tuple[Folio, Customer]:
        folios, customers = self._desk.batch(
            Statement(folio_sql.GET, (folio_id,)), Statement(customer_sql.GET, (customer_id,))
        )
        return Folios(self._desk).known(folios), Customers(self._desk).known(customers)

    def take(self, intent_id: PaymentIntentId) -> tuple[Folio, PaymentIntent]:
        folios, intents = self._desk.batch(
            Statement(TAKE_FOLIO, (intent_id,)), Statement(TAKE, (intent_id,))
        )
        intent = self._known(intents)
        return Folios(self._desk).known(folios), intent

    def take_with_method(
        self, intent_id: PaymentIntentId, method_id: StoredMethodId | None
    ) -> tuple[Folio, PaymentIntent, StoredMethod | None, Lease | None]:
        folios, intents, methods, means, leases = self._desk.batch(
            Statement(TAKE_FOLIO, (intent_id,)),
            Statement(TAKE, (intent_id,)),
            Statement(method_sql.GET, (method_id,)),
            Statement(MEANS_OF, (intent_id, method_id)),
            Statement(lease_sql.BESIDE, (intent_id,)),
        )
        intent = self._known(intents)
        method = StoredMethods(self._desk).known(methods) if method_id else None
        for row in means:
            self._means[intent_id, row[6]] = _means_of(row)
        return Folios(self._desk).known(folios), intent, method, lease_sql.lease_of(leases)

    def take_with_payment(
        self, intent_id: PaymentIntentId, processor_payment_id: str | None
    ) -> tuple[Folio, PaymentIntent, Placing]:
        folios, intents, payments, methods, returned = self._desk.batch(
            Statement(TAKE_FOLIO, (intent_id,)),
            Statement(TAKE, (intent_id,)),
            Statement(folio_sql.FIND_PAID_BY, (processor_payment_id,)),
            Statement(METHOD, (intent_id,)),
            Statement(returned_sql.FIND, (processor_payment_id,)),
        )
        intent = self._known(intents)
        placing = Placing(
            payment_of(payments[0]) if payments else None,
            StoredMethods(self._desk).known(methods) if methods else None,
            returned_sql.ReturnedPayments(self._desk).known(returned),
        )
        return Folios(self._desk).known(folios), intent, placing

    def find_sent_back(self, returned_id: PaymentId) -> PaymentIntent | None:
        rows = self._desk.rows(SENT_BACK, returned_id)
        return self._known(rows) if rows else None

    def foresee_means(self, customer_id: CustomerId, method_id: StoredMethodId) -> None:
        self._desk.foresee(MEANS, customer_id, method_id)

    def means(self, intent: "PaymentIntent | CreditPurchase | SubscriptionPayment") -> Means:
        if intent.method_id and (known := self._means.get((intent.id, intent.method_id))):
            return known
        return _means_of(self._desk.rows(MEANS, intent.customer_id, intent.method_id)[0])

    def due(self, limit: int) -> Sequence[PaymentIntentId]:
        return [PaymentIntentId(row[1]) for row in self._desk.rows(DUE, self._desk.now, limit)]

    def keep(self, intent: PaymentIntent) -> None:
        self._desk.keep(intent, lambda: self._write(intent))

    def postpone(self, intent_id: PaymentIntentId) -> None:
        later = Statement(POSTPONE, (intent_id, self._desk.now))
        self._desk.write(("intent asked", intent_id), Write(ranks.DOCUMENT_PARTS, later))

    def _known(self, rows: Sequence[Row]) -> PaymentIntent:
        """The intent that was read. One of another property is as unknown as none."""
        if not rows:
            raise PaymentIntentUnknown()
        intent = intent_of(rows[0])
        if not self._desk.actor.holds(intent.property_id):
            raise PaymentIntentUnknown()
        return self._desk.loaded(intent)

    def _write(self, intent: PaymentIntent) -> None:
        row = row_of(intent)
        if intent.is_new:
            intent.is_new = False
            self._desk.insert(INSERT_INTENT, [row])
            return
        changing = (
            "id status payment_method_id confirmed_at processor_payment_id failure_code payment_id"
            " changed_at version trail state_digest review_id is_challenged returned_id"
        )
        values = tuple(row[column] for column in changing.split())
        change = Write(ranks.DOCUMENT_PARTS, Statement(CHANGE, values))
        self._desk.write((intent.kind, intent.id), change)
        waits = Statement(DONE, (intent.id,))
        if intent.waits:
            now = self._desk.now
            waits = Statement(PUT, (intent.id, now + FIRST_ATTEMPT_WITHIN, now))
        self._desk.write(("intent waits", intent.id), Write(ranks.DOCUMENT_PARTS, waits))
        if not intent.is_under_way:
            released = Write(ranks.DOCUMENT_PARTS, Statement(RELEASE, (intent.id,)))
            self._desk.write(("intent lets go", intent.id), released)


def _means_of(row: Row) -> Means:
    is_sealed = row[2] is not None
    return Means(
        processor_customer_id=row[1] or "",
        sealed=bytes(row[2]) if is_sealed else b"",
        key=DataKey(DataKeyId(row[3]), Wrapped(row[4], bytes(row[5]))) if is_sealed else None,
    )
