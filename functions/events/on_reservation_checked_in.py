"""A guest has checked in: the folio opens now, if it has not; its nights are charged.

Where the folio was closed before the guest came, as a no-show's is, or before the guest stays on,
the event becomes a dead letter with that reason: who opens the folio again replays it, and no night
is lost.
"""

from common.contracts.incoming import Reservation
from common.ports.transaction import Transaction
from common.procedures.staying import plan_stay
from common.runtime.declaration import event_function


@event_function("melmastoon.reservation.checked_in.v1")
def on_reservation_checked_in(reservation: Reservation, tx: Transaction) -> None:
    """Open the reservation's folio, unless its confirmation has done so; the guest is in the house.

    Refuses: PropertyUnknown, WindowUnknown, StayInvalid, CurrenciesDiffer, FxRateInvalid,
    NightOutsideStay, FolioAlreadyClosed.
    """
    plan_stay(reservation, tx, arrived=True)
