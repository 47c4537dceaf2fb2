"""What the database refuses of charges of the platform's invoices; see `trials`."""

from typing import Final

from tests.buying import card
from tests.charging import choose, collect, incident, incidents_are_over
from tests.hotel import Hotel
from tests.postgres.trials import Trial

CHARGES, COLLECTIONS = "subscription_payments", "subscription_collections"
INVOICES, INCIDENTS = "subscription_invoices", "platform_incidents"
FAILED, TAKEN = "status = 'failed'", "status = 'succeeded'"
NEW: Final = {"id": "pin_x", "trial": 99, "processor_payment_id": None}
NEW_INVOICE: Final = {"id": "sin_x", "number": "x", "series_number": 999_999, "purpose": "change"}
PAID: Final = "paid_by IS NOT NULL"
OPEN: Final = "due_micro > 0 AND paid_by IS NULL"


def failed(constraint: str, **changes: object) -> Trial:
    return Trial(constraint, CHARGES, {**NEW, **changes}, FAILED)


CHARGING: Final = [
    Trial(
        "subscription_payments_pkey", CHARGES, {"trial": 99, "processor_payment_id": None}, FAILED
    ),
    failed("charged_invoice_exists", invoice_id="sin_none"),
    failed("charged_subscription_exists", subscription_id="sub_none"),
    Trial(
        "invoice_is_tried_once_a_trial",
        CHARGES,
        {"id": "pin_x", "processor_payment_id": None},
        FAILED,
    ),
    Trial("processor_payment_pays_one_charge", CHARGES, {"id": "pin_x", "trial": 99}, FAILED),
    failed("charge_is_of_something", amount_micro=0),
    failed("charge_status_is_known", status="lost", failure_code=None),
    failed("failed_charge_says_why", failure_code=None),
    Trial(
        "paid_charge_names_its_payment",
        CHARGES,
        {**NEW, "status": "succeeded", "failure_code": None},
        FAILED,
    ),
    failed("charge_is_asked_after_while_it_is_under_way", next_attempt_at="2026-03-01"),
    Trial(
        "one_charge_of_a_subscription_at_a_time",
        CHARGES,
        {"id": "pin_x", "trial": 99, "processor_payment_id": None},
        "status = 'processing'",
    ),
    Trial(
        "invoice_is_paid_once",
        CHARGES,
        {"id": "pin_x", "trial": 99, "processor_payment_id": "pi_x"},
        TAKEN,
    ),
    Trial("charge_pays_one_invoice", INVOICES, NEW_INVOICE, PAID),
    Trial("paid_invoice_names_its_charge", INVOICES, {**NEW_INVOICE, "paid_by": None}, PAID),
    Trial("invoice_is_paid_by_a_charge", INVOICES, {**NEW_INVOICE, "paid_by": "pin_none"}, PAID),
    Trial(
        "what_is_not_due_is_not_settled",
        INVOICES,
        {**NEW_INVOICE, "given_up_at": "2026-03-01", "due_micro": 0, "total_micro": 0},
        OPEN + " AND carried_micro = 0 AND brought_micro = 0",
    ),
    Trial("subscription_collections_pkey", COLLECTIONS, {"subscription_id": "sub_none"}),
    Trial("subscription_is_collected_one_way", COLLECTIONS, {"id": "sco_x"}),
    Trial(
        "collected_subscription_exists", COLLECTIONS, {"id": "sco_x", "subscription_id": "sub_none"}
    ),
    Trial(
        "what_fails_says_since_when",
        COLLECTIONS,
        {"id": "sco_x", "subscription_id": "sub_y", "failures": -1},
    ),
    Trial("platform_incidents_pkey", INCIDENTS, {"ended_at": "2030-01-01"}),
    Trial("one_platform_incident_at_a_time", INCIDENTS, {"id": "pfi_x"}, "ended_at IS NULL"),
    Trial("incident_ends_after_it_began", INCIDENTS, {"id": "pfi_x", "ended_at": "2020-01-01"}),
]


def charges_of_every_state(hotel: Hotel) -> None:
    """Of a subscription that stands: one charge was declined, one is taken, one is under way."""
    assert choose(hotel, card(hotel, "sandbox_declined")).status_code == 200
    collect(hotel)
    assert choose(hotel, card(hotel)).status_code == 200
    collect(hotel)
    collect(hotel, settles=False)
    incidents_are_over(hotel.house)
    assert incident(hotel, "declare").status_code == 201
