"""A reservation was canceled: no night of it is charged, and what was paid ahead is settled.

It is canceled once, whatever is told again, and whether its confirmation comes before or behind:
that it was is written down, so that a confirmation that comes late opens nothing. A guest who is in
the house has not canceled, whatever the reservation says: nothing happens then, and who comes all
the same after it has been canceled is charged as a guest. A reservation that is taken up again gets
an id of its own.
"""

from datetime import date

from common.contracts.incoming import ReservationCanceled
from common.ports.transaction import Transaction
from common.procedures.cancelling import cancel_stay
from common.runtime.declaration import event_function


@event_function("melmastoon.reservation.canceled.v1")
def on_reservation_canceled(canceled: ReservationCanceled, tx: Transaction) -> None:
    """Cancel the stay; what was paid ahead is forfeited or given back, as the policy says.

    Refuses: PropertyUnknown, TaxRuleMissing, CurrenciesDiffer, WindowUnknown.
    """
    place, name = canceled.property_id, canceled.reservation_id
    house = tx.settings.property(place)
    if tx.stays.take_reservation(place, name):
        return
    folios = tx.deposits.take_of_reservation(place, name)
    plans = [held.plan for held in folios if held.plan]
    if any(plan.checked_in_at for plan in plans):
        return
    tx.stays.cancel_reservation(place, name)
    on = house.business_date(min(canceled.canceled_at or tx.now, tx.now))
    arrivals: list[date] = [plan.stay.arrival for plan in plans]
    for held in folios:
        cancel_stay(held, min(arrivals, default=None), on, tx)
