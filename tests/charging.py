"""Charges of subscriptions to test with; the card's token says how it behaves.

subscribed(hotel, paymentMethodId=card(hotel, "sandbox_declined"))
collect(hotel)
"""

from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from werkzeug.test import TestResponse

from common.domain.processor_payment import Heard, PaymentStatus
from common.ports.answers import Unreachable
from common.ports.cards import Cards, Order
from jobs.collect_subscriptions import collect_subscriptions
from jobs.settle_subscription_payments import settle_subscription_payments
from tests.hotel import Hotel, House, new_id, usd
from tests.paying import run_job
from tests.subscribing import SCOPE, WHY, Figures, ask, staff
from tests.till import signed
from tests.webhooks import event


@dataclass
class Silent:
    """The processor, which answers nothing while it is `down`, takes nothing below the `least`, and
    counts what it was asked for."""

    cards: Cards
    down: bool = False
    least_micro: int = 0
    paid: list[str] = field(default_factory=list)

    def pay(self, order: Order) -> Any:
        if self.down:
            return Unreachable()
        self.paid.append(order.id)
        if order.amount.amount_micro < self.least_micro:
            code = "amount_too_small"
            return Heard(processor_payment_id=None, status=PaymentStatus.FAILED, failure_code=code)
        return self.cards.pay(order)

    def standing(self, order: Order) -> Any:
        return Unreachable() if self.down else self.cards.standing(order)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.cards, name)


def collect(hotel: Hotel, *, settles: bool = True) -> None:
    """Run both jobs once: what is due is written down, and asked for."""
    assert run_job(hotel, collect_subscriptions).exit_code == 0
    if settles:
        assert run_job(hotel, settle_subscription_payments).exit_code == 0


def choose(hotel: Hotel, method: str, **more: Any) -> TestResponse:
    """Charge the subscription to another method."""
    path = f"/subscriptions/{hotel.tenant_id}/payment-method"
    body = {"paymentMethodId": method}
    return ask(hotel, "subscription.payment_method", path, body, "PUT", **more)


def collection(hotel: Hotel) -> dict[str, Any]:
    """How the subscription is collected, as its own tenant reads it."""
    token = hotel.token("subscription.read")
    answer = hotel.get(f"/subscriptions/{hotel.tenant_id}/collection", token=token)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json
    return found


def charges(hotel: Hotel) -> Figures:
    """Of each charge: its trial, its state, why it failed, and cents."""
    return hotel.house.sql(
        "SELECT trial, status, failure_code, amount_micro / 10000"
        " FROM billing_central.subscription_payments WHERE tenant_id = :t"
        " ORDER BY created_at, trial",
        t=hotel.tenant_id,
    )


def debts(hotel: Hotel) -> list[str]:
    """What has become of each invoice."""
    found = hotel.house.sql(
        "SELECT CASE WHEN due_micro = set_off_micro OR paid_at IS NOT NULL THEN 'paid'"
        " WHEN given_up_at IS NOT NULL THEN 'uncollectible' ELSE 'open' END"
        " FROM billing_central.subscription_invoices WHERE tenant_id = :t"
        " ORDER BY year, series_number",
        t=hotel.tenant_id,
    )
    return [row[0] for row in found]


def booked(hotel: Hotel) -> Figures:
    """What was booked of payments and of what was given up: the accounts, and cents."""
    return hotel.house.sql(
        "SELECT debit_account, credit_account, amount_micro / 10000"
        " FROM billing_central.platform_entries WHERE tenant_id = :t AND part >= 50"
        " ORDER BY occurred_at, part",
        t=hotel.tenant_id,
    )


def status(hotel: Hotel) -> str:
    """The state of the subscription."""
    found = hotel.house.sql(
        "SELECT status FROM billing_central.subscriptions WHERE tenant_id = :t"
        " ORDER BY canceled_at DESC NULLS FIRST",
        t=hotel.tenant_id,
    )
    return str(found[0][0])


