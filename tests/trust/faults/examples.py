"""One call of everything that changes something: functions, consumers and jobs.

    act = EXAMPLES["post_charge"](scene)      # what has to be there before
    act(scene.starts(Doomed()))               # the call; sent again, it is the same request

A function that is not here turns `test_everything_that_changes_something_has_an_example` red.
"""

import threading
from collections.abc import Callable
from datetime import date
from functools import partial
from typing import Any, Final
from uuid import uuid4

from werkzeug.test import TestResponse

from common.local.functions import (
    event_declarations,
    http_declarations,
    job_declarations,
)
from common.runtime.job import Orders
from common.sandbox.gateway import LOST, UNREACHABLE
from tests.crediting import WRITE, lines_of, request_of, voiding
from tests.hotel import Hotel, charge, new_id, usd, vat
from tests.moving import wanted as wanted_there
from tests.nights import checked_in, confirmed
from tests.reconciling import never_told, old_mismatch
from tests.refunding import SCOPE as REFUND
from tests.refunding import card_payment, context, refund, wanted
from tests.security.gated import SCOPE, WriteOff, what_is_approved
from tests.signals import a_signal
from tests.till import Till
from tests.trust.faults.cash_examples import CASH, waits_too_long
from tests.trust.faults.scene import Scene, struck_out
from tests.webhooks import Webhook, captured

Act = Callable[[Hotel], str]
CONFIRMED: Final = "write_off"
"""The tests' own function behind a second factor, on a folio."""


def changing() -> set[str]:
    """The names of all that may change something, from the declarations."""
    http = {each.name for each in http_declarations() if each.changes_state or each.signed_by}
    events = {each.name for each in event_declarations()}
    return http | events | {each.name for each in job_declarations()}


def _heard(answer: TestResponse) -> str:
    return struck_out(f"{answer.status_code} {answer.text}")


def _posts(path: str, body: Any = None, **more: Any) -> Act:
    """The same request with the same key, however often it is sent."""
    key = str(uuid4())
    return lambda at: _heard(at.post(path, body, key=key, **more))


def _delivers(consumer: str, data: dict[str, Any]) -> Act:
    """The same event with the same id."""
    event_id = new_id("evt")
    return lambda at: _heard(at.deliver(consumer, data, event_id=event_id))


def _owing(scene: Scene) -> tuple[str, str]:
    """A folio with one charge; both ids."""
    folio = scene.hotel.open_folio(windows=["company"])
    return folio, scene.hotel.charged(folio)


def _opening(scene: Scene) -> Act:
    body = {
        "propertyId": str(scene.hotel.property_id),
        "reservationId": "RES-1",
        "guest": {"name": "Zarmina"},
    }
    return _posts("/folios", body)


def _closing(scene: Scene) -> Act:
    folio, _ = _owing(scene)
    scene.hotel.paid(folio, usd(11_000))
    return _posts(f"/folios/{folio}/close")


def _adjusting(scene: Scene) -> Act:
    folio, charged = _owing(scene)
    less = {"chargeId": charged, "amount": usd(-100), "description": "Noise", "reason": "Lift"}
    return _posts(f"/folios/{folio}/adjustments", less)


def _voiding(scene: Scene) -> Act:
    folio, charged = _owing(scene)
    return _posts(f"/folios/{folio}/charges/{charged}/void", {"reason": "Wrong room"})


def _transferring(scene: Scene) -> Act:
    """All of one charge and a part of another."""
    hotel = scene.hotel
    folio, charged = _owing(scene)
    body = wanted_there(hotel.open_folio(), charged, hotel.charged(folio, "spa", 300))
    return _posts(f"/folios/{folio}/transfers", {**body, "amount": usd(1_100)})


def _paying(scene: Scene) -> Act:
    folio, _ = _owing(scene)
    card = {"method": "card", "amount": usd(500), "paymentId": f"pi-{uuid4()}"}
    return _posts(f"/folios/{folio}/payments", card)


def _backfilling(scene: Scene) -> Act:
    """A charge went untaxed while that was allowed; the rule has come since."""
    (house,) = scene.hotel.settings()["properties"]
    allowed = [{**house, "allowUntaxed": True, "untaxedUntil": "2099-01-01T00:00:00Z"}]
    scene.hotel.write_settings(taxRules=[], properties=allowed)
    folio, _ = _owing(scene)
    scene.hotel.write_settings()
    return _posts("/folios/tax-backfill", {"folioIds": [folio], "reason": "The rule came late"})


def _regenerating(scene: Scene) -> Act:
    _, invoice = scene.hotel.closed_folio()
    assert scene.hotel.render(invoice).status_code == 204
    return _posts(f"/invoices/{invoice}/regenerate")


