"""The platform's orchestrator points out a folio, a payment or a refund: a person may look.

Nothing waits for it and no money moves by it. What it says about a folio that is not ours goes to
the dead letters, and what it says twice is passed over.
"""

from common.contracts.incoming import SignalTold
from common.domain.signal import Signal
from common.ports.transaction import Transaction
from common.runtime.declaration import event_function


@event_function("melmastoon.ai.signal.raised.v1")
def on_signal_raised(told: SignalTold, tx: Transaction) -> None:
    """Keep the signal, unless it is known already.

    Refuses: FolioUnknown.
    """
    house = tx.settings.property(tx.folios.get(told.folio_id).property_id)
    if tx.signals.is_raised(told.pattern, told.subject):
        return
    today = house.business_date(tx.now)
    raised = Signal.raised(house.id, today, told.finding(), told.source, tx)
    tx.signals.keep(raised.subject)
    tx.tell(raised)
