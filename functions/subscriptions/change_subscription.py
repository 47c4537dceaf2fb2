"""Change what a tenant has subscribed to: its plan, its seats, how long its periods are.

A plan and seats change at once, and the rest of the period is prorated to the second; an interval
changes with the next period. `?preview=true` answers the invoice that the same change would make,
reckoned by the same rule, and a quote that binds; it changes nothing and needs no confirmation.
"""

from copy import copy
from datetime import datetime

from common.contracts.fields import FreeText
from common.contracts.shapes import Outcome
from common.contracts.subscriptions import (
    BillView,
    QuoteShape,
    SubscriptionInvoiceView,
    SubscriptionView,
    TenantRef,
    TermsGiven,
)
from common.domain.money import CurrenciesDiffer
from common.domain.plan import PlanFeeFixed, PlanFeeMissing, PlanUnknown, SeatsExceedPlan
from common.domain.subscription import (
    CommitmentBinds,
    PeriodNotBilled,
    Subscription,
    SubscriptionChanged,
    SubscriptionStateRefuses,
    SubscriptionUnchanged,
    SubscriptionUnknown,
    change_of,
)
from common.domain.subscription_invoice import SubscriptionInvoice
from common.domain.subscription_quote import Quote, QuoteStale, quote_of
from common.domain.subscription_terms import Terms
from common.ports.identity import Actor
from common.ports.transaction import Transaction
from common.procedures.approving import confirming
from common.procedures.subscribing import settle, terms_with, version_for
from common.runtime.declaration import http_function


class ChangeSubscription(TermsGiven):
    """What becomes of the subscription of the tenant in the path; what is not given stays."""

    tenant_id: TenantRef
    quote: QuoteShape | None = None
    reason: FreeText
    preview: bool = False


class SubscriptionChangeAnswer(Outcome):
    """The subscription after the change. `bill` is what the change makes due at once, null where
    it makes nothing due; a preview has no invoice, and the quote for it."""

    subscription: SubscriptionView
    bill: BillView | None
    invoice: SubscriptionInvoiceView | None
    quote: QuoteShape | None
    version: int


def what_is_confirmed(request: ChangeSubscription, actor: Actor) -> str | None:
    """The change with its quote; a preview does nothing."""
    return None if request.preview else confirming("subscription.change")(request, actor)


@http_function(
    "PUT",
    "/subscriptions/{tenant_id}",
    scope="platform.subscription.write",
    platform_scope="platform.subscription.write",
    step_up=True,
    context=what_is_confirmed,
    switches=("preview",),
    moves_money=True,
    etag="subscription",
    refusals=(
        SubscriptionUnknown,
        SubscriptionStateRefuses,
        PeriodNotBilled,
        SubscriptionUnchanged,
        CommitmentBinds,
        PlanUnknown,
        PlanFeeMissing,
        PlanFeeFixed,
        SeatsExceedPlan,
        CurrenciesDiffer,
        QuoteStale,
    ),
)
def change_subscription(request: ChangeSubscription, tx: Transaction) -> SubscriptionChangeAnswer:
    """Change a subscription, and answer it with the invoice; or only say what that would be.

    Refuses: SubscriptionUnknown, SubscriptionStateRefuses, PeriodNotBilled, SubscriptionUnchanged,
    CommitmentBinds, PlanUnknown, PlanFeeMissing, PlanFeeFixed, SeatsExceedPlan, CurrenciesDiffer,
    QuoteStale.
    """
    subscription = tx.subscriptions.take()
    subscription.must_run(tx.now)
    if request.preview:
        tried = changed(copy(subscription), request, tx.now, tx)
        return answered(tried, None, quote_of(tried, subscription.version, tx.now))
    quote = request.quote.quote() if request.quote else None
    at = quote.moment(subscription, tx.now) if quote else tx.now
    told = changed(subscription, request, at, tx)
    if quote:
        quote.must_be(told)
    return answered(told, settle(told, tx), None)


def changed(
    subscription: Subscription, request: ChangeSubscription, at: datetime, tx: Transaction
) -> SubscriptionChanged:
    """The change that is asked for, reckoned at an instant."""
    version = version_for(subscription, request.plan, request.plan_version, tx)
    asked = subscription.next_terms or subscription.terms
    wanted = Terms.of(
        version,
        request.seats or asked.seats,
        request.interval or asked.interval,
        request.agreed_monthly_fee or (asked.agreed if version.id == asked.version_id else None),
    )
    at_once, later = terms_with(subscription, version, wanted)
    return change_of(subscription, at_once, later, at, request.reason)


def answered(
    fact: SubscriptionChanged, invoice: SubscriptionInvoice | None, quote: Quote | None
) -> SubscriptionChangeAnswer:
    """What a change came to, or would come to."""
    subscription, bill = fact.subject, fact.bill
    return SubscriptionChangeAnswer(
        subscription=SubscriptionView.of(subscription),
        bill=BillView.of(bill) if bill else None,
        invoice=SubscriptionInvoiceView.of(invoice) if invoice else None,
        quote=QuoteShape.of(quote) if quote else None,
        version=subscription.version,
    )