def _writing_off(scene: Scene) -> Act:
    """A supervisor's confirmation counts once, and with the deed."""
    folio, charged = _owing(scene)
    asked = WriteOff(folio_id=folio, charge_id=charged, reason="Broken")  # type: ignore[arg-type]
    actor: Any = type("Supervisor", (), {"tenant_id": scene.hotel.tenant_id})
    token = scene.hotel.house.identity.issue_step_up_token(
        sub="supervisor",
        tenant_id=scene.hotel.tenant_id,
        scope=SCOPE,
        context=what_is_approved(asked, actor),
    )
    access = scene.hotel.token(SCOPE, sub="supervisor")
    body = {"reason": "Broken", "stepUpToken": token}
    return _posts(f"/test/folios/{folio}/charges/{charged}/write-off", body, token=access)


def _crediting(scene: Scene) -> Act:
    _, invoice = scene.hotel.closed_folio()
    line = lines_of(scene.hotel, invoice)[0]["lineId"]
    body = request_of(scene.hotel, invoice, (line, usd(1_000)))
    return _posts("/credit-notes", body, token=scene.hotel.token(WRITE, sub="mariam"))


def _voiding_an_invoice(scene: Scene) -> Act:
    _, invoice = scene.hotel.closed_folio()
    body = {"reason": "Wrong guest", "stepUpToken": voiding(scene.hotel, invoice)}
    token = scene.hotel.token(WRITE, sub="mariam")
    return _posts(f"/invoices/{invoice}/void", body, token=token)


def _refunding(scene: Scene) -> Act:
    """A card's refund; what the first attempt left behind the job settles."""
    hotel = scene.hotel
    folio, _ = _owing(scene)
    body = wanted(card_payment(hotel, folio, usd(500)), usd(300))
    body["stepUpToken"] = hotel.confirmation("mariam", REFUND, context(hotel, folio, body))
    access = hotel.token(sub="mariam")
    refund = _posts(f"/folios/{folio}/refunds", body, token=access)
    job = _runs("retry_refunds", scene)

    def act(at: Hotel) -> str:
        heard = refund(at)
        scene.let_refunds_be_due()
        return f"{heard}; {job(at)}"

    return act


def _refund_under_way(scene: Scene, processor: str = UNREACHABLE) -> dict[str, Any]:
    """A refund that nobody has told the processor of, or of which the answer was lost."""
    folio, _ = _owing(scene)
    payment = card_payment(scene.hotel, folio, usd(500), processor)
    answer = refund(scene.hotel, folio, payment, usd(300))
    assert answer.status_code == 201, answer.text
    scene.let_refunds_be_due()
    return {"refundId": answer.json["refund"]["refundId"], "folioId": folio}


def _refunded(scene: Scene) -> Act:
    return _delivers("on_refund_succeeded", _refund_under_way(scene))


def _not_refunded(scene: Scene) -> Act:
    told = {**_refund_under_way(scene), "failureCode": "card_expired"}
    return _delivers("on_refund_failed", told)


def _retrying(scene: Scene) -> Act:
    """The answer to one was lost, the other never reached the processor."""
    _refund_under_way(scene, LOST)
    _refund_under_way(scene)
    return _runs("retry_refunds", scene)


def _drawing_a_credit_note(scene: Scene) -> Act:
    _voiding_an_invoice(scene)(scene.hotel)
    event = scene.hotel.events("credit_note.issued")[-1]
    return lambda at: _heard(at.push("on_credit_note_issued", event))


def _drawing(scene: Scene) -> Act:
    _, invoice = scene.hotel.closed_folio()
    return lambda at: _heard(at.render(invoice))


def _capturing(scene: Scene) -> Act:
    folio, _ = _owing(scene)
    return _delivers(
        "on_payment_captured",
        {"paymentId": f"pi-{uuid4()}", "folioId": folio, "amount": usd(700)},
    )


def _arriving(consumer: str, scene: Scene) -> Act:
    stay = {
        "reservationId": "RES-2",
        "propertyId": str(scene.hotel.property_id),
        "guest": {"name": "Farid"},
        "arrival": "2026-03-01",
        "departure": "2026-03-03",
    }
    return _delivers(consumer, stay)


def _settling_in(scene: Scene) -> Act:
    document = scene.hotel.settings()
    del document["taxRules"]
    return _delivers("on_tenant_settings_updated", document)


def _moving_in(scene: Scene) -> Act:
    scene.newcomer = newcomer = uuid4()
    told = {"tenantId": str(newcomer)}
    event_id = new_id("evt")

    def act(at: Hotel) -> str:
        there = Hotel(at.house, newcomer)
        return _heard(there.deliver("on_tenant_created", told, event_id=event_id))

    return act


def _runs(name: str, scene: Scene, as_of: date | None = None) -> Act:
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
    return _runs("drain_outbox", scene)


def _catching_up(scene: Scene) -> Act:
    """Two invoices wait at one hotel, one at the other."""
    for hotel in (scene.hotel, scene.hotel, scene.annex):
        hotel.closed_folio()
    return _runs("render_invoice_backlog", scene)


