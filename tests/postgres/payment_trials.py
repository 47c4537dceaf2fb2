"""What the database refuses of customers, their methods and their payments; see `trials`."""

from typing import Any, Final

from tests.hotel import Hotel, usd
from tests.paying import a_customer, add_card, an_intent, confirm, pay, ready
from tests.postgres.trials import Trial
from tests.returning import returns_of_every_state

CUSTOMER: Final = {"id": "cus_x", "email": "x@guest.example", "processor_customer_id": None}
FREE_FOLIO, FREE_INTENT = "fol_01JTESTSFREEF0000000000000", "pin_01JTESTSFREEF0000000000000"
DIGEST: Final = "\\x" + 32 * "00"
METHOD: Final = {"id": "pm_x", "token_digest": DIGEST}
INTENT: Final = {"id": "pin_x", "processor_payment_id": None, "payment_id": None}
RETURN: Final = {"id": "pay_x", "processor_payment_id": "pi_x", "refund_id": "rfd_x"}
PART: Final = {"id": "rfd_x", "cause": "re_x"}
PROMISED: Final = "status = 'pending'"
SUCCEEDED, WAITING, FAILED = "status = 'succeeded'", "status = 'processing'", "status = 'failed'"


def intent(constraint: str, which: str, **changes: Any) -> Trial:
    """A copy of an intent."""
    return Trial(constraint, "payment_intents", {**INTENT, **changes}, which)


def returned(constraint: str, **changes: Any) -> Trial:
    """A copy of a payment that is promised back."""
    return Trial(constraint, "returned_payments", {**RETURN, **changes}, PROMISED)


def part(constraint: str, **changes: Any) -> Trial:
    """A copy of what went back at the processor."""
    return Trial(constraint, "returned_parts", {**PART, **changes}, "kind = 'refunded_there'")


