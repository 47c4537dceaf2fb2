"""A reservation's folio and stay: opened and planned once, planned anew when the guest comes."""

from common.contracts.incoming import Reservation
from common.domain.stay_plan import StayPlan, plan_of
from common.ports.transaction import Transaction
from common.procedures.opening import open_once


def plan_stay(reservation: Reservation, tx: Transaction, *, arrived: bool) -> None:
    """Open the reservation's folio and plan its stay, unless that has been done.

    When the guest has `arrived`, the stay is from and until when the reservation says by now, and
    what it says is planned for every night that has not been charged, if it says anything. One that
    was canceled is not opened by what was told of it before, only by a guest who has come all the
    same. Refuses: PropertyUnknown, WindowUnknown, StayInvalid, CurrenciesDiffer, FxRateInvalid,
    NightOutsideStay.
    """
    canceled = tx.stays.take_reservation(reservation.property_id, reservation.reservation_id)
    if canceled and not arrived:
        return
    folio = open_once(tx, reservation.property_id, reservation.reservation_id, reservation.terms())
    if not folio.is_new:
        folio = tx.folios.take(folio.id)  # night audits wait, and what they did is seen
    stay = reservation.stay()
    planned = plan_of(folio, stay, reservation.planned())
    known = None if folio.is_new else tx.stays.find(folio.id)
    if known is None:
        plan = StayPlan(
            folio_id=folio.id, property_id=folio.property_id, stay=stay, planned=planned
        )
        tx.stays.plan(plan.arrived(tx) if arrived else plan)
    elif arrived:
        tx.stays.plan_anew(known.planned_anew(stay, planned).arrived(tx))
