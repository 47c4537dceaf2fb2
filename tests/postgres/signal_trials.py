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

OF_A_PERSON: Final = "subject IS NULL"


def odd(constraint: str, **changes: object) -> Trial:
    """A copy of a signal about a person."""
    return Trial(constraint, "ai_signals", {**NEW, **changes}, OF_A_PERSON)


SIGNALS: Final = [
    Trial("ai_signals_pkey", "ai_signals", {"actor": "another"}, OF_A_PERSON),
    Trial("signal_is_raised_once", "ai_signals", {"id": "sig_x"}, OF_A_PERSON),
    odd("signal_score_is_a_share", score_ppm=1_000_001),
    odd("verdict_is_known", **{**REVIEWED, "verdict": "perhaps"}),
    odd("review_is_whole", **{**REVIEWED, "review_note": None}),
    odd("nobody_reviews_themselves", **REVIEWED, actor="farid"),
    Trial(
        "signal_is_about_somebody_or_something",
        "ai_signals",
        {"id": "sig_x", "actor": None},
        OF_A_PERSON,
    ),
    Trial(
        "signal_about_a_thing_is_raised_once",
        "ai_signals",
        {"id": "sig_x"},
        "subject IS NOT NULL",
    ),
    Trial("day_is_looked_at_once", "cash_scans", {}),
]


def a_day_that_was_looked_at(hotel: Hotel) -> None:
    """Signals about a person and a folio were raised, and a day looked at."""
    a_signal(hotel)
    told = {"folioId": hotel.open_folio(), "pattern": "folio_anomaly", "scorePpm": 1}
    answer = hotel.deliver("on_signal_raised", {**told, "source": "orchestrator"})
    assert answer.status_code == 204
    hotel.house.sql(
        f"INSERT INTO {hotel.schema}.cash_scans (tenant_id, property_id, business_date, source,"
        " scanned_at) VALUES (:tenant, :house, '2026-03-01', 'statistics', now())",
        tenant=hotel.tenant_id,
        house=hotel.property_id,
    )
