"""One call of everything that changes a payout; see `examples`."""

from collections.abc import Callable
from typing import Any, Final
from uuid import uuid4

from tests.hotel import Hotel, usd
from tests.paying_out import LARGE, asked, decision, enabled, held, wanted
from tests.trust.faults.job_examples import runs
from tests.trust.faults.scene import Scene, struck_out

Act = Callable[[Hotel], str]


def _sends(path: str, body: dict[str, Any], **more: Any) -> Act:
    """The same request with the same key, however often it is sent."""
    key = str(uuid4())

    def act(at: Hotel) -> str:
        answer = at.post(path, body, key=key, **more)
        return struck_out(f"{answer.status_code} {answer.text}")

    return act


def _connecting(scene: Scene) -> Act:
    return _sends("/payout-account", {"processorAccountId": "acct_new"})


def _asking(scene: Scene) -> Act:
    enabled(scene.hotel, number="4711")
    held(scene.hotel, 50_000)
    return _sends("/payouts", wanted(scene.hotel, usd(30_000)))


def _deciding(scene: Scene, deed: str, **more: Any) -> Act:
    enabled(scene.hotel, number="4711")
    held(scene.hotel, 2_000_000)
    payout = asked(scene.hotel, LARGE, by="farid")
    body = decision(scene.hotel, payout, LARGE, deed, "laila", **more)
    return _sends(f"/payouts/{payout}/{deed}", body, token=scene.hotel.token(sub="laila"))


def _settling(scene: Scene) -> Act:
    enabled(scene.hotel, number="4711")
    held(scene.hotel, 50_000)
    asked(scene.hotel, 30_000, by="farid")
    return runs("settle_payouts", scene)


PAYOUTS: Final[dict[str, Callable[[Scene], Act]]] = {
    "connect_payout_account": _connecting,
    "request_payout": _asking,
    "approve_payout": lambda scene: _deciding(scene, "approve"),
    "reject_payout": lambda scene: _deciding(scene, "reject", reason="It is too much"),
    "settle_payouts": _settling,
}
