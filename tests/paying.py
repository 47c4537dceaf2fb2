"""Customers, their cards and payments to test with; the token says how a card behaves.

answer = pay(hotel, folio, usd(5_000), "sandbox_3ds")
"""

import json
import threading
from typing import Any
from uuid import uuid4

from werkzeug.test import TestResponse

from common.runtime.declaration import declaration_of
from common.runtime.job import Orders
from tests.hotel import Hotel
from tests.till import Amount
from tests.webhooks import event


def letters() -> str:
    """A word that there was not before; digits alone might pass for a card's number."""
    return uuid4().hex.translate(str.maketrans("0123456789", "ghijklmnop"))


def a_token(card: str = "sandbox_visa") -> str:
    """A token of the processor's page, for a card that behaves so."""
    return f"{card}_{letters()[:20]}"


def a_customer(hotel: Hotel, **given: Any) -> str:
    """Write a customer down and answer its id."""
    body = {"email": f"{letters()}@guest.example", "name": "Zarmina Ahmadi", **given}
    answer = hotel.post("/customers", body, token=clerk(hotel))
    assert answer.status_code == 201, answer.text
    customer: str = answer.json["customerId"]
    return customer


def add_card(hotel: Hotel, customer: str, token: str = "", **more: Any) -> TestResponse:
    """Leave a card with the house."""
    body = {"token": token or a_token(), **more.pop("given", {})}
    return hotel.post(f"/customers/{customer}/payment-methods", body, **more)


def a_card(
    hotel: Hotel, customer: str, card: str = "sandbox_visa", purpose: str = "this_stay"
) -> str:
    """Leave a card that behaves so, and answer its id."""
    path, body = (
        f"/customers/{customer}/payment-methods",
        {"token": a_token(card), "purpose": purpose},
    )
    answer = hotel.post(path, body, token=clerk(hotel))
    assert answer.status_code == 201, answer.text
    method: str = answer.json["paymentMethodId"]
    return method


def clerk(hotel: Hotel) -> str:
    """The token of another clerk each time: so many a minute are allowed to each."""
    return hotel.token(sub=f"clerk-{uuid4()}")


def an_intent(hotel: Hotel, folio: str, amount: Amount, customer: str = "", **given: Any) -> str:
    """Write a payment down that is to be taken, as a deposit, and answer its id."""
    body = {
        "folioId": folio,
        "customerId": customer or a_customer(hotel),
        "amount": amount,
        "allowCredit": True,
        **given,
    }
    answer = hotel.post("/payments/intent", body, token=clerk(hotel))
    assert answer.status_code == 201, answer.text
    intent: str = answer.json["paymentIntentId"]
    return intent


def confirm(hotel: Hotel, intent: str, method: str = "", **more: Any) -> TestResponse:
    """Have it taken from a method."""
    body = {"paymentIntentId": intent} | ({"paymentMethodId": method} if method else {})
    more.setdefault("token", clerk(hotel))
    return hotel.post("/payments/confirm", body, **more)


def cancel(hotel: Hotel, intent: str, **more: Any) -> TestResponse:
    """Have it taken no more."""
    more.setdefault("token", clerk(hotel))
    return hotel.post(f"/payments/{intent}/cancel", {}, **more)


def ready(
    hotel: Hotel, folio: str, amount: Amount, card: str = "sandbox_visa", *, owed: bool = False
) -> tuple[str, str]:
    """A payment that is to be taken, and the card to take it from; `owed` is no deposit."""
    customer = a_customer(hotel)
    method = a_card(hotel, customer, card)
    return an_intent(hotel, folio, amount, customer, allowCredit=not owed), method


def pay(
    hotel: Hotel, folio: str, amount: Amount, card: str = "sandbox_visa", *, owed: bool = False
) -> TestResponse:
    """Take an amount from a new customer's card that behaves so."""
    return confirm(hotel, *ready(hotel, folio, amount, card, owed=owed))


def shown(hotel: Hotel, intent: str) -> dict[str, Any]:
    """A payment as it is shown."""
    answer = hotel.get(f"/payments/{intent}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json
    return found


def acted(hotel: Hotel, intent: str, *, confirms: bool = True) -> None:
    """The guest confirms a payment to the bank, or does not."""
    hotel.house.wiring.sandbox_cards.act(intent, confirms=confirms)


def charges(hotel: Hotel) -> list[dict[str, Any]]:
    """What the sandbox has taken from anybody's card for this tenant."""
    folder = hotel.house.wiring._folder("processor") / "captures"
    taken = [json.loads(file.read_bytes()) for file in folder.glob("*.json")]
    return [each for each in taken if each["tenant"] == str(hotel.tenant_id)]


def intents(hotel: Hotel) -> list[list[Any]]:
    """Each intent with its state, whether it stands on a folio, and whether it waits."""
    return hotel.rows(
        "SELECT status, payment_id IS NOT NULL, intent_id IS NOT NULL FROM {s}.payment_intents"
        " LEFT JOIN {s}.payment_intent_queue ON intent_id = id ORDER BY id"
    )


def intent_told(
    hotel: Hotel, intent: str, kind: str, *, cents: int = 5_000, **changed: Any
) -> dict[str, Any]:
    """What the processor tells of a payment that was made here."""
    statuses = {"payment_failed": "requires_payment_method"}
    about = {
        "id": f"sandbox_pi_{intent.removeprefix('pin_')}",
        "object": "payment_intent",
        "amount": cents,
        "amount_received": cents if kind == "succeeded" else 0,
        "currency": "usd",
        "client_secret": "pi_secret_of_nobody",
        "metadata": {"tenantId": str(hotel.tenant_id), "paymentIntentId": intent},
        "status": statuses.get(kind, kind),
        **changed,
    }
    if kind == "payment_failed":
        about["last_payment_error"] = {"code": "card_declined", "decline_code": "do_not_honor"}
    return event(f"payment_intent.{kind}", about)


def method_told(token: str, customer: str | None, kind: str, **changed: Any) -> dict[str, Any]:
    """What the processor tells of a method; whose it is, only its customer says."""
    card = {"brand": "mastercard", "last4": "4444", "exp_month": 7, "exp_year": 2036}
    about = {
        "id": token,
        "object": "payment_method",
        "card": card,
        "customer": customer,
        "billing_details": {"name": "Zarmina Ahmadi"},
        "metadata": {},
        "type": "card",
    }
    return event(f"payment_method.{kind}", about, **changed)


def processor_customer(hotel: Hotel, customer: str) -> str:
    """What the sandbox calls a customer."""
    return f"sandbox_{customer}"


def run_job(hotel: Hotel, job: Any, **orders: Any) -> Any:
    """Run a job for this hotel."""
    return hotel.house.wiring.job_shell.run(
        declaration_of(job),  # type: ignore[arg-type]
        Orders(tenants=(hotel.tenant_id,), **orders),
        stop=threading.Event(),
        tell=lambda _: None,
    )
