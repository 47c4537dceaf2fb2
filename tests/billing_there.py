"""The processor's own billing, as it tells of itself: Stripe Billing in two shapes of its API.

sent(hotel, paid_there(hotel, "in_march", "pi_theirs"))
"""

from typing import Any

from tests.hotel import Hotel
from tests.subscribing import Figures, shown
from tests.webhooks import Webhook, event

MARCH = 1_772_366_400
"""Noon of 1 March 2026."""
OLD, BASIL = "2024-06-20", "2025-03-31.basil"


def theirs(hotel: Hotel) -> str:
    """The processor's subscription that collects the hotel's."""
    return f"sub_at_the_processor_{hotel.tenant_id.hex}"


def named(hotel: Hotel) -> dict[str, str]:
    """What stands in the metadata of that one."""
    mine = shown(hotel)["subscription"]["subscriptionId"]
    return {"tenantId": str(hotel.tenant_id), "subscriptionId": mine}


def paid_there(
    hotel: Hotel,
    invoice: str,
    payment: str | None,
    *,
    since: int | None = MARCH,
    version: str = BASIL,
    cents: int = 2_900,
    **changed: Any,
) -> dict[str, Any]:
    """The event that an invoice of theirs is paid, as a version of the API tells it."""
    shape = _old if version < BASIL else _basil
    about = {
        "id": f"{invoice}_{hotel.tenant_id.hex}",
        "object": "invoice",
        "amount_due": cents,
        "amount_paid": cents,
        "billing_reason": "subscription_cycle",
        "currency": "usd",
        "metadata": {},
        "status": "paid",
        **shape(hotel, payment, since, cents),
        **changed,
    }
    return event("invoice.paid", about, api_version=version)


def _old(hotel: Hotel, payment: str | None, since: int | None, cents: int) -> dict[str, Any]:
    """Before 2025-03-31: subscription, payment intent and charge stand on the invoice itself."""
    line = {
        "id": "il_old",
        "object": "line_item",
        "amount": cents,
        "proration": False,
        "subscription": theirs(hotel),
        "subscription_item": "si_old",
        "type": "subscription",
        **_period(since),
    }
    return {
        "charge": payment and payment.replace("pi_", "ch_"),
        "lines": {"object": "list", "data": [line], "has_more": False},
        "payment_intent": payment,
        "subscription": theirs(hotel),
        "subscription_details": {"metadata": named(hotel)},
    }


def _basil(hotel: Hotel, payment: str | None, since: int | None, cents: int) -> dict[str, Any]:
    """Since then: the subscription is under `parent`, and payments are a list that is sent along
    where somebody asks for it; a webhook does not."""
    details = {"metadata": named(hotel), "subscription": theirs(hotel)}
    of_item = {"proration": False, "subscription": theirs(hotel), "subscription_item": "si_new"}
    line = {
        "id": "il_new",
        "object": "line_item",
        "amount": cents,
        "parent": {"type": "subscription_item_details", "subscription_item_details": of_item},
        **_period(since),
    }
    about: dict[str, Any] = {
        "lines": {"object": "list", "data": [line], "has_more": False},
        "parent": {"type": "subscription_details", "subscription_details": details},
    }
    if payment is not None:
        part = {"type": "payment_intent", "payment_intent": payment}
        given_up = {"status": "canceled", "payment": {**part, "payment_intent": "pi_given_up"}}
        rows = [given_up, {"status": "paid", "amount_paid": cents, "payment": part}]
        about["payments"] = {"object": "list", "data": rows}
    return about


def _period(since: int | None) -> dict[str, Any]:
    return {} if since is None else {"period": {"start": since, "end": since + 31 * 86_400}}


def sent(hotel: Hotel, told: dict[str, Any]) -> str:
    """What became of an event."""
    answer = Webhook(hotel).send(told)
    assert answer.status_code == 200, answer.text
    return str(answer.json["outcome"])


def surplus(hotel: Hotel) -> Figures:
    """Of what came second: where its refund stands, cents, and the processor's payment."""
    return hotel.house.sql(
        "SELECT status, amount_micro / 10000, processor_payment_id"
        " FROM billing_central.subscription_refunds WHERE tenant_id = :t AND surplus_id IS NOT NULL"
        " ORDER BY requested_at, id",
        t=hotel.tenant_id,
    )


def begun(hotel: Hotel) -> int:
    """When the newest period has begun here."""
    ((since,),) = hotel.house.sql(
        "SELECT extract(epoch FROM period_start)::bigint FROM billing_central.subscriptions"
        " WHERE tenant_id = :t ORDER BY period_start DESC LIMIT 1",
        t=hotel.tenant_id,
    )
    return int(since)


def again(hotel: Hotel, invoice: str, payment: str | None, version: str = OLD) -> dict[str, Any]:
    """The event that theirs has taken what the newest paid invoice of a period came to, a second
    time. It names no subscription that would collect from now on."""
    ((since, cents),) = hotel.house.sql(
        "SELECT extract(epoch FROM period_start)::bigint, due_micro / 10000"
        " FROM billing_central.subscription_invoices WHERE tenant_id = :t AND purpose = 'period'"
        " AND paid_at IS NOT NULL ORDER BY year DESC, series_number DESC LIMIT 1",
        t=hotel.tenant_id,
    )
    alone = {"subscription": None} if version < BASIL else {}
    return paid_there(hotel, invoice, payment, since=since, cents=cents, version=version, **alone)


def paid_again(hotel: Hotel, invoice: str, payment: str) -> int:
    """Theirs has taken it a second time: so many cents."""
    told = again(hotel, invoice, payment)
    assert sent(hotel, told) == "applied"
    return int(told["data"]["object"]["amount_paid"])
