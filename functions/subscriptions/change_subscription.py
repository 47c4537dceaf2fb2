"""Change what a tenant has subscribed to: its plan, its seats, how long its periods are.

A plan and seats change at once, and the rest of the period is prorated to the second; an interval
changes with the next period. `?preview=true` answers the invoice that the same change would make,
reckoned by the same rule, and a signed quote that binds for a quarter of an hour; it changes
nothing and needs no confirmation. Who gives the quote back is charged exactly that, or nothing.
What a change credits is set off against what is open first: only the rest is charged and dunned.
"""

from copy import copy
from datetime import datetime

from common.contracts.fields import FreeText, QuoteToken
from common.contracts.references import TenantRef
from common.contracts.subscriptions import SubscriptionChangeAnswer, TermsGiven
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
from common.domain.subscription_quote import (
    QuoteDiffers,
    QuoteExpired,
    QuoteInvalid,
    QuoteStale,
    quote_of,
)
from common.domain.subscription_terms import Terms
from common.ports.identity import Actor
from common.ports.transaction import Transaction
from common.procedures.approving import confirming
from common.procedures.subscribing import (
    foresee_set_off,
    settle,
    terms_with,
    version_for,
    with_credit_set_off,
)
from common.runtime.declaration import http_function


class ChangeSubscription(TermsGiven):
    """What becomes of the subscription of the tenant in the path; what is not given stays. With the
    `quoteToken` of a preview it is what was quoted for the same change, or it is refused."""

    tenant_id: TenantRef
    quote_token: QuoteToken | None = None
    reason: FreeText
    preview: bool = False


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
        QuoteInvalid,
        QuoteExpired,
        QuoteDiffers,
        QuoteStale,
    ),
    needs=("database", "quotes"),
)
def change_subscription(request: ChangeSubscription, tx: Transaction) -> SubscriptionChangeAnswer:
    """Change a subscription, and answer it with the invoice; or only say what that would be.

    Refuses: SubscriptionUnknown, SubscriptionStateRefuses, PeriodNotBilled, SubscriptionUnchanged,
    CommitmentBinds, PlanUnknown, PlanFeeMissing, PlanFeeFixed, SeatsExceedPlan, CurrenciesDiffer,
    QuoteInvalid, QuoteExpired, QuoteDiffers, QuoteStale.
    """
    quote = tx.quotes.read(request.quote_token) if request.quote_token else None
    tx.plans.foresee(request.plan, request.plan_version)
    foresee_set_off(tx)
    subscription = tx.subscriptions.take()
    subscription.must_run(tx.now)
    if request.preview:
        return quoted(subscription, request, tx)
    at = quote.moment(subscription, request.asked(), tx.now) if quote else tx.now
    told = changed(subscription, request, at, tx)
    if quote:
        quote.must_be(told)
    return SubscriptionChangeAnswer.of(told, settle(told, tx))


def quoted(
    subscription: Subscription, request: ChangeSubscription, tx: Transaction
) -> SubscriptionChangeAnswer:
    """What the change would come to, tried on a copy, and the quote for it."""
    tried = changed(copy(subscription), request, tx.now, tx)
    quote = quote_of(tried, request.asked(), subscription.version, tx.now)
    return SubscriptionChangeAnswer.of(
        tried, quote_token=tx.quotes.token_of(quote), quote_expires_at=quote.expires_at
    )


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
    told = change_of(subscription, at_once, later, at, request.reason)
    return with_credit_set_off(told, tx)
