"""One run of each job that changes something, with what it finds to do; see `examples`."""

import threading
from collections.abc import Callable
from datetime import date
from typing import Final

from common.local.functions import job_declarations
from common.runtime.job import Orders
from tests.hotel import Hotel, usd
from tests.nights import checked_in, confirmed
from tests.reconciling import never_told
from tests.till import Till
from tests.trust.faults.cash_examples import waits_too_long
from tests.trust.faults.credit_examples import credits_that_end
from tests.trust.faults.scene import Scene
from tests.trust.faults.subscription_examples import overdue, told_late, trial_that_is
from tests.webhooks import Webhook, captured
from tests.weighing import a_suspected_payment

Act = Callable[[Hotel], str]


def runs(name: str, scene: Scene, as_of: date | None = None) -> Act:
    """A run of a job over the hotels of a scene, to its end."""
    job = next(each for each in job_declarations() if each.name == name)
    orders = Orders(once=True, tenants=scene.tenants, as_of=as_of)

    def act(at: Hotel) -> str:
        shell = at.house.wiring.job_shell
        progress = shell.run(job, orders, stop=threading.Event(), tell=lambda _: None)
        return f"{progress.outcome}, exit code {progress.exit_code}"

    return act


def _draining(scene: Scene) -> Act:
    for hotel in (scene.hotel, scene.annex):
        hotel.charged(hotel.open_folio())
    return runs("drain_outbox", scene)


def _catching_up(scene: Scene) -> Act:
    """Two invoices wait at one hotel, one at the other."""
    for hotel in (scene.hotel, scene.hotel, scene.annex):
        hotel.closed_folio()
    return runs("render_invoice_backlog", scene)


def _auditing(scene: Scene) -> Act:
    """The first of March: three guests in two houses slept one night, and one did not come."""
    scene.hotel.write_settings(noShowFeePpm=500_000)
    night = {"night": "2026-02-28", "price": usd(9_000)}
    stay = {"arrival": "2026-02-28", "departure": "2026-03-02"}
    for hotel in (scene.hotel, scene.hotel, scene.annex):
        checked_in(hotel, night, **stay)
    confirmed(scene.hotel, night, **stay)
    return runs("run_night_audit", scene)


def _detecting(scene: Scene) -> Act:
    """Both houses have ended a day; in one of them a drawer was short five times on it."""
    for _ in range(5):
        till = Till.opened(scene.hotel, usd(10_000))
        assert till.initiate(usd(9_500)).status_code == 200
        assert till.close(usd(9_500)).status_code == 200
    scene.admin.run(f"UPDATE {scene.hotel.schema}.cash_sessions SET business_date = '2026-02-28'")
    runs("run_night_audit", scene)(scene.hotel)
    return runs("detect_cash_patterns", scene)


def _watching(scene: Scene) -> Act:
    waits_too_long(scene)
    return runs("watch_stuck_sessions", scene)


def _reconciling(scene: Scene) -> Act:
    """A date is a mismatch at one hotel, and matched at the other."""
    return runs("reconcile_nightly", scene, as_of=never_told(scene.hotel))


def _matching(scene: Scene) -> Act:
    """A payment that nobody told us of is a difference at one hotel, and at the other none is."""
    on = never_told(scene.hotel, 3)
    return runs("reconcile_processor", scene, as_of=on)


def _checking(scene: Scene) -> Act:
    scene.hotel.closed_folio()
    return runs("check_books", scene)


def _expiring(scene: Scene) -> Act:
    credits_that_end(scene)
    return runs("expire_credits", scene)


def _reconciling_credits(scene: Scene) -> Act:
    credits_that_end(scene)
    return runs("reconcile_credits", scene)


def _cycling(scene: Scene) -> Act:
    for hotel in (scene.hotel, scene.annex):
        overdue(hotel)
    return runs("cycle_subscriptions", scene)


