"""Subscriptions to test with: the platform's staff acts on the tenant, from a tenant of its own.

    subscribed(hotel, "pro")
    answer = change(hotel, plan="team")

What is confirmed is worked out anew, from the rule alone: SHA-256 over sorted JSON without spaces.
"""

import threading
from typing import Any
from uuid import uuid4

from werkzeug.test import TestResponse

from common.local.functions import job_declarations
from common.runtime.job import Orders, Progress
from tests.hotel import Hotel, new_id
from tests.till import signed

SCOPE = "platform.subscription.write"
READING = "platform.subscription.read"
WHY = "As agreed by telephone"
Figures = list[list[Any]]


def staff(hotel: Hotel, deed: str, request: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The token of somebody of the platform, of another tenant, and their confirmation."""
    by, office = f"platform-{uuid4()}", more.pop("office", uuid4())
    tenant = str(more.pop("tenant", hotel.tenant_id))
    context = signed(deed=deed, tenant=tenant, request=request)
    return {
        "token": hotel.token(SCOPE, READING, sub=by, tenant_id=office),
        "stepUpToken": hotel.confirmation(by, SCOPE, context, tenant_id=office),
    }


def ask(
    hotel: Hotel, deed: str, path: str, body: dict[str, Any], method: str = "POST", **more: Any
) -> TestResponse:
    """Ask for something, confirmed by a member of the platform's staff."""
    request = {name: value for name, value in body.items() if name != "tenantId"}
    office = {"office": more.pop("office")} if "office" in more else {}
    known = staff(hotel, deed, request, **office)
    sent = {**body, "stepUpToken": known["stepUpToken"]}
    more.setdefault("token", known["token"])
    return hotel.call(method, path, sent, **more)


def subscribe(hotel: Hotel, plan: str = "pro", **more: Any) -> TestResponse:
    body = {"tenantId": str(hotel.tenant_id), "id": new_id("sub"), "plan": plan, **more}
    return ask(hotel, "subscription.create", "/subscriptions", body)


def subscribed(hotel: Hotel, plan: str = "pro", **more: Any) -> dict[str, Any]:
    """Subscribe the hotel's tenant, and answer what came of it."""
    answer = subscribe(hotel, plan, **more)
    assert answer.status_code == 201, answer.text
    document: dict[str, Any] = answer.json
    return document


def act(hotel: Hotel, deed: str, **body: Any) -> TestResponse:
    """Cancel, pause, resume or reactivate."""
    body = {"reason": WHY, **body}
    return ask(hotel, f"subscription.{deed}", f"/subscriptions/{hotel.tenant_id}/{deed}", body)


def cycle(hotel: Hotel, *, force: bool = False) -> TestResponse:
    """Run the cycle by hand."""
    switch = {"force": True} if force else {}
    known = staff(hotel, "subscription.cycle", switch)
    path = f"/subscriptions/{hotel.tenant_id}/cycle"
    sent = {"stepUpToken": known["stepUpToken"]}
    return hotel.call(
        "POST", path, sent, token=known["token"], **({"force": "true"} if force else {})
    )


def preview(hotel: Hotel, **wanted: Any) -> TestResponse:
    """What a change would cost; nobody confirms it."""
    token = hotel.token(SCOPE, sub=f"platform-{uuid4()}", tenant_id=uuid4())
    body = {"reason": WHY, **wanted}
    return hotel.call("PUT", f"/subscriptions/{hotel.tenant_id}", body, token=token, preview="true")


def change(hotel: Hotel, **wanted: Any) -> TestResponse:
    """Change plan, seats or interval."""
    body = {"reason": WHY, **wanted}
    return ask(hotel, "subscription.change", f"/subscriptions/{hotel.tenant_id}", body, "PUT")


def shown(hotel: Hotel) -> dict[str, Any]:
    """The subscription as its own tenant reads it."""
    answer = hotel.get(f"/subscriptions/{hotel.tenant_id}", token=hotel.token("subscription.read"))
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json
    return document


def run_cycle(*hotels: Hotel, **orders: Any) -> Progress:
    """What a run of the job over these tenants came to."""
    declared = next(each for each in job_declarations() if each.name == "cycle_subscriptions")
    return hotels[0].house.wiring.job_shell.run(
        declared,
        Orders(tenants=tuple(hotel.tenant_id for hotel in hotels), **orders),
        stop=threading.Event(),
        tell=lambda _: None,
    )


def invoices(hotel: Hotel) -> Figures:
    """Of each invoice: what it is for, its period, and in cents its total and what is due."""
    return hotel.house.sql(
        "SELECT purpose, period_number, total_micro / 10000, due_micro / 10000"
        " FROM billing_central.subscription_invoices WHERE tenant_id = :t"
        " ORDER BY year, series_number",
        t=hotel.tenant_id,
    )


def put_into(hotel: Hotel, **columns: Any) -> None:
    """Change the subscription that stands behind the service's back."""
    change = ", ".join(f"{name} = :{name}" for name in columns)
    hotel.house.sql(
        f"UPDATE billing_central.subscriptions SET {change} WHERE tenant_id = :t"
        " AND status <> 'canceled'",
        t=hotel.tenant_id,
        **columns,
    )
