"""Subscriptions for the attacks: for each function that asks for one, a tenant in the right state.

What only reads is asked of the hotel's own tenant; what changes something is asked of another one,
as the platform's staff does. That one's subscription is put into the state that a good call needs
whenever a body is asked for.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self
from uuid import UUID, uuid4

from tests.buying import card
from tests.charging import choose, collect, incident, incidents_are_over, last_charge
from tests.hotel import Hotel, House, new_id, usd
from tests.platform_taxing import FAR_AHEAD, RATES, SELLER, rate, rules
from tests.subscribing import ask, subscribed
from tests.webhooks import Webhook, refunded_there

PLAN: dict[str, Any] = {
    "name": "Club",
    "currency": "USD",
    "monthlyFee": usd(1_000),
    "yearlyFee": usd(10_000),
    "seatMonthlyFee": usd(200),
    "seatYearlyFee": usd(2_000),
    "creditsMicro": 7_000_000,
    "limits": {"projects": 3, "users": 2, "aiRequests": 5, "storageMb": 100},
    "support": "email",
    "sla": True,
    "trialDays": 7,
    "usagePrices": [
        {
            "meter": "ai_tokens",
            "model": "tiered",
            "per": 1_000,
            "included": 5_000,
            "tiers": [
                {"upTo": 1_000, "price": {"amountMicro": 2_500, "currency": "USD"}},
                {"price": {"amountMicro": 1_500, "currency": "USD"}},
            ],
        }
    ],
}
ANEW = (
    "version_id = 'plv_01K9ZQ0M8Y0000000000000002', fee_micro = 29000000, agreed_micro = NULL,"
    " next_version_id = NULL, next_seats = NULL, next_interval = NULL, next_fee_micro = NULL,"
    " next_agreed_micro = NULL, seats = 1, last_period = NULL, committed_periods = 0"
)
RUNS = (
    "status = 'active', canceled_at = NULL, paused_at = NULL,"
    " period_end = now() + interval '9 days', due_at = now() + interval '9 days'"
)
STANDS = "canceled_at = NULL, paused_at = NULL, due_at = NULL"
STATES = {
    "create_subscription": "status = 'canceled', canceled_at = now(), due_at = NULL",
    "change_subscription": RUNS,
    "cancel_subscription": RUNS,
    "pause_subscription": RUNS,
    "resume_subscription": "status = 'paused', paused_at = now(), canceled_at = NULL,"
    " due_at = NULL",
    "choose_payment_method": RUNS,
    "refund_subscription_invoice": RUNS,
    "reactivate_subscription": f"{STANDS}, status = 'suspended'",
    "cycle_subscription": "status = 'active', canceled_at = NULL, paused_at = NULL,"
    " period_start = now() - interval '40 days', period_end = now() - interval '10 days',"
    " due_at = now() - interval '10 days'",
}


@dataclass(frozen=True)
class Subscribers:
    """The hotel's own invoice, a plan of the tests' own, the tenant that is acted on with its card
    and an invoice that it has paid, and an incident that the hotel has declared, as if it were the
    platform's office."""

    invoice: str
    incident: str
    plan: str
    other: Hotel
    card: str
    paid: str

    @classmethod
    def of(cls, hotel: Hotel) -> Self:
        token = hotel.token("subscription.read")
        listed = hotel.get("/subscription-invoices", token=token).json["items"]
        invoice = (listed[0] if listed else subscribed(hotel)["invoice"])["invoiceId"]
        database = hotel.house.wiring.settings.databases["main"]
        if database not in _OTHERS or not _is_there(*_OTHERS[database]):
            _OTHERS[database] = _acted_on(hotel.house)
        return cls(invoice, _incident(hotel), *_OTHERS[database])

    def tenant(self, name: str, own: UUID) -> str:
        """Whom the function in this call is about."""
        return str(self.other.tenant_id if name in STATES else own)

    def credited(self, hotel: Hotel) -> tuple[str, str]:
        """An invoice of the hotel's own of which a cent was given back, and the credit note."""
        known = (
            "SELECT invoice_id, id FROM billing_central.platform_credit_notes WHERE tenant_id = :t"
        )
        found = hotel.house.sql(known, t=hotel.tenant_id)
        if not found:
            assert choose(hotel, card(hotel)).status_code == 200
            collect(hotel)
            payment = f"sandbox_pi_{last_charge(hotel).removeprefix('pin_')}"
            Webhook(hotel).send(refunded_there(payment, f"re_{uuid4().hex}", 1))
            found = hotel.house.sql(known, t=hotel.tenant_id)
        return str(found[0][0]), str(found[0][1])

    def body(self, name: str) -> Any:
        """What is asked, of a subscription that allows it."""
        if name in STATES:
            moved = STATES[name]
            self.other.house.sql(
                f"UPDATE billing_central.subscriptions SET {ANEW}, {moved} WHERE id = ("
                " SELECT id FROM billing_central.subscriptions WHERE tenant_id = :t"
                " ORDER BY canceled_at DESC NULLS FIRST LIMIT 1)",
                t=self.other.tenant_id,
            )
        return BODIES[name](self)


