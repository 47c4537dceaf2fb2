"""A card's issuer warns that a payment may be a fraud: kept as a signal, for a person to look at.

Nothing waits for it and no money moves by it. It is raised once for a payment, and shown with its
refunds: who gives the money back before the bank asks for it spares the house the dispute.
"""

from typing import Final

from common.domain.cash_patterns import Finding, Suspicion
from common.domain.refund import PaymentUnknown
from common.domain.signal import Signal
from common.ports.transaction import Transaction

SOURCE: Final = "processor"
SCORE_PPM: Final = 800_000
"""What the card networks say of their own warnings: four of five become a dispute."""


def warn_of_fraud(processor_payment_id: str, tx: Transaction) -> None:
    """Raise the signal, unless it is raised. Refuses: PaymentUnknown."""
    payment = tx.folios.find_paid_by(processor_payment_id)
    if payment is None:
        raise PaymentUnknown()
    if tx.signals.is_raised(Suspicion.EARLY_FRAUD_WARNING, payment.id):
        return
    house = tx.settings.property(tx.folios.get(payment.folio_id).property_id)
    finding = Finding(
        pattern=Suspicion.EARLY_FRAUD_WARNING,
        subject=payment.id,
        score_ppm=SCORE_PPM,
        figures={},
    )
    raised = Signal.raised(house.id, house.business_date(tx.now), finding, SOURCE, tx)
    tx.signals.keep(raised.subject)
    tx.tell(raised)
