"""A reservation was confirmed: its folio opens now, where the tenant opens eagerly."""

from common.contracts.incoming import Reservation
from common.ports.transaction import Transaction
from common.procedures.staying import plan_stay
from common.runtime.declaration import event_function


@event_function("melmastoon.reservation.confirmed.v1")
def on_reservation_confirmed(reservation: Reservation, tx: Transaction) -> None:
    """Open the reservation's folio, unless the tenant waits for the check-in.

    Refuses: PropertyUnknown, WindowUnknown, StayInvalid, CurrenciesDiffer, FxRateInvalid,
    NightOutsideStay.
    """
    if tx.settings.eager_open:
        plan_stay(reservation, tx, arrived=False)
