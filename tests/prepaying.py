"""Prepaid credits to test with: who grants them confirms exactly that grant.

    lot = granted(hotel, 10)
    answer = deduct(hotel, 4)

Amounts are whole credits here; what is confirmed is worked out anew, from the rule alone: SHA-256
over sorted JSON without spaces (RFC 8785).
"""

from typing import Any
from uuid import uuid4

from werkzeug.test import TestResponse

from tests.hotel import Hotel, new_id
from tests.till import signed

SCOPE = "platform.subscription.write"
CREDIT = 1_000_000
Figures = list[list[Any]]


def micro(credits: int) -> int:
    """So many credits in micro credits."""
    return credits * CREDIT


def wanted(credits: int, **more: Any) -> dict[str, Any]:
    """What is to be granted, without its confirmation; None leaves a field out."""
    body = {
        "id": new_id("clt"),
        "creditsMicro": micro(credits),
        "reason": "Thank you for waiting",
        **more,
    }
    return {name: value for name, value in body.items() if value is not None}


def grant_context(hotel: Hotel, body: dict[str, Any]) -> str:
    """What is confirmed by whoever grants this."""
    return signed(
        deed="credits.grant",
        tenant=str(hotel.tenant_id),
        account=body.get("account", "main"),
        grant=body["id"],
        source=body.get("source", "promotion"),
        sourceKey=body.get("sourceKey", f"grant:{body['id']}"),
        creditsMicro=body["creditsMicro"],
    )


def confirmed(hotel: Hotel, body: dict[str, Any], context: str, by: str) -> dict[str, Any]:
    """The body with a platform actor's fresh confirmation."""
    return {**body, "stepUpToken": hotel.confirmation(by, SCOPE, context)}


def grant(hotel: Hotel, body: dict[str, Any], **more: Any) -> TestResponse:
    """Ask for a grant, each by another platform actor, who confirms it."""
    by = f"platform-{uuid4()}"
    if "stepUpToken" not in body:
        body = confirmed(hotel, body, grant_context(hotel, body), by)
        more.setdefault("token", hotel.token(SCOPE, sub=by))
    return hotel.post("/credits/grants", body, **more)


def granted(hotel: Hotel, credits: int, **more: Any) -> str:
    """Grant credits and answer their lot."""
    body = wanted(credits, **more)
    answer = grant(hotel, body)
    assert answer.status_code == 201, answer.text
    lot: str = answer.json["lot"]["lotId"]
    return lot


def bought(hotel: Hotel, credits: int, key: str = "", **more: Any) -> str:
    """Grant what somebody has paid for, and answer the key of it."""
    key = key or f"purchase:{uuid4()}"
    granted(hotel, credits, source="purchase", sourceKey=key, **more)
    return key


def use(credits: int, **more: Any) -> dict[str, Any]:
    """What a service spends."""
    body = {
        "creditsMicro": micro(credits),
        "service": "concierge",
        "externalReference": "chat-1",
        **more,
    }
    return {name: value for name, value in body.items() if value is not None}


def deduct(hotel: Hotel, credits: int, key: str = "", **more: Any) -> TestResponse:
    """Spend credits."""
    return hotel.post("/credits/deduct", use(credits, **more), key=key)


def hold(hotel: Hotel, credits: int, key: str = "", **more: Any) -> TestResponse:
    """Set credits aside."""
    return hotel.post("/credits/holds", use(credits, **more), key=key)


def held(hotel: Hotel, credits: int, **more: Any) -> str:
    """Set credits aside and answer the hold."""
    answer = hold(hotel, credits, **more)
    assert answer.status_code == 201, answer.text
    hold_id: str = answer.json["hold"]["holdId"]
    return hold_id


def capture(hotel: Hotel, hold_id: str, credits: int, key: str = "") -> TestResponse:
    """Spend out of a hold."""
    body = {"creditsMicro": micro(credits)}
    return hotel.post(f"/credits/holds/{hold_id}/capture", body, key=key)


