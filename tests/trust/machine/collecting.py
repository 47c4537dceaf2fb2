"""The model's collecting: what is open is charged, dunned for ten days, and given up at the end.

A card is what it is called: `visa` pays, `declined` is tried again, `expired` never pays, `3ds`
asks its tenant, and the answer of `lost` gets lost once. One that was left `for_stays` is no card
for the platform's bills. What a credit has paid meanwhile is asked for no more.
"""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any, Final

from tests.trust.machine import setting_off

Sub = dict[str, Any]
Charge = dict[str, Any]
RETRIES: Final = [timedelta(days=days) for days in (1, 3, 5, 7)]
LASTS: Final = timedelta(days=10)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
NEVER_ASKED: Final = timedelta(minutes=15)
MISSING, UNCONFIRMED = "payment_method_missing", "payment_intent_authentication_failure"
NEVER_ARRIVED, FOR_STAYS = "never_arrived", "PAYMENT_METHOD_FOR_STAYS"
GUESTS: Final = "sandbox_visa for_stays"
ASKED_BY_BANK: Final = "authentication_required"
CARDS: Final = {
    "sandbox_visa": ("succeeded", None),
    "sandbox_lost": ("succeeded", None),
    "sandbox_declined": ("failed", "generic_decline"),
    "sandbox_expired": ("failed", "expired_card"),
    "sandbox_3ds": ("requires_action", None),
}
HARD: Final = {MISSING, ASKED_BY_BANK, "expired_card"}
UNDER_WAY: Final = ("processing", "requires_action")


def begun(card: str | None) -> dict[str, Any]:
    return {"card": card, "since": None, "failures": 0, "wants": False, "next": None}


