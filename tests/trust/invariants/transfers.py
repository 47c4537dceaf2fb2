"""Hotels where charges have moved between folios, and what must be noticed of that."""

from typing import Any

from tests.hotel import Hotel, House, usd, vat
from tests.moving import move
from tests.trust.invariants.plant import BOOKED, GUARDED, HASHED, TOLD, plant

TAKEN = "what_moved_was_taken_away"
THERE = "what_was_taken_away_is_on_the_other_folio"
ONCE = "every_line_is_told_once"
SUMS = "tax_sums_are_those_of_the_tax_lines"
MOVED_SPA = "type = 'charge' AND kind = 'spa' AND moved_from IS NOT NULL"
THE_SPA = f"(SELECT id FROM folio_lines WHERE {MOVED_SPA})"


def hotel_with_transfers(house: House, **settings: Any) -> Hotel:
    """A spa that moved whole, a dinner of which a third did, a room that came back lowered.

    The folio that the dinner reached is closed: its invoice says so.
    """
    hotel = house.new_hotel(**settings)
    hers, his, company = (hotel.open_folio() for _ in range(3))
    spa, room = hotel.charged(hers, "spa", 7_777), hotel.charged(hers, "room", 9_999)
    dinner = hotel.charged(his, "food_beverage", 1_001)
    less = {"chargeId": room, "amount": usd(-333), "description": "less", "reason": "noise"}
    assert hotel.post(f"/folios/{hers}/adjustments", less).status_code == 201
    _moved(hotel, hers, his, spa)
    _moved(hotel, his, company, dinner, sharePpm=333_333)
    (there,) = _moved(hotel, hers, his, room)
    _moved(hotel, his, hers, there)
    hotel.paid(company, hotel.get(f"/folios/{company}").json["balance"])
    assert hotel.post(f"/folios/{company}/close").status_code == 200
    return hotel


def otherwise_taxed_with_transfers(house: House) -> Hotel:
    """The same where prices include one tax, bear another, and tax is rounded per invoice."""
    rules = [vat(77_000, inclusive=True), vat(33_333, code="CITY", name="City tax", order=1)]
    return hotel_with_transfers(house, taxRules=rules, roundsTaxPerInvoice=True)


def _moved(hotel: Hotel, folio: str, to: str, charge: str, **more: Any) -> list[str]:
    answer = move(hotel, folio, to, charge, **more)
    assert answer.status_code == 201, answer.text
    reached = answer.json["target"]["lines"]
    return [line["lineId"] for line in reached if line["type"] == "charge"]


TRANSFERS = (
    plant(TAKEN, f"UPDATE folio_lines SET reason = 'another' WHERE {MOVED_SPA}"),
    plant(
        TAKEN,
        "UPDATE folio_lines SET kind = 'minibar' WHERE moved_from IS NOT NULL AND kind = 'spa'",
        also=(BOOKED,),
    ),
    plant(
        TAKEN,
        "UPDATE folio_lines SET tax = tax || '{{\"ratePpm\": 1}}'"
        " WHERE moved_from IS NOT NULL AND tax IS NOT NULL AND kind = 'spa'",
        also=(SUMS,),
    ),
    plant(
        TAKEN,
        f"UPDATE folio_lines SET amount_micro = amount_micro + 10000 WHERE {MOVED_SPA}",
        also=("balance_is_the_sum_of_the_lines", BOOKED, ONCE),
    ),
    plant(
        THERE,
        f"UPDATE folio_lines SET moved_from = NULL WHERE {MOVED_SPA}",
    ),
    plant(
        THERE,
        "UPDATE folio_lines SET moved_from = (SELECT id FROM folio_lines WHERE type = 'charge'"
        " AND kind = 'food_beverage' AND moved_from IS NULL)"
        " WHERE moved_from IS NOT NULL AND kind = 'food_beverage' AND tax IS NULL",
        also=(TAKEN,),
    ),
    plant(
        THERE,
        "UPDATE audit_entries SET action = 'charge.voided' WHERE"
        " action = 'folio.lines_transferred' AND detail LIKE '%' || "
        f"{THE_SPA} || '%'",
        also=(HASHED, TOLD),
    ),
    plant(GUARDED, "DROP INDEX line_is_moved_once"),
)
