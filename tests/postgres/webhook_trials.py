"""What the database refuses of the processor's events and of disputes; see `trials`."""

from typing import Final

from tests.hotel import Hotel, usd
from tests.postgres.trials import Trial
from tests.refunding import card_payment
from tests.webhooks import Webhook, captured, disputed

NEW: Final = {"event_id": "evt_x", "id": "whk_x"}
TRIED: Final = {"id": "wha_x", "outcome": "repeated"}
DISPUTE: Final = {"id": "dsp_x", "processor_dispute_id": "dp_x"}

WEBHOOKS: Final = [
    Trial("webhook_is_kept_once", "webhook_events", {"id": "whk_x"}),
    Trial("webhook_is_numbered_once", "webhook_events", {"event_id": "evt_x"}),
    Trial("webhook_payload_is_a_document", "webhook_events", {**NEW, "payload": "[]"}),
    Trial("webhook_hash_is_a_sha256", "webhook_events", {**NEW, "payload_sha256": "\\\\x00"}),
    Trial("webhook_attempts_pkey", "webhook_attempts", {}, "outcome = 'refused'"),
    Trial("webhook_takes_effect_once", "webhook_attempts", {"id": "wha_x"}, "outcome = 'applied'"),
    Trial(
        "attempt_is_of_a_webhook",
        "webhook_attempts",
        {"id": "wha_x", "event_id": "evt_none"},
        "outcome = 'refused'",
    ),
    Trial(
        "webhook_outcome_is_known",
        "webhook_attempts",
        {"id": "wha_x", "outcome": "lost"},
        "outcome = 'applied'",
    ),
    Trial(
        "webhook_that_had_no_effect_says_why",
        "webhook_attempts",
        {"id": "wha_x", "code": None},
        "outcome = 'refused'",
    ),
    Trial("payment_disputes_pkey", "payment_disputes", {"processor_dispute_id": "dp_x"}),
    Trial("dispute_is_recorded_once", "payment_disputes", {"id": "dsp_x"}),
    Trial("dispute_is_of_a_payment", "payment_disputes", {**DISPUTE, "payment_id": "pay_none"}),
    Trial("dispute_is_about_something", "payment_disputes", {**DISPUTE, "amount_micro": 0}),
    Trial("dispute_status_is_known", "payment_disputes", {**DISPUTE, "status": "forgotten"}),
]


def webhooks_of_every_outcome(hotel: Hotel) -> None:
    """One is applied and replayed, one is refused, one is about a dispute that was lost."""
    line, sent = Webhook(hotel), captured(hotel, hotel.open_folio(), 5_000)
    payment = card_payment(hotel, hotel.open_folio(), usd(5_000))
    ((processors,),) = hotel.rows(
        "SELECT processor_payment_id FROM {s}.payments WHERE id = :id", id=payment
    )
    told = (
        sent,
        captured(hotel, "fol_none", 100),
        disputed(processors, "dp_1", "needs_response", "created"),
        disputed(processors, "dp_1", "lost", "closed"),
        disputed(processors, "dp_2", "warning_needs_response", "created"),
    )
    for each in told:
        assert line.send(each).status_code == 200
    assert hotel.post("/webhooks/replay", {"eventId": sent["id"]}).status_code == 200
