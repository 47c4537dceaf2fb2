"""One call of everything that changes a cash drawer or a session; see `examples`."""

from collections.abc import Callable
from typing import Any, Final
from uuid import uuid4

from tests.hotel import Hotel, usd
from tests.till import CLOSE, OPERATE, Till, counted, new_drawer
from tests.trust.faults.scene import Scene, struck_out

Act = Callable[[Hotel], str]
Call = Callable[..., Any]
FLOAT, SHORT = usd(10_000), usd(9_000)


def _sends(till: Till, call: Callable[[Till, str], Any]) -> Act:
    """The same call with the same key at whatever instance is asked."""
    key = str(uuid4())

    def act(at: Hotel) -> str:
        answer = call(Till(at, till.drawer, till.session), key)
        return struck_out(f"{answer.status_code} {answer.text}")

    return act


def _creating(scene: Scene) -> Act:
    body = {"propertyId": str(scene.hotel.property_id), "name": "Bar"}
    till = Till(scene.hotel, "", "")
    return _sends(till, lambda at, key: at.hotel.post("/cash-drawers", body, key=key))


def _changing(scene: Scene) -> Act:
    drawer = new_drawer(scene.hotel)
    body = {"active": False, "reason": "The lock is broken"}
    path = f"/cash-drawers/{drawer}"
    till = Till(scene.hotel, drawer, "")
    return _sends(till, lambda at, key: at.hotel.call("PATCH", path, body, key=key))


def _opening(scene: Scene) -> Act:
    drawer = new_drawer(scene.hotel)
    body = {"opening": counted(FLOAT)}
    path = f"/cash-drawers/{drawer}/sessions"
    return _sends(
        Till(scene.hotel, drawer, ""),
        lambda at, key: at.hotel.post(path, body, key=key, token=at.hotel.token(sub="karim")),
    )


def _moving(scene: Scene) -> Act:
    till = Till.opened(scene.hotel, FLOAT)
    return _sends(till, lambda at, key: at.move("paid_out", usd(500), key=key))


def _initiating(scene: Scene) -> Act:
    till = Till.opened(scene.hotel, FLOAT)
    token = scene.hotel.confirmation("karim", OPERATE, till.context(counted(SHORT)))
    return _sends(till, lambda at, key: at.initiate(SHORT, token=token, key=key))


def _pending(scene: Scene) -> Till:
    """A drawer that lacks 10.00, counted by Karim."""
    till = Till.opened(scene.hotel, FLOAT)
    assert till.initiate(SHORT).status_code == 200
    return till


def _closing(scene: Scene) -> Act:
    till = _pending(scene)
    token = scene.hotel.confirmation("laila", CLOSE, till.context(counted(SHORT)))
    return _sends(till, lambda at, key: at.close(SHORT, token=token, key=key))


def _sending_back(scene: Scene) -> Act:
    till = _pending(scene)
    return _sends(till, lambda at, key: at.send_back(key=key))


def _stuck(scene: Scene) -> Till:
    till = _pending(scene)
    scene.hotel.rows(
        "UPDATE {s}.cash_sessions SET pending_since = pending_since - interval '7 hours'"
    )
    return till


def _recounting(scene: Scene) -> Act:
    till = _stuck(scene)
    context = till.context(counted(SHORT), number=2, by="nasrin")
    token = scene.hotel.confirmation("nasrin", CLOSE, context)
    return _sends(till, lambda at, key: at.recount(SHORT, by="nasrin", token=token, key=key))


def _acknowledging(scene: Scene) -> Act:
    till = _pending(scene)
    assert till.close(SHORT).status_code == 200
    return _sends(till, lambda at, key: at.acknowledge(key=key))


def waits_too_long(scene: Scene) -> None:
    """A count that nobody has confirmed for seven hours."""
    _stuck(scene)


CASH: Final[dict[str, Callable[[Scene], Act]]] = {
    "create_drawer": _creating,
    "change_drawer": _changing,
    "open_session": _opening,
    "post_movement": _moving,
    "initiate_close": _initiating,
    "close_session": _closing,
    "return_to_open": _sending_back,
    "recount_stuck_session": _recounting,
    "acknowledge_discrepancy": _acknowledging,
}