PAYMENTS: Final = [
    Trial("customers_pkey", "customers", {"email": "x@y.example", "processor_customer_id": None}),
    Trial("one_customer_per_email", "customers", {"id": "cus_x", "processor_customer_id": None}),
    Trial(
        "processor_customer_is_of_one_customer",
        "customers",
        {"id": "cus_x", "email": "x@guest.example"},
    ),
    Trial("email_is_kept_in_one_form", "customers", {**CUSTOMER, "email": "X@guest.example"}),
    Trial("processor_is_told_what_there_is", "customers", {**CUSTOMER, "told_version": 9}),
    Trial("data_keys_pkey", "data_keys", {}),
    Trial("data_key_is_wrapped", "data_keys", {"id": "dky_x", "wrapped": DIGEST}),
    Trial("payment_methods_pkey", "payment_methods", {"token_digest": DIGEST}),
    Trial("payment_method_is_kept_once", "payment_methods", {"id": "pm_x"}),
    Trial(
        "payment_method_is_of_a_customer", "payment_methods", {**METHOD, "customer_id": "cus_none"}
    ),
    Trial(
        "payment_method_is_sealed_by_a_key",
        "payment_methods",
        {**METHOD, "data_key_id": "dky_none"},
    ),
    Trial("payment_method_kind_is_known", "payment_methods", {**METHOD, "kind": "shells"}),
    Trial("payment_method_purpose_is_known", "payment_methods", {**METHOD, "purpose": "fun"}),
    Trial("last_four_are_four_digits", "payment_methods", {**METHOD, "last_four": "42424"}),
    Trial("expiry_is_a_month", "payment_methods", {**METHOD, "expiry_month": 13}),
    Trial("token_digest_is_a_sha256", "payment_methods", {**METHOD, "token_digest": "\\\\x00"}),
    Trial("removed_method_has_no_token", "payment_methods", {**METHOD, "sealed_token": None}),
    Trial("payment_intents_pkey", "payment_intents", {}, WAITING),
    Trial(
        "processor_payment_is_of_one_intent",
        "payment_intents",
        {"id": "pin_x", "payment_id": None},
        SUCCEEDED,
    ),
    intent("intent_belongs_to_a_folio", WAITING, folio_id="fol_none"),
    intent("intent_is_of_a_customer", WAITING, customer_id="cus_none"),
    intent("intent_is_taken_from_a_method", WAITING, payment_method_id="pm_none"),
    intent("intent_is_about_something", WAITING, amount_micro=0),
    intent("intent_status_is_known", WAITING, status="lost"),
    intent("intent_that_is_asked_for_names_its_method", WAITING, payment_method_id=None),
    intent("failed_intent_says_why", FAILED, failure_code=None),
    intent("succeeded_intent_names_its_charge", SUCCEEDED),
    Trial(
        "only_what_succeeded_is_a_payment",
        "payment_intents",
        {"id": "pin_x", "processor_payment_id": None, "status": "canceled"},
        SUCCEEDED,
    ),
    Trial(
        "payment_is_of_one_intent",
        "payment_intents",
        {"id": "pin_x", "processor_payment_id": "pi_x"},
        SUCCEEDED,
    ),
    Trial(
        "intent_became_a_payment",
        "payment_intents",
        {"id": "pin_x", "processor_payment_id": "pi_x", "payment_id": "pay_none"},
        SUCCEEDED,
    ),
    intent("only_what_succeeded_goes_back", WAITING, returned_id="pay_none"),
    Trial(
        "intent_that_goes_back_says_as_what",
        "payment_intents",
        {**INTENT, "processor_payment_id": "pi_x", "returned_id": "pay_none"},
        SUCCEEDED,
    ),
    Trial("returned_payments_pkey", "returned_payments", {}, PROMISED),
    Trial("payment_is_sent_back_once", "returned_payments", {"id": "pay_x"}, PROMISED),
    Trial(
        "return_is_one_refund",
        "returned_payments",
        {"id": "pay_x", "processor_payment_id": "pi_x"},
        PROMISED,
    ),
    returned("returned_payment_belongs_to_a_folio", folio_id="fol_none"),
    returned("returned_payment_is_positive", paid_amount_micro=0),
    returned("return_status_is_known", status="lost", settled_at="2036-01-01T00:00:00+00:00"),
    returned("pending_return_is_not_settled", settled_at="2036-01-01T00:00:00+00:00"),
    returned("failed_return_says_why", failure_code="card_declined"),
    returned("no_more_goes_back_than_came", gone_micro=40_000_001),
    Trial("returned_parts_pkey", "returned_parts", {"cause": "re_x"}),
    Trial("part_goes_back_once", "returned_parts", {"id": "rfd_x"}),
    part("part_is_of_a_payment_that_goes_back", returned_id="pay_none"),
    part("part_kind_is_known", kind="spent"),
    part("only_a_failed_part_comes_again", amount_micro=-1),
    Trial(
        "dispute_is_of_a_payment_that_goes_back",
        "payment_disputes",
        {"id": "dsp_x", "processor_dispute_id": "dp_x", "returned_id": "pay_none"},
        "returned_id IS NOT NULL",
    ),
    Trial(
        "return_is_settled_after_its_promise",
        "returned_payments",
        {**RETURN, "settled_at": "2020-01-01T00:00:00+00:00"},
        "status = 'returned'",
    ),
    Trial("intent_waits_once", "payment_intent_queue", {}),
    Trial("waiting_intent_exists", "payment_intent_queue", {"intent_id": "pin_none"}),
    Trial("one_collection_of_a_debt_at_a_time", "collection_leases", {"intent_id": "pin_none"}),
    Trial("payment_holds_one_lease", "collection_leases", {"folio_id": "fol_none"}),
    Trial(
        "lease_is_on_a_folio",
        "collection_leases",
        {"folio_id": "fol_none", "intent_id": FREE_INTENT},
    ),
    Trial(
        "lease_is_of_a_payment",
        "collection_leases",
        {"folio_id": FREE_FOLIO, "intent_id": "pin_none"},
    ),
    Trial("lease_is_of_a_debt", "collection_leases", {"amount_micro": 0}),
    Trial("lease_has_an_end", "collection_leases", {"expires_at": "2020-03-01T12:00:00+00:00"}),
]


def payments_of_every_state(hotel: Hotel) -> None:
    """One is taken, one declined, one has no answer, and one is leased a debt; one card is taken
    away again. What came for closed folios goes back, or cannot."""
    folio = hotel.open_folio()
    for card in ("sandbox_visa", "sandbox_declined", "sandbox_lost", "sandbox_3ds"):
        assert pay(hotel, folio, usd(1_000), card).status_code == 200
    an_intent(hotel, hotel.open_folio(id=FREE_FOLIO), usd(500), id=FREE_INTENT)
    owing = hotel.open_folio()
    hotel.charged(owing)
    assert pay(hotel, owing, usd(1_000), "sandbox_3ds", owed=True).status_code == 200
    removed = add_card(hotel, a_customer(hotel)).json["paymentMethodId"]
    assert hotel.call("DELETE", f"/payment-methods/{removed}").status_code == 200
    confirm(hotel, *ready(hotel, folio, usd(2_000)))
    returns_of_every_state(hotel)
