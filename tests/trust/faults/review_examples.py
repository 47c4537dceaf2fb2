"""One call of everything that decides what waits for a person; see `examples`."""

from collections.abc import Callable
from typing import Final
from uuid import uuid4

from tests.hotel import Hotel
from tests.trust.faults.scene import Scene, struck_out
from tests.weighing import a_held_payment, decide

Act = Callable[[Hotel], str]


def _deciding(scene: Scene) -> Act:
    """An approval: the payment is asked for in the same deed, and once."""
    review = a_held_payment(scene.hotel, scene.hotel.open_folio()).review
    key = str(uuid4())
    token = scene.hotel.token(sub="reviewer")

    def act(at: Hotel) -> str:
        answer = decide(at, review, key=key, token=token)
        return struck_out(f"{answer.status_code} {answer.text}")

    return act


REVIEWS: Final[dict[str, Callable[[Scene], Act]]] = {"decide_review": _deciding}
