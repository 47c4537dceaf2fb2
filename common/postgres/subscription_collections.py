"""How far the collecting of subscriptions has come, and incidents of the platform.

A collection is read behind the lock of its subscription, by a statement of its own: it sees what
the lock's holder before has left.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from common.domain.dunning import Dunning, Held
from common.domain.identifiers import (
    StoredMethodId,
    SubscriptionId,
)
from common.domain.platform_identifiers import PlatformIncidentId
from common.domain.platform_incident import (
    PlatformIncident,
    PlatformIncidentUnknown,
)
from common.domain.subscription_collection import Collection, CollectionId
from common.postgres import ranks
from common.postgres.connection import Row, Statement
from common.postgres.pool import Pool
from common.postgres.reading_ahead import STANDING, id_of
from common.postgres.session import Insert, Write
from common.postgres.stores import Desk
from common.postgres.subscriptions import tenants_named

COLUMNS: Final = (
    "id, subscription_id, payment_method_id, failing_since, failed_at, failures, wants_method,"
    " must_charge, next_at, version, trail, state_digest, processor_subscription_id,"
    " processor_ended_at, end_told_at"
)
INCIDENT_COLUMNS: Final = "id, reason, declared_at, ended_at, version, trail, state_digest"
FIND: Final = f"""
SELECT tenant_id, {COLUMNS}
FROM billing_central.subscription_collections
WHERE tenant_id = billing_central.current_tenant()
  AND subscription_id = coalesce($1, {STANDING})
"""
METHOD: Final = f"""
SELECT collections.tenant_id, collections.id
FROM billing_central.subscription_collections AS collections
LEFT JOIN payment_methods AS methods ON methods.id = payment_method_id AND removed_at IS NULL
WHERE (methods.id IS NOT NULL
    OR processor_subscription_id IS NOT NULL AND processor_ended_at IS NULL)
  AND collections.tenant_id = billing_central.current_tenant()
  AND subscription_id = coalesce($1, {STANDING})
"""
DUE: Final = """
SELECT tenant_id, subscription_id
FROM billing_central.subscription_collections
WHERE tenant_id = billing_central.current_tenant() AND next_at <= $1
ORDER BY next_at
LIMIT $2
"""
DUE_TENANTS: Final = """
SELECT tenant_id
FROM billing_central.subscription_collections
WHERE next_at <= $1
GROUP BY tenant_id
ORDER BY tenant_id
"""
HELD: Final = """
SELECT billing_central.current_tenant(),
  CASE
    WHEN EXISTS (SELECT FROM billing_central.platform_incidents WHERE ended_at IS NULL)
      THEN 'platform_incident'
    WHEN EXISTS (
      SELECT FROM billing_central.circuit_breakers
      WHERE name = 'gateway' AND opened_at IS NOT NULL)
      THEN 'processor_does_not_answer'
  END,
  (SELECT max(ended_at) FROM billing_central.platform_incidents)
"""
CHANGE: Final = """
UPDATE billing_central.subscription_collections
SET payment_method_id = $2, failing_since = $3, failed_at = $4, failures = $5, wants_method = $6,
    must_charge = $7, next_at = $8, version = $9, trail = $10, state_digest = $11,
    processor_subscription_id = $12, processor_ended_at = $13, end_told_at = $14
