"""The model's payments by card that the processor takes for a folio, and the lease on its debt.

A payment is written down, confirmed, and taken, declined, or left to its guest, who confirms it to
the bank or never does. While it is under way, what it collects is kept from everybody else for a
quarter of an hour. What comes late, for a folio that was closed or paid meanwhile, goes back by
itself: that is not in this model.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

from tests.trust.machine import folio as folios
from tests.trust.machine.expected import MICRO, Command, Expected, Told, amount_of, fact, refused
from tests.trust.machine.folio import Folio
from tests.trust.machine.prepaid import Prepaid

QUARTER: Final = timedelta(minutes=15)
Intent = dict[str, Any]


class Cards(Prepaid):
    """The payments of a group that are taken from cards, and what they keep from others."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.intents: list[Intent] = []
        self.leases: dict[str, dict[str, Any]] = {}

    def intent(self, intent_id: str) -> Intent | None:
        return next((each for each in self.intents if each["id"] == intent_id), None)

    def lease(self, folio: Folio, now: datetime) -> dict[str, Any] | None:
        """What keeps others from the debt of a folio, while it runs."""
        found = self.leases.get(folio["id"])
        return found if found and now < found["until"] else None

    # others, whom a lease keeps away

    def _record_payment(self, asked: Command, now: datetime) -> Expected:
        found, body = self._taken(asked), asked.body
        if isinstance(found, Expected) or body.get("paymentId") in self.processor:
            return super()._record_payment(asked, now)
        lease, owed = self.lease(found, now), max(folios.balance(found), 0)
        if lease and owed and body["method"] != "card":
            worth = folios.worth(found, *amount_of(body["amount"]))
            if worth is None:
                return refused("FX_RATE_MISSING")
            if worth > owed - min(lease["worth"], owed):
                return Expected(409, "PAYMENT_UNDER_WAY")
        return super()._record_payment(asked, now)

    def _close_folio(self, asked: Command, now: datetime) -> Expected:
        found = self._taken(asked)
        if not isinstance(found, Expected) and self.lease(found, now):
            return Expected(409, "PAYMENT_UNDER_WAY")
        return super()._close_folio(asked, now)

    # a payment's own life

    def _create_payment_intent(self, asked: Command, now: datetime) -> Expected:
        body = asked.body
        found = self.folio(body["folioId"], asked.houses)
        if found is None:
            return Expected(404, "FOLIO_UNKNOWN")
        amount, currency = amount_of(body["amount"])
        if not found["open"]:
            return refused("FOLIO_CLOSED")
        if currency == "KWD" and amount % 10:
            return refused("AMOUNT_NOT_IN_MINOR_UNITS")  # the processor's dinars are coarser
        if amount <= 0:
            return refused("AMOUNT_NOT_POSITIVE")
        if amount > folios.balance(found) and not body["allowCredit"]:
            return refused("OVERPAYMENT")
        intent = {
            "id": body["id"],
            "folio": found,
            "amount": amount,
            "currency": currency,
            "credit": body["allowCredit"],
            "status": "requires_payment_method",
            "card": "",
            "version": 0,
            "confirmed": False,
        }
        self.intents.append(intent)
        return _stands(intent, 201, _told("payment_intent.made", intent))

    def _confirm_payment(self, asked: Command, now: datetime) -> Expected:
        intent = self.intent(asked.body["paymentIntentId"])
        if intent is None:
            return Expected(404, "PAYMENT_INTENT_UNKNOWN")
        status = intent["status"]
        if status in ("failed", "canceled"):
            return Expected(409, "PAYMENT_NOT_CONFIRMABLE")
        if status == "requires_action":
            return self._heard(intent, now) if intent["confirmed"] else _stands(intent, 200)
        if status == "succeeded":
            return _stands(intent, 200)
        refusal = self._leased(intent, now)
        if refusal is not None:
            return refusal
        methods = {method: card for card, method in self.cards.items()}
        intent["card"] = methods[asked.body["paymentMethodId"]]
        begun = _told("payment_intent.confirmed", intent)
        if intent["card"] == "sandbox_declined":
            return self._ended(intent, "failed", begun)
        if intent["card"] == "sandbox_3ds":
            intent["status"] = "requires_action"
            return _stands(intent, 200, begun, _told("payment_intent.action_required", intent))
        heard = self._heard(intent, now)
        heard.events.insert(0, begun)
        return heard

    def _leased(self, intent: Intent, now: datetime) -> Expected | None:
        """Take the lease on what a payment collects; what refuses it."""
        folio, owed = intent["folio"], max(folios.balance(intent["folio"]), 0)
        if not folio["open"]:
            return refused("FOLIO_CLOSED")
        if intent["amount"] > owed and not intent["credit"]:
            return refused("OVERPAYMENT")
        worth = min(intent["amount"], owed)
        if worth:
            if self.lease(folio, now):
                return Expected(409, "PAYMENT_UNDER_WAY")
            lease = {"intent": intent["id"], "worth": worth, "until": now + QUARTER}
            self.leases[folio["id"]] = lease
        return None

    def _heard(self, intent: Intent, now: datetime) -> Expected:
        """The money has come, and stands on the folio."""
        folio, processor = intent["folio"], f"sandbox_pi_{intent['id'].removeprefix('pin_')}"
        given = {"method": "card", "processor": processor, "credit": True}
        given |= {"amount": intent["amount"], "currency": intent["currency"]}
        code = folios.pay(folio, given, self.settings.residual, self.day(folio["house"], now))
        assert code is None, code
        self.processor.add(processor)
        return self._ended(intent, "succeeded", fact("payment.recorded", folio, folio["version"]))

    def _ended(self, intent: Intent, status: str, *before: Callable[[], Told]) -> Expected:
        """It is under way no more, and keeps nobody away."""
        intent["status"], folio = status, intent["folio"]
        if self.leases.get(folio["id"], {}).get("intent") == intent["id"]:
            del self.leases[folio["id"]]
        stands = _stands(intent, 200, *before, _told(f"payment.{status}", intent))
        stands.touched = folio
        return stands

    def _cancel_payment(self, asked: Command, now: datetime) -> Expected:
        intent = self.intent(asked.path.split("/")[2])
        if intent is None:
            return Expected(404, "PAYMENT_INTENT_UNKNOWN")
        if intent["status"] == "canceled":
            return _stands(intent, 200)
        if intent["status"] not in ("requires_payment_method", "requires_action"):
            return Expected(409, "PAYMENT_NOT_CANCELABLE")
        if intent["confirmed"]:
            return self._heard(intent, now)
        return self._ended(intent, "canceled")


def _stands(intent: Intent, status: int, *events: Callable[[], Told]) -> Expected:
    amount = intent["amount"] * MICRO[intent["currency"]]
    said = {
        "paymentIntentId": intent["id"],
        "status": intent["status"],
        "amount": {"amountMicro": amount, "currency": intent["currency"]},
        "version": intent["version"],
    }
    return Expected(status, events=list(events), said=said, touched=intent["folio"])


def _told(kind: str, intent: Intent) -> Callable[[], Told]:
    intent["version"] += 1
    number = intent["version"]
    return lambda: (kind, intent["id"], number)
