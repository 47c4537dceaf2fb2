"""Billing a subscription: what each of its commands, its cycle and its preview have in common.

What the platform does to a subscription is done in a transaction of the tenant whose it is. So the
invoice, its number, the entries in the platform's books, the credits of a period in the tenant's
own account, the trail and the answer are one commit, whoever asked for it.
"""

from typing import Any, Final

from common.domain.identifiers import (
    CreditLotId,
    StoredMethodId,
    SubscriptionId,
    SubscriptionInvoiceId,
)
from common.domain.plan import PlanVersion
from common.domain.prepaid_account import MAIN
from common.domain.prepaid_grant import CreditGrant, renewal_key
from common.domain.prepaid_lot import CreditSource
from common.domain.settings import Issuer
from common.domain.stored_method import StoredMethod
from common.domain.subscription import Status, Subscription, SubscriptionFact
from common.domain.subscription_collection import Collection
from common.domain.subscription_invoice import Bill, Purpose, SubscriptionInvoice, issue
from common.domain.subscription_terms import Terms
from common.domain.usage_bill import UsageDue
from common.ports.transaction import Transaction
from common.procedures.granting import grant_once

OTHER_METHOD: Final = "Another method was chosen"


def foresee_bill(tx: Transaction, subscription_id: SubscriptionId | None = None) -> None:
    """What it takes to bill a subscription is read along with it: the one that stands, unless
    another is named."""
    tx.platform_taxes.foresee()
    tx.usage.foresee(subscription_id)
    tx.subscription_collections.foresee(subscription_id)


def usage_due(subscription: Subscription, tx: Transaction, *, and_ahead: bool = False) -> UsageDue:
    """What the usage of a subscription comes to: of the current period and of those before it that
    came late; `and_ahead` also what was counted for one that is to begin by the next cycle.

    Asked under the subscription's lock, which whoever counts usage needs as well.
    """
    return UsageDue.of(subscription, tx.usage.unbilled(subscription, and_ahead=and_ahead))


def settle(
    fact: SubscriptionFact,
    tx: Transaction,
    already_granted_micro: int = 0,
    usage: UsageDue | None = None,
    collection: Collection | None = None,
) -> SubscriptionInvoice | None:
    """Keep the subscription, tell what happened, grant the period's credits, write the invoice.

    `usage` is marked as billed where a period has ended; where none has, nothing was billed of it.
    What it makes due is collected; `collection` is how, where that is known already. The series
    comes last: all tenants stand in line for it.
    """
    subscription, bill = fact.subject, fact.bill
    tx.subscriptions.keep(subscription)
    tx.tell(fact)
    if usage is not None and usage.is_over(subscription):
        tx.usage.keep_billed(usage, subscription)
    if bill is not None and not bill.due.is_zero:
        _collect(subscription, collection, tx)
    elif subscription.status is Status.CANCELED:
        _collect_the_rest(subscription, collection, tx)
    if bill is None:
        return None
    tx.subscriptions.foresee_series(tx.now.year)
    if bill.purpose is Purpose.PERIOD:
        _grant(subscription, tx, already_granted_micro)
    return _invoice(subscription, bill, tx)


def begin_to_collect(
    subscription_id: SubscriptionId, method_id: StoredMethodId | None, tx: Transaction
) -> Collection | None:
    """Collect what a new subscription owes from this method; None where none is named.

    Refuses: PaymentMethodUnknown, PaymentMethodRemoved, PaymentMethodForStays.
    """
    if method_id is None:
        return None
    begun = Collection.begin(subscription_id, tx.stored_methods.get(method_id), tx)
    tx.subscription_collections.keep(begun.subject)
    tx.tell(begun)
    return begun.subject


def supersede_waiting(subscription_id: SubscriptionId, reason: str, tx: Transaction) -> None:
    """Have the charge called off that waits for its tenant at the bank, if one does: what is open
    is charged anew once the processor has said that it was."""
    waiting = tx.subscription_payments.find_waiting(subscription_id)
    if waiting is not None and (superseded := waiting.supersede(reason)) is not None:
        tx.subscription_payments.keep(waiting)
        tx.tell(superseded)


def foresee_choice(method_id: StoredMethodId, tx: Transaction) -> None:
    """What it takes to choose another method is read along with the subscription."""
    tx.stored_methods.foresee(method_id)
    tx.subscription_collections.foresee()
    tx.subscription_payments.foresee()


