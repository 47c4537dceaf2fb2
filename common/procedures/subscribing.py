"""Billing a subscription: what each of its commands, its cycle and its preview have in common.

What the platform does to a subscription is done in a transaction of the tenant whose it is. So the
invoice, its number, the entries in the platform's books, the credits of a period in the tenant's
own account, the trail and the answer are one commit, whoever asked for it.
"""

from typing import Any, Final, TypeVar

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
from common.domain.subscription_payment import SubscriptionPayment
from common.domain.subscription_set_off import give_back_set_off, set_off_by, with_set_off
from common.domain.subscription_terms import Terms
from common.domain.usage_bill import UsageDue
from common.ports.transaction import Transaction
from common.procedures.granting import grant_once

OTHER_METHOD: Final = "Another method was chosen"
SET_OFF: Final = "A credit has paid a part of it"
F = TypeVar("F", bound=SubscriptionFact)


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
    What it makes due is collected, and what it has set off is collected no more; `collection` is
    how, where that is known already. The series comes last: all tenants stand in line for it.
    """
    subscription, bill = fact.subject, fact.bill
    tx.subscriptions.keep(subscription)
    tx.tell(fact)
    if usage is not None and usage.is_over(subscription):
        tx.usage.keep_billed(usage, subscription)
    if bill is not None and bill.set_off:
        _collect_less(subscription, bill, collection, tx)
    elif bill is not None and not bill.due.is_zero:
        _collect(subscription, collection, tx)
    elif subscription.status is Status.CANCELED:
        _collect_the_rest(subscription, collection, tx)
    if bill is None:
        return None
    tx.subscriptions.foresee_series(tx.now.year)
    if bill.purpose is Purpose.PERIOD:
        _grant(subscription, tx, already_granted_micro)
    invoice = _invoice(subscription, bill, tx)
    for moved in set_off_by(invoice.id, bill.set_off):
        tx.platform_credits.set_off(moved)
    return invoice


def foresee_set_off(tx: Transaction) -> None:
    """What it takes to set a credit off is read along with the subscription that stands."""
    tx.subscription_collections.foresee()
    tx.subscription_payments.foresee()
    tx.subscription_payments.foresee_all_open()


def with_credit_set_off(fact: F, tx: Transaction) -> F:
    """What has happened, with what it leaves of the credit set off against what is open (SUB-5).

    Nothing is while the processor collects it: that takes what its own invoices say.
    """
    subscription = fact.subject
    if fact.bill is None or subscription.credit.is_zero:
        return fact
    collection = tx.subscription_collections.find(subscription.id)
    if collection is None or collection.is_handed_over:
        return fact
    return with_set_off(fact, tx.subscription_payments.all_open(subscription.id))


def _collect_less(
    subscription: Subscription, bill: Bill, known: Collection | None, tx: Transaction
) -> None:
    """A credit has paid a part of what is open, or all: only what is left is asked for."""
    paid = {each.invoice_id: each.amount for each in bill.set_off}
    open_ = tx.subscription_payments.all_open(subscription.id)
    is_more = any(each.left != paid.get(each.id) for each in open_)
    waiting = tx.subscription_payments.find_waiting(subscription.id)
    is_waiting = waiting is not None and waiting.invoice_id in paid
    if is_waiting:
        supersede_waiting(subscription.id, SET_OFF, tx)
    collection = known or tx.subscription_collections.find(subscription.id)
    if collection is not None:
        collection.owe_less(tx, is_waiting=is_waiting, is_more=is_more)
        if subscription.status is Status.CANCELED and is_more and not is_waiting:
            collection.owe(tx)
        tx.subscription_collections.keep(collection)


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


def give_back_beyond(
    subscription: Subscription,
    invoice: SubscriptionInvoice,
    payment: SubscriptionPayment,
    tx: Transaction,
) -> None:
    """Book what of a payment is beyond what was left of its invoice as the tenant's credit again,
    and let that pay what else is open. Its charge was under way when the credit was set off; the
    payment is booked behind this, and pays all that is due then."""
    if payment.amount <= invoice.left:
        return
    open_ = tx.subscription_payments.all_open(subscription.id)
    others = [each for each in open_ if each.id != invoice.id]
    given_back = give_back_set_off(subscription, invoice, payment, others)
    if given_back is None:
        return
    fact, entries = given_back
    for moved in entries:
        tx.platform_credits.set_off(moved)
    tx.subscriptions.keep(subscription)
    tx.tell(fact)


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