_OTHERS: dict[str, tuple[str, Hotel, str, str]] = {}
"""In each database, a plan and a tenant: to bear another one for each test would take too long."""


def _incident(hotel: Hotel) -> str:
    """An incident of this office, declared once; the others of the database are over."""
    incidents_are_over(hotel.house)
    known = hotel.house.sql(
        "SELECT id FROM billing_central.platform_incidents WHERE office = :t LIMIT 1",
        t=hotel.tenant_id,
    )
    if known:
        return str(known[0][0])
    answer = incident(hotel, "declare")
    assert answer.status_code == 201, answer.text
    incidents_are_over(hotel.house)
    return str(answer.json["incidentId"])


def _declare(to: Subscribers) -> dict[str, Any]:
    incidents_are_over(to.other.house)
    return {"id": new_id("pfi"), "reason": "The network is down"}


def _end(to: Subscribers) -> dict[str, Any]:
    """It is on, and no other one is."""
    _declare(to)
    to.other.house.sql(
        "UPDATE billing_central.platform_incidents SET ended_at = NULL WHERE id = :i",
        i=to.incident,
    )
    return {"reason": "The network is up"}


def _is_there(_plan: str, hotel: Hotel, _card: str, paid: str) -> bool:
    """Whether it has not moved out: it stays for the tests of a file."""
    return bool(
        hotel.house.sql("SELECT FROM billing_central.subscription_invoices WHERE id = :i", i=paid)
    )


def _acted_on(house: House) -> tuple[str, Hotel, str, str]:
    """A plan, a tenant, a card of it, and an invoice that it has paid."""
    other = house.new_hotel()
    paid = subscribed(other, paymentMethodId=card(other))["invoice"]["invoiceId"]
    collect(other)
    body = {**PLAN, "plan": f"club_{uuid4().hex[:12]}"}
    made = ask(other, "plan.create", "/plans", body, office=other.tenant_id)
    assert made.status_code == 201, made.text
    return body["plan"], other, card(other), paid


@contextmanager
def never_subscribed(hotel: Hotel) -> Iterator[None]:
    """Let the hotel not have subscribed and nobody have tried, for one call; what it had is put
    back behind it, in the place of what the call has begun."""
    mine, parked = hotel.tenant_id, uuid4()

    def move(it: UUID, to: UUID) -> None:
        for table in ("subscriptions", "subscription_collections", "revenue_movements"):
            moved = f"UPDATE billing_central.{table} SET tenant_id = :to WHERE tenant_id = :it"
            hotel.house.sql(moved, it=it, to=to)

    move(mine, parked)
    try:
        yield
    finally:
        for table in (
            *("trial_marks", "trials", "subscription_collections", "revenue_movements"),
            "subscriptions",
        ):
            hotel.house.sql(f"DELETE FROM billing_central.{table} WHERE tenant_id = :t", t=mine)
        move(parked, mine)


