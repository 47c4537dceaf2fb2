"""Guests who pay by card, at two terminals at once, and the processor that tells of it.

The processor tells of every payment that it has taken, when it likes, in any order, and most of it
twice: also that the guest was to be asked, which is old by then. Whoever hears of it first, the
answer or the event, writes it down.
"""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from tests.hotel import Hotel, new_id, usd
from tests.paying import a_card, a_customer, intent_told
from tests.trust.chaos.clients import Clerk
from tests.trust.chaos.history import WEBHOOK, Command

CARDS = ("sandbox_visa", "sandbox_lost")
TELLS_AT_ONCE = 4
TWO_TERMINALS, TOLD_TWICE = 0.3, 0.6
SUCCEEDED = "succeeded"
Wallet: TypeAlias = tuple[str, dict[str, str]]
"""A customer, and a card that pays and one whose first answer is lost."""


def a_wallet(hotel: Hotel) -> Wallet:
    customer = a_customer(hotel)
    return customer, {kind: a_card(hotel, customer, kind) for kind in CARDS}


@dataclass
class CardDesk(Clerk):
    """Guests whom nobody else posts to: what they owe is paid by card."""

    wallets: dict[str, Wallet] = field(default_factory=dict)

    def stay(self, hotel: Hotel) -> None:
        """A guest consumes, pays what is owed, and leaves when that is known to have come."""
        folio = self.open(hotel)
        posted = self.charge(hotel, folio) if folio else None
        if folio is None or posted is None:
            return
        terminals = 2 if self.dice.random() < TWO_TERMINALS else 1
        sent = [self.paying(hotel, folio, posted[2]) for _ in range(terminals)]
        with ThreadPoolExecutor(terminals) as threads:
            paid = list(threads.map(self.pay, sent))
        if any(paid):
            self.ask("close_folio", hotel, folio, f"/folios/{folio}/close")

    def paying(self, hotel: Hotel, folio: str, due_micro: int) -> tuple[Command, Command]:
        """What is owed is to be taken from a card, and then is: by a clerk who does it once."""
        customer, methods = self.wallets[str(hotel.tenant_id)]
        intent, price = new_id("pin"), usd(due_micro // 10_000)
        body = {"id": intent, "folioId": folio, "customerId": customer, "amount": price}
        confirms = {"paymentIntentId": intent, "paymentMethodId": methods[self.dice.choice(CARDS)]}
        return self.by_card("create_payment_intent", hotel, folio, "intent", due_micro, body), (
            self.by_card("confirm_payment", hotel, folio, "confirm", due_micro, confirms)
        )

    def by_card(
        self, function: str, hotel: Hotel, folio: str, to: str, micro: int, body: dict[str, Any]
    ) -> Command:
        actor = f"cashier-{self.name}-{self._made + 1}"
        path = f"/payments/{to}"
        return self.command(function, hotel, folio, path, amount_micro=micro, actor=actor, **body)

    def pay(self, sent: tuple[Command, Command]) -> bool:
        """Whether the payment is known to have succeeded."""
        made = self.courier.deliver(sent[0])
        if made is None or not made.acknowledges:
            return False
        paid = self.courier.deliver(sent[1])
        return bool(paid and paid.acknowledges and json.loads(paid.body)["status"] == SUCCEEDED)


@dataclass
class Processor(Clerk):
    """Tells of what it has taken, which it keeps in a folder."""

    folder: Path = field(default_factory=Path)
    hotels: dict[str, Hotel] = field(default_factory=dict)
    told: set[str] = field(default_factory=set)

    def tell(self) -> None:
        """Of everything that is new, in an order of its own."""
        events = [event for made in self.taken() for event in self.events(made)]
        again = [each for each in events if self.dice.random() < TOLD_TWICE]
        for event in events:
            self.courier.history.tell(event)
        deliveries = [*events, *again]
        self.dice.shuffle(deliveries)
        with ThreadPoolExecutor(TELLS_AT_ONCE) as threads:
            list(threads.map(lambda event: self.courier.deliver(event, first=False), deliveries))

    def taken(self) -> list[tuple[str, dict[str, Any]]]:
        """The payments that were taken since it told last."""
        files = {file.stem: file for file in sorted(self.folder.glob("intents/pin_*.json"))}
        found = []
        for intent in [each for each in files if "." not in each and each not in self.told]:
            made = json.loads(files[intent].read_bytes())
            if made["status"] == SUCCEEDED:
                self.told.add(intent)
                found.append((intent, made))
        return found

    def events(self, made: tuple[str, dict[str, Any]]) -> list[Command]:
        """That the guest is asked, and that the payment has succeeded."""
        intent, taken = made
        hotel = self.hotels[taken["tenant"]]
        cents = taken["amountMicro"] // 10_000
        events = []
        for kind in ("requires_action", SUCCEEDED):
            body = intent_told(hotel, intent, kind, cents=cents)
            command = self.command(WEBHOOK, hotel, "", "/webhooks/stripe", **body)
            events.append(command)
        return events
