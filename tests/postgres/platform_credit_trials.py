"""What the database refuses of the platform's credit notes and what they book; see `trials`."""

from typing import Final

from jobs.retry_refunds import retry_refunds
from tests.billing_there import paid_again, sent
from tests.charging import first_invoice, refund_invoice
from tests.hotel import Hotel
from tests.paying import run_job
from tests.postgres.trials import Trial
from tests.webhooks import Webhook, disputed, refunded_there

NOTES, ENTRIES, INVOICES = (
    "platform_credit_notes",
    "platform_reversal_entries",
    "subscription_invoices",
)
REFUNDS, PENDING = "subscription_refunds", "status = 'pending'"
LIES: Final = "status = 'failed' AND came_back_of IS NOT NULL"
CHARGES, SURPLUS = "subscription_payments", "surplus_id IS NOT NULL"
NEW: Final = {"id": "pcn_x", "number": "x", "series_number": 999_999, "processor_refund_id": "x"}
NEW_INVOICE: Final = {"id": "sin_x", "number": "x", "series_number": 999_999, "purpose": "change"}
UNPAID: Final = {**NEW_INVOICE, "paid_at": None, "paid_by": None}


def _note(constraint: str, **changes: object) -> Trial:
    return Trial(constraint, NOTES, {**NEW, **changes})


def _refund(constraint: str, **changes: object) -> Trial:
    return Trial(constraint, REFUNDS, {"id": "rfd_x", **changes}, PENDING)


def _second(constraint: str, **changes: object) -> Trial:
    """A copy of a charge that came second."""
    named = {"id": "pin_x", "trial": 99, "processor_payment_id": None, "processor_invoice_id": "in"}
    return Trial(constraint, CHARGES, {**named, **changes}, "goes_back_as IS NOT NULL")


def _but(name: str) -> dict[str, object]:
    return {key: value for key, value in NEW.items() if key != name}


PLATFORM_CREDITS: Final = [
    Trial("platform_credit_series_pkey", "platform_credit_series", {}),
    Trial("platform_credit_notes_pkey", NOTES, _but("id")),
    Trial("printed_platform_credit_number_is_given_once", NOTES, _but("number")),
    Trial("platform_credit_number_is_given_once", NOTES, _but("series_number")),
    Trial("platform_refund_is_credited_once", NOTES, _but("processor_refund_id")),
    _note("credited_platform_invoice_exists", invoice_id="sin_none"),
    _note("credited_subscription_exists", subscription_id="sub_none"),
    _note("platform_credit_is_of_something", net_micro=-1),
    Trial("reversal_is_booked_once", ENTRIES, {}),
    Trial("reversed_platform_invoice_exists", ENTRIES, {"part": 9, "invoice_id": "sin_none"}),
    Trial("reversal_is_positive", ENTRIES, {"part": 9, "amount_micro": 0}),
    Trial(
        "reversal_names_two_accounts",
        ENTRIES,
        {"part": 9, "debit_account": "processor_clearing", "credit_account": "processor_clearing"},
    ),
    Trial("no_more_is_refunded_than_was_paid", INVOICES, {**UNPAID, "refunded_micro": 1}),
    Trial(
        "no_more_is_set_off_than_is_due",
        INVOICES,
        {**UNPAID, "refunded_micro": 0, "set_off_micro": -1},
    ),
    Trial(
        "money_of_a_bank_is_not_negative",
        INVOICES,
        {**UNPAID, "refunded_micro": 0, "lost_micro": -1},
    ),
]
PLATFORM_REFUNDS: Final = [
    Trial("subscription_refunds_pkey", REFUNDS, {}, PENDING),
    _refund("refunded_platform_invoice_exists", invoice_id="sin_none"),
    _refund("refunded_subscription_exists", subscription_id="sub_none"),
    _refund("platform_refund_is_positive", amount_micro=0),
    _refund(
        "platform_refund_status_is_known",
        status="lost",
        settled_at="2026-03-01",
        next_attempt_at=None,
    ),
    _refund("failed_platform_refund_says_why", failure_code="x"),
    _refund("platform_refund_waits_while_it_is_pending", settled_at="2026-03-01"),
    Trial(
        "refund_names_its_payment",
        REFUNDS,
        {"id": "rfd_x", "processor_payment_id": None},
        "status = 'succeeded' AND coalesce(surplus_id, came_back_of) IS NULL",
    ),
    Trial("surplus_goes_back_once", REFUNDS, {"id": "rfd_x", "made_there": None}, SURPLUS),
    Trial(
        "what_was_made_there_was_a_surplus",
        REFUNDS,
        {"id": "rfd_x", "made_there": "re_x"},
        "coalesce(surplus_id, came_back_of) IS NULL",
    ),
    Trial(
        "refund_made_there_counts_once",
        REFUNDS,
        {"id": "rfd_x", "surplus_id": "pin_x"},
        "made_there IS NOT NULL AND surplus_id IS NOT NULL",
    ),
    Trial("platform_refund_comes_back_once", REFUNDS, {"id": "rfd_x"}, LIES),
    Trial(
        "what_came_back_was_a_refund",
        REFUNDS,
        {"id": "rfd_x", "came_back_of": "re_x", "processor_payment_id": None},
        LIES,
    ),
    _second("refund_is_of_one_surplus"),
    _second("surplus_goes_back_by_a_refund", goes_back_as="rfd_none"),
    _second("only_what_came_second_goes_back", goes_back_as=None),
]
PLATFORM_DISPUTES: Final = [
    Trial(
        "dispute_is_of_one_payment",
        "payment_disputes",
        {"id": "dsp_x", "processor_dispute_id": "dp_x", "subscription_invoice_id": "sin_x"},
        "payment_id IS NOT NULL",
    ),
]


