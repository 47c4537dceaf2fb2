"""Stays and what their nights are planned at. Whoever changes one has taken its folio first."""

import json
from collections.abc import Sequence
from datetime import date
from typing import Any, Final

from common.domain.folio import Folio
from common.domain.folio_line import ChargeKind
from common.domain.guest import Stay
from common.domain.identifiers import ChargeId, FolioId, PropertyId
from common.domain.money import Currency, Money
from common.domain.stay_plan import PlannedCharge, StayPlan, StayUnknown
from common.postgres import ranks
from common.postgres.connection import Row, Statement
from common.postgres.folios import TAKE, Folios
from common.postgres.session import Insert, Write
from common.postgres.stores import Desk

COLUMNS: Final = (
    "folio_id, property_id, arrival, departure, checked_in_at, no_show_on, late_on, left_on,"
    " canceled_at"
)
PLANNED_COLUMNS: Final = (
    "folio_id, night, place, kind, description, amount_micro, currency, persons, ages, charge_id"
)
GET: Final = f"SELECT tenant_id, {COLUMNS} FROM stays WHERE folio_id = $1"
PLANNED: Final = f"""
SELECT tenant_id, {PLANNED_COLUMNS}
FROM planned_charges
WHERE folio_id = $1
ORDER BY night, place
"""
DUE: Final = """
SELECT folios.tenant_id, folio_id
FROM folios
JOIN stays ON folio_id = folios.id
WHERE folios.property_id = $1
  AND status = 'open'
  AND arrival <= $2
  AND left_on IS NULL
  AND CASE WHEN checked_in_at IS NULL THEN no_show_on IS NULL AND canceled_at IS NULL
           ELSE departure <= $2 AND late_on IS NULL
             OR EXISTS (
               SELECT FROM planned_charges AS planned
               WHERE planned.folio_id = folios.id AND night <= $2 AND charge_id IS NULL) END
ORDER BY folio_id
LIMIT $3
"""
CHANGE: Final = """
UPDATE stays
SET arrival = $2, departure = $3, checked_in_at = $4, no_show_on = $5, late_on = $6, left_on = $7,
    canceled_at = $8
WHERE folio_id = $1
"""
CHARGED: Final = """
UPDATE planned_charges
SET charge_id = given.charge_id
FROM jsonb_to_recordset($2::jsonb) AS given (night date, place integer, charge_id text)
WHERE planned_charges.folio_id = $1
  AND planned_charges.night = given.night
  AND planned_charges.place = given.place
"""
FORGET: Final = "DELETE FROM planned_charges WHERE folio_id = $1 AND charge_id IS NULL"
# What its charges are taxed by, and what its documents say.
FOLLOW: Final = "UPDATE folios SET stay = $2::jsonb WHERE id = $1"
# Who plans a reservation and who cancels it stand in line: neither may miss what the other writes.
STAND_IN_LINE: Final = """
SELECT current_setting('app.tenant_id')::uuid, pg_advisory_xact_lock(hashtextextended($1, 0))
"""
CANCELED: Final = """
SELECT tenant_id
FROM canceled_reservations
WHERE property_id = $1 AND reservation_id = $2
"""
INSERT_CANCELED = Insert.into(
    ranks.AGGREGATES, "canceled_reservations", "property_id, reservation_id, canceled_at"
)
INSERT_STAY = Insert.into(ranks.AGGREGATE_CHANGES, "stays", COLUMNS)
INSERT_PLANNED = Insert.into(ranks.LINES, "planned_charges", PLANNED_COLUMNS)