def trial_with(card: str) -> dict[str, Any]:
    """A trial with every field."""
    return {
        "id": new_id("sub"),
        "plan": "team",
        "seats": 2,
        "interval": "year",
        "timeZone": "Asia/Kabul",
        "device": f"device-{uuid4().hex}",
        "paymentMethodId": card,
    }


def _why(_: Subscribers) -> dict[str, Any]:
    return {"reason": "Agreed by telephone"}


def _terms(_: Subscribers) -> dict[str, Any]:
    return {
        "plan": "enterprise",
        "planVersion": 1,
        "seats": 2,
        "interval": "month",
        "agreedMonthlyFee": usd(500_000),
        "reason": "Agreed by telephone",
    }


def _create(to: Subscribers) -> dict[str, Any]:
    return {
        **_terms(to),
        "id": new_id("sub"),
        "tenantId": str(to.other.tenant_id),
        "timeZone": "Asia/Kabul",
        "committed": True,
        "paymentMethodId": to.card,
    }


def _event(meter: str, **more: Any) -> dict[str, Any]:
    at = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return {"meter": meter, "eventId": uuid4().hex, "occurredAt": at, **more}


BODIES: dict[str, Callable[[Subscribers], dict[str, Any]]] = {
    "create_plan": lambda _: {**PLAN, "plan": f"club_{uuid4().hex[:12]}"},
    "publish_plan_version": lambda _: {**PLAN},
    "publish_platform_tax_rules": lambda _: rules(
        seller={**SELLER, "country": "AE"},  # where nothing is asked of a number
        rates=[*RATES, rate("AE", 50_000)],
        inForceFrom=FAR_AHEAD,
    ),
    "create_subscription": _create,
    "change_subscription": _terms,
    "cancel_subscription": lambda _: {"at": "now", "release": True, "reason": "They moved"},
    "pause_subscription": _why,
    "resume_subscription": _why,
    "reactivate_subscription": _why,
    "cycle_subscription": lambda _: {},
    "record_usage": lambda _: _event("ai_tokens", quantity=1_200),
    "record_usage_batch": lambda _: {
        "events": [
            _event("ai_tokens", quantity=1_200),
            _event("active_users", value="usr_karim"),
        ]
    },
    "choose_payment_method": lambda to: {"paymentMethodId": to.card},
    "refund_subscription_invoice": lambda to: {
        "tenantId": str(to.other.tenant_id),
        "id": new_id("rfd"),
        "amount": usd(1),
        "reason": "They were billed twice",
    },
    "declare_platform_incident": _declare,
    "end_platform_incident": _end,
}
QUERIES: dict[str, Callable[[Hotel], dict[str, str]]] = {
    "change_subscription": lambda hotel: {"preview": "false"},
    "cycle_subscription": lambda hotel: {"force": "false"},
    "show_one_stop_shop": lambda hotel: {"quarter": "2026-Q1"},
    "show_subscription_calendar": lambda hotel: {"years": "2"},
    "list_subscription_invoices": lambda hotel: {
        "tenantId": str(hotel.tenant_id),
        "limit": "50",
        "cursor": "IiI",
    },
    "get_platform_credit_note_pdf": lambda hotel: {"tenantId": str(hotel.tenant_id)},
    "get_subscription_invoice_pdf": lambda hotel: {"tenantId": str(hotel.tenant_id)},
    "show_subscription_invoice": lambda hotel: {"tenantId": str(hotel.tenant_id)},
    "list_usage": lambda hotel: {
        "tenantId": str(hotel.tenant_id),
        "meter": "ai_tokens",
        "periodNumber": "1",
        "limit": "50",
        "cursor": "InN1YiAxIG0i",
    },
}