def release(hotel: Hotel, hold_id: str, key: str = "") -> TestResponse:
    """Give a hold up."""
    return hotel.post(f"/credits/holds/{hold_id}/release", {}, key=key)


def transfer(hotel: Hotel, credits: int, to: str, key: str = "", **more: Any) -> TestResponse:
    """Move credits to another account."""
    body = {"toAccount": to, "creditsMicro": micro(credits), **more}
    return hotel.post("/credits/transfer", body, key=key)


def balance(hotel: Hotel, account: str = "main") -> dict[str, Any]:
    """What an account has, as it is shown."""
    answer = hotel.get("/credits/balance", account=account)
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json
    return document


def available(hotel: Hotel, account: str = "main") -> int:
    """What can be spent, in micro credits."""
    figure: int = balance(hotel, account)["availableMicro"]
    return figure


def lots(hotel: Hotel, account: str = "main") -> Figures:
    """Of each lot: its source, and in whole credits what is left and held."""
    return hotel.rows(
        "SELECT source, left_micro / 1000000, lots.held_micro / 1000000"
        " FROM {s}.credit_lots AS lots JOIN {s}.credit_accounts AS a ON a.id = account_id"
        " WHERE name = :account ORDER BY lots.id",
        account=account,
    )


def entries(hotel: Hotel, account: str = "main") -> Figures:
    """Of each entry: its kind, and in whole credits what it moved of balance, holds and debt."""
    return hotel.rows(
        "SELECT kind, amount_micro / 1000000, e.held_micro / 1000000, e.debt_micro / 1000000"
        " FROM {s}.credit_ledger_entries AS e JOIN {s}.credit_accounts AS a ON a.id = account_id"
        " WHERE name = :account ORDER BY sequence",
        account=account,
    )


def claw_back(
    hotel: Hotel, grant_key: str, credits: int, source_key: str = "", **more: Any
) -> TestResponse:
    """Take credits back, each by another platform actor, who confirms it."""
    by = f"platform-{uuid4()}"
    body = {
        "grantKey": grant_key,
        "sourceKey": source_key or f"refund:{uuid4()}",
        "creditsMicro": micro(credits),
        "reason": "The purchase was refunded",
    }
    context = signed(
        deed="credits.claw_back",
        tenant=str(hotel.tenant_id),
        grantKey=body["grantKey"],
        sourceKey=body["sourceKey"],
        creditsMicro=body["creditsMicro"],
    )
    sent = confirmed(hotel, body, context, by)
    return hotel.post("/credits/claw-backs", sent, token=hotel.token(SCOPE, sub=by), **more)


def waive(hotel: Hotel, credits: int, account: str = "main", **more: Any) -> TestResponse:
    """Let an account off a debt, each by another platform actor, who confirms it."""
    by = f"platform-{uuid4()}"
    body = {"account": account, "creditsMicro": micro(credits), "reason": "They had a bad year"}
    context = signed(
        deed="credits.waive_debt",
        tenant=str(hotel.tenant_id),
        account=account,
        creditsMicro=body["creditsMicro"],
    )
    sent = confirmed(hotel, body, context, by)
    return hotel.post("/credits/debt/waive", sent, token=hotel.token(SCOPE, sub=by), **more)


def reverse(hotel: Hotel, source_key: str, **more: Any) -> TestResponse:
    """Give back what was taken, each by another platform actor, who confirms it."""
    by = f"platform-{uuid4()}"
    context = signed(
        deed="credits.reverse_claw_back", tenant=str(hotel.tenant_id), sourceKey=source_key
    )
    body = {"sourceKey": source_key, "reason": "The dispute was won"}
    sent = confirmed(hotel, body, context, by)
    path = "/credits/claw-backs/reverse"
    return hotel.post(path, sent, token=hotel.token(SCOPE, sub=by), **more)
