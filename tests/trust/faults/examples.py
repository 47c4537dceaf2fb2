"""One call of everything that changes something: functions, consumers and jobs.

    act = EXAMPLES["post_charge"](scene)      # what has to be there before
    act(scene.starts(Doomed()))               # the call; sent again, it is the same request

A function that is not here turns `test_everything_that_changes_something_has_an_example` red.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, Final
from uuid import uuid4

from werkzeug.test import TestResponse

from common.sandbox.gateway import LOST, UNREACHABLE
from tests.crediting import WRITE, credits, lines_of, request_of, voiding
from tests.depositing import (
    CANCELED,
    TWO_DAYS_BEFORE,
    booked,
    cancellation,
    paid_ahead,
    path,
    that_forfeits,
)
from tests.depositing import wanted as deposit_wanted
from tests.hotel import Hotel, charge, new_id, usd, vat
from tests.matching import difference
from tests.moving import wanted as wanted_there
from tests.nights import room
from tests.owing import company, settle
from tests.reconciling import old_mismatch
from tests.refunding import SCOPE as REFUND
from tests.refunding import card_payment, context, refund, wanted
from tests.reopening import wanted as wanted_again
from tests.security.gated import SCOPE, WriteOff, what_is_approved
from tests.signals import a_signal
from tests.trust.faults.cash_examples import CASH
from tests.trust.faults.charging_examples import CHARGING
from tests.trust.faults.company_examples import COMPANIES
from tests.trust.faults.credit_examples import CREDITS
from tests.trust.faults.job_examples import JOBS, runs
from tests.trust.faults.payment_examples import PAYMENTS
from tests.trust.faults.payout_examples import PAYOUTS
from tests.trust.faults.purchase_examples import PURCHASES
from tests.trust.faults.review_examples import REVIEWS
from tests.trust.faults.scene import Scene, struck_out
from tests.trust.faults.subscription_examples import SUBSCRIPTIONS
from tests.webhooks import Webhook, captured

Act = Callable[[Hotel], str]
CONFIRMED: Final = "write_off"
"""The tests' own function behind a second factor, on a folio."""


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
    """Of 110.00 a company settles 50.00 later."""
    folio, _ = _owing(scene)
    answer = settle(scene.hotel, folio, company(scene.hotel), usd(5_000))
    assert answer.status_code == 201, answer.text
    scene.hotel.paid(folio, usd(6_000))
    return _posts(f"/folios/{folio}/close")


def _adjusting(scene: Scene) -> Act:
    folio, charged = _owing(scene)
    less = {"chargeId": charged, "amount": usd(-100), "description": "Noise", "reason": "Lift"}
    return _posts(f"/folios/{folio}/adjustments", less)


def _voiding(scene: Scene) -> Act:
    folio, charged = _owing(scene)
    return _posts(f"/folios/{folio}/charges/{charged}/void", {"reason": "Wrong room"})


def _reopening(scene: Scene) -> Act:
    hotel = scene.hotel
    folio, _ = hotel.closed_folio()
    token = hotel.token(sub="nadia")
    return _posts(f"/folios/{folio}/reopen", wanted_again(hotel, folio, "nadia"), token=token)


def _pointing_out(scene: Scene) -> Act:
    folio, _ = _owing(scene)
    odd = {"pattern": "folio_anomaly", "scorePpm": 870_000, "source": "orchestrator"}
    return _delivers("on_signal_raised", {"folioId": folio, **odd})


def _transferring(scene: Scene) -> Act:
    """All of one charge and a part of another."""
    hotel = scene.hotel
    folio, charged = _owing(scene)
    body = wanted_there(hotel.open_folio(), charged, hotel.charged(folio, "spa", 300))
    return _posts(f"/folios/{folio}/transfers", {**body, "amount": usd(1_100)})


def _moving_a_deposit(scene: Scene) -> Act:
    """A part of what was paid ahead, to a folio that owes."""
    folio, _ = _owing(scene)
    return _posts(path(paid_ahead(scene.hotel, 900)), deposit_wanted(folio, 500))


