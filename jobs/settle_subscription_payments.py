"""Take the charges of the platform's invoices, and ask what became of them (SUB-6, GW-5).

The processor is asked first what became of a charge, and for it only where it knows of none, under
the same id: so what was lost on its way is asked after, and never charged again. Who does not
answer is asked again, the later the longer it lasts. One that waits for its tenant at the bank is
called off there before another one takes its place.
"""

from collections.abc import Sequence
from dataclasses import replace

from common.domain.identifiers import PaymentIntentId
from common.ports.answers import Unreachable
from common.ports.cards import GatewayUnavailable
from common.ports.jobs import Round
from common.ports.powers import Powers
from common.ports.transaction import Transaction
from common.procedures.asking import Asked, Collecting, collecting
from common.procedures.charging_subscriptions import keep_answer
from common.procedures.purchasing import settle as ask_and_take
from common.runtime.declaration import job


def waiting(which: Round, tx: Transaction) -> Sequence[PaymentIntentId]:
    """The charges of a tenant that are due, the longest waiting first."""
    return tx.subscription_payments.due(which.limit)


def charging(payment_id: PaymentIntentId, tx: Transaction) -> Collecting:
    """What the processor is to be asked about a charge: what became of it, and for it where it
    knows of none, under the same id. One that another is to take the place of is called off. What
    the processor collects itself by now, what is paid by another, and what of which a credit has
    paid a part, is asked after only."""
    payment = tx.subscription_payments.get(payment_id)
    tx.subscription_collections.foresee(payment.subscription_id)
    tx.subscriptions.foresee_invoice(payment.invoice_id)
    asked = replace(collecting(payment, tx), cancels=payment.is_to_be_called_off)
    collection = tx.subscription_collections.find(payment.subscription_id)
    invoice = tx.subscriptions.get_invoice(payment.invoice_id)
    is_owed = invoice.status != "paid" and invoice.left == payment.amount
    if is_owed and (collection is None or not collection.is_handed_over):
        return asked
    return replace(asked, key=None)


def settle_charge(asked: Collecting, powers: Powers) -> Asked:
    """Ask the processor for a charge, or what became of it, or to call it off."""
    if not asked.cancels:
        return ask_and_take(asked, powers)
    try:
        return Asked(asked, powers.cards.cancel(asked.order))
    except GatewayUnavailable:
        return Asked(asked, Unreachable())


def keep(asked: Asked, tx: Transaction) -> None:
    """Keep what the processor said.

    Refuses: SubscriptionUnknown, WebhookContradictsBooks.
    """
    keep_answer(asked, tx)


def put_off(payment_id: PaymentIntentId, why: str, tx: Transaction) -> None:
    """Let a charge wait whose word could not be kept: it is asked after less and less often."""
    tx.subscription_payments.postpone(tx.subscription_payments.get(payment_id))


@job(
    schedule="* * * * *",
    find=waiting,
    perform=settle_charge,
    record=keep,
    put_off=put_off,
    needs=("database", "gateway", "vault"),
    tenants="charges",
)
def settle_subscription_payments(payment_id: PaymentIntentId, tx: Transaction) -> Collecting:
    """Ask for a charge that is under way, or what became of it."""
    return charging(payment_id, tx)
