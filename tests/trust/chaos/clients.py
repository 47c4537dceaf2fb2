"""Good clients of a hotel: they keep their key, and send again until they are answered.

They are less patient than Retry-After asks for, which is harder on the service. While the storm
lasts, some give up after an attempt that nobody answered, as a till that was switched off: nobody
knows then whether that command has taken effect.
"""

import http.client
import json
import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from typing import Any, TypeAlias

from tests import prepaying
from tests import refunding as refunds
from tests.hotel import Hotel, new_id, usd
from tests.trust.chaos.history import WEBHOOK, Answered, Command, History, Unanswered
from tests.webhooks import HEADER, Webhook

PAUSE_SECONDS = 0.05
PAUSE_SECONDS_MAX = 1.0
PATIENCE_SECONDS = 120.0
ATTEMPT_SECONDS_MAX = 40.0
GIVES_UP = 0.2
ROUNDS_AT_THE_DESK = 4
WAITERS = 24
CHARGES_AT_A_BANQUET = 200
GRANT, SPENT = 200_000, 400
"""Whole credits: about what two guests consume, and what a service takes at most."""
HEARD = ("Idempotency-Replayed", "true")

Post: TypeAlias = Callable[[Command, str], tuple[int, bool, str]]
"""Sends a command under a trace: status, whether it is a replay, body. Raises OSError."""


@dataclass
class Courier:
    """Delivers commands, and writes down what it hears.

    `calm` is set when the storm is over, `broken_off` when the episode cannot come to its end.
    """

    post: Post
    history: History
    dice: random.Random
    calm: threading.Event
    broken_off: threading.Event = field(default_factory=threading.Event)

    def deliver(self, command: Command, *, first: bool = True) -> Answered | None:
        """Send until it is answered; None when the client has given up."""
        if first:
            self.history.tell(command)
        give_up_at = time.monotonic() + PATIENCE_SECONDS
        pause = PAUSE_SECONDS
        while time.monotonic() < give_up_at and not self.broken_off.is_set():
            answer = self._attempt(command)
            if answer is not None and not answer.asks_again:
                return answer
            if answer is None and not self.calm.is_set() and self.dice.random() < GIVES_UP:
                return None
            time.sleep(pause)
            pause = min(2 * pause, PAUSE_SECONDS_MAX)
        return None

    def _attempt(self, command: Command) -> Answered | None:
        sent = self.history.send(command.key, sha256(command.key.encode()).hexdigest()[:24])
        try:
            status, replayed, body = self.post(command, sent.trace)
        except (OSError, http.client.HTTPException) as trouble:
            now = time.monotonic()
            told = type(trouble).__name__
            self.history.tell(Unanswered(command.key, sent.attempt, told, now))
            return None
        answer = Answered(command.key, sent.attempt, status, replayed, body, at=time.monotonic())
        self.history.tell(answer)
        return answer


def over_http(ports: dict[str, int], hotels: list[Hotel]) -> Post:
    """Post to the functions' processes, each at its own port."""
    by_tenant = {str(hotel.tenant_id): hotel for hotel in hotels}

    @cache
    def token(tenant: str, actor: str) -> str:
        return by_tenant[tenant].token(sub=actor)

    def post(command: Command, trace: str) -> tuple[int, bool, str]:
        connection = http.client.HTTPConnection(
            "127.0.0.1", ports[command.function], timeout=ATTEMPT_SECONDS_MAX
        )
        hotel = by_tenant[command.tenant]
        content = json.dumps(confirmed(command, hotel)).encode()
        headers = {
            "Content-Type": "application/json",
            "traceparent": f"00-{trace}-{trace[:16]}-01",
        }
        if command.function == WEBHOOK:
            headers[HEADER] = Webhook(hotel).signed(content)
        else:
            headers["Authorization"] = f"Bearer {token(command.tenant, command.actor)}"
            headers["Idempotency-Key"] = command.key
        try:
            connection.request("POST", f"/api/v1{command.path}", content, headers)
            answer = connection.getresponse()
            said = answer.read().decode()
            return answer.status, answer.headers[HEARD[0]] == HEARD[1], said
        finally:
            connection.close()

    return post


def confirmed(command: Command, hotel: Hotel) -> dict[str, Any]:
    """What is sent: who gives money back, or credits away, confirms it, each time anew."""
    if command.function == "grant_credits":
        meant = prepaying.grant_context(hotel, command.body)
        token = hotel.confirmation(command.actor, prepaying.SCOPE, meant)
        return {**command.body, "stepUpToken": token}
    if command.function != "refund_payment":
        return command.body
    wanted = refunds.context(hotel, command.folio, command.body)
    token = hotel.confirmation(command.actor, refunds.SCOPE, wanted)
    return {**command.body, "stepUpToken": token}


