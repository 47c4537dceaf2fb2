"""How the collecting of a subscription, and an incident of the platform, read on the wire."""

from common.contracts.fields import Instant
from common.contracts.references import PlatformIncidentRef, StoredMethodRef, SubscriptionRef
from common.contracts.shapes import Outcome
from common.domain.dunning import DunningTerms
from common.domain.platform_incident import PlatformIncident
from common.domain.subscription_collection import CollectedBy, Collection


class CollectionView(Outcome):
    """How what a subscription owes is collected. `wantsMethod` asks for another payment method;
    `nextAttemptAt` is when something is done next, and `endsAt` when the time to pay is over. What
    is `collectedBy` the processor, by its `processorSubscriptionId`, is not charged here."""

    subscription_id: SubscriptionRef
    payment_method_id: StoredMethodRef | None
    failing_since: Instant | None
    failures: int
    wants_method: bool
    next_attempt_at: Instant | None
    ends_at: Instant | None
    collected_by: CollectedBy
    processor_subscription_id: str | None
    version: int

    @classmethod
    def of(cls, collection: Collection, terms: DunningTerms) -> "CollectionView":
        dunning = collection.dunning
        return cls(
            subscription_id=collection.subscription_id,
            payment_method_id=collection.method_id,
            failing_since=dunning.failing_since,
            failures=dunning.failures,
            wants_method=dunning.wants_method,
            next_attempt_at=collection.next_at,
            ends_at=dunning.ends_at(terms),
            collected_by=collection.collected_by,
            processor_subscription_id=collection.processor_subscription_id,
            version=collection.version,
        )


class PlatformIncidentView(Outcome):
    """An incident; `endedAt` is null while it is on."""

    incident_id: PlatformIncidentRef
    declared_at: Instant
    ended_at: Instant | None
    version: int

    @classmethod
    def of(cls, incident: PlatformIncident) -> "PlatformIncidentView":
        return cls(
            incident_id=incident.id,
            declared_at=incident.declared_at,
            ended_at=incident.ended_at,
            version=incident.version,
        )
