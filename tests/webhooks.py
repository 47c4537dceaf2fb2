"""The processor's webhooks, as it signs and sends them.

    answer = Webhook(hotel).send(captured(hotel, folio, 5_000))

The signature is worked out here anew, from the processor's published rule: HMAC-SHA256 over the
time, a full stop and the bytes of the body.
"""

import hashlib
import hmac
import json
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from werkzeug.test import TestResponse

from tests.hotel import Hotel

PATH = "/api/v1/webhooks/stripe"
HEADER = "Stripe-Signature"
GUEST = {"name": "Zarmina Ahmadi", "email": "z.ahmadi@guest.example", "phone": "+93 70 123 4567"}


def signature(content: bytes, secret: str, signed_at: int) -> str:
    """One signature of a body."""
    signed = str(signed_at).encode() + b"." + content
    return hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


@dataclass
class Webhook:
    """The processor's line to the service, by which it tells things about one hotel."""

    hotel: Hotel

    def secret(self) -> str:
        return self.hotel.house.wiring.webhook_secrets[0]

    def now(self) -> int:
        return int(self.hotel.house.wiring.clock.now().timestamp())

    def signed(self, content: bytes, *, off_seconds: int = 0, secret: str = "") -> str:
        """The header of a body that is signed now, or so many seconds off."""
        signed_at = self.now() + off_seconds
        return f"t={signed_at},v1={signature(content, secret or self.secret(), signed_at)}"

    def post(self, content: bytes, header: str | None, **headers: str) -> TestResponse:
        """Send bytes under a header."""
        sent = {"Content-Type": "application/json; charset=utf-8", **headers}
        if header is not None:
            sent[HEADER] = header
        return self.hotel.house.client.post(PATH, data=content, headers=sent)

    def send(self, event: dict[str, Any]) -> TestResponse:
        """Send an event as the processor does."""
        content = json.dumps(event).encode()
        return self.post(content, self.signed(content))


def event(kind: str, about: dict[str, Any], **changed: Any) -> dict[str, Any]:
    """An event of the processor, in the shape of its API's 2026 versions."""
    return {
        "id": f"evt_{uuid4().hex[:24]}",
        "object": "event",
        "api_version": "2026-08-26.basil",
        "created": 1_772_359_200,
        "data": {"object": about},
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "type": kind,
        **changed,
    }


def captured(
    hotel: Hotel, folio: str, cents: int, payment: str = "", **changed: Any
) -> dict[str, Any]:
    """A payment intent that succeeded, with all that the processor says about its guest."""
    about = {
        "id": payment or f"pi_{uuid4().hex[:24]}",
        "object": "payment_intent",
        "amount": cents,
        "amount_received": cents,
        "currency": "usd",
        "description": f"Stay of {GUEST['name']}",
        "metadata": {"tenantId": str(hotel.tenant_id), "folioId": folio, "remark": GUEST["name"]},
        "receipt_email": GUEST["email"],
        "shipping": {"name": GUEST["name"], "phone": GUEST["phone"]},
        "status": "succeeded",
    }
    return event("payment_intent.succeeded", about, **changed)


def refund_told(
    payment: str, refund: str, cents: int, status: str = "succeeded", kind: str = "refund.updated"
) -> dict[str, Any]:
    """What the processor tells of a refund of ours; of whose tenant it is, it says nothing."""
    about = {
        "id": f"re_{uuid4().hex[:24]}",
        "object": "refund",
        "amount": cents,
        "charge": f"ch_{uuid4().hex[:24]}",
        "currency": "usd",
        "metadata": {"refundId": refund},
        "payment_intent": payment,
        "status": status,
    }
    if status == "failed":
        about["failure_reason"] = "lost_or_stolen_card"
    return event(kind, about)


def refunded_there(
    payment: str, refund: str, cents: int, status: str = "succeeded", kind: str = "refund.updated"
) -> dict[str, Any]:
    """What the processor tells of a refund that somebody made at its dashboard."""
    told = refund_told(payment, "", cents, status, kind)
    told["data"]["object"] |= {"id": refund, "metadata": {}}
    return told


def charge_refunded(payment: str, refund: str | None, cents: int) -> dict[str, Any]:
    """What the processor tells of a charge that was refunded, with its refunds or without."""
    about: dict[str, Any] = {
        "id": f"ch_{uuid4().hex[:24]}",
        "object": "charge",
        "amount": 5_000,
        "amount_refunded": cents,
        "billing_details": {"name": GUEST["name"], "email": GUEST["email"]},
        "currency": "usd",
        "metadata": {},
        "payment_intent": payment,
        "status": "succeeded",
    }
    if refund is not None:
        made = refunded_there(payment, refund, cents)["data"]["object"]
        about["refunds"] = {"object": "list", "data": [made]}
    return event("charge.refunded", about)


def disputed(
    payment: str,
    dispute: str,
    status: str,
    kind: str = "updated",
    fee: int | None = None,
    cents: int = 5_000,
) -> dict[str, Any]:
    """What the processor tells of a dispute of 50.00; and of what it has charged for it."""
    about = {
        "id": dispute,
        "object": "dispute",
        "amount": cents,
        "balance_transactions": []
        if fee is None
        else [{"amount": -cents, "fee": fee, "currency": "usd", "description": GUEST["name"]}],
        "charge": f"ch_{uuid4().hex[:24]}",
        "currency": "usd",
        "evidence": {"customer_name": GUEST["name"], "customer_email_address": GUEST["email"]},
        "metadata": {},
        "payment_intent": payment,
        "reason": "product_not_received",
        "status": status,
    }
    return event(f"charge.dispute.{kind}", about)


def kept(hotel: Hotel) -> list[list[Any]]:
    """Each kept event's type with the outcomes of its attempts, in their order."""
    return hotel.rows(
        "SELECT type, array_agg(outcome ORDER BY attempted_at) FROM {s}.webhook_events"
        " JOIN {s}.webhook_attempts USING (tenant_id, event_id)"
        " GROUP BY event_id, type, webhook_events.id ORDER BY webhook_events.id"
    )


def paid_cents(hotel: Hotel, folio: str) -> int:
    """What stands on a folio, in cents: less than nothing where more was paid than is owed."""
    balance: int = hotel.get(f"/folios/{folio}").json["balance"]["amountMicro"]
    return -balance // 10_000
