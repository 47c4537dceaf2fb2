"""Let a tenant subscribe to a plan: its first period begins now, and is invoiced in advance.

A tenant has one subscription at a time (`one_subscription_per_tenant`). Whatever was granted to
those that were canceled, for a time that is not over, and did not go back with its money, is not
granted again for the same time.
"""

from pydantic import Field

from common.contracts.fields import AmountNotNegative, FreeText, ZoneName
from common.contracts.plans import PlanName
from common.contracts.references import StoredMethodRef, SubscriptionRef, TenantRef
from common.contracts.shapes import Request
from common.contracts.subscriptions import PlanNumber, Seats, SubscriptionAnswer
from common.domain.business_date import TimeZoneUnknown
from common.domain.money import CurrenciesDiffer
from common.domain.period import Interval
from common.domain.plan import PlanFeeFixed, PlanFeeMissing, PlanUnknown, SeatsExceedPlan
from common.domain.stored_method import (
    PaymentMethodForStays,
    PaymentMethodRemoved,
    PaymentMethodUnknown,
)
from common.domain.subscription import CommitmentBinds, Status, SubscriptionExists, begin
from common.domain.subscription_terms import Terms
from common.ports.transaction import Transaction
from common.procedures.approving import confirming
from common.procedures.subscribing import begin_to_collect, settle
from common.procedures.taxing import tax_now
from common.runtime.declaration import http_function

COMMITTED_MONTHS = 12


class CreateSubscription(Request):
    """Which tenant subscribes to what. `committed` promises a year that is paid by the month;
    `paymentMethodId` is what its invoices are charged to."""

    tenant_id: TenantRef
    id: SubscriptionRef
    plan: PlanName
    plan_version: PlanNumber | None = None
    seats: Seats = 1
    interval: Interval = Interval.MONTH
    agreed_monthly_fee: AmountNotNegative | None = None
    time_zone: ZoneName = Field(default="UTC", examples=["Asia/Kabul"])
    committed: bool = False
    payment_method_id: StoredMethodRef | None = None
    reason: FreeText | None = None


@http_function(
    "POST",
    "/subscriptions",
    scope="platform.subscription.write",
    platform_scope="platform.subscription.write",
    status=201,
    step_up=True,
    context=confirming("subscription.create"),
    moves_money=True,
    creates=True,
    etag="subscription",
    refusals=(
        SubscriptionExists,
        PlanUnknown,
        PlanFeeMissing,
        PlanFeeFixed,
        SeatsExceedPlan,
        CurrenciesDiffer,
        CommitmentBinds,
        TimeZoneUnknown,
        PaymentMethodUnknown,
        PaymentMethodRemoved,
        PaymentMethodForStays,
    ),
)
def create_subscription(request: CreateSubscription, tx: Transaction) -> SubscriptionAnswer:
    """Subscribe a tenant, and answer the subscription with the invoice of its first period.

    Refuses: SubscriptionExists, PlanUnknown, PlanFeeMissing, PlanFeeFixed, SeatsExceedPlan,
    CurrenciesDiffer, CommitmentBinds, TimeZoneUnknown, PaymentMethodUnknown, PaymentMethodRemoved,
    PaymentMethodForStays.
    """
    tx.plans.foresee(request.plan, request.plan_version)
    tx.platform_taxes.foresee()
    tx.subscriptions.foresee_granted()
    if request.payment_method_id is not None:
        tx.stored_methods.foresee(request.payment_method_id)
    before = tx.subscriptions.find()
    if before is not None and before.status is not Status.CANCELED:
        raise SubscriptionExists(subscriptionId=before.id)
    version = tx.plans.get(request.plan, request.plan_version)
    created = begin(
        request.id,
        Terms.of(version, request.seats, request.interval, request.agreed_monthly_fee),
        request.time_zone,
        tx.now,
        request.reason,
        committed_periods=COMMITTED_MONTHS if request.committed else 0,
        taxed=tax_now(tx),
    )
    if before is not None:
        created.subject.follow(before)
    granted_micro = tx.subscriptions.granted_micro()
    collection = begin_to_collect(request.id, request.payment_method_id, tx)
    invoice = settle(created, tx, already_granted_micro=granted_micro, collection=collection)
    return SubscriptionAnswer.of(created.subject, invoice)
