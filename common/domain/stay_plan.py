"""A stay's plan: which nights were promised at which price, and what a night audit makes of them.

The plan comes with the reservation. A night of it is charged once, by the first audit of its date
or of a later one that finds the guest in the house; what is charged belongs to the business date
that is audited, and names its night as the day of its service (FOL-9). Who has not come by the end
of the day of arrival is a no-show: the house charges a part of the first night, and of the others
nothing, unless the guest comes after all. Whose folio is still open at the end of the day of
departure has left late, and pays a part of the last night. Which parts the tenant decides; none,
unless it says so. Neither is paid beside the night that it is for: who comes after all, or stays
on, pays that as a whole. Who has left for good is charged nothing more, though the folio be opened
again.
A stay that was canceled is charged nothing, unless the guest comes after all: who is in the house
stays there, whatever is told of the reservation.

Who leaves before the audit of the night is charged as the folio closes: a folio that is closed is
charged nothing, and the night would be nobody's. A night has been slept when the calendar is behind
it, at the property, whatever its business day still is.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Final

from common.domain.charge import Charge
from common.domain.dataclass import dataclass
from common.domain.folio import Folio, FolioStatus
from common.domain.folio_line import ChargeKind, Source, Text
from common.domain.guest import Stay
from common.domain.identifiers import ChargeId, FolioId, PropertyId
from common.domain.moment import Moment
from common.domain.money import CurrenciesDiffer, Money
from common.domain.refusal import Missing, Unmet
from common.domain.tax import PPM

NO_SHOW: Text = {
    "en": "No-show",
    "de": "Nichtanreise",
    "fr": "Non-présentation",
    "fa": "عدم حضور مهمان",
    "ps": "د مېلمه نه راتګ",
    "ar": "عدم حضور",
}
LATE: Text = {
    "en": "Late check-out",
    "de": "Späte Abreise",
    "fr": "Départ tardif",
    "fa": "خروج دیرهنگام",
    "ps": "ناوخته وتل",
    "ar": "مغادرة متأخرة",
}
ONE_NIGHT: Final = timedelta(days=1)
CAME_AFTER_ALL: Final = "the guest came after all"
STAYS_ON: Final = "the guest has not left and stays longer"


class NightOutsideStay(Unmet):
    code = "NIGHT_OUTSIDE_STAY"
    title = "A night of the plan is not one of the stay"


class StayUnknown(Missing):
    code = "STAY_UNKNOWN"
    title = "The folio has no stay that is audited"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedCharge:
    """One thing that a night costs: the room, or breakfast in a package.

    `place` counts what a night costs from 0; `charge_id` is the charge that it became.
    """

    night: date
    place: int
    kind: ChargeKind
    description: Text
    price: Money
    persons: int = 1
    ages: tuple[int, ...] = ()
    charge_id: ChargeId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StayPlan:
    """A stay as night audits see it. `no_show_on` and `late_on` are the dates that were audited,
    `left_on` is the one when somebody said that the guest had left.

    `canceled_at` is when its reservation was canceled; who has checked in came after that.
    """

    folio_id: FolioId
    property_id: PropertyId
    stay: Stay
    planned: tuple[PlannedCharge, ...] = ()
    checked_in_at: datetime | None = None
    no_show_on: date | None = None
    late_on: date | None = None
    left_on: date | None = None
    canceled_at: datetime | None = None

    def arrived(self, moment: Moment) -> "StayPlan":
        """The guest is in the house; the first time counts. Who comes now has not left before."""
        if self.checked_in_at:
            return self
        here = replace(self, left_on=None)
        return replace(here, checked_in_at=max(moment.now, self.canceled_at or moment.now))

    def canceled(self, moment: Moment) -> "StayPlan":
        """Its reservation was canceled. The caller has seen that the guest is not in the house."""
        return replace(self, canceled_at=moment.now)

    def left(self, moment: Moment) -> "StayPlan":
        """The guest is gone for good; the first time counts."""
        house = moment.settings.property(self.property_id)
        return replace(self, left_on=self.left_on or house.business_date(moment.now))

    def planned_anew(self, stay: Stay, planned: tuple[PlannedCharge, ...]) -> "StayPlan":
        """With other dates, and another plan for the nights that have not been charged yet.

        Where nothing is planned anew, those nights stay as they were, as far as they are nights of
        the stay by now. A night that was charged is one of it.
        """
        charged = tuple(each for each in self.planned if each.charge_id is not None)
        gone = {each.night for each in charged}
        around = Stay(
            arrival=min((stay.arrival, *gone)),
            departure=max((stay.departure, *(night + ONE_NIGHT for night in gone))),
        )
        to_come = (
            each
            for each in planned or self.planned
            if each.night not in gone and around.arrival <= each.night < around.departure
        )
        return replace(self, stay=around, planned=(*charged, *to_come))

    def is_longer_than(self, before: "StayPlan") -> bool:
        """Whether nights are to be charged by now that were not planned before."""
        known = {each.night for each in before.planned}
        return any(each.charge_id is None and each.night not in known for each in self.planned)

    def stayed_on(self) -> "StayPlan":
        """Who stays longer has not left, whatever somebody said before."""
        return replace(self, left_on=None)

    @property
    def is_charged_more(self) -> bool:
        """Whether anything that is planned has not become a charge."""
        return any(each.charge_id is None for each in self.planned)

    @property
    def pays_the_missed_night(self) -> bool:
        """Whether a night that a no-show has paid a part of is to be charged as a whole as well."""
        missed = self.no_show_on
        return missed is not None and any(
            each.kind is ChargeKind.ROOM and each.charge_id is None and each.night <= missed
            for each in self.planned
        )

    @property
    def stays_on(self) -> bool:
        """Whether who was charged for leaving late has not left: the stay goes beyond that day."""
        return self.late_on is not None and self.stay.departure > self.late_on

    @property
    def no_show_reference(self) -> str:
        """By which reference a no-show is charged, once."""
        return f"no-show:{self.folio_id}"

    @property
    def late_reference(self) -> str:
        """By which reference a late departure is charged, once for the day that was audited."""
        return f"late:{self.folio_id}:{self.late_on}"

    def priced(self, night: date) -> Money | None:
        """What the room costs on a night, as far as the plan says."""
        prices = (each for each in self.planned if each.kind is ChargeKind.ROOM)
        return next((each.price for each in prices if each.night == night), None)


@dataclass(frozen=True, slots=True)
class Audited:
    """What a folio is to be charged for a date, and how its plan stands after it."""

    charges: tuple[Charge, ...]
    plan: StayPlan


def plan_of(
    folio: Folio, stay: Stay, planned: Iterable[PlannedCharge]
) -> tuple[PlannedCharge, ...]:
    """What a folio's stay is to be charged, night by night.

    Refuses: NightOutsideStay, CurrenciesDiffer.
    """
    ordered = tuple(sorted(planned, key=lambda each: (each.night, each.place)))
    for each in ordered:
        if not stay.arrival <= each.night < stay.departure:
            raise NightOutsideStay(night=each.night.isoformat())
        if each.price.currency != folio.currency:
            raise CurrenciesDiffer()
    return ordered


def audit(plan: StayPlan, folio: Folio, on: date, moment: Moment) -> Audited:
    """What the night audit of a date charges: nothing on a folio that is closed.

    Charged once: what has become a charge is not due again, whoever audits.
    """
    if folio.status is FolioStatus.CLOSED or plan.left_on or on < plan.stay.arrival:
        return Audited((), plan)
    if plan.checked_in_at is None:
        return _no_show(plan, on, moment)
    nights, plan = _nights(plan, on, on, moment)
    late, plan = _late(plan, on, moment)
    return Audited(nights + late, plan)


def slept(plan: StayPlan, moment: Moment) -> Audited:
    """What a folio is charged as it closes: the nights that were slept and no audit has charged
    yet, on the business date of the moment; nothing of a guest who has not come, or has left."""
    if plan.checked_in_at is None or plan.left_on:
        return Audited((), plan)
    house = moment.settings.property(plan.property_id)
    last = house.calendar_date(moment.now) - ONE_NIGHT
    return Audited(*_nights(plan, last, house.business_date(moment.now), moment))


def _nights(
    plan: StayPlan, last: date, on: date, moment: Moment
) -> tuple[tuple[Charge, ...], StayPlan]:
    """Every night up to the last one that has not been charged, booked on a business date."""
    charges: list[Charge] = []
    planned = []
    for each in plan.planned:
        if each.night <= last and each.charge_id is None:
            reference = f"night:{plan.folio_id}:{each.night}:{each.place}"
            charge = _charge(each, reference, on, moment)
            each = replace(each, charge_id=charge.id)
            charges.append(charge)
        planned.append(each)
    return tuple(charges), replace(plan, planned=tuple(planned))


def _no_show(plan: StayPlan, on: date, moment: Moment) -> Audited:
    """Once, a part of the first night; the guest may still come."""
    if plan.no_show_on is not None or plan.canceled_at is not None:
        return Audited((), plan)
    marked = replace(plan, no_show_on=on)
    first = plan.priced(plan.stay.arrival)
    ppm, reference = moment.settings.no_show_fee_ppm, plan.no_show_reference
    return Audited(_fee(first, ppm, NO_SHOW, reference, on, moment), marked)


def _late(plan: StayPlan, on: date, moment: Moment) -> tuple[tuple[Charge, ...], StayPlan]:
    """Once, a part of the last night, at the end of the day of departure or after it."""
    if plan.late_on is not None or on < plan.stay.departure:
        return (), plan
    last = plan.priced(plan.stay.departure - ONE_NIGHT)
    ppm = moment.settings.late_check_out_fee_ppm
    left = replace(plan, late_on=on)
    return _fee(last, ppm, LATE, left.late_reference, on, moment), left


def _fee(
    price: Money | None, ppm: int, words: Text, reference: str, on: date, moment: Moment
) -> tuple[Charge, ...]:
    """A part of a night's price, if it comes to anything."""
    fee = price.times(ppm, PPM) if price is not None else None
    if fee is None or fee.amount_micro <= 0:
        return ()
    meant = PlannedCharge(
        night=on, place=0, kind=ChargeKind.FEE, description=words, price=fee, persons=0
    )
    return (_charge(meant, reference, on, moment),)


def _charge(meant: PlannedCharge, reference: str, on: date, moment: Moment) -> Charge:
    return Charge(
        id=moment.new_id(ChargeId),
        kind=meant.kind,
        description=meant.description,
        quantity="1",
        unit_amount=meant.price,
        amount=meant.price,
        service_date=meant.night,
        source=Source.PROPERTY_SYSTEM,
        external_reference=reference,
        persons=meant.persons,
        ages=meant.ages,
        booked_on=on,
    )
