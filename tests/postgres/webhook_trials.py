"""What the database refuses of the processor's events and of disputes; see `trials`."""

from typing import Final

from tests.hotel import Hotel, usd
from tests.postgres.trials import Trial
from tests.refunding import card_payment
from tests.reopening import reopened
from tests.webhooks import Webhook, captured, disputed, refunded_there

NEW: Final = {"event_id": "evt_x", "id": "whk_x"}
TRIED: Final = {"id": "wha_x", "outcome": "repeated"}
DISPUTE: Final = {"id": "dsp_x", "processor_dispute_id": "dp_x"}
LATE: Final = {"id": "rfd_late", "processor_refund_id": "re_x"}
THERE: Final = {"id": "rfd_x"}
OURS, THEIRS = "processor_refund_id IS NULL", "processor_refund_id IS NOT NULL"


def guests(constraint: str, **changes: object) -> Trial:
    """A copy of a dispute of a guest's payment."""
    return Trial(constraint, "payment_disputes", {**DISPUTE, **changes}, "payment_id IS NOT NULL")


WEBHOOKS: Final = [
    Trial("webhook_is_kept_once", "webhook_events", {"id": "whk_x"}),
    Trial("webhook_is_numbered_once", "webhook_events", {"event_id": "evt_x"}),
    Trial("webhook_payload_is_a_document", "webhook_events", {**NEW, "payload": "[]"}),
    Trial("webhook_hash_is_a_sha256", "webhook_events", {**NEW, "payload_sha256": "\\\\x00"}),
    Trial("webhook_body_is_kept_once", "webhook_bodies", {}),
    Trial("body_is_of_a_webhook", "webhook_bodies", {"event_id": "evt_none"}),
    Trial("webhook_body_is_a_document", "webhook_bodies", {"event_id": "evt_x", "payload": "[]"}),
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
    guests("dispute_is_of_a_payment", payment_id="pay_none"),
    guests("dispute_is_about_something", amount_micro=0),
    Trial("dispute_status_is_known", "payment_disputes", {**DISPUTE, "status": "forgotten"}),
    guests("dispute_is_of_a_folio_and_its_payment", payment_id=None),
    Trial(
        "dispute_is_of_a_companys_payment",
        "payment_disputes",
        {**DISPUTE, "receipt_id": "rcp_none"},
        "receipt_id IS NOT NULL",
    ),
    guests("company_owes_again_what_it_paid", on_account_micro=1),
    Trial("dispute_fee_is_an_amount", "payment_disputes", {**DISPUTE, "fee_micro": -1}),
    Trial(
        "inquiry_withholds_nothing",
        "payment_disputes",
        {**DISPUTE, "is_withheld": True},
        "status = 'warning_needs_response'",
    ),
    Trial("late_refunds_pkey", "late_refunds", {"processor_refund_id": "re_x"}),
    Trial("late_refund_is_recorded_once", "late_refunds", {"id": "rfd_late"}),
    Trial("late_refund_is_of_a_payment", "late_refunds", {**LATE, "payment_id": "pay_none"}),
    Trial("late_refund_belongs_to_a_folio", "late_refunds", {**LATE, "folio_id": "fol_none"}),
    Trial("late_refund_is_positive", "late_refunds", {**LATE, "paid_amount_micro": 0}),
    Trial(
        "late_refund_is_settled_after_it_was_made",
        "late_refunds",
        {**LATE, "settled_at": "2020-01-01T00:00:00+00:00"},
    ),
    Trial(
        "late_refund_that_failed_waits_no_longer",
        "late_refunds",
        {**LATE, "failure_code": "expired_or_canceled_card", "settled_at": None},
    ),
    Trial("processors_refund_is_recorded_once", "refunds", THERE, THEIRS),
    Trial(
        "processors_own_refund_is_of_a_card",
        "refunds",
        {
            "id": "rfd_x",
            "processor_refund_id": "re_x",
            "confirmed_by": "amina",
            "step_up_token_id": "one",
            "assertion_hash": "x",
            "step_up_method": "totp",
        },
        THEIRS,
    ),
]


def webhooks_of_every_outcome(hotel: Hotel) -> None:
    """One is applied and replayed, one is refused, one is about a dispute that was lost. Money went
    back there of an open folio, of a closed one, and of one that was opened again."""
    line, sent = Webhook(hotel), captured(hotel, hotel.open_folio(), 5_000)
    payment = card_payment(hotel, hotel.open_folio(), usd(5_000))
    ((processors,),) = hotel.rows(
        "SELECT processor_payment_id FROM {s}.payments WHERE id = :id", id=payment
    )
    told = (
        sent,
        captured(hotel, "fol_none", 100),
        disputed(processors, "dp_1", "needs_response", "created", fee=150),
        disputed(processors, "dp_1", "lost", "closed", fee=150),
        disputed(processors, "dp_2", "warning_needs_response", "created"),
    )
    for each in told:
        assert line.send(each).status_code == 200
    assert hotel.post("/webhooks/replay", {"eventId": sent["id"]}).status_code == 200
    given_back_there(hotel)


def given_back_there(hotel: Hotel) -> None:
    """10.00 of 50.00 of an open folio, and of three that are closed, one of them opened again; of
    another the 10.00 have come again."""
    folio = hotel.open_folio()
    payments = [card_payment(hotel, folio, usd(5_000))]
    closed = [hotel.open_folio() for _ in range(3)]
    for each in closed:
        hotel.charged(each, "minibar", 5_000)
        owed = hotel.get(f"/folios/{each}").json["balance"]
        payments.append(card_payment(hotel, each, owed))
        assert hotel.post(f"/folios/{each}/close").status_code == 200
    for place, payment in enumerate(payments):
        ((processors,),) = hotel.rows(
            "SELECT processor_payment_id FROM {s}.payments WHERE id = :id", id=payment
        )
        sent = refunded_there(processors, f"re_{place}", 1_000)
        assert Webhook(hotel).send(sent).json["outcome"] == "applied"
    reopened(hotel, closed[1])
    failed = refunded_there(processors, "re_3", 1_000, "failed", "refund.failed")
    assert Webhook(hotel).send(failed).json["outcome"] == "applied"
