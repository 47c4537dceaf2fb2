"""What every play is written with, and the list of all of them."""

from collections import Counter
from collections.abc import Callable
from typing import Any

from werkzeug.test import TestResponse

from tests.hotel import Hotel, charge, usd
from tests.trust.races.stage import Stage

Race = Callable[[Stage], None]
RACES: dict[str, Race] = {}


def race(play: Race) -> Race:
    """Count a play among the races."""
    RACES[play.__name__] = play
    return play


def statuses(answers: list[TestResponse]) -> Counter[int]:
    """How often each status was answered."""
    return Counter(answer.status_code for answer in answers)


def balance(hotel: Hotel, folio: str) -> int:
    """What a folio owes, in cents."""
    return int(hotel.get(f"/folios/{folio}").json["balance"]["amountMicro"]) // 10_000


def posts(folio: str, key: str, cents: int = 1_000, **more: Any) -> Callable[[Hotel], TestResponse]:
    body = charge("minibar", cents, **more)
    return lambda at: at.post(f"/folios/{folio}/charges", body, key=key)


def pays(
    folio: str, key: str, cents: int, method: str = "bank_transfer", **more: Any
) -> Callable[[Hotel], TestResponse]:
    body = {"method": method, "amount": usd(cents), **more}
    return lambda at: at.post(f"/folios/{folio}/payments", body, key=key, token=at.token(sub=key))


def closes(folio: str, key: str) -> Callable[[Hotel], TestResponse]:
    return lambda at: at.post(f"/folios/{folio}/close", {}, key=key)


def hears_of(consumer: str, data: dict[str, Any], event: str) -> Callable[[Hotel], TestResponse]:
    return lambda at: at.deliver(consumer, data, event_id=event)


def lowering(bill: str, cents: int) -> dict[str, Any]:
    """An adjustment of a charge."""
    return {"chargeId": bill, "amount": usd(cents), "description": "Less", "reason": "warm"}


def settled(hotel: Hotel) -> str:
    """A folio of 11.00 that has been paid."""
    folio = hotel.open_folio()
    hotel.charged(folio, cents=1_000)
    hotel.paid(folio, usd(1_100))
    return folio


def numbers(hotel: Hotel) -> list[int]:
    """The numbers of the hotel's invoices, without what stands before them."""
    items = hotel.rows("SELECT number FROM {s}.invoices")
    return sorted(int(number.rsplit("-", 1)[1]) for (number,) in items)


def post(path: str, body: dict[str, Any], key: str, at: Hotel) -> TestResponse:
    return at.post(path, body, key=key)
