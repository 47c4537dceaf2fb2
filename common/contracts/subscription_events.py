"""What the house is told about subscriptions: each event has the state that it left.

Nothing here names a person. What an invoice is about stands in the invoice; its event has what it
comes to.
"""

from typing import TYPE_CHECKING, Any, Final, Self, cast

from common.contracts.event import EventData
from common.contracts.fields import Amount, Instant
from common.contracts.references import (
    PaymentIntentRef,
    PlanVersionRef,
    PlatformCreditNoteRef,
    PlatformTaxRulesRef,
    RefundRef,
    SubscriptionInvoiceRef,
    SubscriptionRef,
    UsageRecordRef,
)
from common.contracts.shapes import Shape

if TYPE_CHECKING:  # a function loads the facts that it tells, not all that can be told
    from common.domain.plan import PlanVersionPublished
    from common.domain.platform_credit import PlatformCreditNoteIssued
    from common.domain.platform_tax import PlatformTaxRulesPublished
    from common.domain.subscription import SubscriptionFact
    from common.domain.subscription_invoice import SubscriptionInvoiceIssued
    from common.domain.subscription_refund import SubscriptionRefundFact
    from common.domain.trial import TrialWillEnd
    from common.domain.usage import UsageRecorded


class _Subscription(EventData):
    subscription_id: SubscriptionRef
    status: str
    plan: str
    plan_version: int
    seats: int
    interval: str
    fee: Amount
    period_number: int
    period_start: Instant
    period_end: Instant
    credits_micro: int
    credit: Amount
    ends_at: Instant | None

    @classmethod
    def of(cls, fact: "SubscriptionFact") -> Self:
        return cls(**cls.shared(fact))

    @classmethod
    def shared(cls, fact: "SubscriptionFact") -> dict[str, Any]:
        subscription = fact.subject
        terms = subscription.terms
        return {
            "subscription_id": subscription.id,
            "status": subscription.status.value,
            "plan": terms.plan,
            "plan_version": terms.plan_version,
            "seats": terms.seats,
            "interval": terms.interval.value,
            "fee": terms.fee,
            "period_number": subscription.period_number,
            "period_start": subscription.period.start,
            "period_end": subscription.period.end,
            "credits_micro": subscription.period_credits_micro,
            "credit": subscription.credit,
            "ends_at": subscription.ends_at,
        }


class SubscriptionCreatedV1(_Subscription):
    """A tenant has subscribed."""

    fact = "subscription.created"


class SubscriptionTrialWillEndV1(_Subscription):
    """The trial ends with `periodEnd`. Where it `willConvert`, the first period begins then and is
    billed; where not, the subscription ends, unless a payment method is left until then."""

    fact = "subscription.trial_will_end"
    will_convert: bool

    @classmethod
    def of(cls, fact: "SubscriptionFact") -> Self:
        return cls(**cls.shared(fact), will_convert=cast("TrialWillEnd", fact).will_convert)


class SubscriptionTrialConvertedV1(_Subscription):
    """The trial is over, and the first period has begun."""

    fact = "subscription.trial_converted"


class SubscriptionRenewedV1(_Subscription):
    """The next period has begun, and its credits are granted."""

    fact = "subscription.renewed"


class SubscriptionChangedV1(_Subscription):
    """Other terms are in force, or will be with the next period."""

    fact = "subscription.changed"


class SubscriptionPausedV1(_Subscription):
    """The clock stands still."""

    fact = "subscription.paused"


class SubscriptionResumedV1(_Subscription):
    """The clock goes on, with what was left of the period."""

    fact = "subscription.resumed"


class SubscriptionPastDueV1(_Subscription):
    """A charge was declined; it is served on until it is suspended."""

    fact = "subscription.past_due"


class SubscriptionSuspendedV1(_Subscription):
    """The tenant is not served until it is reactivated."""

    fact = "subscription.suspended"


class SubscriptionReactivatedV1(_Subscription):
    """The tenant is served again."""

    fact = "subscription.reactivated"


class SubscriptionCancellationScheduledV1(_Subscription):
    """It will end at `endsAt`."""

    fact = "subscription.cancellation_scheduled"


class SubscriptionCancellationWithdrawnV1(_Subscription):
    """The end that the processor had announced is taken back: it goes on, or until `endsAt`."""

    fact = "subscription.cancellation_withdrawn"


class SubscriptionCanceledV1(_Subscription):
    """It has ended at `endsAt`."""

    fact = "subscription.canceled"


class SetOffTold(Shape):
    """So much of a credit pays what was open of an earlier invoice."""

    invoice_id: SubscriptionInvoiceRef
    amount: Amount


class SubscriptionInvoiceIssuedV1(EventData):
    """The platform has invoiced a tenant; `due` waits to be charged. What it leaves of a credit
    pays so much of the invoices in `setOff`, which wait for less from now on."""

    fact = "subscription_invoice.issued"
    invoice_id: SubscriptionInvoiceRef
    subscription_id: SubscriptionRef
    number: str
    purpose: str
    period_number: int
    tax: Amount | None = None
    total: Amount
    due: Amount
    set_off: tuple[SetOffTold, ...] = ()
    payload_sha256: str

    @classmethod
    def of(cls, fact: "SubscriptionInvoiceIssued") -> "SubscriptionInvoiceIssuedV1":
        invoice = fact.subject
        return cls(
            invoice_id=invoice.id,
            subscription_id=invoice.subscription_id,
            number=invoice.number,
            purpose=invoice.bill.purpose.value,
            period_number=invoice.bill.period_number,
            tax=invoice.bill.tax,
            total=invoice.bill.total,
            due=invoice.bill.due,
            set_off=tuple(
                SetOffTold(invoice_id=each.invoice_id, amount=each.amount)
                for each in invoice.bill.set_off
            ),
            payload_sha256=invoice.payload_sha256.hex(),
        )


