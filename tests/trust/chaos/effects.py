"""What a command owes the books, and what is found of it there.

Every hotel of the chaos takes ten per cent on top of everything, and amounts are whole tens of
cents, so that each figure is worked out here without a rounding, and without the product.
"""

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from tests.trust.chaos.evidence import Audit, Books, Event, Line
from tests.trust.chaos.history import WEBHOOK, Command, Story

FOLLOW_UP = "folio.balance_due"
"""What a refused close tells the house: no effect of the command, but of its refusal."""
FACTS = {
    "open_folio": ("folio.opened",),
    "post_charge": ("charge.posted",),
    "void_charge": ("charge.voided",),
    "record_payment": ("payment.recorded",),
    "refund_payment": ("refund.recorded",),
    "transfer_lines": ("folio.lines_transferred", "folio.lines_transferred"),
    "close_folio": ("folio.closed", "invoice.generated"),
    "grant_credits": ("credits.granted",),
    "transfer_credits": ("credits.transferred", "credits.transferred"),
    "deduct_credits": ("credits.deducted",),
    "create_payment_intent": ("payment_intent.made",),
    "confirm_payment": ("payment_intent.confirmed", "payment.recorded", "payment.succeeded"),
    WEBHOOK: (),
}
CREDITS_A_MICRO: Final = 100
"""So many micro credits pay a micro unit, in every hotel of the chaos."""


@dataclass
class Found:
    """How much there is of a command, piece by piece, and the names of the rows that it is."""

    pieces: Counter[str] = field(default_factory=Counter)
    rows: set[str] = field(default_factory=set)

    def add(self, row: str, **pieces: int) -> None:
        self.rows.add(row)
        for name, amount in pieces.items():
            self.pieces[name] += amount

    @property
    def nothing(self) -> bool:
        return not self.rows and not any(self.pieces.values())


def is_begun(pieces: dict[str, int]) -> bool:
    """Whether it is as much of a card payment as is written down before the processor is asked."""
    left = {name for name in pieces if name != "stored_answers"}
    return left == {"audit_payment_intent.confirmed", "event_payment_intent.confirmed"}


def owed(command: Command) -> dict[str, int]:
    """All of a command, once; what the processor tells is applied once, and is of another one."""
    facts = FACTS[command.function]
    if by_credits(command):
        facts += (
            "credits.redeemed" if command.function == "record_payment" else "credits.restored",
        )
    pieces = dict(Counter(f"{kind}_{fact}" for fact in facts for kind in ("audit", "event")))
    pieces["stored_answers"] = len(key_hashes(command))
    amount, tax = command.amount_micro, command.amount_micro // 10
    match command.function:
        case "take_stripe_event":
            pieces = {"applied": 1}
        case "open_folio":
            pieces |= {"folios": 1}
        case "post_charge":
            pieces |= {"lines": 1, "moved": amount, "tax_lines": 1, "tax_moved": tax}
            pieces |= {"entries": 2, "booked": amount + tax}
        case "void_charge":
            pieces |= {"lines": 2, "moved": -amount - tax, "entries": 2, "booked": -amount - tax}
        case "record_payment" | "confirm_payment":
            pieces |= {"lines": 1, "moved": -amount, "payments": 1, "paid": amount}
            pieces |= {"entries": 1, "booked": -amount}
        case "refund_payment":
            pieces |= {"lines": 1, "moved": amount, "entries": 1, "booked": amount}
        case "transfer_lines":  # two lines undone, a charge and its tax anew: together nothing
            pieces |= {"lines": 3, "moved": -tax, "tax_lines": 1, "tax_moved": tax, "entries": 4}
        case "close_folio":
            pieces |= {"closed": 1, "settlements": 1, "invoices": 1}
        case "grant_credits":
            pieces |= {"moves": 1, "credits": amount, "bookings": 1}
        case "deduct_credits":
            pieces |= {"moves": 1, "credits": -amount, "bookings": 1}
        case "transfer_credits":  # out of one account and into the other, booked once
            pieces |= {"moves": 2, "bookings": 1}
    if by_credits(command):
        sign = -1 if command.function == "record_payment" else 1
        pieces |= {"moves": 1, "credits": sign * amount * CREDITS_A_MICRO, "bookings": 1}
    return pieces


def by_credits(command: Command) -> bool:
    """Whether credits settle a bill by it, or come back: of all else a refund has a reference."""
    if command.function == "refund_payment":
        return "reference" not in command.body
    return command.body.get("method") == "credits"


