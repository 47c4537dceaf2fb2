"""Take the charges of the platform's invoices, and ask what became of them (SUB-6, GW-5).

The processor is asked first what became of a charge, and for it only where it knows of none, under
the same id: so what was lost on its way is asked after, and never charged again. Who does not
answer is asked again, the later the longer it lasts. One that waits for its tenant at the bank is
called off there before another one takes its place.
"""

from collections.abc import Sequence

from common.domain.identifiers import PaymentIntentId
from common.ports.jobs import Round
from common.ports.transaction import Transaction
from common.procedures.asking import Asked, Collecting
from common.procedures.charging_subscriptions import charging, keep_answer, settle_charge
from common.runtime.declaration import job


def waiting(which: Round, tx: Transaction) -> Sequence[PaymentIntentId]:
    """The charges of a tenant that are due, the longest waiting first."""
    return tx.subscription_payments.due(which.limit)


def keep(asked: Asked, tx: Transaction) -> None:
    """Keep what the processor said.

    Refuses: SubscriptionUnknown, WebhookContradictsBooks.
    """
    keep_answer(asked, tx)


@job(
    schedule="* * * * *",
    find=waiting,
    perform=settle_charge,
    record=keep,
    needs=("database", "gateway", "vault"),
    tenants="charges",
)
def settle_subscription_payments(payment_id: PaymentIntentId, tx: Transaction) -> Collecting:
    """Ask for a charge that is under way, or what became of it."""
    return charging(payment_id, tx)