@dataclass
class Guests:
    """Who is in the house, for everybody who posts to their folios."""

    _there: list[tuple[Hotel, str]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def arrive(self, hotel: Hotel, folio: str) -> None:
        with self._lock:
            self._there.append((hotel, folio))

    def depart(self, hotel: Hotel, folio: str) -> None:
        with self._lock:
            self._there.remove((hotel, folio))

    def somebody(self, dice: random.Random) -> tuple[Hotel, str] | None:
        with self._lock:
            return dice.choice(self._there) if self._there else None

    def beside(self, hotel: Hotel, folio: str, dice: random.Random) -> str | None:
        """Another guest of the same hotel."""
        with self._lock:
            others = [f for h, f in self._there if h.tenant_id == hotel.tenant_id and f != folio]
        return dice.choice(others) if others else None


@dataclass
class Clerk:
    """Makes commands with keys of its own. `name` is part of each."""

    name: str
    courier: Courier
    dice: random.Random
    guests: Guests
    _made: int = 0

    def command(
        self,
        function: str,
        hotel: Hotel,
        folio: str,
        path: str,
        *,
        amount_micro: int = 0,
        actor: str = "",
        text: str = "",
        **body: Any,
    ) -> Command:
        """A new command, whose key stands in its field `text`."""
        self._made += 1
        key = f"{self.name}-{self._made}"
        return Command(
            key=key,
            function=function,
            tenant=str(hotel.tenant_id),
            actor=actor or self.name,
            folio=folio,
            path=path,
            body={**body, **({text: key} if text else {})},
            amount_micro=amount_micro,
        )

    def ask(self, *what: Any, **more: Any) -> Answered | None:
        """Deliver a new command."""
        return self.courier.deliver(self.command(*what, **more))

    def open(self, hotel: Hotel) -> str | None:
        """A guest's folio, which the client has named; None when nobody knows if it is there."""
        folio = new_id("fol")
        opened = self.ask(
            "open_folio",
            hotel,
            folio,
            "/folios",
            id=folio,
            propertyId=str(hotel.property_id),
            guest={"name": f"{self.name}-{self._made + 1}"},
        )
        return None if opened is None else folio

    def charging(self, hotel: Hotel, folio: str) -> Command:
        """A charge of whole tens of cents; every other one has an id that the client gave it."""
        cents = self.dice.randrange(10, 20_000, 10)
        body: dict[str, Any] = {"kind": self.dice.choice(["room", "spa"]), "unitAmount": usd(cents)}
        if self.dice.random() < 0.5:
            body["id"] = new_id("chg")
        return self.command(
            "post_charge",
            hotel,
            folio,
            f"/folios/{folio}/charges",
            amount_micro=cents * 10_000,
            text="description",
            **body,
        )

    def charge(self, hotel: Hotel, folio: str) -> tuple[str, int, int] | None:
        """Post a charge: its id, its amount, and the balance it left."""
        command = self.charging(hotel, folio)
        answer = self.courier.deliver(command)
        if answer is None or not answer.acknowledges:
            return None
        told = json.loads(answer.body)
        return told["lines"][0]["lineId"], command.amount_micro, told["balance"]["amountMicro"]

    def void(self, hotel: Hotel, folio: str, charge: str, amount_micro: int) -> Answered | None:
        path = f"/folios/{folio}/charges/{charge}/void"
        return self.ask("void_charge", hotel, folio, path, amount_micro=amount_micro, text="reason")


@dataclass
class Desk(Clerk):
    """Lets guests in, and out when they have paid; so many of them pay by credits."""

    by_credits: float = 0.0

    def stay(self, hotel: Hotel) -> None:
        """A guest comes, consumes, pays what is owed, and leaves."""
        folio = self.open(hotel)
        if folio is None:
            return
        self.guests.arrive(hotel, folio)
        try:
            due = self._consume(hotel, folio)
            for _ in range(ROUNDS_AT_THE_DESK):
                if due > 0:
                    due = self.pay(hotel, folio, due)
                closing = self.ask("close_folio", hotel, folio, f"/folios/{folio}/close")
                if closing is None or closing.acknowledges:
                    return
                due = int(json.loads(closing.body).get("balanceMicro", 0))
        finally:
            self.guests.depart(hotel, folio)

    def _consume(self, hotel: Hotel, folio: str) -> int:
        due = 0
        for _ in range(self.dice.randint(1, 3)):
            posted = self.charge(hotel, folio)
            due = posted[2] if posted else due
        if posted and self.dice.random() < 0.4:
            voided = self.void(hotel, folio, posted[0], posted[1])
            return _balance(voided, due)
        if posted and self.dice.random() < 0.4:
            return _balance(self.transfer(hotel, folio, posted[0], posted[1]), due)
        return due

    def transfer(self, hotel: Hotel, folio: str, charge: str, amount_micro: int) -> Answered | None:
        """Somebody else in the house pays for it."""
        other = self.guests.beside(hotel, folio, self.dice)
        if other is None:
            return None
        return self.ask(
            "transfer_lines",
            hotel,
            folio,
            f"/folios/{folio}/transfers",
            amount_micro=amount_micro,
            text="reason",
            toFolioId=other,
            chargeIds=[charge],
        )

    def pay(self, hotel: Hotel, folio: str, due_micro: int) -> int:
        """Pay, each time at another cashier, of whom none takes more than ten in a minute."""
        body: dict[str, Any] = {"method": "bank_transfer", "amount": usd(due_micro // 10_000)}
        if self.by_credits and self.dice.random() < self.by_credits:
            body |= {"method": "credits", "creditAccount": "main"}
        payment = new_id("pay")
        paid = self.ask(
            "record_payment",
            hotel,
            folio,
            f"/folios/{folio}/payments",
            amount_micro=due_micro,
            actor=f"cashier-{self.name}-{self._made + 1}",
            text="reference",
            id=payment,
            **body,
        )
        if paid is None:
            return 0
        if paid.acknowledges and self.dice.random() < 0.3:
            self.give_back(hotel, folio, payment, due_micro, body["method"] == "credits")
        return int(json.loads(paid.body).get("balanceMicro", 0))

    def give_back(
        self, hotel: Hotel, folio: str, payment: str, paid_micro: int, credits: bool = False
    ) -> Answered | None:
        """A part of a payment, by a clerk who does that once; it is owed again."""
        how = {} if credits else {"reference": "by transfer"}
        cents = self.dice.randint(1, paid_micro // 10_000)
        return self.ask(
            "refund_payment",
            hotel,
            folio,
            f"/folios/{folio}/refunds",
            amount_micro=cents * 10_000,
            actor=f"cashier-{self.name}-{self._made + 1}",
            text="reason",
            id=new_id("rfd"),
            paymentId=payment,
            amount=usd(cents),
            **how,
        )


def _balance(answer: Answered | None, before: int) -> int:
    """What is owed after a command that was acknowledged; else what was owed before it."""
    if answer is None or not answer.acknowledges:
        return before
    return int(json.loads(answer.body)["balance"]["amountMicro"])


class Bar(Clerk):
    """Posts to whoever is in the house, and takes some of it back."""

    def serve(self) -> None:
        guest = self.guests.somebody(self.dice)
        if guest is None:
            time.sleep(PAUSE_SECONDS)
            return
        posted = self.charge(*guest)
        if posted and self.dice.random() < 0.15:
            self.void(*guest, posted[0], posted[1])


class Treasurer(Clerk):
    """Gives a hotel credits, moves some of them to its spa, and lets a service spend some."""

    def serve(self, hotel: Hotel) -> None:
        lot, micro = new_id("clt"), prepaying.micro(GRANT)
        self._moves("grant_credits", hotel, "grants", micro, "reason", id=lot)
        part = prepaying.micro(self.dice.randint(1, SPENT))
        self._moves("transfer_credits", hotel, "transfer", part, "reason", toAccount="spa")
        spent = prepaying.micro(self.dice.randint(1, SPENT))
        how = {"service": "concierge"}
        self._moves("deduct_credits", hotel, "deduct", spent, "externalReference", **how)

    def _moves(
        self, function: str, hotel: Hotel, path: str, micro: int, text: str, **body: Any
    ) -> None:
        more = {**body, "creditsMicro": micro}
        self.ask(function, hotel, "", f"/credits/{path}", amount_micro=micro, text=text, **more)


class Banquet(Clerk):
    """Posts so many charges to one folio at once that they share transactions."""

    def serve(self) -> None:
        guest = self.guests.somebody(self.dice)
        if guest is None:
            time.sleep(PAUSE_SECONDS)
            return
        charges = [self.charging(*guest) for _ in range(CHARGES_AT_A_BANQUET)]
        with ThreadPoolExecutor(WAITERS) as waiters:
            list(waiters.map(self.courier.deliver, charges))
