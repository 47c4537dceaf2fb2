"""What the house is told about charges of subscriptions, and about incidents of the platform."""

from typing import TYPE_CHECKING, Any, Final, Self

from common.contracts.event import EventData
from common.contracts.fields import Amount, Instant
from common.contracts.references import (
    PaymentIntentRef,
    PlatformIncidentRef,
    SubscriptionInvoiceRef,
    SubscriptionRef,
)

if TYPE_CHECKING:  # a function loads the facts that it tells, not all that can be told
    from common.domain.platform_incident import PlatformIncidentFact
    from common.domain.subscription_collection import ChargeDeclined, DunningEnded
    from common.domain.subscription_payment import SubscriptionPaymentFact


class _Charge(EventData):
    payment_id: PaymentIntentRef
    subscription_id: SubscriptionRef
    invoice_id: SubscriptionInvoiceRef
    trial: int
    amount: Amount

    @classmethod
    def of(cls, fact: "SubscriptionPaymentFact") -> Self:
        return cls(**cls.shared(fact))

    @classmethod
    def shared(cls, fact: "SubscriptionPaymentFact") -> dict[str, Any]:
        payment = fact.subject
        return {
            "payment_id": payment.id,
            "subscription_id": payment.subscription_id,
            "invoice_id": payment.invoice_id,
            "trial": payment.trial,
            "amount": payment.amount,
        }


class SubscriptionPaymentStartedV1(_Charge):
    """The processor is asked for it from now on."""

    fact = "subscription_payment.started"


class SubscriptionPaymentActionRequiredV1(_Charge):
    """The bank asks the tenant to confirm it."""

    fact = "subscription_payment.action_required"


class SubscriptionPaymentSucceededV1(_Charge):
    """The money was taken: the invoice is paid."""

    fact = "subscription_payment.succeeded"


class SubscriptionPaymentCanceledV1(_Charge):
    """It was called off at the processor."""

    fact = "subscription_payment.canceled"


class SubscriptionPaymentSentBackV1(_Charge):
    """The money was taken for an invoice that is paid already: all of it goes back."""

    fact = "subscription_payment.sent_back"


class SubscriptionPaymentFailedV1(_Charge):
    """No money was taken; `failureCode` is the processor's."""

    fact = "subscription_payment.failed"
    failure_code: str

    @classmethod
    def of(cls, fact: "SubscriptionPaymentFact") -> Self:
        return cls(**cls.shared(fact), failure_code=fact.reason or "declined")


class SubscriptionPaymentDeclinedV1(EventData):
    """What is owed could not be charged. `wantsMethod` asks for another card; at `endsAt` the time
    to pay is over, and it is tried again at `nextRetryAt`."""

    fact = "subscription.payment_failed"
    subscription_id: SubscriptionRef
    failure_code: str
    failures: int
    wants_method: bool
    failing_since: Instant
    next_retry_at: Instant | None
    ends_at: Instant

    @classmethod
    def of(cls, fact: "ChargeDeclined") -> Self:
        collection = fact.subject
        dunning: Any = collection.dunning
        return cls(
            subscription_id=collection.subscription_id,
            failure_code=fact.reason or "declined",
            failures=dunning.failures,
            wants_method=dunning.wants_method,
            failing_since=dunning.failing_since,
            next_retry_at=collection.next_at,
            ends_at=dunning.ends_at(fact.terms),
        )


class SubscriptionPaymentRecoveredV1(EventData):
    """What was declined counts no more: it was paid, or begins anew."""

    fact = "subscription.payment_recovered"
    subscription_id: SubscriptionRef

    @classmethod
    def of(cls, fact: "DunningEnded") -> Self:
        return cls(subscription_id=fact.subject.subscription_id)


class _Incident(EventData):
    incident_id: PlatformIncidentRef
    declared_at: Instant
    ended_at: Instant | None

    @classmethod
    def of(cls, fact: "PlatformIncidentFact") -> Self:
        incident = fact.subject
        return cls(
            incident_id=incident.id,
            declared_at=incident.declared_at,
            ended_at=incident.ended_at,
        )


class PlatformIncidentDeclaredV1(_Incident):
    """Nobody is suspended for not paying while it is on."""

    fact = "platform_incident.declared"


class PlatformIncidentEndedV1(_Incident):
    """It is over."""

    fact = "platform_incident.ended"


COLLECTION_EVENTS: Final = (
    SubscriptionPaymentStartedV1,
    SubscriptionPaymentActionRequiredV1,
    SubscriptionPaymentSucceededV1,
    SubscriptionPaymentFailedV1,
    SubscriptionPaymentCanceledV1,
    SubscriptionPaymentSentBackV1,
    SubscriptionPaymentDeclinedV1,
    SubscriptionPaymentRecoveredV1,
    PlatformIncidentDeclaredV1,
    PlatformIncidentEndedV1,
)
