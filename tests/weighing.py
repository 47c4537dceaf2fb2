"""Rules of risk and reviews to test with.

rules(hotel, at_most("card", 1, course="review"))
review = a_held_payment(hotel, folio)
"""

import json
import threading
from typing import Any, NamedTuple

from werkzeug.test import TestResponse

from common.runtime.declaration import declaration_of
from common.runtime.job import Orders, Progress
from jobs.expire_reviews import expire_reviews
from tests.hotel import Hotel, usd
from tests.paying import a_card, a_customer, an_intent, clerk, confirm
from tests.till import Amount

WHY = "The guest is known to the house"


def at_most(subject: str, count: int | None = None, **more: Any) -> dict[str, Any]:
    """A rule: so many attempts of a subject are usual in an hour."""
    rule = {"name": f"{subject}_often", "subject": subject, "windowSeconds": 3600, "points": 30}
    return rule | ({"countMax": count} if count is not None else {}) | more


def rules(hotel: Hotel, *given: dict[str, Any], **terms: int) -> None:
    """Let the hotel hold attempts to pay against these rules and no others."""
    hotel.write_settings(riskRules={"rules": list(given), **terms})


def checks(hotel: Hotel) -> list[list[Any]]:
    """Each check: when it was, what came of it, its score and the names of its reasons."""
    rows = hotel.rows(
        "SELECT stage, course, score, reasons FROM {s}.risk_checks ORDER BY checked_at, id"
    )
    return [
        [stage, course, score, [each["name"] for each in _read(reasons)]]
        for stage, course, score, reasons in rows
    ]


def _read(document: Any) -> Any:
    return json.loads(document) if isinstance(document, str) else document


class HeldPayment(NamedTuple):
    """A payment that waits for a person: what waits, from which card, and the review."""

    intent: str
    method: str
    review: str


def a_held_payment(
    hotel: Hotel, folio: str, amount: Amount | None = None, card: str = "sandbox_visa"
) -> HeldPayment:
    """A payment that every rule would have looked at, asked for by `asker`, made by `maker`."""
    rules(hotel, at_most("buyer", 0, course="review"))
    customer = a_customer(hotel)
    method = a_card(hotel, customer, card)
    body = {
        "folioId": folio,
        "customerId": customer,
        "amount": amount or usd(5_000),
        "allowCredit": True,
    }
    made = hotel.post("/payments/intent", body, token=hotel.token(sub="maker"))
    assert made.status_code == 201, made.text
    intent = made.json["paymentIntentId"]
    answer = confirm(hotel, intent, method, token=hotel.token(sub="asker"))
    assert answer.status_code == 200, answer.text
    assert answer.json["status"] == "requires_payment_method", answer.text
    return HeldPayment(intent, method, answer.json["reviewId"])


def a_suspected_payment(
    hotel: Hotel, folio: str, customer: str = "", method: str = ""
) -> HeldPayment:
    """A payment that the AI is sure about; no settings are changed for it."""
    customer = customer or a_customer(hotel)
    method = method or a_card(hotel, customer)
    intent = an_intent(hotel, folio, usd(5_000), customer)
    odd = {"folioId": folio, "paymentIntentId": intent, "pattern": "payment_risk"}
    told = {**odd, "scorePpm": 1_000_000, "source": "orchestrator"}
    assert hotel.deliver("on_signal_raised", told).status_code == 204
    answer = confirm(hotel, intent, method)
    assert answer.json["status"] == "requires_payment_method", answer.text
    return HeldPayment(intent, method, answer.json["reviewId"])


def decide(
    hotel: Hotel, review: str, decision: str = "approve", by: str = "reviewer", **more: Any
) -> TestResponse:
    """Decide a review."""
    body = {"decision": decision, "reason": more.pop("reason", WHY)}
    more.setdefault("token", hotel.token(sub=by))
    return hotel.post(f"/reviews/{review}/decision", body, **more)


def expire(hotel: Hotel) -> Progress:
    """What a run of the job over this tenant came to."""
    declared: Any = declaration_of(expire_reviews)  # type: ignore[arg-type] # a job's declaration
    orders = Orders(tenants=(hotel.tenant_id,))
    return hotel.house.wiring.job_shell.run(
        declared, orders, stop=threading.Event(), tell=lambda _: None
    )


def reviews_of_every_state(hotel: Hotel) -> None:
    """One waits, one is approved, one refused, one expired; two payments are refused at once."""
    hotel.house.turn_clock("2026-03-01T10:00:00+00:00")
    folio = hotel.open_folio()
    a_held_payment(hotel, folio)
    hotel.house.turn_clock("2026-03-05T10:00:00+00:00")
    assert expire(hotel).done == 1
    for decision in ("approve", "refuse", ""):
        held = a_held_payment(hotel, folio)
        if decision:
            assert decide(hotel, held.review, decision).status_code == 200
    buyer = Buyer.at(hotel, folio)
    waiting = buyer.intends()
    rules(hotel, at_most("tenant", 0, course="refuse"))
    assert confirm(hotel, waiting, buyer.card).status_code == 403
    body = {"folioId": folio, "customerId": buyer.customer, "amount": usd(100)}
    assert hotel.post("/payments/intent", {**body, "allowCredit": True}).status_code == 403
    rules(hotel, at_most("buyer", 0, points=40))
    assert buyer.pays().json["status"] == "requires_action"
    rules(hotel)
    assert buyer.pays().json["status"] == "succeeded"
    hotel.house.reset_clock()


class Buyer(NamedTuple):
    """A customer with a card, who pays again and again."""

    hotel: Hotel
    folio: str
    customer: str
    card: str

    @classmethod
    def at(cls, hotel: Hotel, folio: str, card: str = "sandbox_visa") -> "Buyer":
        customer = a_customer(hotel)
        return cls(hotel, folio, customer, a_card(hotel, customer, card))

    def intends(self, amount: Amount | None = None) -> str:
        """Make a payment out."""
        return an_intent(self.hotel, self.folio, amount or usd(1_000), self.customer)

    def pays(self, amount: Amount | None = None, **more: Any) -> TestResponse:
        """Make a payment out and confirm it, each by a clerk who does nothing else."""
        more.setdefault("token", clerk(self.hotel))
        return confirm(self.hotel, self.intends(amount), self.card, **more)