def _auditing(scene: Scene) -> Act:
    """The first of March: three guests in two houses slept one night, and one did not come."""
    scene.hotel.write_settings(noShowFeePpm=500_000)
    night = {"night": "2026-02-28", "price": usd(9_000)}
    stay = {"arrival": "2026-02-28", "departure": "2026-03-02"}
    for hotel in (scene.hotel, scene.hotel, scene.annex):
        checked_in(hotel, night, **stay)
    confirmed(scene.hotel, night, **stay)
    return _runs("run_night_audit", scene)


def _reviewing(scene: Scene) -> Act:
    signal = a_signal(scene.hotel)
    body = {"verdict": "confirmed", "note": "He took it"}
    return _posts(f"/ai-signals/{signal}/review", body, token=scene.hotel.token(sub="farid"))


def _told(scene: Scene) -> Act:
    """The processor has captured a payment, and sends its event again where nobody answers."""
    event = captured(scene.hotel, _owing(scene)[0], 700, "pi_told", id="evt_told")
    return lambda at: _heard(Webhook(at).send(event)).replace("duplicate", "applied")


def _replaying(scene: Scene) -> Act:
    """A payment came before its folio, which a desktop that was offline had made."""
    folio = new_id("fol")
    event = captured(scene.hotel, folio, 700, "pi_early", id="evt_early")
    assert Webhook(scene.hotel).send(event).json["outcome"] == "refused"
    scene.hotel.open_folio(id=folio)
    return _posts("/webhooks/replay", {"eventId": event["id"]})


def _detecting(scene: Scene) -> Act:
    """Both houses have ended a day; in one of them a drawer was short five times on it."""
    for _ in range(5):
        till = Till.opened(scene.hotel, usd(10_000))
        assert till.initiate(usd(9_500)).status_code == 200
        assert till.close(usd(9_500)).status_code == 200
    scene.admin.run(f"UPDATE {scene.hotel.schema}.cash_sessions SET business_date = '2026-02-28'")
    _runs("run_night_audit", scene)(scene.hotel)
    return _runs("detect_cash_patterns", scene)


def _watching(scene: Scene) -> Act:
    waits_too_long(scene)
    return _runs("watch_stuck_sessions", scene)


def _reconciling(scene: Scene) -> Act:
    """A date is a mismatch at one hotel, and matched at the other."""
    return _runs("reconcile_nightly", scene, as_of=never_told(scene.hotel))


def _resolving(scene: Scene) -> Act:
    path = f"/cash-reconciliations/{old_mismatch(scene.hotel)}/resolve"
    return _posts(path, {"reason": "It was paid back by hand"})


def _checking(scene: Scene) -> Act:
    scene.hotel.closed_folio()
    return _runs("check_books", scene)


EXAMPLES: Final[dict[str, Callable[[Scene], Act]]] = {
    "open_folio": _opening,
    "post_charge": lambda scene: _posts(f"/folios/{_owing(scene)[0]}/charges", charge()),
    "post_charge_batch": lambda scene: _posts(
        f"/folios/{_owing(scene)[0]}/charges/batch", {"charges": [charge("spa"), charge()]}
    ),
    "post_adjustment": _adjusting,
    "void_charge": _voiding,
    "record_payment": _paying,
    "close_folio": _closing,
    "backfill_taxes": _backfilling,
    "regenerate_invoice": _regenerating,
    "issue_credit_note": _crediting,
    "void_invoice": _voiding_an_invoice,
    "refund_payment": _refunding,
    "transfer_lines": _transferring,
    CONFIRMED: _writing_off,
    "on_credit_note_issued": _drawing_a_credit_note,
    "on_invoice_generated": _drawing,
    "on_payment_captured": _capturing,
    "on_reservation_confirmed": partial(_arriving, "on_reservation_confirmed"),
    "on_reservation_checked_in": partial(_arriving, "on_reservation_checked_in"),
    "on_tenant_created": _moving_in,
    "on_tenant_settings_updated": _settling_in,
    "on_tenant_tax_rules_updated": lambda scene: _delivers(
        "on_tenant_tax_rules_updated", {"taxRules": [vat(90_000)]}
    ),
    "on_refund_succeeded": _refunded,
    "on_refund_failed": _not_refunded,
    "drain_outbox": _draining,
    "render_invoice_backlog": _catching_up,
    "retry_refunds": _retrying,
    "run_night_audit": _auditing,
    "review_signal": _reviewing,
    "take_stripe_event": _told,
    "replay_webhook": _replaying,
    "detect_cash_patterns": _detecting,
    "check_books": _checking,
    "watch_stuck_sessions": _watching,
    "reconcile_nightly": _reconciling,
    "resolve_reconciliation": _resolving,
    **CASH,
}
