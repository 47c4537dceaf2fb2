"""The model's refunds: promised at once, and settled once, by whoever hears of the processor first.

A refund comes out of one payment and counts from the moment that it is recorded. Of a card the
processor is asked once the promise is committed, under the refund's own id: `sandbox_declined_` is
refused, of `sandbox_lost_` the first answer is lost. What nobody has heard of waits for the job.
Credits come back at once (`prepaid`).
"""

import copy
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Any, Final

from tests.trust.machine.books import Books
from tests.trust.machine.expected import Command, Expected, amount_of, fact, refused
from tests.trust.machine.folio import Folio, half_away, line_of

DECLINED: Final = "sandbox_declined_"
LOST: Final = "sandbox_lost_"
MINUTE: Final = timedelta(minutes=1)
Refund = dict[str, Any]


def give_back(folio: Folio, asked: dict[str, Any], now: datetime, day: date) -> str | None:
    """`asked`: id, payment (its id), amount, currency, reference."""
    places = [folio["lines"][each["line"]]["id"] for each in folio["paid"]]
    if asked["payment"] not in places:
        return "PAYMENT_UNKNOWN"
    paid = folio["paid"][places.index(asked["payment"])]
    if not folio["open"]:
        return "FOLIO_CLOSED"
    if asked["currency"] != paid["currency"]:
        return "CURRENCY_MISMATCH"
    if asked["amount"] > paid["amount"] - paid["back"]:
        return "REFUND_EXCEEDS_PAYMENT"
    if asked["amount"] <= 0:
        return "AMOUNT_NOT_POSITIVE"
    if paid["method"] not in ("card", "credits") and asked["reference"] is None:
        return "REFUND_REFERENCE_MISSING"
    whole = Fraction(paid["worth"] * (paid["back"] + asked["amount"]), paid["amount"])
    worth = max(half_away(whole) - paid["back_worth"], 0)
    folio["refunds"].append(
        {
            "id": asked["id"],
            "paid": folio["paid"].index(paid),
            "amount": asked["amount"],
            "worth": worth,
            "line": len(folio["lines"]),
            "waits": paid["method"] == "card",
            "status": "pending" if paid["method"] == "card" else "succeeded",
            "made": False,
            "attempts": 0,
            "due": now + MINUTE,
        }
    )
    write(folio, "refund", paid, worth, asked["amount"], day, folio["lines"][paid["line"]])
    return None


def write(
    folio: Folio, kind: str, paid: dict[str, Any], worth: int, amount: int, day: date, of: Any
) -> None:
    """A line, and what is left of the payment by it."""
    line = line_of(folio, kind, paid["method"], worth, day)
    line["corrects"] = of
    folio["lines"].append(line)
    folio["version"] += 1
    paid["back"] += amount
    paid["back_worth"] += worth


def settle(folio: Folio, refund: Refund, failed: bool, day: date) -> None:
    """What the processor said first; a refund that failed is taken back."""
    refund |= {"waits": False, "status": "failed" if failed else "succeeded"}
    if not failed:
        folio["version"] += 1
        return
    paid, line = folio["paid"][refund["paid"]], folio["lines"][refund["line"]]
    write(folio, "refund_reversal", paid, -refund["worth"], -refund["amount"], day, line)


class Refunds(Books):
    """The refunds of a group."""

    def _refund_payment(self, asked: Command, now: datetime) -> Expected:
        found = self._taken(asked)
        if isinstance(found, Expected):
            return found
        amount, currency = amount_of(asked.body["amount"])
        given = {
            "id": asked.body["id"],
            "payment": asked.body["paymentId"],
            "amount": amount,
            "currency": currency,
            "reference": asked.body.get("reference"),
        }
        trial = copy.deepcopy(found)
        code = give_back(trial, given, now, self.day(found["house"], now))
        return refused(code) if code else self._changed(found, trial, "refund.recorded")

    def ask_processor(self, folio: Folio, refund: Refund, now: datetime) -> None:
        """What becomes of a refund that waits, when the processor is asked for it."""
        processor = folio["paid"][refund["paid"]]["processor"]
        first, refund["made"] = not refund["made"], True
        if first and processor.startswith(LOST):
            refund["due"] = now + 2 ** min(refund["attempts"], 9) * MINUTE
            refund["attempts"] += 1
            return
        self.hear_of(folio, refund, processor.startswith(DECLINED), now)

    def hear_of(self, folio: Folio, refund: Refund, failed: bool, now: datetime) -> None:
        """The processor's word, unless there was one before."""
        if refund["waits"]:
            settle(folio, refund, failed, self.day(folio["house"], now))
            self.told.append(fact("refund.settled", folio, folio["version"]))

    def asked_at_once(self, asked: Command, now: datetime) -> None:
        """Whoever has promised a refund asks for it, unless the answer was a replay."""
        for folio in self.folios:
            for refund in folio["refunds"]:
                if refund["id"] == asked.body["id"] and refund["waits"]:
                    self.ask_processor(folio, refund, now)

    def waiting(self, now: datetime) -> list[tuple[Folio, Refund]]:
        """The refunds that the job finds, the longest waiting first."""
        found = [
            (folio, refund)
            for folio in self.folios
            for refund in folio["refunds"]
            if refund["waits"] and refund["due"] <= now
        ]
        return sorted(found, key=lambda each: each[1]["due"])

    def _on_refund_succeeded(
        self, data: dict[str, Any], told: tuple[str, str], now: datetime, pen: str
    ) -> str | None:
        everywhere = tuple(house["id"] for house in self.houses)
        found = self.folio(data["folioId"], everywhere)
        if found is None:
            return "FOLIO_UNKNOWN"
        refund = next((each for each in found["refunds"] if each["id"] == data["refundId"]), None)
        if refund is None:
            return "REFUND_UNKNOWN"
        self.hear_of(found, refund, "failureCode" in data, now)
        self.taken.add(told)
        return None

    _on_refund_failed = _on_refund_succeeded

    def standing(self) -> list[tuple[str, str]]:
        """Each refund, and where it stands."""
        return sorted((r["id"], r["status"]) for folio in self.folios for r in folio["refunds"])
