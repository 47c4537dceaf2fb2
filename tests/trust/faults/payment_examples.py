"""One call of everything about customers, their cards and payments; see `examples`."""

from collections.abc import Callable
from typing import Any, Final
from uuid import uuid4

from tests.hotel import Hotel, usd
from tests.paying import a_card, a_customer, a_token, acted, confirm, pay, ready
from tests.trust.faults.job_examples import runs
from tests.trust.faults.scene import Scene, struck_out

Act = Callable[[Hotel], str]


def _sends(method: str, path: str, body: Any = None) -> Act:
    """The same request with the same key, however often it is sent."""
    key = str(uuid4())

    def act(at: Hotel) -> str:
        answer = at.call(method, path, {} if body is None else body, key=key)
        return struck_out(f"{answer.status_code} {answer.text}")

    return act


def _and_then(act: Act, job: str, scene: Scene) -> Act:
    """What the first attempt left behind the job does."""
    run = runs(job, scene)

    def both(at: Hotel) -> str:
        heard = act(at)
        scene.let_payments_be_due()
        return f"{heard}; {run(at)}"

    return both


def _creating(scene: Scene) -> Act:
    body = {"email": "zarmina@guest.example", "name": "Zarmina", "phone": "+93 70 123"}
    return _and_then(_sends("POST", "/customers", body), "link_customers", scene)


def _changing(scene: Scene) -> Act:
    path = f"/customers/{a_customer(scene.hotel)}"
    body = {"email": "zarmina@guest.example", "name": "Zarmina"}
    return _and_then(_sends("PUT", path, body), "link_customers", scene)


def _adding(scene: Scene) -> Act:
    """The tenant's first card: its data key is made with it."""
    path = f"/customers/{a_customer(scene.hotel)}/payment-methods"
    return _sends("POST", path, {"token": a_token()})


def _removing(scene: Scene) -> Act:
    method = a_card(scene.hotel, a_customer(scene.hotel))
    return _sends("DELETE", f"/payment-methods/{method}")


def _intending(scene: Scene) -> Act:
    customer, folio = a_customer(scene.hotel), scene.hotel.open_folio()
    wanted = {"customerId": customer, "folioId": folio, "amount": usd(500), "allowCredit": True}
    return _sends("POST", "/payments/intent", wanted)


def _confirming(scene: Scene) -> Act:
    intent, method = ready(scene.hotel, scene.hotel.open_folio(), usd(500))
    body = {"paymentIntentId": intent, "paymentMethodId": method}
    return _sends("POST", "/payments/confirm", body)


def _canceling(scene: Scene) -> Act:
    """One that waits for its guest: the processor is asked between two transactions."""
    folio = scene.hotel.open_folio()
    scene.hotel.charged(folio)
    waiting = pay(scene.hotel, folio, usd(500), "sandbox_3ds", owed=True)
    return _sends("POST", f"/payments/{waiting.json['paymentIntentId']}/cancel")


def _linking(scene: Scene) -> Act:
    """Two customers of whom the processor was never told."""
    for _ in range(2):
        a_customer(scene.hotel)
    scene.admin.run(
        f"UPDATE {scene.hotel.schema}.customers SET details_version = details_version + 1"
    )
    scene.let_payments_be_due()
    return runs("link_customers", scene)


def _settling(scene: Scene) -> Act:
    """The answer to one was lost; a guest has confirmed another one to the bank."""
    hotel = scene.hotel
    lost = pay(hotel, hotel.open_folio(), usd(500), "sandbox_lost")
    assert lost.json["status"] == "processing"
    intent, method = ready(hotel, hotel.open_folio(), usd(700), "sandbox_3ds")
    confirm(hotel, intent, method)
    acted(hotel, intent)
    scene.let_payments_be_due()
    return runs("settle_payments", scene)


def _rewrapping(scene: Scene) -> Act:
    a_card(scene.hotel, a_customer(scene.hotel))
    scene.let_payments_be_due()
    return runs("rewrap_data_keys", scene)


PAYMENTS: Final[dict[str, Callable[[Scene], Act]]] = {
    "create_customer": _creating,
    "change_customer": _changing,
    "add_payment_method": _adding,
    "remove_payment_method": _removing,
    "create_payment_intent": _intending,
    "confirm_payment": _confirming,
    "cancel_payment": _canceling,
    "link_customers": _linking,
    "settle_payments": _settling,
    "rewrap_data_keys": _rewrapping,
}