def _billing_what_came_late(scene: Scene) -> Act:
    """At both houses a subscription ended forty days ago, and something was told of it since."""
    for hotel in (scene.hotel, scene.annex):
        told_late(hotel)
    return runs("bill_late_usage", scene)


def _reminding(scene: Scene) -> Act:
    """At both houses a trial ends in two days."""
    for hotel in (scene.hotel, scene.annex):
        trial_that_is(hotel, 12)
    return runs("remind_trials", scene)


def _over(scene: Scene) -> Act:
    """A payment waited for a person at each hotel, and nobody came."""
    for hotel in (scene.hotel, scene.annex):
        a_suspected_payment(hotel, hotel.open_folio())
        over = "opened_at = opened_at - interval '4 days', expires_at = opened_at"
        scene.admin.run(f"UPDATE {hotel.schema}.reviews SET {over}")
    return runs("expire_reviews", scene)


def _forgetting(scene: Scene) -> Act:
    """The processor told of a payment at each hotel, 91 days ago."""
    for hotel in (scene.hotel, scene.annex):
        told = captured(hotel, "fol_none", 100, "pi_old", id="evt_old")
        assert Webhook(hotel).send(told).status_code == 200
        for table in ("webhook_events", "webhook_bodies"):
            past = "received_at = received_at - interval '91 days'"
            scene.admin.run(f"UPDATE {hotel.schema}.{table} SET {past}")
    return runs("forget_webhook_bodies", scene)


def _forgetting_what_is_nobodys(scene: Scene) -> Act:
    """The processor told three times, 91 days ago, of a payment of the one hotel as the other's."""
    theirs = "pi_annex"
    paid = {"method": "card", "paymentId": theirs, "allowCredit": True}
    scene.annex.paid(scene.annex.open_folio(), usd(5_000), **paid)
    for _ in range(3):
        told = captured(scene.hotel, "fol_none", 100, theirs)
        assert Webhook(scene.hotel).send(told).json["outcome"] == "quarantined"
        scene.admin.run(
            "UPDATE billing_central.dead_letters SET received_at = received_at - interval '91 days'"
            " WHERE message_id = :id",
            id=told["id"],
        )
    return runs("forget_quarantined_webhooks", scene)


def _forgetting_answers(scene: Scene) -> Act:
    """Two answers of one hotel and one of the other are 32 days old."""
    for hotel in (scene.hotel, scene.hotel, scene.annex):
        hotel.charged(hotel.open_folio())
    for hotel in (scene.hotel, scene.annex):
        scene.admin.run(
            f"UPDATE {hotel.schema}.idempotency_keys"
            " SET recorded_at = recorded_at - interval '32 days'"
        )
    return runs("forget_answers", scene)


def _forgetting_events(scene: Scene) -> Act:
    """Of a folio of each hotel the opening was told 31 days ago, and the charge was not."""
    for hotel in (scene.hotel, scene.annex):
        hotel.charged(hotel.open_folio())
    scene.admin.run(
        "UPDATE billing_central.outbox SET published_at = now() - interval '31 days',"
        " recorded_at = recorded_at - interval '31 days' WHERE sequence = 1"
    )
    return runs("forget_published_events", scene)


JOBS: Final[dict[str, Callable[[Scene], Act]]] = {
    "drain_outbox": _draining,
    "render_invoice_backlog": _catching_up,
    "run_night_audit": _auditing,
    "detect_cash_patterns": _detecting,
    "check_books": _checking,
    "watch_stuck_sessions": _watching,
    "reconcile_nightly": _reconciling,
    "reconcile_processor": _matching,
    "expire_credits": _expiring,
    "reconcile_credits": _reconciling_credits,
    "cycle_subscriptions": _cycling,
    "bill_late_usage": _billing_what_came_late,
    "remind_trials": _reminding,
    "expire_reviews": _over,
    "forget_webhook_bodies": _forgetting,
    "forget_quarantined_webhooks": _forgetting_what_is_nobodys,
    "forget_answers": _forgetting_answers,
    "forget_published_events": _forgetting_events,
}