def money_that_went_back(hotel: Hotel) -> None:
    """Of the first invoice that was paid: 5.00 were refunded, a bank has lost a dispute of 3.00 and
    won one of 2.00 for 15.00, and holds 1.00; 4.00 are promised, and 0.50 were given back so.
    Of two refunds of 0.60 and 0.70 the money has come again, and of the first has gone anew. It was
    paid five times more: one has gone back, one could not and was sent at the processor, one could
    not, one a bank has got, and one a bank asks for."""
    for nth, card in enumerate(("pi_", *("sandbox_declined_",) * 3, "pi_")):
        second = f"{card}again_{nth}_{hotel.tenant_id.hex}"
        cents = paid_again(hotel, f"in_again_{nth}", second)
        asked = disputed(second, f"dp_{second}", "needs_response", cents=cents)
        if nth == 4:
            assert sent(hotel, asked) == "applied"
        assert run_job(hotel, retry_refunds).exit_code == 0
        if nth == 1:
            assert sent(hotel, refunded_there(second, f"re_{second}", cents)) == "applied"
        if nth == 3:
            lost = disputed(second, f"dp_{second}", "lost", cents=cents + 100)
            assert sent(hotel, lost) == "applied"
    ((charge,),) = hotel.house.sql(
        "SELECT processor_payment_id FROM billing_central.subscription_payments"
        " WHERE tenant_id = :t AND status = 'succeeded' ORDER BY created_at LIMIT 1",
        t=hotel.tenant_id,
    )
    told = (
        refunded_there(charge, "re_platform", 500),
        refunded_there(charge, "re_sixty", 60),
        refunded_there(charge, "re_sixty", 60, "failed", "refund.failed"),
        refunded_there(charge, "re_sixty_anew", 60),
        refunded_there(charge, "re_seventy", 70),
        refunded_there(charge, "re_seventy", 70, "failed", "refund.failed"),
        disputed(charge, "dp_platform_1", "won", fee=1_500, cents=300),
        disputed(charge, "dp_platform_2", "needs_response", cents=200),
        disputed(charge, "dp_platform_2", "lost", fee=1_500, cents=200),
        disputed(charge, "dp_platform_3", "needs_response", cents=100),
    )
    for each in told:
        assert Webhook(hotel).send(each).json["outcome"] == "applied"
    for cents in (50, 400):
        assert refund_invoice(hotel, first_invoice(hotel), cents).status_code == 201
        if cents == 50:
            assert run_job(hotel, retry_refunds).exit_code == 0
