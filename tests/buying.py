"""Purchases of credits to test with; the card's token says how it behaves.

answer = buy(hotel, 500, a_card(hotel, a_customer(hotel)))
"""

import json
from typing import Any
from uuid import uuid4

from werkzeug.test import TestResponse

from tests.hotel import Hotel, new_id
from tests.paying import a_card, a_customer, clerk
from tests.prepaying import micro
from tests.webhooks import event


def card(hotel: Hotel, kind: str = "sandbox_visa") -> str:
    """A card of somebody of the hotel that behaves so, left for what the platform bills."""
    return a_card(hotel, a_customer(hotel), kind, "platform_bills")


def wanted(credits: int, method: str, **more: Any) -> dict[str, Any]:
    """What is bought."""
    return {
        "id": new_id("pin"),
        "creditsMicro": micro(credits),
        "paymentMethodId": method,
        **more,
    }


def ask(hotel: Hotel, body: dict[str, Any], **more: Any) -> TestResponse:
    """Buy; each by another clerk, as tests buy more than one may in an hour."""
    more.setdefault("token", hotel.token(sub=f"clerk-{uuid4()}"))
    return hotel.post("/credits/purchase", body, **more)


def buy(hotel: Hotel, credits: int, method: str = "", **more: Any) -> TestResponse:
    """Buy so many credits."""
    return ask(hotel, wanted(credits, method or card(hotel), **more))


def bought(hotel: Hotel, credits: int, kind: str = "sandbox_visa") -> str:
    """Buy credits from a new card that behaves so, and answer the purchase."""
    answer = buy(hotel, credits, card(hotel, kind))
    assert answer.status_code == 201, answer.text
    purchase: str = answer.json["purchaseId"]
    return purchase


def shown(hotel: Hotel, purchase: str) -> dict[str, Any]:
    """A purchase as it is shown."""
    answer = hotel.get(f"/credits/purchases/{purchase}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json
    return found


def purchases(hotel: Hotel) -> list[list[Any]]:
    """Of each purchase: its state, whole credits, cents, and whether it waits."""
    return hotel.rows(
        "SELECT status, credits_micro / 1000000, amount_micro / 10000, purchase_id IS NOT NULL"
        " FROM {s}.credit_purchases LEFT JOIN {s}.credit_purchase_queue ON purchase_id = id"
        " ORDER BY created_at, id"
    )


def grants(hotel: Hotel) -> list[list[Any]]:
    """What was granted for purchases: the key, and whole credits."""
    return hotel.rows(
        "SELECT source_key, granted_micro / 1000000 FROM {s}.credit_lots"
        " WHERE source = 'purchase' AND source_key IS NOT NULL ORDER BY id"
    )


def sales(hotel: Hotel) -> list[list[Any]]:
    """What was booked of the money: source, debit, credit, cents."""
    return hotel.rows(
        "SELECT split_part(source, ':', 1), debit_account, credit_account, amount_micro / 10000"
        " FROM {s}.credit_sale_entries ORDER BY recorded_at, source, part"
    )


def asked_of_the_processor(hotel: Hotel) -> int:
    """How many payments of this hotel the sandbox has been asked for."""
    folder = hotel.house.wiring._folder("processor") / "intents"
    mine = {row[0] for row in hotel.rows("SELECT id FROM {s}.credit_purchases")}
    made = [file for file in folder.glob("pin_*.json") if "." not in file.stem]
    return len([file for file in made if file.stem in mine and json.loads(file.read_bytes())])


def payment_of(purchase: str) -> str:
    """What the sandbox calls the payment of a purchase."""
    return f"sandbox_pi_{purchase.removeprefix('pin_')}"


def refunded(purchase: str, cents: int, refund: str = "", **changed: Any) -> dict[str, Any]:
    """The processor tells that somebody has given money of a purchase back there."""
    about = {
        "id": refund or f"re_{uuid4().hex[:16]}",
        "object": "refund",
        "status": "succeeded",
        "amount": cents,
        "currency": "usd",
        "payment_intent": payment_of(purchase),
        "metadata": {},
        **changed,
    }
    return event("refund.updated", about)


def disputed(purchase: str, cents: int, dispute: str, status: str) -> dict[str, Any]:
    """The processor tells where a dispute of a purchase stands."""
    about = {
        "id": dispute,
        "object": "dispute",
        "status": status,
        "amount": cents,
        "currency": "usd",
        "payment_intent": payment_of(purchase),
        "reason": "fraudulent",
        "metadata": {},
    }
    return event("charge.dispute.updated", about)


def fill_up(hotel: Hotel, method: str, **changed: Any) -> TestResponse:
    """Let the main account fill itself up: below 100, by 500, at most 1,000 in a month."""
    body = {
        "thresholdMicro": micro(100),
        "creditsMicro": micro(500),
        "monthlyCapMicro": micro(1_000),
        "paymentMethodId": method,
        **changed,
    }
    return hotel.call("PUT", "/credits/auto-top-up", body, token=clerk(hotel))
