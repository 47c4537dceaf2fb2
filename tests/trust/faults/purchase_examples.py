"""One call of everything that buys credits; see `examples`."""

from collections.abc import Callable
from typing import Any, Final
from uuid import uuid4

from tests.buying import ask, card, fill_up, wanted
from tests.hotel import Hotel
from tests.prepaying import micro
from tests.trust.faults.job_examples import runs
from tests.trust.faults.scene import Scene, struck_out

Act = Callable[[Hotel], str]


def _sends(method: str, path: str, body: Any) -> Act:
    """The same request with the same key, however often it is sent."""
    key = str(uuid4())

    def act(at: Hotel) -> str:
        answer = at.call(method, path, body, key=key)
        return struck_out(f"{answer.status_code} {answer.text}")

    return act


def _buying(scene: Scene) -> Act:
    return _sends("POST", "/credits/purchase", wanted(500, card(scene.hotel)))


def _terms(scene: Scene) -> dict[str, Any]:
    return {
        "thresholdMicro": micro(100),
        "creditsMicro": micro(500),
        "monthlyCapMicro": micro(500),
        "paymentMethodId": card(scene.hotel),
    }


def _setting(scene: Scene) -> Act:
    return _sends("PUT", "/credits/auto-top-up", _terms(scene))


def _settling(scene: Scene) -> Act:
    """The answer to one was lost, and nobody has asked for another one yet: a top-up."""
    ask(scene.hotel, wanted(500, card(scene.hotel, "sandbox_lost")))
    _low(scene)
    runs("top_up_credits", scene)(scene.hotel)
    scene.let_payments_be_due()
    return runs("settle_credit_purchases", scene)


def _topping_up(scene: Scene) -> Act:
    _low(scene)
    return runs("top_up_credits", scene)


def _low(scene: Scene) -> None:
    assert fill_up(scene.hotel, card(scene.hotel)).status_code == 200
    scene.let_payments_be_due()


PURCHASES: Final[dict[str, Callable[[Scene], Act]]] = {
    "purchase_credits": _buying,
    "set_auto_top_up": _setting,
    "settle_credit_purchases": _settling,
    "top_up_credits": _topping_up,
}
