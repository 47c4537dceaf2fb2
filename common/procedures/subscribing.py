"""Billing a subscription: what each of its commands, its cycle and its preview have in common.

What the platform does to a subscription is done in a transaction of the tenant whose it is. So the
invoice, its number, the entries in the platform's books, the credits of a period in the tenant's
own account, the trail and the answer are one commit, whoever asked for it.
"""

from typing import Any

from common.domain.identifiers import CreditLotId, SubscriptionInvoiceId
from common.domain.plan import PlanVersion
from common.domain.prepaid_account import MAIN
from common.domain.prepaid_grant import CreditGrant
from common.domain.prepaid_lot import CreditSource
from common.domain.settings import Issuer
from common.domain.subscription import Subscription, SubscriptionFact
from common.domain.subscription_invoice import Bill, Purpose, SubscriptionInvoice, issue
from common.domain.subscription_terms import Terms
from common.domain.usage_bill import UsageDue
from common.ports.transaction import Transaction
from common.procedures.granting import grant_once


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
) -> SubscriptionInvoice | None:
    """Keep the subscription, tell what happened, grant the period's credits, write the invoice.

    `usage` is marked as billed where a period has ended; where none has, nothing was billed of it.
    The series comes last: all tenants stand in line for it.
    """
    subscription, bill = fact.subject, fact.bill
    tx.subscriptions.keep(subscription)
    tx.tell(fact)
    if usage is not None and usage.is_over(subscription):
        tx.usage.keep_billed(usage, subscription)
    if bill is None:
        return None
    if bill.purpose is Purpose.PERIOD:
        _grant(subscription, tx, already_granted_micro)
    return _invoice(subscription, bill, tx)


def _grant(subscription: Subscription, tx: Transaction, already_granted_micro: int) -> None:
    """The credits of a period, once, by whatever way it is learned of (SUB-11)."""
    credits = subscription.period_credits_micro - already_granted_micro
    if credits <= 0:
        return
    start = subscription.period.start.isoformat()
    grant_once(
        tx,
        MAIN,
        CreditGrant(
            id=tx.new_id(CreditLotId),
            source=CreditSource.RENEWAL,
            source_key=f"renewal:{subscription.id}:{start}",
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
