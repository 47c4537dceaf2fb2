"""One call of everything that charges a subscription; see `examples`."""

from collections.abc import Callable
from typing import Any, Final
from uuid import uuid4

from tests.billing_there import BASIL, again, paid_there, sent
from tests.buying import card
from tests.charging import collect, incident, last_charge
from tests.hotel import Hotel, new_id, usd
from tests.paying import acted
from tests.subscribing import SCOPE, WHY, subscribed
from tests.till import signed
from tests.trust.faults.job_examples import runs
from tests.trust.faults.scene import Scene, struck_out

Act = Callable[[Hotel], str]


def _confirmed(
    scene: Scene,
    method: str,
    path: str,
    deed: str,
    body: dict[str, Any],
    tenant: dict[str, str] | None = None,
    **named: Any,
) -> Act:
    """The same request with the same key and confirmation, however often it is sent."""
    hotel, key, by = scene.hotel, str(uuid4()), f"platform-{uuid4()}"
    context = signed(deed=deed, tenant=str(hotel.tenant_id), request={**named, **body})
    sent = {**body, **(tenant or {}), "stepUpToken": hotel.confirmation(by, SCOPE, context)}
    token = hotel.token(SCOPE, sub=by)

    def act(at: Hotel) -> str:
        answer = at.call(method, path, sent, key=key, token=token)
        return struck_out(f"{answer.status_code} {answer.text}")

    return act


def _choosing(scene: Scene) -> Act:
    subscribed(scene.hotel)
    path = f"/subscriptions/{scene.hotel.tenant_id}/payment-method"
    body = {"paymentMethodId": card(scene.hotel)}
    return _confirmed(scene, "PUT", path, "subscription.payment_method", body)


def _choosing_oneself(scene: Scene) -> Act:
    subscribed(scene.hotel)
    body, key = {"paymentMethodId": card(scene.hotel)}, str(uuid4())
    token = scene.hotel.token("billing.admin")

    def act(at: Hotel) -> str:
        answer = at.call("PUT", "/subscription/payment-method", body, key=key, token=token)
        return struck_out(f"{answer.status_code} {answer.text}")

    return act


def _refunding(scene: Scene) -> Act:
    invoice = subscribed(scene.hotel, paymentMethodId=card(scene.hotel))["invoice"]["invoiceId"]
    collect(scene.hotel)
    body = {"id": new_id("rfd"), "amount": usd(1_000), "reason": WHY}
    tenant = {"tenantId": str(scene.hotel.tenant_id)}
    path, deed = f"/subscription-invoices/{invoice}/refunds", "subscription_invoice.refund"
    return _confirmed(scene, "POST", path, deed, body, tenant, invoiceId=invoice)


def _declaring(scene: Scene) -> Act:
    body = {"id": new_id("pfi"), "reason": WHY}
    return _confirmed(scene, "POST", "/platform/incidents", "platform_incident.declare", body)


def _ending(scene: Scene) -> Act:
    declared = incident(scene.hotel, "declare").json["incidentId"]
    path, body = f"/platform/incidents/{declared}/end", {"reason": WHY}
    deed = "platform_incident.end"
    return _confirmed(scene, "POST", path, deed, body, incidentId=declared)


def _collecting(scene: Scene) -> Act:
    """One has a card, and one has none."""
    subscribed(scene.hotel, paymentMethodId=card(scene.hotel))
    subscribed(scene.annex)
    return runs("collect_subscriptions", scene)


def _settling(scene: Scene) -> Act:
    """One is taken, and one is declined."""
    subscribed(scene.hotel, paymentMethodId=card(scene.hotel))
    subscribed(scene.annex, paymentMethodId=card(scene.annex, "sandbox_declined"))
    for hotel in (scene.hotel, scene.annex):
        collect(hotel, settles=False)
    return runs("settle_subscription_payments", scene)


def _told_of_what_was_paid(scene: Scene) -> Act:
    """Our charge has paid; theirs of the same period is told, and again where nobody answers."""
    subscribed(scene.hotel, paymentMethodId=card(scene.hotel))
    collect(scene.hotel)
    told = {**again(scene.hotel, "in_again", None, BASIL), "id": "evt_again"}
    return lambda at: f"200 {sent(at, told)}".replace("duplicate", "applied")


def _confirmed_too_late(scene: Scene) -> Act:
    """Theirs has paid what our charge waits at the bank for, and the tenant confirms that, too."""
    subscribed(scene.hotel, paymentMethodId=card(scene.hotel, "sandbox_3ds"))
    collect(scene.hotel)
    charge = last_charge(scene.hotel)
    told = {**paid_there(scene.hotel, "in_first", "pi_first"), "id": "evt_first"}
    assert sent(scene.hotel, told) == "applied"
    acted(scene.hotel, charge)
    return runs("settle_subscription_payments", scene)


def _giving_back_what_was_paid_twice(scene: Scene) -> Act:
    """By which payment it was taken has to be asked, before its refund is."""
    subscribed(scene.hotel, paymentMethodId=card(scene.hotel))
    collect(scene.hotel)
    told = {**again(scene.hotel, "in_again", None, BASIL), "id": "evt_again"}
    processor = scene.hotel.house.wiring.sandbox
    processor.collect(told["data"]["object"]["id"], f"pi_{scene.hotel.tenant_id.hex}")
    assert sent(scene.hotel, told) == "applied"
    return runs("retry_refunds", scene)


TWICE: Final[dict[str, Callable[[Scene], Act]]] = {
    "take_stripe_event of what was paid": _told_of_what_was_paid,
    "settle_subscription_payments of what was paid": _confirmed_too_late,
    "retry_refunds of what was paid twice": _giving_back_what_was_paid_twice,
}
"""Further examples, of money that is taken a second time: it goes back once."""
CHARGING: Final[dict[str, Callable[[Scene], Act]]] = {
    "choose_payment_method": _choosing,
    "choose_own_payment_method": _choosing_oneself,
    "refund_subscription_invoice": _refunding,
    "declare_platform_incident": _declaring,
    "end_platform_incident": _ending,
    "collect_subscriptions": _collecting,
    "settle_subscription_payments": _settling,
    **TWICE,
}