def _canceling(scene: Scene) -> Act:
    """A half is forfeited; of the rest a part goes back to the card, and a part is for a clerk."""
    that_forfeits(scene.hotel)
    name, folio = booked(scene.hotel, room(1))
    card_payment(scene.hotel, folio, usd(500))
    scene.hotel.paid(folio, usd(1_500), allowCredit=True)
    return _delivers(CANCELED, cancellation(scene.hotel, name, TWO_DAYS_BEFORE))


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


def _sending(scene: Scene) -> Act:
    _, invoice = scene.hotel.closed_folio()
    assert scene.hotel.render(invoice).status_code == 204
    return _posts(f"/invoices/{invoice}/send", {"recipients": ["guest@example.com"]})


def _sending_a_credit_note(scene: Scene) -> Act:
    hotel = scene.hotel
    _, invoice = hotel.closed_folio()
    note = credits(hotel, invoice, (lines_of(hotel, invoice)[0]["lineId"], usd(100))).json
    event = hotel.events("credit_note.issued")[-1]
    assert hotel.push("on_credit_note_issued", event).status_code == 204
    asked = {"recipients": ["guest@example.com"]}
    return _posts(f"/credit-notes/{note['creditNoteId']}/send", asked)


def _selling(scene: Scene) -> Act:
    check = {"pointOfSale": "BAR", "checkNumber": "4711", "description": "Tea"}
    house = {"propertyId": str(scene.hotel.property_id), "folioId": _owing(scene)[0]}
    return _delivers("on_charge_posted", {**check, **house, "unitAmount": usd(500)})


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
    job = runs("retry_refunds", scene)

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
    return runs("retry_refunds", scene)


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


def _resolving(scene: Scene) -> Act:
    path = f"/cash-reconciliations/{old_mismatch(scene.hotel)}/resolve"
    return _posts(path, {"reason": "It was paid back by hand"})


def _owning(scene: Scene) -> Act:
    path = f"/processor-differences/{difference(scene.hotel)}/owner"
    return _posts(path, {"owner": "laila"})


def _answering(scene: Scene) -> Act:
    path = f"/processor-differences/{difference(scene.hotel)}/resolve"
    return _posts(path, {"reason": "It was a trial"})


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
    "send_invoice": _sending,
    "send_credit_note": _sending_a_credit_note,
    "issue_credit_note": _crediting,
    "void_invoice": _voiding_an_invoice,
    "refund_payment": _refunding,
    "transfer_lines": _transferring,
    "reopen_folio": _reopening,
    "transfer_deposit": _moving_a_deposit,
    CONFIRMED: _writing_off,
    "on_credit_note_issued": _drawing_a_credit_note,
    "on_invoice_generated": _drawing,
    "on_payment_captured": _capturing,
    "on_charge_posted": _selling,
    "on_reservation_confirmed": partial(_arriving, "on_reservation_confirmed"),
    "on_reservation_checked_in": partial(_arriving, "on_reservation_checked_in"),
    CANCELED: _canceling,
    "on_tenant_created": _moving_in,
    "on_tenant_settings_updated": _settling_in,
    "on_tenant_tax_rules_updated": lambda scene: _delivers(
        "on_tenant_tax_rules_updated", {"taxRules": [vat(90_000)]}
    ),
    "on_refund_succeeded": _refunded,
    "on_refund_failed": _not_refunded,
    "on_signal_raised": _pointing_out,
    "retry_refunds": _retrying,
    "review_signal": _reviewing,
    "take_stripe_event": _told,
    "replay_webhook": _replaying,
    "resolve_reconciliation": _resolving,
    "own_processor_difference": _owning,
    "resolve_processor_difference": _answering,
    **JOBS,
    **CASH,
    **COMPANIES,
    **CREDITS,
    **SUBSCRIPTIONS,
    **CHARGING,
    **PAYMENTS,
    **PURCHASES,
    **REVIEWS,
    **PAYOUTS,
}
