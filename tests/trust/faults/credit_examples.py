"""One call of everything that moves prepaid credits; see `examples`."""

from collections.abc import Callable
from typing import Any, Final
from uuid import uuid4

from tests.hotel import Hotel, usd
from tests.prepaying import (
    SCOPE,
    bought,
    confirmed,
    deduct,
    grant_context,
    granted,
    held,
    micro,
    transfer,
    use,
    wanted,
)
from tests.prepaying import claw_back as taken_back
from tests.redeeming import owing, redeemed
from tests.refunding import asking
from tests.till import signed
from tests.trust.faults.scene import Scene, struck_out

Act = Callable[[Hotel], str]


def _posts(path: str, body: Any, **more: Any) -> Act:
    """The same request with the same key, however often it is sent."""
    key = str(uuid4())

    def act(at: Hotel) -> str:
        answer = at.post(path, body, key=key, **more)
        return struck_out(f"{answer.status_code} {answer.text}")

    return act


def _confirms(hotel: Hotel, path: str, body: dict[str, Any], context: str) -> Act:
    """The same, by a platform actor who confirms it."""
    sent = confirmed(hotel, body, context, "platform")
    return _posts(path, sent, token=hotel.token(SCOPE, sub="platform"))


def _granting(scene: Scene) -> Act:
    """A purchase, of which a part pays a debt."""
    hotel = scene.hotel
    key = bought(hotel, 3)
    deduct(hotel, 2)
    assert taken_back(hotel, key, 3).status_code == 201
    body = wanted(10, source="purchase", sourceKey="purchase:pin_2")
    return _confirms(hotel, "/credits/grants", body, grant_context(hotel, body))


def _deducting(scene: Scene) -> Act:
    granted(scene.hotel, 3)
    bought(scene.hotel, 3)
    return _posts("/credits/deduct", use(5))


def _holding(scene: Scene) -> Act:
    granted(scene.hotel, 3)
    return _posts("/credits/holds", use(2))


def _capturing(scene: Scene) -> Act:
    granted(scene.hotel, 3)
    hold_id = held(scene.hotel, 2)
    return _posts(f"/credits/holds/{hold_id}/capture", {"creditsMicro": micro(1)})


def _releasing(scene: Scene) -> Act:
    granted(scene.hotel, 3)
    return _posts(f"/credits/holds/{held(scene.hotel, 2)}/release", {})


def _transferring(scene: Scene) -> Act:
    granted(scene.hotel, 3)
    bought(scene.hotel, 3)
    return _posts("/credits/transfer", {"toAccount": "spa", "creditsMicro": micro(5)})


def _taking_back(scene: Scene) -> Act:
    """What was moved, what is left, and what was spent."""
    hotel = scene.hotel
    key = bought(hotel, 10)
    transfer(hotel, 4, "spa")
    deduct(hotel, 3)
    asked = {"grantKey": key, "sourceKey": "refund:rfd_1", "creditsMicro": micro(10)}
    context = signed(deed="credits.claw_back", tenant=str(hotel.tenant_id), **asked)
    return _confirms(hotel, "/credits/claw-backs", {**asked, "reason": "Refunded"}, context)


def _waiving(scene: Scene) -> Act:
    hotel = scene.hotel
    key = bought(hotel, 3)
    deduct(hotel, 3)
    assert taken_back(hotel, key, 3).status_code == 201
    asked = {"account": "main", "creditsMicro": micro(2)}
    context = signed(deed="credits.waive_debt", tenant=str(hotel.tenant_id), **asked)
    return _confirms(hotel, "/credits/debt/waive", {**asked, "reason": "A bad year"}, context)


def credits_that_end(scene: Scene) -> None:
    """At both hotels: 5 have expired, 3 expire tomorrow, and a hold of 2 of these is over."""
    for hotel in (scene.hotel, scene.annex):
        granted(hotel, 3, expiresAt="2026-03-02T10:00:00Z")
        held(hotel, 2)
        granted(hotel, 5, expiresAt="2026-03-02T08:00:00Z")
        for change in (
            "credit_lots SET expires_at = '2026-03-01T12:00:00Z' WHERE granted_micro = 5000000",
            "credit_holds SET expires_at = '2026-03-01T12:00:00Z'",
        ):
            scene.admin.run(f"UPDATE {hotel.schema}.{change}")


def _giving_back(scene: Scene) -> Act:
    """What was taken, what is still owed, and what was paid."""
    hotel = scene.hotel
    key = bought(hotel, 10)
    deduct(hotel, 7)
    assert taken_back(hotel, key, 10, "dispute:dp_1").status_code == 201
    bought(hotel, 2)
    asked = {"sourceKey": "dispute:dp_1"}
    context = signed(deed="credits.reverse_claw_back", tenant=str(hotel.tenant_id), **asked)
    return _confirms(hotel, "/credits/claw-backs/reverse", {**asked, "reason": "Won"}, context)


def _settling(scene: Scene) -> Act:
    """A bill, out of two lots."""
    granted(scene.hotel, 4_000)
    bought(scene.hotel, 9_000)
    body = {"method": "credits", "amount": usd(11_000), "creditAccount": "main"}
    return _posts(f"/folios/{owing(scene.hotel)}/payments", body)


def _restoring(scene: Scene) -> Act:
    """A part of a bill; it pays a part of what the account owes."""
    hotel = scene.hotel
    key = bought(hotel, 11_000)
    folio = owing(hotel)
    payment = redeemed(hotel, folio, 110)
    assert taken_back(hotel, key, 2_000).status_code == 201
    ask = asking(hotel, folio, payment, usd(5_000), "laila", reference=None)

    def act(at: Hotel) -> str:
        answer = ask(at)
        return struck_out(f"{answer.status_code} {answer.text}")

    return act


BILLS: Final[dict[str, Callable[[Scene], Act]]] = {
    "record_payment in credits": _settling,
    "refund_payment in credits": _restoring,
}
"""Further examples of functions that have another one."""
CREDITS: Final[dict[str, Callable[[Scene], Act]]] = {
    "grant_credits": _granting,
    "deduct_credits": _deducting,
    "hold_credits": _holding,
    "capture_credits": _capturing,
    "release_credits": _releasing,
    "transfer_credits": _transferring,
    "claw_back_credits": _taking_back,
    "waive_credit_debt": _waiving,
    "reverse_claw_back": _giving_back,
    **BILLS,
}
