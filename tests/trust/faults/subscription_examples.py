"""One call of everything that changes a plan or a subscription; see `examples`."""

import json
import secrets
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final
from uuid import uuid4

from werkzeug.test import TestResponse

from common.domain.identifiers import SubscriptionId
from common.domain.period import Interval
from common.domain.platform_identifiers import UsageRecordId
from common.domain.subscription import begin
from common.domain.subscription_life import cancel
from common.domain.subscription_terms import Terms
from common.domain.trial import begin_trial
from common.domain.trial_keys import Marks, Recognition, TrialKey
from common.domain.usage import UsageEvent, UsageRecord
from common.ports.transaction import Transaction
from common.ports.transactions import Caller, StoredAnswer
from common.procedures.subscribing import settle
from common.runtime.execute import Call
from common.runtime.system import SystemActor
from tests.hotel import Hotel, new_id
from tests.metering import send, send_all, used
from tests.platform_taxing import FAR_AHEAD, SELLER, rules
from tests.security.subscribers import PLAN
from tests.subscribing import WHY, act, put_into, staff, subscribed
from tests.trialing import Somebody
from tests.trust.faults.scene import Scene, struck_out

Act = Callable[[Hotel], str]
AT_NOON: Final = "2026-03-01T12:00:00Z"
"""When it is in these plays: what has not happened yet is not counted."""


def _confirms(
    hotel: Hotel, deed: str, path: str, body: dict[str, Any], method: str = "POST", **named: Any
) -> Act:
    """The same request with the same key and confirmation, however often it is sent."""
    key, known = str(uuid4()), staff(hotel, deed, {**named, **body}, office=hotel.tenant_id)
    tenant = {"tenantId": str(hotel.tenant_id)} if path == "/subscriptions" else {}
    sent = {**body, **tenant, "stepUpToken": known["stepUpToken"]}

    def do(at: Hotel) -> str:
        answer = at.call(method, path, sent, key=key, token=known["token"])
        return struck_out(f"{answer.status_code} {answer.text}")

    return do


def _of(scene: Scene, deed: str, body: dict[str, Any], method: str = "POST") -> Act:
    place = "" if deed == "change" else f"/{deed}"
    path = f"/subscriptions/{scene.hotel.tenant_id}{place}"
    return _confirms(scene.hotel, f"subscription.{deed}", path, body, method)


def _creating_a_plan(scene: Scene) -> Act:
    body = {**PLAN, "plan": "doomed"}
    return _confirms(scene.hotel, "plan.create", "/plans", body)


def _publishing(scene: Scene) -> Act:
    made = _creating_a_plan(scene)(scene.hotel)
    assert made.startswith("201"), made
    return _confirms(scene.hotel, "plan.publish", "/plans/doomed/versions", PLAN, plan="doomed")


def _publishing_tax_rules(scene: Scene) -> Act:
    body = rules(seller={**SELLER, "name": "Doomed"}, inForceFrom=FAR_AHEAD)
    return _confirms(scene.hotel, "platform_tax_rules.publish", "/platform/tax-rules", body)


def _subscribing(scene: Scene) -> Act:
    body = {"id": new_id("sub"), "plan": "pro"}
    return _confirms(scene.hotel, "subscription.create", "/subscriptions", body)


def _changing(scene: Scene) -> Act:
    subscribed(scene.hotel)
    return _of(scene, "change", {"plan": "team", "reason": WHY}, "PUT")


def _canceling(scene: Scene) -> Act:
    subscribed(scene.hotel)
    return _of(scene, "cancel", {"reason": WHY})


def _pausing(scene: Scene) -> Act:
    subscribed(scene.hotel)
    return _of(scene, "pause", {"reason": WHY})


def _resuming(scene: Scene) -> Act:
    subscribed(scene.hotel)
    assert act(scene.hotel, "pause").status_code == 200
    return _of(scene, "resume", {"reason": WHY})


def _reactivating(scene: Scene) -> Act:
    subscribed(scene.hotel)
    put_into(scene.hotel, status="suspended", due_at=None)
    return _of(scene, "reactivate", {"reason": WHY})


def overdue(hotel: Hotel, plan: str = "pro") -> None:
    """It began 31 days ago, and its period, a month of 28 or of at most 31 days, is over."""

    def subscribing(_: None, tx: Transaction) -> None:
        terms = Terms.of(tx.plans.get(plan), 1, Interval.MONTH, None)
        began = tx.now - timedelta(days=31)
        settle(begin(tx.new_id(SubscriptionId), terms, "UTC", began, None), tx)

    _does(hotel, subscribing)


def _does(hotel: Hotel, deed: Callable[[None, Transaction], None]) -> None:
    """Something that happened to a tenant at times of its own."""
    call = Call(
        use_case=deed,
        request=None,
        caller=Caller(actor=SystemActor.named("test", hotel.tenant_id), traceparent=""),
        tenant_id=hotel.tenant_id,
        answer=lambda _: StoredAnswer(b"", 204, {}, ""),
    )
    hotel.house.wiring.runner.run(call)


def _cycling(scene: Scene) -> Act:
    overdue(scene.hotel)
    return _of(scene, "cycle", {})