WHERE id = $1
"""
INCIDENT_ON: Final = """
SELECT billing_central.current_tenant(), id
FROM billing_central.platform_incidents
WHERE ended_at IS NULL
"""
TAKE_INCIDENT: Final = f"""
SELECT office, {INCIDENT_COLUMNS}
FROM billing_central.platform_incidents
WHERE office = billing_central.current_tenant() AND id = $1
FOR NO KEY UPDATE
"""
CHANGE_INCIDENT: Final = """
UPDATE billing_central.platform_incidents
SET ended_at = $2, version = $3, trail = $4, state_digest = $5
WHERE id = $1
"""
INSERT_COLLECTION = Insert.into(ranks.LINES, "billing_central.subscription_collections", COLUMNS)
INSERT_INCIDENT = Insert.into(
    ranks.AGGREGATES, "billing_central.platform_incidents", INCIDENT_COLUMNS
)


class SubscriptionCollections:
    """See the module."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def foresee(self, subscription_id: SubscriptionId | None = None) -> None:
        self._desk.foresee(FIND, subscription_id, names=id_of)

    def find(self, subscription_id: SubscriptionId) -> Collection | None:
        rows = self._desk.rows(FIND, subscription_id)
        return self._desk.loaded(_collection_of(rows[0])) if rows else None

    def foresee_method(self, subscription_id: SubscriptionId | None = None) -> None:
        self._desk.foresee(METHOD, subscription_id, names=id_of)

    def has_method(self, subscription_id: SubscriptionId) -> bool:
        return bool(self._desk.rows(METHOD, subscription_id))

    def due(self, limit: int) -> Sequence[SubscriptionId]:
        return [SubscriptionId(row[1]) for row in self._desk.rows(DUE, self._desk.now, limit)]

    def foresee_held(self) -> None:
        self._desk.foresee(HELD)

    def held(self) -> Held:
        row = self._desk.rows(HELD)[0]
        return Held(why=row[1], ended_at=row[2])

    def keep(self, collection: Collection) -> None:
        self._desk.keep(collection, lambda: self._write(collection))

    def _write(self, collection: Collection) -> None:
        row = _row(collection)
        if collection.is_new:
            collection.is_new = False
            self._desk.insert(INSERT_COLLECTION, [row])
            return
        del row["subscription_id"]
        values = tuple(row.values())
        change = Write(ranks.AGGREGATE_CHANGES, Statement(CHANGE, values))
        self._desk.write((collection.kind, collection.id), change)


class PlatformIncidents:
    """Incidents of the platform; whoever acts changes those of their own office."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def on(self) -> PlatformIncidentId | None:
        rows = self._desk.rows(INCIDENT_ON)
        return PlatformIncidentId(rows[0][1]) if rows else None

    def take(self, incident_id: PlatformIncidentId) -> PlatformIncident:
        rows = self._desk.rows(TAKE_INCIDENT, incident_id)
        if not rows:
            raise PlatformIncidentUnknown()
        return self._desk.loaded(_incident_of(rows[0]))

    def keep(self, incident: PlatformIncident) -> None:
        self._desk.keep(incident, lambda: self._write(incident))

    def _write(self, incident: PlatformIncident) -> None:
        trail = (incident.version, incident.trail, incident.state_digest)
        if incident.is_new:
            incident.is_new = False
            values = (incident.id, incident.reason, incident.declared_at, incident.ended_at)
            names = [name.strip() for name in INCIDENT_COLUMNS.split(",")]
            row = dict(zip(names, (*values, *trail), strict=True))
            self._desk.insert(INSERT_INCIDENT, [row])
            return
        change = Statement(CHANGE_INCIDENT, (incident.id, incident.ended_at, *trail))
        self._desk.write((incident.kind, incident.id), Write(ranks.AGGREGATE_CHANGES, change))


def collected_tenants(pool: Pool, now: Callable[[], datetime]) -> list[UUID]:
    """The tenants of whom something is to be collected; see `tenants_named`."""
    return tenants_named(pool, DUE_TENANTS, now)


def _row(collection: Collection) -> dict[str, Any]:
    dunning = collection.dunning
    return {
        "id": collection.id,
        "subscription_id": collection.subscription_id,
        "payment_method_id": collection.method_id,
        "failing_since": dunning.failing_since,
        "failed_at": dunning.failed_at,
        "failures": dunning.failures,
        "wants_method": dunning.wants_method,
        "must_charge": dunning.must_charge,
        "next_at": collection.next_at,
        "version": collection.version,
        "trail": collection.trail,
        "state_digest": collection.state_digest,
        "processor_subscription_id": collection.processor_subscription_id,
        "processor_ended_at": collection.processor_ended_at,
        "end_told_at": collection.end_told_at,
    }


def _collection_of(row: Row) -> Collection:
    return Collection(
        id=CollectionId(row[1]),
        subscription_id=SubscriptionId(row[2]),
        method_id=StoredMethodId(row[3]) if row[3] else None,
        dunning=Dunning(
            failing_since=row[4],
            failed_at=row[5],
            failures=row[6],
            wants_method=row[7],
            must_charge=row[8],
        ),
        next_at=row[9],
        version=row[10],
        trail=bytes(row[11]),
        state_digest=bytes(row[12]),
        processor_subscription_id=row[13],
        processor_ended_at=row[14],
        end_told_at=row[15],
        is_new=False,
    )


def _incident_of(row: Row) -> PlatformIncident:
    return PlatformIncident(
        id=PlatformIncidentId(row[1]),
        reason=row[2],
        declared_at=row[3],
        ended_at=row[4],
        version=row[5],
        trail=bytes(row[6]),
        state_digest=bytes(row[7]),
        is_new=False,
    )
