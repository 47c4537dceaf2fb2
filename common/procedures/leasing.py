"""What a folio owes is leased to the payment that is going to collect it (BEY-4)."""

from common.domain.collection_lease import Lease, take_lease
from common.domain.folio import Folio
from common.domain.payment_intent import PaymentIntent
from common.ports.transaction import Transaction


def lease_debt(folio: Folio, intent: PaymentIntent, held: Lease | None, tx: Transaction) -> None:
    """Keep others from the debt that a payment collects, before the processor is asked for it.

    `held` is the lease that is on it. Refuses: Overpayment, PaymentUnderWay.
    """
    lease = take_lease(folio, intent, held, tx)
    if lease is not None:
        tx.collection_leases.keep(lease)