def choose_method(subscription: Subscription, method: StoredMethod, tx: Transaction) -> Collection:
    """Charge a subscription to another method from now on; what is open, at once.

    Refuses: PaymentMethodRemoved, PaymentMethodForStays.
    """
    collection = tx.subscription_collections.find(subscription.id)
    if collection is None:
        begun = Collection.begin(subscription.id, method, tx)
        collection = begun.subject
        tx.tell(begun)
    is_charged = tx.subscription_payments.is_under_way(subscription.id)
    supersede_waiting(subscription.id, OTHER_METHOD, tx)
    tx.tell(collection.choose(method, tx, is_charged=is_charged))
    tx.subscription_collections.keep(collection)
    return collection


def collect_anew(subscription: Subscription, reason: str, tx: Transaction) -> Collection | None:
    """Forget what was declined, and charge what is open."""
    collection = tx.subscription_collections.find(subscription.id)
    if collection is None:
        return None
    if (ended := collection.recover(reason)) is not None:
        tx.tell(ended)
    supersede_waiting(subscription.id, reason, tx)
    if not tx.subscription_payments.is_under_way(subscription.id):
        collection.look_at(tx.now)
    tx.subscription_collections.keep(collection)
    return collection


def _collect(subscription: Subscription, known: Collection | None, tx: Transaction) -> None:
    """What is due is charged by the job, which looks for it from now on."""
    collection = known
    if collection is None and not subscription.is_new:
        collection = tx.subscription_collections.find(subscription.id)
    if collection is None:
        begun = Collection.begin(subscription.id, None, tx)
        collection = begun.subject
        tx.tell(begun)
    collection.owe(tx)
    tx.subscription_collections.keep(collection)


def _collect_the_rest(
    subscription: Subscription, known: Collection | None, tx: Transaction
) -> None:
    """What one that has ended did not pay is asked for once more, where nobody would look any more,
    and given up then: no books say for ever that it is owed."""
    collection = known or tx.subscription_collections.find(subscription.id)
    if collection is not None and collection.dunning.failing_since is not None:
        collection.owe(tx)
        tx.subscription_collections.keep(collection)


def _grant(subscription: Subscription, tx: Transaction, already_granted_micro: int) -> None:
    """The credits of a period, once, by whatever way it is learned of (SUB-11)."""
    credits = subscription.period_credits_micro - already_granted_micro
    if credits <= 0:
        return
    grant_once(
        tx,
        MAIN,
        CreditGrant(
            id=tx.new_id(CreditLotId),
            source=CreditSource.RENEWAL,
            source_key=renewal_key(subscription.id, subscription.period.start),
            credits_micro=credits,
            reason=f"{subscription.terms.plan}, period {subscription.period_number}",
        ),
    )


def _invoice(subscription: Subscription, bill: Bill, tx: Transaction) -> SubscriptionInvoice:
    series = tx.subscriptions.take_series(tx.now.year)
    invoice_id = tx.new_id(SubscriptionInvoiceId)
    customer = _customer(tx.settings.issuer)
    issued = issue(bill, invoice_id, subscription.id, series, customer, tx.now)
    tx.subscriptions.keep_invoice(issued.subject, series)
    tx.tell(issued)
    return issued.subject


def _customer(issuer: Issuer) -> dict[str, Any]:
    """Who is billed: whoever the tenant's own invoices are from."""
    return {
        "name": issuer.name,
        "addressLines": list(issuer.address_lines),
        "taxId": issuer.tax_id,
        "country": issuer.country,
    }


def terms_with(
    subscription: Subscription, version: PlanVersion, wanted: Terms
) -> tuple[Terms, Terms]:
    """What is in force at once, and from the next period on: an interval changes with it."""
    if wanted.interval is subscription.terms.interval:
        return wanted, wanted
    at_once = Terms.of(version, wanted.seats, subscription.terms.interval, wanted.agreed)
    return at_once, wanted


def version_for(
    subscription: Subscription, plan: str | None, number: int | None, tx: Transaction
) -> PlanVersion:
    """The version that is asked for; without a plan the one that is subscribed to."""
    if plan is None and number is None:
        return tx.plans.get_by_id(subscription.terms.version_id)
    return tx.plans.get(plan or subscription.terms.plan, number)
