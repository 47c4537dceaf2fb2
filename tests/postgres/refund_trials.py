"""What the database refuses of refunds; see `trials`."""

from typing import Final

from tests.hotel import Hotel, usd
from tests.postgres.trials import Trial
from tests.refunding import card_payment, failed_afterwards, refund
from tests.till import Till

NEW: Final = {"id": "rfd_x", "step_up_token_id": "another"}
NEW_LINE: Final = {"id": "rvr_x", "sequence": 999}
CARD, IN_CASH, BY_HAND = "method = 'card'", "method = 'cash'", "method = 'bank_transfer'"
NO_SETTLEMENT: Final = "rfd_none"


def given_back(constraint: str, which: str = CARD, **changes: object) -> Trial:
    """A copy of a refund."""
    return Trial(constraint, "refunds", {**NEW, **changes}, which)


REFUNDS: Final = [
    Trial("refunds_pkey", "refunds", {"step_up_token_id": "another"}),
    Trial("refund_is_confirmed_on_its_own", "refunds", {"id": "rfd_x"}),
    given_back("refund_belongs_to_a_folio", folio_id="fol_none"),
    given_back("refund_is_of_a_payment", payment_id="pay_none"),
    given_back("cash_came_out_of_a_session", IN_CASH, cash_session_id="cds_none"),
    given_back("refund_is_positive", paid_amount_micro=0),
    given_back("refund_method_is_known", method="shells", reference="by hand"),
    given_back("cash_refund_names_its_session", IN_CASH, cash_session_id=None),
    given_back("refund_by_hand_has_a_reference", BY_HAND, reference=None),
    Trial("refund_is_settled_once", "refund_settlements", {}),
    Trial("settled_refund_exists", "refund_settlements", {"refund_id": NO_SETTLEMENT}),
    Trial(
        "refund_has_succeeded_or_failed",
        "refund_settlements",
        {"refund_id": NO_SETTLEMENT, "status": "sent"},
        "status = 'succeeded'",
    ),
    Trial(
        "failed_refund_says_why",
        "refund_settlements",
        {"refund_id": NO_SETTLEMENT, "failure_code": None},
        "status = 'failed'",
    ),
    Trial("refund_failures_pkey", "refund_failures", {"refund_id": "rfd_none"}),
    Trial("refund_fails_once", "refund_failures", {"id": "rvr_x"}),
    Trial(
        "refund_that_failed_afterwards_exists",
        "refund_failures",
        {"id": "rvr_x", "refund_id": "rfd_none"},
    ),
    Trial(
        "failed_refund_belongs_to_a_folio",
        "refund_failures",
        {"id": "rvr_x", "refund_id": "rfd_none", "folio_id": "fol_none"},
    ),
    Trial("refund_waits_once", "refund_queue", {}),
    Trial("waiting_refund_exists", "refund_queue", {"refund_id": "rfd_none"}),
    Trial("refund_is_reversed_once", "folio_lines", NEW_LINE, "type = 'refund_reversal'"),
    Trial(
        "refund_line_names_what_it_gives_back",
        "folio_lines",
        {**NEW_LINE, "corrects": None},
        "type = 'refund'",
    ),
    Trial(
        "refunds_stay_within_what_was_paid",
        "payments",
        {"id": "pay_x", "processor_payment_id": None, "refunded_paid_micro": 10**12},
    ),
    Trial(
        "closed_folio_awaits_no_refund",
        "folios",
        {"id": "fol_x", "reservation_id": None, "pending_refunds": -1},
    ),
]


def refunds_of_every_state(hotel: Hotel) -> None:
    """A card's refunds that were made, refused, not heard of, and failed after they were made; one
    in cash, one by hand."""
    folio = hotel.open_folio()
    for processor in ("sandbox_done", "sandbox_declined", "sandbox_lost"):
        payment = card_payment(hotel, folio, usd(2_000), processor)
        assert refund(hotel, folio, payment, usd(500)).status_code == 201
    payment = hotel.paid(folio, usd(2_000), allowCredit=True)
    assert refund(hotel, folio, payment, usd(500)).status_code == 201
    till = Till.opened(hotel, usd(10_000), by="nadia")
    payment = till.pay(usd(2_000), folio).json["lines"][0]["lineId"]
    assert refund(hotel, folio, payment, usd(500), till.karim).status_code == 201
    failed_afterwards(hotel)
