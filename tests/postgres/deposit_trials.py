"""What the database refuses of deposits and of canceled stays; see `trials`."""

from typing import Final

from tests.depositing import booked, canceled, move, paid_ahead
from tests.hotel import Hotel
from tests.postgres.trials import Trial

NEW_LINE: Final = {"id": "dpt_x", "sequence": 999}
NOBODY: Final = dict.fromkeys(
    ("confirmed_by", "step_up_token_id", "assertion_hash", "step_up_method")
)

DEPOSITS: Final = [
    Trial(
        "deposit_is_not_less_than_nothing",
        "folios",
        {"id": "fol_x", "reservation_id": None, "deposits_micro": -1},
    ),
    Trial(
        "moved_deposit_leaves_one_folio_for_another",
        "folio_lines",
        {**NEW_LINE, "amount_micro": -10_000},
        "type = 'deposit_transfer' AND moved_from IS NULL",
    ),
    Trial(
        "refund_without_confirmation_is_of_a_card",
        "refunds",
        {"id": "rfd_x", **NOBODY},
        "method = 'bank_transfer'",
    ),
    Trial(
        "guest_in_the_house_has_not_canceled",
        "stays",
        {"folio_id": "fol_none", "canceled_at": "2026-03-02", "checked_in_at": "2026-03-01"},
    ),
    Trial("reservation_is_canceled_once", "canceled_reservations", {}),
]


def deposits_of_every_kind(hotel: Hotel) -> None:
    """A deposit that moved, and a stay that was canceled."""
    assert move(hotel, paid_ahead(hotel), hotel.open_folio(), 500).status_code == 201
    name, _ = booked(hotel)
    canceled(hotel, name)
