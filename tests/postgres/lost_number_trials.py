"""What the database refuses of numbers that went with a lost database; see `trials`."""

from typing import Final

from tests.hotel import Hotel
from tests.postgres.trials import Trial

LOST: Final = [
    Trial("number_is_lost_once", "lost_numbers", {}),
    Trial("lost_number_is_one_of_a_series", "lost_numbers", {"series_number": 0}),
    Trial(
        "lost_hash_is_a_sha256", "lost_numbers", {"series_number": 999, "payload_sha256": "\\x00"}
    ),
]


def a_number_that_was_lost(hotel: Hotel) -> None:
    """A number of a series in which no other was given."""
    hotel.rows(
        "INSERT INTO {s}.lost_numbers (tenant_id, jurisdiction, document_type, year,"
        " series_number, number, payload_sha256, found_at) VALUES"
        " (:tenant, 'AF-HEA', 'invoice', 2026, 1, 'INV-AF-HEA-2026-000001', sha256('x'), now())",
        tenant=hotel.tenant_id,
    )
