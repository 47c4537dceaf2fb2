"""A guest has checked in: the folio opens now, with fresh rates, if it is not open yet."""

from common.contracts.incoming import Reservation
from common.ports.transaction import Transaction
from common.procedures.opening import open_once
from common.runtime.declaration import event_function


@event_function("melmastoon.reservation.checked_in.v1")
def on_reservation_checked_in(reservation: Reservation, tx: Transaction) -> None:
    """Open the reservation's folio, unless its confirmation has done so.

    Refuses: PropertyUnknown, WindowUnknown, StayInvalid, CurrenciesDiffer, FxRateInvalid.
    """
    open_once(tx, reservation.property_id, reservation.reservation_id, reservation.terms())
