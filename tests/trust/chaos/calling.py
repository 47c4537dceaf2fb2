"""A hotel of this process, for a judge to be tried on without a storm."""

import json
from collections.abc import Callable

from tests.hotel import Hotel
from tests.trust.chaos.clients import Clerk, confirmed
from tests.trust.chaos.history import WEBHOOK, Command
from tests.webhooks import Webhook


def posting_to(hotel: Hotel) -> Callable[[Command, str], tuple[int, bool, str]]:
    """Post to the hotel's functions in this process."""

    def post(command: Command, trace: str) -> tuple[int, bool, str]:
        if command.function == WEBHOOK:
            content = json.dumps(command.body).encode()
            told = {"traceparent": f"00-{trace}-{trace[:16]}-01"}
            heard = Webhook(hotel).post(content, Webhook(hotel).signed(content), **told)
            return heard.status_code, False, heard.text
        answer = hotel.post(
            command.path,
            confirmed(command, hotel),
            key=command.key,
            token=hotel.token(sub=command.actor),
            headers={"traceparent": f"00-{trace}-{trace[:16]}-01"},
        )
        replayed = answer.headers.get("Idempotency-Replayed") == "true"
        return answer.status_code, replayed, answer.text

    return post


def opened(clerk: Clerk, hotel: Hotel) -> str:
    """A folio, and nothing on it."""
    answer = clerk.ask(
        "open_folio",
        hotel,
        "",
        "/folios",
        propertyId=str(hotel.property_id),
        guest={"name": f"{clerk.name}-1"},
    )
    assert answer is not None
    (folio,) = hotel.rows(f"SELECT id FROM {{s}}.folios WHERE guest_name = '{clerk.name}-1'")
    return str(folio[0])