class Stays:
    """See the module."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def foresee(self, folio_id: FolioId) -> None:
        for sql in (GET, PLANNED):
            self._desk.foresee(sql, folio_id)

    def find(self, folio_id: FolioId) -> StayPlan | None:
        self.foresee(folio_id)
        stays, planned = (self._desk.rows(sql, folio_id) for sql in (GET, PLANNED))
        return plan_of(stays[0], planned) if stays else None

    def get(self, folio_id: FolioId) -> StayPlan:
        found = self.find(folio_id)
        if found is None:
            raise StayUnknown()
        return found

    def take_folio(self, folio_id: FolioId) -> tuple[Folio, StayPlan | None]:
        folio, stays, planned = self._desk.batch(
            *(Statement(sql, (folio_id,)) for sql in (TAKE, GET, PLANNED))
        )
        plan = plan_of(stays[0], planned) if stays else None
        return Folios(self._desk).known(folio), plan

    def due(self, property_id: PropertyId, on: date, limit: int) -> Sequence[FolioId]:
        return [FolioId(row[1]) for row in self._desk.rows(DUE, property_id, on, limit)]

    def plan(self, plan: StayPlan) -> None:
        self._desk.insert(INSERT_STAY, [_row(plan)])
        self._desk.insert(INSERT_PLANNED, [_planned_row(plan, each) for each in plan.planned])

    def plan_anew(self, plan: StayPlan) -> None:
        self._change(plan)
        forget = Write(ranks.AGGREGATE_CHANGES, Statement(FORGET, (plan.folio_id,)))
        self._desk.write(("planned", plan.folio_id), forget)
        fresh = [each for each in plan.planned if each.charge_id is None]
        self._desk.insert(INSERT_PLANNED, [_planned_row(plan, each) for each in fresh])

    def follow(self, plan: StayPlan) -> None:
        dates = {"arrival": plan.stay.arrival, "departure": plan.stay.departure}
        stay = json.dumps({name: day.isoformat() for name, day in dates.items()})
        follow = Write(ranks.AGGREGATE_CHANGES, Statement(FOLLOW, (plan.folio_id, stay)))
        self._desk.write(("stay of folio", plan.folio_id), follow)

    def keep(self, plan: StayPlan) -> None:
        self._change(plan)
        charged = [
            {"night": each.night.isoformat(), "place": each.place, "charge_id": each.charge_id}
            for each in plan.planned
            if each.charge_id is not None
        ]
        if charged:
            statement = Statement(CHARGED, (plan.folio_id, json.dumps(charged)))
            self._desk.write(("charged", plan.folio_id), Write(ranks.DOCUMENTS, statement))

    def take_reservation(self, property_id: PropertyId, reservation_id: str) -> bool:
        key = f"reservation {self._desk.tenant_id} {property_id} {reservation_id}"
        _, canceled = self._desk.batch(
            Statement(STAND_IN_LINE, (key,)), Statement(CANCELED, (property_id, reservation_id))
        )
        return bool(canceled)

    def cancel_reservation(self, property_id: PropertyId, reservation_id: str) -> None:
        row = {
            "property_id": property_id,
            "reservation_id": reservation_id,
            "canceled_at": self._desk.now,
        }
        self._desk.insert(INSERT_CANCELED, [row])

    def _change(self, plan: StayPlan) -> None:
        stay = (plan.stay.arrival, plan.stay.departure)
        dates = (plan.checked_in_at, plan.no_show_on, plan.late_on, plan.left_on)
        values = (plan.folio_id, *stay, *dates, plan.canceled_at)
        change = Write(ranks.AGGREGATE_CHANGES, Statement(CHANGE, values))
        self._desk.write(("stay", plan.folio_id), change)


def _row(plan: StayPlan) -> dict[str, Any]:
    return {
        "folio_id": plan.folio_id,
        "property_id": plan.property_id,
        "arrival": plan.stay.arrival,
        "departure": plan.stay.departure,
        "checked_in_at": plan.checked_in_at,
        "no_show_on": plan.no_show_on,
        "late_on": plan.late_on,
        "left_on": plan.left_on,
        "canceled_at": plan.canceled_at,
    }


def _planned_row(plan: StayPlan, planned: PlannedCharge) -> dict[str, Any]:
    return {
        "folio_id": plan.folio_id,
        "night": planned.night,
        "place": planned.place,
        "kind": planned.kind,
        "description": planned.description,
        "amount_micro": planned.price.amount_micro,
        "currency": planned.price.currency,
        "persons": planned.persons,
        "ages": list(planned.ages),
        "charge_id": planned.charge_id,
    }


def plan_of(row: Row, planned: Sequence[Row] = ()) -> StayPlan:
    """A stay as it was read: tenant, then COLUMNS; with what is planned, where that was asked."""
    return StayPlan(
        folio_id=FolioId(row[1]),
        property_id=PropertyId(row[2]),
        stay=Stay(arrival=row[3], departure=row[4]),
        checked_in_at=row[5],
        no_show_on=row[6],
        late_on=row[7],
        left_on=row[8],
        canceled_at=row[9],
        planned=tuple(_planned_of(each) for each in planned),
    )


def _planned_of(row: Row) -> PlannedCharge:
    return PlannedCharge(
        night=row[2],
        place=row[3],
        kind=ChargeKind(row[4]),
        description=row[5],
        price=Money(row[6], Currency(row[7])),
        persons=row[8],
        ages=tuple(row[9]),
        charge_id=row[10] and ChargeId(row[10]),
    )
