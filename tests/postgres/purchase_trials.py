"""What the database refuses of purchases of credits, and of top-ups; see `trials`."""

from typing import Any, Final

from jobs.top_up_credits import top_up_credits
from tests.buying import bought, buy, card, fill_up
from tests.hotel import Hotel
from tests.paying import run_job
from tests.postgres.trials import Trial
from tests.prepaying import micro

PURCHASE: Final = {"id": "pin_x", "processor_payment_id": None}
PAID, WAITING, FAILED = "status = 'succeeded'", "status = 'processing'", "status = 'failed'"
TOP_UP: Final = {"id": "atu_x", "account_id": "cra_none"}


def purchase(constraint: str, which: str, **changes: Any) -> Trial:
    """A copy of a purchase."""
    return Trial(constraint, "credit_purchases", {**PURCHASE, **changes}, which)


def sale(constraint: str, **changes: Any) -> Trial:
    """A copy of what was booked of one."""
    return Trial(constraint, "credit_sale_entries", {"source": "x", **changes})


def top_up(constraint: str, **changes: Any) -> Trial:
    """A copy of how an account fills itself up."""
    return Trial(constraint, "credit_top_ups", {**TOP_UP, **changes})


PURCHASES: Final = [
    Trial("credit_purchases_pkey", "credit_purchases", {}, FAILED),
    Trial("processor_payment_buys_once", "credit_purchases", {"id": "pin_x"}, PAID),
    purchase("purchase_is_for_an_account", WAITING, account_id="cra_none"),
    purchase("purchase_is_of_a_customer", WAITING, customer_id="cus_none"),
    purchase("purchase_is_taken_from_a_method", WAITING, payment_method_id="pm_none"),
    purchase("purchase_is_about_something", WAITING, credits_micro=0),
    purchase("purchase_origin_is_known", WAITING, origin="gift"),
    purchase("purchase_status_is_known", WAITING, status="lost"),
    purchase("purchase_that_is_asked_for_says_since_when", WAITING, confirmed_at=None),
    purchase("failed_purchase_says_why", FAILED, failure_code=None),
    purchase("paid_purchase_names_its_charge", PAID),
    purchase("one_top_up_at_a_time_per_account", "origin = 'top_up'"),
    Trial("purchase_waits_once", "credit_purchase_queue", {}),
    Trial("waiting_purchase_exists", "credit_purchase_queue", {"purchase_id": "pin_none"}),
    Trial("sale_is_booked_once", "credit_sale_entries", {}),
    sale("sale_is_of_a_purchase", purchase_id="pin_none"),
    sale("sale_moves_a_positive_amount", amount_micro=0),
    sale("sale_names_two_accounts", credit_account="processor_clearing"),
    sale("sale_accounts_are_known", credit_account="somewhere"),
    Trial("credit_top_ups_pkey", "credit_top_ups", {"account_id": "cra_none"}),
    Trial("account_fills_itself_up_one_way", "credit_top_ups", {"id": "atu_x"}),
    top_up("filled_up_account_exists"),
    top_up("top_up_is_taken_from_a_method", payment_method_id="pm_none"),
    top_up("top_up_stays_within_its_cap", monthly_cap_micro=1),
    top_up("top_up_that_is_off_is_not_tried", is_on=False),
]


def purchases_of_every_state(hotel: Hotel) -> None:
    """One is paid, one declined, one has no answer; an account that is low buys by itself."""
    for kind in ("sandbox_visa", "sandbox_declined", "sandbox_lost"):
        bought(hotel, 500, kind)
    assert buy(hotel, 600, card(hotel, "sandbox_3ds")).status_code == 201
    more = {"thresholdMicro": micro(900_000), "creditsMicro": micro(500)}
    assert fill_up(hotel, card(hotel, "sandbox_3ds"), **more).status_code == 200
    assert run_job(hotel, top_up_credits).exit_code == 0
