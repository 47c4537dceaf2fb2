"""Refunds to test with: who asks for one confirms exactly that one.

    answer = refund(hotel, folio, payment, usd(4_000))

What is confirmed is worked out here anew, from the rule alone: SHA-256 over sorted JSON without
spaces (RFC 8785).
"""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

from werkzeug.test import TestResponse

from tests.hotel import Hotel, new_id, usd
from tests.till import Amount, signed
from tests.webhooks import Webhook, refund_told

SCOPE = "billing.refund.write"


def context(hotel: Hotel, folio: str, body: dict[str, Any]) -> str:
    """What is confirmed by whoever asks for this refund."""
    return signed(
        deed="folio.refund",
        tenant=str(hotel.tenant_id),
        folio=folio,
        payment=body["paymentId"],
        refund=body["id"],
        amountMicro=body["amount"]["amountMicro"],
        currency=body["amount"]["currency"],
    )


def wanted(payment: str, amount: Amount, **more: Any) -> dict[str, Any]:
    """What is asked for, without its confirmation; None leaves a field out."""
    body = {
        "id": new_id("rfd"),
        "paymentId": payment,
        "amount": amount,
        "reason": "The guest left early",
        "reference": "Transfer 4711",
        **more,
    }
    return {name: value for name, value in body.items() if value is not None}


def ask(hotel: Hotel, folio: str, body: dict[str, Any], by: str = "", **more: Any) -> TestResponse:
    """Ask for a refund, each by another clerk, who confirms it."""
    by = by or f"clerk-{uuid4()}"
    if "stepUpToken" not in body:
        token = hotel.confirmation(by, SCOPE, context(hotel, folio, body))
        body = {**body, "stepUpToken": token}
    more.setdefault("token", hotel.token(sub=by))
    return hotel.post(f"/folios/{folio}/refunds", body, **more)


def refund(
    hotel: Hotel, folio: str, payment: str, amount: Amount, by: str = "", **more: Any
) -> TestResponse:
    """Refund an amount of a payment."""
    return ask(hotel, folio, wanted(payment, amount, **more), by)


def asking(
    hotel: Hotel, folio: str, payment: str, amount: Amount, by: str, **more: Any
) -> Callable[[Hotel], TestResponse]:
    """The same request with the same key and confirmation, at whatever instance is asked."""
    body = wanted(payment, amount, **more)
    confirmation = hotel.confirmation(by, SCOPE, context(hotel, folio, body))
    sent, token = {**body, "stepUpToken": confirmation}, hotel.token(sub=by)
    return lambda at: at.post(f"/folios/{folio}/refunds", sent, token=token, key=body["id"])


def card_payment(hotel: Hotel, folio: str, amount: Amount, processor: str = "pi") -> str:
    """A guest pays by card; the processor's id says how its refunds will go."""
    paid_by = {"method": "card", "paymentId": f"{processor}_{uuid4()}", "allowCredit": True}
    return hotel.paid(folio, amount, **paid_by)


def failed_afterwards(hotel: Hotel) -> None:
    """Twice 5.00 of a card were given back and have come again: of an open folio, and of one that
    was closed by then."""
    for is_closed in (False, True):
        folio = hotel.open_folio()
        hotel.charged(folio, cents=1_000)
        owed = hotel.get(f"/folios/{folio}").json["balance"]["amountMicro"] // 10_000
        payment = card_payment(hotel, folio, usd(owed + 500))
        answer = refund(hotel, folio, payment, usd(500))
        assert answer.status_code == 201, answer.text
        if is_closed:
            assert hotel.post(f"/folios/{folio}/close").status_code == 200
        ((theirs,),) = hotel.rows(
            "SELECT processor_payment_id FROM {s}.payments WHERE id = :id", id=payment
        )
        refund_id = answer.json["refund"]["refundId"]
        sent = refund_told(theirs, refund_id, 500, "failed", "refund.failed")
        assert Webhook(hotel).send(sent).json["outcome"] == "applied"


def standing(hotel: Hotel) -> list[list[Any]]:
    """Each refund with its state: pending, succeeded, failed."""
    return hotel.rows(
        "SELECT id, coalesce(status, 'pending') FROM {s}.refunds"
        " LEFT JOIN {s}.refund_settlements ON refund_id = id ORDER BY id"
    )
