"""The processor's events that were kept, what became of each, and the directory of card payments.

An event and its attempts are only ever added. That one took effect is a row that can be there once:
of two deliveries at once the second one is run again by that, and finds what the first has done.
What it said lies beside it, and is deleted after its time.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from common.domain.identifiers import WebhookAttemptId, WebhookId
from common.domain.webhook import KeptWebhook, WebhookOutcome, WebhookUnknown
from common.ports.paging import Page
from common.ports.transactions import DatabaseUnavailable
from common.ports.webhooks import ReceivedWebhook, WebhookFilter
from common.postgres import ranks
from common.postgres.connection import ConnectionLost, Row, ServerRefused, Statement
from common.postgres.paging import key_of, next_cursor
from common.postgres.pool import Pool
from common.postgres.session import Insert, Write
from common.postgres.stores import Desk, text_array

COLUMNS: Final = "id, event_id, type, api_version, livemode, payload_sha256, received_at"
BODY_COLUMNS: Final = "event_id, payload, received_at"


def events_where(condition: str) -> str:
    """Events of the processor with how often each was tried, and what came of it last."""
    return f"""
SELECT webhook_events.tenant_id, id, webhook_events.event_id, type, api_version, livemode,
       webhook_bodies.payload, payload_sha256, webhook_events.received_at, is_applied, outcome,
       code, attempts
FROM webhook_events
LEFT JOIN webhook_bodies ON webhook_bodies.event_id = webhook_events.event_id
CROSS JOIN LATERAL (
  SELECT count(*) AS attempts, bool_or(tried.outcome = 'applied') AS is_applied
  FROM webhook_attempts AS tried
  WHERE tried.event_id = webhook_events.event_id
) AS counted
CROSS JOIN LATERAL (
  SELECT outcome, code
  FROM webhook_attempts AS tried
  WHERE tried.event_id = webhook_events.event_id
  ORDER BY tried.attempted_at DESC, tried.id DESC
  LIMIT 1
) AS last
WHERE {condition}
"""


GET: Final = events_where("webhook_events.event_id = $1")
PAGE: Final = events_where(
    """id > $1
  AND ($2::text IS NULL OR type = $2)
  AND ($3::text IS NULL OR outcome = $3)
ORDER BY id
LIMIT $4"""
)
WITH_BODY: Final = """
SELECT tenant_id, event_id
FROM webhook_bodies
WHERE received_at < $1
ORDER BY received_at, event_id
LIMIT $2
"""
FORGET: Final = """
DELETE FROM webhook_bodies
WHERE event_id = ANY ($1::text[]) AND received_at < $2
"""
TENANTS_OF: Final = """
SELECT tenant_id
FROM billing_central.card_payments
WHERE processor_payment_id = $1
"""
TENANT_WITH: Final = """
SELECT tenant_id
FROM billing_central.processor_customers
WHERE processor_customer_id = $1
"""
TENANT_PAID: Final = """
SELECT tenant_id
FROM billing_central.processor_accounts
WHERE processor_account_id = $1
"""
INSERT_EVENT = Insert.into(ranks.DOCUMENTS, "webhook_events", COLUMNS)
INSERT_BODY = Insert.into(ranks.DOCUMENT_PARTS, "webhook_bodies", BODY_COLUMNS)
INSERT_ATTEMPT = Insert.into(
    ranks.DOCUMENT_PARTS, "webhook_attempts", "id, event_id, outcome, code, actor, attempted_at"
)


class Webhooks:
    """See the module."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def find(self, event_id: str) -> KeptWebhook | None:
        rows = self._desk.rows(GET, event_id)
        return _kept_of(rows[0]) if rows else None

    def get(self, event_id: str) -> KeptWebhook:
        found = self.find(event_id)
        if found is None:
            raise WebhookUnknown()
        return found

    def page(self, which: WebhookFilter, limit: int, cursor: str | None) -> Page[KeptWebhook]:
        rows = self._desk.rows(PAGE, key_of(cursor), which.type, which.outcome, limit + 1)
        found = tuple(_kept_of(row) for row in rows[:limit])
        return Page(found, next_cursor([row[1] for row in rows], limit))

    def keep(self, received: ReceivedWebhook) -> None:
        row = {
            "id": self._desk.new_id(WebhookId),
            "event_id": received.event_id,
            "type": received.type,
            "api_version": received.api_version,
            "livemode": received.livemode,
            "payload_sha256": received.payload_sha256,
            "received_at": self._desk.now,
        }
        body = {**row, "payload": received.payload}
        self._desk.insert(INSERT_EVENT, [row])
        self._desk.insert(INSERT_BODY, [{name: body[name] for name in BODY_COLUMNS.split(", ")}])

    def keep_attempt(self, event_id: str, outcome: WebhookOutcome, code: str | None = None) -> None:
        row = {
            "id": self._desk.new_id(WebhookAttemptId),
            "event_id": event_id,
            "outcome": outcome,
            "code": code,
            "actor": self._desk.actor.sub,
            "attempted_at": self._desk.now,
        }
        self._desk.insert(INSERT_ATTEMPT, [row])

    def with_body_before(self, moment: datetime, limit: int) -> Sequence[str]:
        return [row[1] for row in self._desk.rows(WITH_BODY, moment, limit)]

    def forget_bodies(self, event_ids: Sequence[str], before: datetime) -> None:
        forgotten = Statement(FORGET, (text_array(event_ids), before))
        self._desk.write(("webhook_bodies", *event_ids), Write(ranks.DOCUMENT_PARTS, forgotten))


class PaymentDirectory:
    """Asks every cell whose a payment, a customer or an account is, in a transaction that enters no
    tenant."""

    def __init__(self, pools: dict[str, Pool]) -> None:
        self._pools = pools

    def tenants_of(self, processor_payment_id: str) -> frozenset[UUID]:
        return self._asked(TENANTS_OF, processor_payment_id)

    def tenants_with(self, processor_customer_id: str) -> frozenset[UUID]:
        return self._asked(TENANT_WITH, processor_customer_id)

    def tenants_paid_by(self, processor_account_id: str) -> frozenset[UUID]:
        return self._asked(TENANT_PAID, processor_account_id)

    def _asked(self, sql: str, id: str) -> frozenset[UUID]:
        found = [row[0] for pool in self._pools.values() for row in _asked(pool, sql, id)]
        return frozenset(found)


def _asked(pool: Pool, sql: str, id: str) -> list[Row]:
    with pool.connection() as connection:
        try:
            return connection.run(
                [
                    Statement("BEGIN READ ONLY"),
                    Statement(sql, (id,)),
                    Statement("COMMIT"),
                ]
            )[1]
        except (ConnectionLost, ServerRefused) as trouble:
            raise DatabaseUnavailable("the directory of payments does not answer") from trouble


def _kept_of(row: Row) -> KeptWebhook:
    return KeptWebhook(
        id=WebhookId(row[1]),
        event_id=row[2],
        type=row[3],
        api_version=row[4],
        livemode=row[5],
        payload=row[6],
        payload_sha256=bytes(row[7]),
        received_at=row[8],
        is_applied=row[9],
        outcome=WebhookOutcome(row[10]),
        code=row[11],
        attempts=row[12],
    )
