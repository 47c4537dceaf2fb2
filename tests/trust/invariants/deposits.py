"""Hotels where guests have paid ahead, and what must be noticed of that."""

from tests.depositing import TWO_DAYS_BEFORE, booked, canceled, move, paid_ahead, that_forfeits
from tests.hotel import Hotel, House, usd
from tests.nights import room
from tests.refunding import card_payment
from tests.trust.invariants.plant import AHEAD, BOOKED, DIGESTED, GUARDED, plant

TWICE = "no_money_is_given_back_and_moved"
REACHES = "a_deposit_that_leaves_a_folio_reaches_another"
NO_NIGHT = "a_canceled_stay_is_charged_no_night"
BY_NOBODY = "only_a_cancellation_refunds_without_a_confirmation"
THERE = "folio_id = (SELECT folio_id FROM folio_lines WHERE moved_from IS NOT NULL)"
LEFT, CAME = (
    f"type = 'deposit_transfer' AND moved_from IS {each}" for each in ("NULL", "NOT NULL")
)


def hotel_with_deposits(house: House) -> Hotel:
    """60.00 of 100.00 that were paid ahead moved to a folio that owed 55.00, and charges took up of
    the rest. Two stays were canceled: of one a half of 200.00 was forfeited and the rest promised
    to a card, of the other all is left for a clerk. A third is booked, and a fourth was canceled
    before anybody knew of it."""
    hotel = house.new_hotel()
    that_forfeits(hotel)
    hers, his = paid_ahead(hotel, 10_000), hotel.open_folio()
    hotel.charged(his, cents=5_000)
    assert move(hotel, hers, his, 6_000).status_code == 201
    hotel.charged(hers, "minibar", 1_000)
    for pays in ("card", "bank"):
        name, folio = booked(hotel, room(1), room(2))
        if pays == "card":
            card_payment(hotel, folio, usd(20_000))
        else:
            hotel.paid(folio, usd(7_000), allowCredit=True)
        canceled(hotel, name, TWO_DAYS_BEFORE if pays == "card" else "2026-01-01T10:00:00Z")
    booked(hotel, room(3))
    canceled(hotel, "R-never-confirmed")
    return hotel


DEPOSITS = (
    plant(
        AHEAD,
        "UPDATE folios SET deposits_micro = 0 WHERE deposits_micro > 0",
    ),
    plant(
        AHEAD,
        "DELETE FROM ledger_entries WHERE credit_account = 'guest_deposits'",
    ),
    plant(
        AHEAD,
        "DELETE FROM ledger_entries WHERE debit_account = 'guest_deposits'",
    ),
    plant(
        AHEAD,
        "UPDATE ledger_entries SET source = concat('pay_', source)"
        " WHERE debit_account = 'guest_deposits'",
    ),
    plant(
        AHEAD,
        "UPDATE ledger_entries SET debit_account = 'revenue:deposit'"
        " WHERE debit_account = 'guest_ledger' AND credit_account = 'guest_deposits'",
        also=("balance_is_what_the_ledger_says",),
    ),
    plant(
        TWICE,
        "UPDATE payments SET refunded_micro = 50000000, refunded_paid_micro = 50000000"
        f" WHERE folio_id = (SELECT folio_id FROM folio_lines WHERE {LEFT})",
        also=("refunds_stay_within_the_payment",),
    ),
    plant(
        REACHES,
        f"UPDATE folio_lines SET reason = 'another' WHERE {CAME}",
    ),
    plant(
        REACHES,
        f"UPDATE folio_lines SET business_date = business_date - 1 WHERE {CAME}",
        also=(BOOKED,),
    ),
    plant(
        REACHES,
        "UPDATE audit_entries SET detail = replace(detail, 'toFolioId', 'toFolio')"
        " WHERE action = 'folio.deposit_moved'",
        also=("an_entry_fits_its_hash", "every_fact_has_its_event"),
    ),
    plant(
        REACHES,
        "UPDATE ledger_entries SET credit_account = 'cash_safe'"
        " WHERE credit_account = 'deposits_in_transit'",
        also=(BOOKED,),
    ),
    plant(
        NO_NIGHT,
        "UPDATE stays SET canceled_at = now() WHERE canceled_at IS NULL",
    ),
    plant(
        NO_NIGHT,
        "UPDATE stays SET canceled_at = NULL",
    ),
    plant(
        NO_NIGHT,
        "ALTER TABLE stays DROP CONSTRAINT guest_in_the_house_has_not_canceled",
        "UPDATE stays SET checked_in_at = canceled_at - interval '1 minute'",
    ),
    plant(
        NO_NIGHT,
        "UPDATE planned_charges SET charge_id = 'chg_none' WHERE night = '2026-03-01'"
        " AND folio_id = (SELECT folio_id FROM refunds)",
        also=("a_night_is_charged_as_it_was_planned",),
    ),
    plant(
        NO_NIGHT,
        "DELETE FROM canceled_reservations WHERE reservation_id ="
        " (SELECT reservation_id FROM folios WHERE deposits_micro = 70000000)",
    ),
    plant(
        BY_NOBODY,
        "DELETE FROM canceled_reservations",
        also=(NO_NIGHT,),
    ),
    plant(
        BY_NOBODY,
        "UPDATE canceled_reservations SET canceled_at = canceled_at - interval '1 minute'",
        "UPDATE stays SET canceled_at = canceled_at - interval '1 minute'",
    ),
    plant(
        BY_NOBODY,
        "ALTER TABLE refunds DROP CONSTRAINT refund_without_confirmation_is_of_a_card",
        "UPDATE refunds SET step_up_method = 'totp'",
    ),
    plant(
        GUARDED,
        "ALTER TABLE canceled_reservations DROP CONSTRAINT reservation_is_canceled_once",
    ),
    plant(
        "states_and_kinds_are_known",
        "ALTER TABLE folio_lines DROP CONSTRAINT line_type_is_known",
        f"UPDATE folio_lines SET type = 'gift' WHERE {LEFT}",
        also=(BOOKED, REACHES, "every_line_is_told_once"),
    ),
    plant(
        "balance_is_the_sum_of_the_lines",
        f"UPDATE folios SET balance_micro = balance_micro - 10000 WHERE id = (SELECT folio_id FROM"
        f" folio_lines WHERE {CAME})",
        also=("balance_is_what_the_ledger_says", AHEAD, DIGESTED),
    ),
)  # fmt: skip
