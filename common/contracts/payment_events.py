"""What is told of payments that the processor takes: which, how much, and what came of it.

All facts of an intent are told, so that whoever has lost some of its events notices.
"""

from typing import TYPE_CHECKING, Any, Final, Self

from common.contracts.event import EventData
from common.contracts.fields import Amount
from common.contracts.references import (
    CustomerRef,
    FolioRef,
    PaymentIntentRef,
    PaymentRef,
    PropertyRef,
)

if TYPE_CHECKING:  # a function loads the facts that it tells, not all that can be told
    from common.domain.payment_intent import IntentFact, PaymentIntent


class _OfAnIntent(EventData):
    """What all of them say: which payment, for which folio, how much."""

    payment_intent_id: PaymentIntentRef
    folio_id: FolioRef
    property_id: PropertyRef
    customer_id: CustomerRef
    amount: Amount

    @classmethod
    def of(cls, fact: "IntentFact") -> Self:
        intent = fact.subject
        return cls(
            payment_intent_id=intent.id,
            folio_id=intent.folio_id,
            property_id=intent.property_id,
            customer_id=intent.customer_id,
            amount=intent.amount,
            **cls.more(intent),
        )

    @classmethod
    def more(cls, intent: "PaymentIntent") -> dict[str, Any]:
        """What only this one says."""
        return {}


class PaymentIntentMadeV1(_OfAnIntent):
    """A payment was written down that is to be taken; nobody was charged."""

    fact = "payment_intent.made"


class PaymentIntentConfirmedV1(_OfAnIntent):
    """The processor is asked for it from now on."""

    fact = "payment_intent.confirmed"


class PaymentIntentHeldV1(_OfAnIntent):
    """It looks odd: nobody is asked for it until a person has approved it."""

    fact = "payment_intent.held"


class PaymentIntentTakenBackV1(_OfAnIntent):
    """The processor was not asked after all: it was left alone at the time."""

    fact = "payment_intent.taken_back"


class PaymentIntentActionRequiredV1(_OfAnIntent):
    """The guest has to confirm it to the bank (3-D Secure)."""

    fact = "payment_intent.action_required"


class PaymentIntentPlacedV1(_OfAnIntent):
    """A payment that had succeeded while its folio was closed stands on it now."""

    fact = "payment_intent.placed"
    payment_id: PaymentRef | None

    @classmethod
    def more(cls, intent: "PaymentIntent") -> dict[str, Any]:
        return {"payment_id": intent.payment_id}


class PaymentIntentSentBackV1(_OfAnIntent):
    """The folio was closed when the money came: it goes back whole, as `returnedId`."""

    fact = "payment_intent.sent_back"
    returned_id: PaymentRef | None

    @classmethod
    def more(cls, intent: "PaymentIntent") -> dict[str, Any]:
        return {"returned_id": intent.returned_id}


class PaymentSucceededV1(_OfAnIntent):
    """The money was taken. `paymentId` is null while the folio is closed that it is meant for."""

    fact = "payment.succeeded"
    payment_id: PaymentRef | None

    @classmethod
    def more(cls, intent: "PaymentIntent") -> dict[str, Any]:
        return {"payment_id": intent.payment_id}


class PaymentFailedV1(_OfAnIntent):
    """No money was taken; `failureCode` is the processor's word, or `never_arrived`."""

    fact = "payment.failed"
    failure_code: str

    @classmethod
    def more(cls, intent: "PaymentIntent") -> dict[str, Any]:
        return {"failure_code": intent.failure_code or ""}


class PaymentCanceledV1(_OfAnIntent):
    """It was canceled at the processor before any money was taken."""

    fact = "payment.canceled"


PAYMENT_EVENTS: Final = (
    PaymentIntentMadeV1,
    PaymentIntentConfirmedV1,
    PaymentIntentHeldV1,
    PaymentIntentTakenBackV1,
    PaymentIntentActionRequiredV1,
    PaymentIntentPlacedV1,
    PaymentIntentSentBackV1,
    PaymentSucceededV1,
    PaymentFailedV1,
    PaymentCanceledV1,
)