class Collecting:
    """How what a group owes is collected."""

    subs: list[Sub]
    invoices: list[dict[str, Any]]
    told: Counter[str]

    # what others bring about

    def owe(self, sub: Sub, now: datetime) -> None:
        """Something more is owed: it is charged at once, but of who is being dunned already."""
        if sub["collection"] is None:
            sub["collection"] = begun(None)
        found = sub["collection"]
        if found["since"] is None or found["next"] is None:
            found["next"] = now

    def collect_the_rest(self, sub: Sub, now: datetime) -> None:
        """It has ended without owing more: what was declined is asked for once more."""
        if sub["collection"] is not None and sub["collection"]["since"] is not None:
            self.owe(sub, now)

    def choose(self, card: str, now: datetime) -> str:
        if not self.subs:
            return "SUBSCRIPTION_UNKNOWN"
        if card == GUESTS:
            return FOR_STAYS
        sub = self.subs[-1]
        if sub["collection"] is None:
            sub["collection"] = begun(card)
        found, waits = sub["collection"], self.under_way(sub) is not None
        self.call_off(sub, now)
        found.update(card=card, wants=False, next=None if waits else now)
        return ""

    def forgive(self, sub: Sub, now: datetime) -> None:
        """What was declined counts no more; what is open is charged at once."""
        found = sub["collection"]
        if found is None:
            return
        self.recover(found)
        self.call_off(sub, now)
        if self.under_way(sub) is None:
            found["next"] = now

    def recover(self, found: dict[str, Any]) -> None:
        if found["since"] is not None:
            self.told["subscription.payment_recovered"] += 1
            found.update(since=None, failures=0, wants=False)

    def call_off(self, sub: Sub, now: datetime) -> None:
        """What waits at the bank is called off there, before another one takes its place."""
        charge = self.under_way(sub)
        if charge is not None and charge["status"] == "requires_action":
            if not charge["superseded"]:
                charge["next"] = now
            charge["superseded"] = True

    def set_off(self, sub: Sub, found: setting_off.Shares, now: datetime) -> None:
        """A credit pays what is open, or a part of it: what waits at the bank for more is called
        off; if nothing is left, the collector finds that all is well."""
        setting_off.take_off(sub, found)
        collection, charge = sub["collection"], self.under_way(sub)
        waits = charge is not None and charge["status"] == "requires_action"
        if charge is not None and waits and any(each is charge["invoice"] for each, _ in found):
            self.call_off(sub, now)
            collection.update(wants=False, next=None)
        elif not self.open_of(sub):
            collection["next"] = now

    # the jobs

    def collect(self, now: datetime) -> int:
        """Charge the oldest open invoice of each subscription for which something is due."""
        due = [sub for sub in self.subs if self.is_due(sub, now)]
        for sub in due:
            found = sub["collection"]
            found["next"] = None
            if self.under_way(sub) is not None:
                continue
            if self.open_of(sub):
                self.look(sub, now)
            elif sub["status"] in ("past_due", "suspended"):
                self.owes_nothing(sub, now)
        return len(due)

    def is_due(self, sub: Sub, now: datetime) -> bool:
        at = sub["collection"] and sub["collection"]["next"]
        return at is not None and at <= now

    def look(self, sub: Sub, now: datetime) -> None:
        found = sub["collection"]
        if sub["status"] == "paused":
            found["next"] = now + HOUR
        elif not found["wants"]:
            self.charge(sub, now)
        elif is_over(found, now):
            self.give_in(sub, now)
        else:
            found["next"] = next_at(found, now)

    def charge(self, sub: Sub, now: datetime) -> None:
        invoice, card = self.open_of(sub)[0], sub["collection"]["card"]
        if card is None:
            self.declined(sub, MISSING, now)
            return
        before = [each for each in sub["charges"] if each["invoice"] is invoice]
        sub["charges"].append({
            "invoice": invoice,
            "trial": len(before) + 1,
            "cents": setting_off.left(invoice),
            "card": card,
            "status": "processing",
            "failure": None,
            "begun": now,
            "next": now,
            "asked": False,
            "acted": None,
            "superseded": False,
            "gave_back": False,
        })  # fmt: skip
        self.told["subscription_payment.started"] += 1

    def settle(self, now: datetime) -> int:
        """Ask the processor for each charge, or what became of it."""
        due = [
            (sub, charge)
            for sub in self.subs
            for charge in sub["charges"]
            if charge["next"] is not None and charge["next"] <= now
        ]
        for sub, charge in due:
            self.ask(sub, charge, now)
            if charge["status"] not in UNDER_WAY:
                charge["next"] = None
            elif not charge["superseded"]:
                age = now - charge["begun"]
                charge["next"] = now + min(max(age, MINUTE), HOUR) if age else now
        return len(due)

    def ask(self, sub: Sub, charge: Charge, now: datetime) -> None:
        if not charge["asked"] and not is_for_all(charge):
            if now - charge["begun"] >= NEVER_ASKED:
                self.hear(sub, charge, "failed", NEVER_ARRIVED, now)
            return
        first, charge["asked"] = not charge["asked"], True
        kind = charge["card"].split(" ")[0]
        if first and kind == "sandbox_lost":
            return
        status, failure = charge["acted"] or CARDS[kind]
        if charge["superseded"] and status == "requires_action":
            status = "canceled"
        self.hear(sub, charge, status, failure, now)

    def hear(
        self, sub: Sub, charge: Charge, status: str, failure: str | None, now: datetime
    ) -> None:
        """What the processor says; whoever has heard it already goes on waiting."""
        if status == charge["status"]:
            self.waits_on(sub, charge, now)
            return
        charge.update(status=status, failure=failure)
        word = "action_required" if status == "requires_action" else status
        self.told[f"subscription_payment.{word}"] += 1
        found = sub["collection"]
        if status == "succeeded":
            self.paid(sub, charge, now)
        elif status == "requires_action":
            self.begins_to_wait(sub, charge, now)
        elif found["card"] != charge["card"] or charge["superseded"] or not is_for_all(charge):
            found["next"] = now
        else:
            self.declined(sub, failure or status, now)

    def begins_to_wait(self, sub: Sub, charge: Charge, now: datetime) -> None:
        if sub["collection"]["card"] != charge["card"] or not is_for_all(charge):
            self.call_off(sub, now)
            return
        self.declined(sub, ASKED_BY_BANK, now)
        sub["collection"]["next"] = None

    def waits_on(self, sub: Sub, charge: Charge, now: datetime) -> None:
        found = sub["collection"]
        is_asked = charge["status"] == "requires_action" and not charge["superseded"]
        if not is_asked or sub["status"] == "paused":
            return
        if found["since"] is None:
            self.begins_to_wait(sub, charge, now)
        elif is_over(found, now):
            self.give_in(sub, now)
            found["next"] = None

    def declined(self, sub: Sub, code: str, now: datetime) -> None:
        """It is tried again on its days, or asks for another card; then its time is over."""
        found = sub["collection"]
        if sub["status"] == "paused":
            found["next"] = now + HOUR
            return
        found["since"] = found["since"] or now
        found["failures"] += 1
        found["wants"] = code in HARD
        found["next"] = next_at(found, now)
        self.told["subscription.payment_failed"] += 1
        if sub["status"] == "active":
            sub["status"] = "past_due"
            self.tell(sub, "past_due")
        if is_over(found, now):
            self.give_in(sub, now)

    def give_in(self, sub: Sub, now: datetime) -> None:
        """Who did not pay is served no more; of who has left, the invoice is lost."""
        if sub["status"] == "canceled":
            self.open_of(sub)[0]["lost"] = True
            sub["collection"]["next"] = now
            self.call_off(sub, now)
        elif sub["status"] in ("active", "past_due"):
            sub["status"] = "suspended"
            self.tell(sub, "suspended")

    def paid(self, sub: Sub, charge: Charge, now: datetime) -> None:
        """Whatever else is open is looked at next, also where a credit pays it just now."""
        others = [each for each in self.open_of(sub) if each is not charge["invoice"]]
        charge["gave_back"] = setting_off.pay(sub, charge["invoice"], charge["cents"], others)
        if charge["gave_back"]:
            sub["version"] += 1
        sub["collection"]["next"] = now if others else None
        if not others:
            self.owes_nothing(sub, now)

    def owes_nothing(self, sub: Sub, now: datetime) -> None:
        self.recover(sub["collection"])
        if sub["status"] == "past_due":
            sub["status"] = "active"
            self.tell(sub, "reactivated")
        elif sub["status"] == "suspended" and self.has_ended(sub, now):
            self.renew(sub, now)
        elif sub["status"] == "suspended":
            self.serve_again(sub, now)

    # words

    def under_way(self, sub: Sub) -> Charge | None:
        return next((each for each in sub["charges"] if each["status"] in UNDER_WAY), None)

    def open_of(self, sub: Sub) -> list[dict[str, Any]]:
        """What is open, the oldest first."""
        found = [each for each in self.invoices if each["sub"] is sub and setting_off.is_open(each)]
        return sorted(found, key=lambda each: (each["issued"], str(each["id"])))

    def tell(self, sub: Sub, what: str) -> None:
        raise NotImplementedError

    def has_ended(self, sub: Sub, now: datetime) -> bool:
        raise NotImplementedError

    def renew(self, sub: Sub, now: datetime) -> None:
        raise NotImplementedError

    def serve_again(self, sub: Sub, now: datetime) -> None:
        raise NotImplementedError


def is_for_all(charge: Charge) -> bool:
    """Whether a charge is for what is left, and not for what was left once."""
    return bool(charge["cents"] == setting_off.left(charge["invoice"]))


def is_over(found: dict[str, Any], now: datetime) -> bool:
    return found["since"] is not None and now >= found["since"] + LASTS


def next_at(found: dict[str, Any], now: datetime) -> datetime | None:
    """The next of its days, the last one if another card is asked for; never in the past."""
    if found["since"] is None or is_over(found, now):
        return None
    end: datetime = found["since"] + LASTS
    days = [] if found["wants"] else [found["since"] + each for each in RETRIES]
    return next((each for each in days if now < each), end)