def _using(scene: Scene) -> Act:
    subscribed(scene.hotel)
    return _tells(send, used("ai_tokens", 5, AT_NOON))


def _using_much(scene: Scene) -> Act:
    subscribed(scene.hotel)
    somebody = used("active_users", None, AT_NOON, value="karim")
    return _tells(send_all, used("ai_tokens", 5, AT_NOON), somebody)


def _tells(sends: Callable[..., TestResponse], *events: dict[str, Any]) -> Act:
    """The same events under the same key, however often they are sent."""
    key = str(uuid4())

    def do(at: Hotel) -> str:
        answer = sends(at, *events, key=key)
        return struck_out(f"{answer.status_code} {answer.text}")

    return do


def _trying(scene: Scene) -> Act:
    """The same account on the same device; nobody else is known by them."""
    who = Somebody(email="za.rina+hotel@gmail.com")
    wanted, key = who.body(), str(uuid4())

    def do(at: Hotel) -> str:
        answer = at.call("POST", "/trials", wanted, key=key, token=who.token(at))
        return struck_out(f"{answer.status_code} {answer.text}")

    return do


def _metered(hotel: Hotel) -> None:
    """A plan with a price of its own, there once: whoever publishes one leaves a trail."""
    price = {"meter": "ai_tokens", "model": "per_unit", "per": 1, "included": 0}
    changed = {
        "id": "plv_01K9ZQ0M8Y0000000000000009",
        "plan": "by_the_token",
        "usage_prices": [{**price, "tiers": [[None, 1_000_000]]}],
    }
    hotel.house.sql(
        "INSERT INTO billing_central.plan_versions"
        " SELECT (jsonb_populate_record(pro, CAST(:changed AS jsonb))).*"
        " FROM billing_central.plan_versions AS pro WHERE plan = 'pro' AND number = 1"
        " ON CONFLICT DO NOTHING",
        changed=json.dumps(changed),
    )


def told_late(hotel: Hotel) -> None:
    """It began fifty days ago and ended ten days later, and what was told of it after that is on no
    invoice."""
    _metered(hotel)

    def subscribing(_: None, tx: Transaction) -> None:
        terms = Terms.of(tx.plans.get("by_the_token"), 1, Interval.MONTH, None)
        began = tx.now - timedelta(days=50)
        settle(begin(tx.new_id(SubscriptionId), terms, "UTC", began, None), tx)

    def ending(_: None, tx: Transaction) -> None:
        subscription, ended = tx.subscriptions.take(), tx.now - timedelta(days=40)
        settle(cancel(subscription, ended, WHY, at_once=True, release=False), tx)

    def telling(_: None, tx: Transaction) -> None:
        at = tx.now - timedelta(days=45)
        event = UsageEvent(meter="ai_tokens", event_id="late", quantity=5, occurred_at=at)
        book = tx.usage.take([event])
        (ended,) = (each.id for each in book.subscriptions)
        record = UsageRecord(id=tx.new_id(UsageRecordId), subscription_id=ended)
        assert book.count(event, {ended: record}, at)
        tx.usage.keep(record)
        tx.tell(record.recorded())

    for deed in (subscribing, ending, telling):
        _does(hotel, deed)


def some_marks(tx: Transaction) -> Recognition:
    """Of somebody who was never seen, under the oldest key that is kept."""
    account, email, device, proof = (secrets.token_bytes(32) for _ in range(4))
    kept = tx.trials.kept_keys().proofs
    key = TrialKey(version=min(kept), proof=kept[min(kept)] or proof)
    return Recognition(
        marks=(Marks(key=key, account=account, email=email, device=device, card=None),)
    )


def trial_that_is(hotel: Hotel, days: int, *, payable: bool = False) -> None:
    """A trial that began so many days ago, of a plan that costs nothing where it is `payable`."""

    def trying(_: None, tx: Transaction) -> None:
        terms = Terms.of(tx.plans.get("free" if payable else "pro"), 1, Interval.MONTH, None)
        began = tx.now - timedelta(days=days)
        created, trial = begin_trial(tx.new_id(SubscriptionId), terms, "UTC", began, days=14)
        tx.trials.begin(trial, some_marks(tx))
        settle(created, tx)

    call = Call(
        use_case=trying,
        request=None,
        caller=Caller(actor=SystemActor.named("test", hotel.tenant_id), traceparent=""),
        tenant_id=hotel.tenant_id,
        answer=lambda _: StoredAnswer(b"", 204, {}, ""),
    )
    hotel.house.wiring.runner.run(call)


SUBSCRIPTIONS: Final[dict[str, Callable[[Scene], Act]]] = {
    "create_plan": _creating_a_plan,
    "publish_plan_version": _publishing,
    "publish_platform_tax_rules": _publishing_tax_rules,
    "create_subscription": _subscribing,
    "change_subscription": _changing,
    "cancel_subscription": _canceling,
    "pause_subscription": _pausing,
    "resume_subscription": _resuming,
    "reactivate_subscription": _reactivating,
    "cycle_subscription": _cycling,
    "record_usage": _using,
    "record_usage_batch": _using_much,
    "start_trial": _trying,
}
