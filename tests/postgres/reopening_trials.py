"""What the database refuses of folios that were opened again; see `trials`."""

import json
from typing import Final

from tests.hotel import Hotel, usd
from tests.postgres.trials import Trial
from tests.refunding import refund
from tests.reopening import closes, reopened, voids

OPEN_AGAIN: Final = "reopened > 0"
OF_A_FOLIO: Final = "settlement_id IS NOT NULL"
A_DOCUMENT: Final = "cn_that_stands_alone"

REOPENINGS: Final = [
    Trial("folio_is_reopened_once_at_a_time", "reopenings", {}),
    Trial("reopening_is_of_a_folio", "reopenings", {"folio_id": "fol_none"}),
    Trial("reopenings_count_from_one", "reopenings", {"number": 0}),
    Trial(
        "folio_was_billed_before_it_was_reopened",
        "folios",
        {"id": "fol_x", "reservation_id": None, "reopened": 0},
        OPEN_AGAIN,
    ),
    Trial("settlement_is_credited_once", "credit_notes", {"id": A_DOCUMENT}, OF_A_FOLIO),
    Trial(
        "credited_settlement_exists",
        "credit_notes",
        {"id": A_DOCUMENT, "settlement_id": "stl_none"},
        OF_A_FOLIO,
    ),
]


def a_folio_that_came_to_less(hotel: Hotel) -> None:
    """Billed, opened again, taken back, and credited; and a document that nothing names."""
    folio = hotel.open_folio()
    night = hotel.charged(folio)
    payment = hotel.paid(folio, usd(11_000))
    closes(hotel, folio)
    reopened(hotel, folio)
    assert voids(hotel, folio, night).status_code == 201
    assert refund(hotel, folio, payment, usd(11_000)).status_code == 201
    closes(hotel, folio)
    hotel.rows(
        "INSERT INTO {s}.invoices SELECT (jsonb_populate_record(original, :changes)).*"
        " FROM {s}.invoices AS original WHERE document_type = 'credit_note' LIMIT 1",
        changes=json.dumps({"id": A_DOCUMENT, "series_number": 999, "number": "CN-999"}),
    )
