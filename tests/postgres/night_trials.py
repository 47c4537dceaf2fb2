"""What the database refuses of stays, nights and ended days; see `trials`."""

from typing import Final

from tests.hotel import Hotel
from tests.nights import EVENING, NEXT_DAY, checked_in, room, run
from tests.postgres.trials import Trial

ANOTHER: Final = {"folio_id": "fol_none"}
PLANNED: Final = {"place": 7, "charge_id": None}

NIGHTS: Final = [
    Trial("stay_is_planned_once", "stays", {}),
    Trial("stay_is_on_a_folio", "stays", ANOTHER),
    Trial("guest_leaves_after_arriving", "stays", {**ANOTHER, "departure": "2026-02-01"}),
    Trial("night_is_planned_once", "planned_charges", {"charge_id": None}),
    Trial("night_is_of_a_stay", "planned_charges", {**PLANNED, **ANOTHER}),
    Trial("night_costs_something", "planned_charges", {**PLANNED, "amount_micro": 0}),
    Trial("charged_night_is_a_charge", "planned_charges", {"place": 7, "charge_id": "chg_none"}),
    Trial("night_is_charged_once", "planned_charges", {"place": 7}, "charge_id IS NOT NULL"),
    Trial("night_audits_pkey", "night_audits", {"business_date": "2001-01-01"}),
    Trial("day_ends_once", "night_audits", {"id": "nau_x"}),
]


def a_day_that_ended(hotel: Hotel) -> None:
    """A guest was charged for the first of two nights."""
    hotel.house.turn_clock(EVENING)
    checked_in(hotel, room(1), room(2))
    hotel.house.turn_clock(NEXT_DAY)
    assert run(hotel).exit_code == 0
    hotel.house.reset_clock()