def last_charge(hotel: Hotel) -> str:
    """The id of the newest charge."""
    found = hotel.house.sql(
        "SELECT id FROM billing_central.subscription_payments WHERE tenant_id = :t"
        " ORDER BY created_at DESC, trial DESC LIMIT 1",
        t=hotel.tenant_id,
    )
    return str(found[0][0])


def asked_of_the_processor(hotel: Hotel) -> int:
    """How many payments of this hotel's subscription the sandbox has made."""
    folder = hotel.house.wiring._folder("processor") / "intents"
    mine = hotel.house.sql(
        "SELECT id FROM billing_central.subscription_payments WHERE tenant_id = :t",
        t=hotel.tenant_id,
    )
    return len([row for row in mine if (folder / f"{row[0]}.json").exists()])


def first_invoice(hotel: Hotel) -> str:
    """The first invoice that was paid."""
    found = hotel.house.sql(
        "SELECT id FROM billing_central.subscription_invoices WHERE tenant_id = :t"
        " AND paid_at IS NOT NULL ORDER BY year, series_number LIMIT 1",
        t=hotel.tenant_id,
    )
    return str(found[0][0])


def refund_invoice(hotel: Hotel, invoice: str, cents: int, **more: Any) -> TestResponse:
    """Somebody of the platform gives so much of an invoice back."""
    sent = {"id": more.pop("id", new_id("rfd")), "amount": usd(cents), "reason": WHY}
    deed, request = "subscription_invoice.refund", {**sent, "invoiceId": invoice}
    known = staff(hotel, deed, request)
    body = {**sent, "tenantId": str(hotel.tenant_id), "stepUpToken": known["stepUpToken"]}
    path = f"/subscription-invoices/{invoice}/refunds"
    return hotel.post(path, body, token=known["token"], **more)


def told_of(hotel: Hotel, kind: str, charge: str, cents: int, **changed: Any) -> dict[str, Any]:
    """The processor tells what became of a charge."""
    about = {
        "id": f"sandbox_pi_{charge.removeprefix('pin_')}",
        "object": "payment_intent",
        "amount_received": cents,
        "currency": "usd",
        "metadata": {"tenantId": str(hotel.tenant_id), "paymentIntentId": charge},
        **changed,
    }
    return event(kind, about)


def told_of_invoice(hotel: Hotel, kind: str, charge: str, cents: int) -> dict[str, Any]:
    """The processor tells of an invoice that a charge of ours has paid, or has not."""
    about = {
        "id": f"in_{uuid4().hex[:20]}",
        "object": "invoice",
        "amount_paid": cents,
        "currency": "usd",
        "payment_intent": f"sandbox_pi_{charge.removeprefix('pin_')}",
        "metadata": {"tenantId": str(hotel.tenant_id), "paymentIntentId": charge},
    }
    return event(kind, about)


def incidents_are_over(house: House) -> None:
    """Let what others have declared be long over: it is the whole platform's."""
    house.sql(
        "UPDATE billing_central.platform_incidents"
        " SET declared_at = '2026-01-01', ended_at = '2026-01-01'"
    )


def incident(hotel: Hotel, deed: str, incident_id: str = "", **more: Any) -> TestResponse:
    """Declare an incident of the platform, or end it, in the office that this hotel stands for."""
    path = "/platform/incidents" + (f"/{incident_id}/end" if deed == "end" else "")
    named = {"id": incident_id or new_id("pfi")} if deed == "declare" else {}
    body = {**named, "reason": WHY}
    request = body if deed == "declare" else {**body, "incidentId": incident_id}
    by = f"platform-{uuid4()}"
    context = signed(deed=f"platform_incident.{deed}", tenant=str(hotel.tenant_id), request=request)
    sent = {**body, "stepUpToken": hotel.confirmation(by, SCOPE, context)}
    more.setdefault("token", hotel.token(SCOPE, sub=by))
    return hotel.post(path, sent, **more)