class PlatformCreditNoteIssuedV1(EventData):
    """Money of an invoice of the platform went back: `total` with its `tax`."""

    fact = "platform_credit_note.issued"
    credit_note_id: PlatformCreditNoteRef
    invoice_id: SubscriptionInvoiceRef
    subscription_id: SubscriptionRef
    number: str
    tax: Amount
    total: Amount
    payload_sha256: str

    @classmethod
    def of(cls, fact: "PlatformCreditNoteIssued") -> "PlatformCreditNoteIssuedV1":
        note = fact.subject
        return cls(
            credit_note_id=note.id,
            invoice_id=note.invoice_id,
            subscription_id=note.subscription_id,
            number=note.number,
            tax=note.tax,
            total=note.total,
            payload_sha256=note.payload_sha256.hex(),
        )


class _SubscriptionRefund(EventData):
    refund_id: RefundRef
    invoice_id: SubscriptionInvoiceRef
    subscription_id: SubscriptionRef
    amount: Amount
    failure_code: str | None = None
    surplus_payment_id: PaymentIntentRef | None = None
    came_back_of: str | None = None

    @classmethod
    def of(cls, fact: "SubscriptionRefundFact") -> Self:
        refund = fact.subject
        return cls(
            refund_id=refund.id,
            invoice_id=refund.invoice_id,
            subscription_id=refund.subscription_id,
            amount=refund.amount,
            failure_code=refund.failure_code,
            surplus_payment_id=refund.surplus_id,
            came_back_of=refund.came_back_of,
        )


class SubscriptionRefundRequestedV1(_SubscriptionRefund):
    """Money of an invoice of the platform is to go back; or that of `surplusPaymentId`, which has
    paid an invoice a second time: it was never revenue, and is not credited."""

    fact = "subscription_refund.requested"


class SubscriptionRefundSucceededV1(_SubscriptionRefund):
    """It went back."""

    fact = "subscription_refund.succeeded"


class SubscriptionRefundFailedV1(_SubscriptionRefund):
    """The processor has refused it; `failureCode` is its word for why."""

    fact = "subscription_refund.failed"


class SubscriptionRefundCameBackV1(_SubscriptionRefund):
    """The refund `cameBackOf`, ours or the processor's own, has failed after it was made: its money
    lies here as this refund, until somebody has given it back at the processor. What was credited
    stays so."""

    fact = "subscription_refund.came_back"


class PlanVersionPublishedV1(EventData):
    """A version of a plan can be subscribed to."""

    fact = "plan_version.published"
    plan_version_id: PlanVersionRef
    plan: str
    plan_version: int

    @classmethod
    def of(cls, fact: "PlanVersionPublished") -> "PlanVersionPublishedV1":
        version: Any = fact.subject
        return cls(plan_version_id=version.id, plan=version.plan, plan_version=version.number)


class PlatformTaxRulesPublishedV1(EventData):
    """What the platform bills is taxed by other rules from `inForceFrom` on."""

    fact = "platform_tax_rules.published"
    platform_tax_rules_id: PlatformTaxRulesRef
    rules_number: int
    seller_country: str
    in_force_from: Instant

    @classmethod
    def of(cls, fact: "PlatformTaxRulesPublished") -> "PlatformTaxRulesPublishedV1":
        rules = fact.subject
        return cls(
            platform_tax_rules_id=rules.id,
            rules_number=rules.number,
            seller_country=rules.seller.country,
            in_force_from=rules.in_force_from,
        )


class UsageRecordedV1(EventData):
    """Events of a tenant's usage were counted; the SHA-256 is that of all of them (RFC 8785)."""

    fact = "usage.recorded"
    usage_record_id: UsageRecordRef
    subscription_id: SubscriptionRef
    events: int
    events_sha256: str

    @classmethod
    def of(cls, fact: "UsageRecorded") -> "UsageRecordedV1":
        record = fact.subject
        return cls(
            usage_record_id=record.id,
            subscription_id=record.subscription_id,
            events=len(record.events),
            events_sha256=record.events_sha256().hex(),
        )


SUBSCRIPTION_EVENTS: Final = (
    SubscriptionCreatedV1,
    SubscriptionTrialWillEndV1,
    SubscriptionTrialConvertedV1,
    SubscriptionRenewedV1,
    SubscriptionChangedV1,
    SubscriptionPausedV1,
    SubscriptionResumedV1,
    SubscriptionPastDueV1,
    SubscriptionSuspendedV1,
    SubscriptionReactivatedV1,
    SubscriptionCancellationScheduledV1,
    SubscriptionCancellationWithdrawnV1,
    SubscriptionCanceledV1,
    SubscriptionInvoiceIssuedV1,
    PlatformCreditNoteIssuedV1,
    SubscriptionRefundRequestedV1,
    SubscriptionRefundSucceededV1,
    SubscriptionRefundFailedV1,
    SubscriptionRefundCameBackV1,
    PlanVersionPublishedV1,
    PlatformTaxRulesPublishedV1,
    UsageRecordedV1,
)