def found(command: Command, story: Story, books: Books) -> Found:
    """Whatever the books hold of a command, by its text, its traces and its keys."""
    here, place = Found(), (command.tenant, command.key)
    if command.function == WEBHOOK:
        if (told := (command.tenant, command.body["id"])) in books.applied:
            here.add(f"webhook {told[1]}", applied=books.applied[told])
        return here
    keys = [command.key]
    if command.function == "confirm_payment":  # whoever hears of it first writes it down
        keys += story.told_of[command.body["paymentIntentId"]]
        place = command.tenant, payment_of(command)
    traces = [sent.trace for key in keys for sent in story.sent[key]]
    _trails(here, command, books, traces)
    _answers(here, command, books)
    if command.function == "open_folio":
        for folio in books.folios.get(place, ()):
            here.add(f"folio {folio}", folios=1)
    if command.function == "close_folio":
        _documents(here, command, books)
        return here
    for name, amount in books.payments.get(place, ()):
        here.add(f"payment {name}", payments=1, paid=amount)
    for moved in books.credits.get(place, ()):
        here.add(f"credits {moved.id}", moves=1, credits=moved.micro, bookings=moved.bookings)
    for line in books.by_text.get(place, ()):
        here.add(f"line {line.id}", lines=1, moved=line.amount_micro)
        _entries(here, books, line)
        for tax in books.taxes.get((command.tenant, line.id), ()):
            here.add(f"line {tax.id}", tax_lines=1, tax_moved=tax.amount_micro)
            _entries(here, books, tax)
    return here


def follow_ups(traces: list[str], books: Books) -> tuple[list[Audit], list[Event]]:
    """What refused closes told, under these traces."""
    audits = [a for trace in traces for a in books.audits.get(trace, ()) if a.action == FOLLOW_UP]
    events = [e for trace in traces for e in books.events.get(trace, ()) if _fact(e) == FOLLOW_UP]
    return audits, events


def payment_of(command: Command) -> str:
    """What the processor calls the payment that is confirmed."""
    return f"sandbox_pi_{command.body['paymentIntentId'].removeprefix('pin_')}"


def key_hashes(command: Command) -> list[str]:
    """Under which hashes its answer is stored: the client's key, the id of what it creates."""
    if command.function == WEBHOOK:
        return []
    names = [(command.tenant, "key", command.actor, command.function, command.key)]
    if "id" in command.body:
        names.append((command.tenant, "id", command.function, str(command.body["id"])))
    return [hashlib.sha256("\x1f".join(name).encode()).hexdigest() for name in names]


def _trails(here: Found, command: Command, books: Books, traces: list[str]) -> None:
    for trace in traces:
        for audit in books.audits.get(trace, ()):
            if audit.action != FOLLOW_UP and audit.tenant == command.tenant:
                here.add(f"audit {audit.id}", **{f"audit_{audit.action}": 1})
        for event in books.events.get(trace, ()):
            if _fact(event) != FOLLOW_UP and event.tenant == command.tenant:
                here.add(f"event {event.id}", **{f"event_{_fact(event)}": 1})
    for kind in ("audit", "event"):  # the processor may say first that a guest is asked
        here.pieces.pop(f"{kind}_payment_intent.action_required", None)


def _answers(here: Found, command: Command, books: Books) -> None:
    for key_hash in key_hashes(command):
        stored = books.stored.get(key_hash)
        if stored is not None and stored.tenant == command.tenant:
            here.add(f"answer {key_hash}", stored_answers=1)


def _documents(here: Found, command: Command, books: Books) -> None:
    """A folio may be closed by one of several closes: by the one that left any other piece."""
    if here.nothing:
        return
    place = command.tenant, command.folio
    if place in books.closed:
        here.pieces["closed"] += 1
    for name in books.settlements.get(place, ()):
        here.add(f"document {name}", settlements=1)
    for name in books.invoices.get(place, ()):
        here.add(f"document {name}", invoices=1)


def _entries(here: Found, books: Books, line: Line) -> None:
    for entry in books.ledger.get((line.tenant, line.id), ()):
        here.add(f"entry {entry.name}", entries=1, booked=entry.amount_micro)


def _fact(event: Event) -> str:
    return event.fact.removeprefix("melmastoon.billing.").removesuffix(".v1")
