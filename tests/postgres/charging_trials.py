"""What the database refuses of charges of the platform's invoices; see `trials`."""

from typing import Final

from tests.buying import card
from tests.charging import choose, collect, incident, incidents_are_over
from tests.hotel import Hotel
from tests.postgres.trials import Trial
from tests.subscribing import change
from tests.webhooks import Webhook, event

CHARGES, COLLECTIONS = "subscription_payments", "subscription_collections"
INVOICES, INCIDENTS = "subscription_invoices", "platform_incidents"
FAILED, TAKEN = "status = 'failed'", "status = 'succeeded' AND processor_invoice_id IS NULL"
NEW: Final = {"id": "pin_x", "trial": 99, "processor_payment_id": None}
NEW_INVOICE: Final = {"id": "sin_x", "number": "x", "series_number": 999_999, "purpose": "change"}
PAID: Final = "paid_by IS NOT NULL"
THEIRS: Final = {"processor_invoice_id": "in_x", "customer_id": None, "payment_method_id": None}
HERE: Final = {"processor_subscription_id": None, "processor_ended_at": None}
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
    failed("charge_is_ours_or_the_processors", payment_method_id=None),
    failed("what_the_processor_collects_is_taken", **THEIRS),
    Trial(
        "processors_invoice_pays_once",
        CHARGES,
        {**NEW, "processor_payment_id": "pi_x", "invoice_id": "sin_none"},
        "processor_invoice_id IS NOT NULL",
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
    Trial("subscription_collections_pkey", COLLECTIONS, {"subscription_id": "sub_none", **HERE}),
    Trial("subscription_is_collected_one_way", COLLECTIONS, {"id": "sco_x", **HERE}),
    Trial(
        "collected_subscription_exists",
        COLLECTIONS,
        {"id": "sco_x", "subscription_id": "sub_none", **HERE},
    ),
    Trial(
        "processors_subscription_collects_one",
        COLLECTIONS,
        {"id": "sco_x", "subscription_id": "sub_none"},
    ),
    Trial(
        "what_has_ended_there_was_there",
        COLLECTIONS,
        {"id": "sco_x", "subscription_id": "sub_y", "processor_subscription_id": None},
    ),
    Trial(
        "what_the_processor_collects_is_left_alone",
        COLLECTIONS,
        {
            "id": "sco_x",
            "subscription_id": "sub_y",
            "next_at": "2026-03-01",
            "processor_subscription_id": "sub_x",
            "processor_ended_at": None,
        },
    ),
    Trial(
        "what_fails_says_since_when",
        COLLECTIONS,
        {"id": "sco_x", "subscription_id": "sub_y", "failures": -1, **HERE},
    ),
    Trial("platform_incidents_pkey", INCIDENTS, {"ended_at": "2030-01-01"}),
    Trial("one_platform_incident_at_a_time", INCIDENTS, {"id": "pfi_x"}, "ended_at IS NULL"),
    Trial("incident_ends_after_it_began", INCIDENTS, {"id": "pfi_x", "ended_at": "2020-01-01"}),
]


def charges_of_every_state(hotel: Hotel) -> None:
    """Of a subscription that stands: one charge was declined, one is taken, one is under way, and
    one was taken by the processor, whose own subscription has ended."""
    assert choose(hotel, card(hotel, "sandbox_declined")).status_code == 200
    collect(hotel)
    assert choose(hotel, card(hotel)).status_code == 200
    collect(hotel)
    collect(hotel, settles=False)
    assert change(hotel, plan="team", seats=2).status_code == 200
    assert taken_there(hotel) == "applied"
    hotel.house.sql(
        "UPDATE billing_central.subscription_collections SET processor_ended_at = now(),"
        " processor_subscription_id = 'theirs_' || subscription_id WHERE tenant_id = :t",
        t=hotel.tenant_id,
    )
    incidents_are_over(hotel.house)
    assert incident(hotel, "declare").status_code == 201


def taken_there(hotel: Hotel) -> str:
    """The processor has taken what is due of the newest invoice, by one of its own."""
    ((subscription, cents),) = hotel.house.sql(
        "SELECT subscription_id, due_micro / 10000 FROM billing_central.subscription_invoices"
        " WHERE tenant_id = :t ORDER BY year DESC, series_number DESC LIMIT 1",
        t=hotel.tenant_id,
    )
    about = {
        "id": f"in_{hotel.tenant_id.hex}",
        "object": "invoice",
        "amount_paid": cents,
        "currency": "usd",
        "metadata": {"tenantId": str(hotel.tenant_id), "subscriptionId": subscription},
    }
    return str(Webhook(hotel).send(event("invoice.paid", about)).json["outcome"])
