"""What the database refuses of sendings; see `trials`."""

from typing import Final

from tests.hotel import Hotel
from tests.postgres.trials import Trial

SENDING: Final = {"id": "snd_x"}
OTHER: Final = {"sending_id": "snd_none"}

SENDINGS: Final = [
    Trial("sendings_pkey", "sendings", {}),
    Trial("sending_is_of_a_drawn_copy", "sendings", {**SENDING, "copy": 9}),
    Trial("sending_goes_to_somebody", "sendings", {**SENDING, "recipient_count": 0}),
    Trial("sending_binds_its_recipients", "sendings", {**SENDING, "recipients_sha256": "\\\\x00"}),
    Trial("recipients_of_a_sending_stand_once", "sending_recipients", {}),
    Trial("recipients_are_of_a_sending", "sending_recipients", OTHER),
    Trial("erased_recipients_leave_nothing", "sending_recipients", {**OTHER, "salt": None}),
]


def a_sending(hotel: Hotel, invoice: str) -> None:
    """A drawn invoice was sent."""
    answer = hotel.post(f"/invoices/{invoice}/send", {"recipients": ["guest@example.com"]})
    assert answer.status_code == 202, answer.text
