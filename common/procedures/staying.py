"""A reservation's folio and stay: opened and planned once, planned anew when the guest comes.

A folio is of the dates of its stay: taxes go by how long a guest stays, and documents say it.
"""

from dataclasses import replace

from common.contracts.incoming import Reservation
from common.domain.charge import ChargeAlreadyVoided, ChargeCredited
from common.domain.correction import void_charge
from common.domain.folio import Folio, FolioStatus
from common.domain.folio_line import Source
from common.domain.identifiers import ChargeId
from common.domain.stay_plan import CAME_AFTER_ALL, STAYS_ON, StayPlan, plan_of
from common.ports.transaction import Transaction
from common.procedures.opening import open_once


def plan_stay(reservation: Reservation, tx: Transaction, *, arrived: bool) -> None:
    """Open the reservation's folio and plan its stay, unless that has been done.

    When the guest has `arrived`, the stay is from and until when the reservation says by now, and
    what it says is planned for every night that has not been charged, if it says anything. One that
    was canceled is not opened by what was told of it before, only by a guest who has come all the
    same. Refuses: PropertyUnknown, WindowUnknown, StayInvalid, CurrenciesDiffer, FxRateInvalid,
    NightOutsideStay; FolioAlreadyClosed of a guest who comes, or stays on, and whose nights nobody
    would charge.
    """
    canceled = tx.stays.take_reservation(reservation.property_id, reservation.reservation_id)
    if canceled and not arrived:
        return
    folio = open_once(tx, reservation.property_id, reservation.reservation_id, reservation.terms())
    known = None
    if not folio.is_new:  # night audits wait, and what they did is seen
        folio, known = tx.stays.take_folio(folio.id)
    stay = reservation.stay()
    planned = plan_of(folio, stay, reservation.planned())
    plan = StayPlan(folio_id=folio.id, property_id=folio.property_id, stay=stay, planned=planned)
    if known is not None and not arrived:
        return
    if known is not None:
        plan = known.planned_anew(stay, planned)
    if arrived:
        plan = _received(plan, known or plan, folio, tx)
    if folio.stay != plan.stay:
        tx.stays.follow(plan)
    if known is None:
        tx.stays.plan(plan)
    else:
        tx.stays.plan_anew(plan)


def _received(plan: StayPlan, before: StayPlan, folio: Folio, tx: Transaction) -> StayPlan:
    """The plan of a guest who is there: nobody pays a part of a night, for not having come or for
    leaving late, and then the whole of it. Refuses: FolioAlreadyClosed, of who comes to be charged,
    or stays longer than was planned `before`.
    """
    if plan.checked_in_at is None:
        if plan.is_charged_more:
            folio.must_be_open()
        if plan.pays_the_missed_night:
            _take_back(folio, plan.no_show_reference, CAME_AFTER_ALL, tx)
        return plan.arrived(tx)
    if plan.is_longer_than(before):
        folio.must_be_open()
        plan = plan.stayed_on()
    if plan.stays_on and folio.status is FolioStatus.OPEN:
        _take_back(folio, plan.late_reference, STAYS_ON, tx)
        plan = replace(plan, late_on=None)
    return plan


def _take_back(folio: Folio, reference: str, reason: str, tx: Transaction) -> None:
    """Void what an audit has charged beside the nights, if it has.

    What the desk has voided or moved, or a credit note has taken back, stays as it is.
    """
    fee = tx.folios.find_charge(folio.id, Source.PROPERTY_SYSTEM, reference)
    if fee is None:
        return
    _, lines = tx.folios.take_with_charge(folio.id, ChargeId(fee.id))
    try:
        voided = void_charge(folio, lines, reason, tx)
    except (ChargeAlreadyVoided, ChargeCredited):
        return
    tx.folios.keep(folio)
    tx.ledger.post(voided)
    tx.tell(voided)
