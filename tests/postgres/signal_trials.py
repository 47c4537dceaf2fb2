"""What the database refuses of signals and looks; see `trials`."""

from typing import Final

from tests.hotel import Hotel
from tests.postgres.trials import Trial
from tests.signals import a_signal

NEW: Final = {"id": "sig_x", "actor": "another"}
REVIEWED: Final = {
    "verdict": "dismissed",
    "reviewed_by": "farid",
    "review_note": "Nothing in it",
    "reviewed_at": "2026-03-02T12:00:00+00:00",
}

SIGNALS: Final = [
    Trial("ai_signals_pkey", "ai_signals", {"actor": "another"}),
    Trial("signal_is_raised_once", "ai_signals", {"id": "sig_x"}),
    Trial("signal_score_is_a_share", "ai_signals", {**NEW, "score_ppm": 1_000_001}),
    Trial("verdict_is_known", "ai_signals", {**NEW, **REVIEWED, "verdict": "perhaps"}),
    Trial("review_is_whole", "ai_signals", {**NEW, **REVIEWED, "review_note": None}),
    Trial("nobody_reviews_themselves", "ai_signals", {**NEW, **REVIEWED, "actor": "farid"}),
    Trial("day_is_looked_at_once", "cash_scans", {}),
]


def a_day_that_was_looked_at(hotel: Hotel) -> None:
    """A signal was raised, and a day looked at."""
    a_signal(hotel)
    hotel.house.sql(
        f"INSERT INTO {hotel.schema}.cash_scans (tenant_id, property_id, business_date, source,"
        " scanned_at) VALUES (:tenant, :house, '2026-03-01', 'statistics', now())",
        tenant=hotel.tenant_id,
        house=hotel.property_id,
    )
