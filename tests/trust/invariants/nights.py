"""A hotel whose days have ended, and what must be noticed of its nights and reports."""

from tests.hotel import Hotel, House
from tests.nights import EVENING, NEXT_DAY, THIRD_DAY, checked_in, confirmed, room, run
from tests.trust.invariants.plant import plant

CHARGED = "a_night_is_charged_as_it_was_planned"
STAY = "a_stay_is_on_its_folio"
REPORTED = "a_days_report_is_what_was_booked"
LEFT = "an_aggregate_stands_where_its_trail_ended"
ENDED = "a_days_report_is_what_its_trail_digested"
LATEST = "business_date = (SELECT max(business_date) FROM night_audits)"


def hotel_at_night(house: House) -> Hotel:
    """Two nights are over: two guests in the house, one with breakfast, one who did not come."""
    hotel = house.new_hotel()
    hotel.write_settings(noShowFeePpm=500_000)
    house.turn_clock(EVENING)
    checked_in(hotel, room(1), room(1, 1_500, "food_beverage"), room(2), room(3))
    guest = checked_in(hotel, room(1, 8_000), room(2, 8_000))
    hotel.charged(guest, "minibar", 700)
    confirmed(hotel, room(1))
    for instant in (NEXT_DAY, THIRD_DAY):
        house.turn_clock(instant)
        assert run(hotel).exit_code == 0
    house.reset_clock()
    return hotel


NIGHTS = (
    plant(
        CHARGED,
        "UPDATE planned_charges SET amount_micro = amount_micro + 10000"
        " WHERE charge_id IS NOT NULL AND kind = 'food_beverage'",
    ),
    plant(
        CHARGED,
        "UPDATE planned_charges SET charge_id = NULL WHERE kind = 'food_beverage'",
    ),
    plant(
        CHARGED,
        "UPDATE planned_charges SET charge_id = (SELECT id FROM folio_lines WHERE type = 'charge'"
        " AND kind = 'minibar') WHERE kind = 'food_beverage'",
    ),
    plant(
        STAY,
        "UPDATE stays SET departure = arrival WHERE no_show_on IS NOT NULL",
    ),
    plant(
        STAY,
        "UPDATE stays SET property_id = gen_random_uuid() WHERE no_show_on IS NOT NULL",
    ),
    plant(
        "days_end_in_their_order",
        f"UPDATE night_audits SET business_date = business_date + 1 WHERE {LATEST}",
        also=(REPORTED, ENDED),
    ),
    plant(
        REPORTED,
        "UPDATE night_audits SET report = jsonb_set(report, '{{guestLedger,0,amountMicro}}', '1')"
        f" WHERE {LATEST}",
        also=(ENDED,),
    ),
    plant(
        ENDED,
        f"UPDATE night_audits SET report = report || '{{{{\"inHouse\": 7}}}}' WHERE {LATEST}",
    ),
    plant(
        LEFT,
        f"UPDATE night_audits SET trail = sha256(trail) WHERE {LATEST}",
    ),
    plant(
        "what_may_happen_once_is_guarded",
        "ALTER TABLE night_audits DROP CONSTRAINT day_ends_once",
    ),
)
