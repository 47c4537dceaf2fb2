"""A day at the hotel, played through the public interface, each step shown as it happens (LOC-1).

The steps stand in `day_desk`, `day_cash`, `day_cards` and `day_books`, and those of the platform's
month behind it in `day_month` and `day_dunning`. Each is somebody doing something, and says what it
expects: an answer of another kind ends the day, with the step's name.
The staff's tokens come from POST /dev/token, their signatures from POST /dev/step-up, the
processor's from POST /dev/webhook-signature, and what other services tell comes as events over
HTTP; nothing goes past the interface that a deployment has.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import field
from datetime import date, datetime, timedelta
from math import ceil
from typing import Any, Final
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn

from common.domain.dataclass import dataclass
from common.local.client import Answer, Client, WentOtherwise
from common.local.demo_hotel import KABUL, Neighbours

TIME_ZONE: Final = ZoneInfo("Asia/Kabul")
FOLIOS: Final = "billing.folio.read billing.folio.write"
CARDS: Final = (
    "billing.payment.read billing.payment.write billing.customer.read billing.customer.write"
)
DRAWERS: Final = "billing.cash_drawer.operate billing.cash_drawer.close"
AS_JSON: Final = {"Content-Type": "application/json"}
STAFF: Final = {
    "reception (amina)": f"{FOLIOS} billing.invoice.read {DRAWERS} {CARDS}",
    "front desk (samir)": f"{FOLIOS} {CARDS}",
    "concierge": f"{FOLIOS} billing.credits.read billing.credits.write",
    "night audit (farid)": f"{FOLIOS} billing.report.read",
    "bar (till 3)": "billing.folio.write",
    "trainee (omid)": "billing.folio.read",
    "supervisor (nadia)": f"billing.folio.read billing.refund.write {DRAWERS}",
    "manager (yusuf)": (
        f"billing.admin {DRAWERS} billing.cash_drawer.acknowledge_discrepancy"
        " billing.credits.read billing.credits.write billing.customer.write"
    ),
    "accountant (laila)": (
        f"{FOLIOS} billing.invoice.read billing.invoice.send billing.credit_note.write"
        " billing.report.read"
    ),
    "notifications": "billing.sending.read",
    "owner (parwana)": (
        "subscription.read billing.credits.read billing.customer.read billing.customer.write"
    ),
    "her booking engine": "billing.credits.write subscription.read",
    "platform (roya)": "platform.subscription.read platform.subscription.write",
}


@dataclass(slots=True)
class Room:
    """A room whose guest has a folio, and what became of it."""

    number: str
    guest: str
    folio_id: str = ""
    invoice_id: str = ""
    invoice_number: str = ""
    total: str = ""
    pdf: bytes = b""
    file: str = ""


@dataclass(slots=True)
class Day:
    """What the steps share: who calls, the rooms, and what one step leaves for the next."""

    client: Client
    neighbours: Neighbours
    where: Callable[[bytes], str]
    rooms: dict[str, Room] = field(default_factory=dict)
    left: dict[str, Any] = field(default_factory=dict)
    known_as: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What else the identity service says of somebody: another tenant, a verified address."""
    platform_invoices: list[tuple[str, str, str]] = field(default_factory=list)
    _tokens: dict[str, str] = field(default_factory=dict)

    def token(self, who: str) -> str:
        """The access token of one of the staff."""
        if who not in self._tokens:
            asked = {"sub": sub_of(who), "scopes": STAFF[who].split()} | self.known_as.get(who, {})
            answer = self.client.post("/dev/token", asked).expect(200)
            self._tokens[who] = answer.json["accessToken"]
        return self._tokens[who]

    def get(self, who: str, path: str, **query: object) -> Answer:
        """One of the staff looks something up."""
        return self.client.get(f"/api/v1{path}", self.token(who), **query)

    def post(self, who: str, path: str, body: object = None, key: str = "") -> Answer:
        """One of the staff does something."""
        return self.client.post(f"/api/v1{path}", body, self.token(who), key)

    def put(self, who: str, path: str, body: object) -> Answer:
        """One of the staff puts something in the place of what is there."""
        return self.client.put(f"/api/v1{path}", body, self.token(who))

    def confirmed(self, who: str, scope: str, context: str) -> str:
        """A fresh second factor of one of the staff, for one deed."""
        known = self.known_as.get(who, {})
        asked = {"sub": sub_of(who), "scope": scope, "context": context}
        asked |= {name: known[name] for name in ("sub", "tenantId") if name in known}
        token: str = self.client.post("/dev/step-up", asked).expect(200).json["stepUpToken"]
        return token

    def captured(self, payment_id: str, amount: dict[str, Any]) -> None:
        """A guest's card is charged in Kabul: from now on the processor has a record of it."""
        charged = {"paymentId": payment_id, "propertyId": str(KABUL), "amount": amount}
        self.client.post("/dev/captures", charged).expect(200)

    def signed_by_processor(self, content: bytes) -> str:
        """The header by which the processor proves that a body comes from it, now."""
        header: str = (
            self.client.call("POST", "/dev/webhook-signature", content, headers=AS_JSON)
            .expect(200)
            .json["header"]
        )
        return header

    def deliver(self, content: bytes, header: str) -> Answer:
        """The processor sends a body under a header."""
        headers = {**AS_JSON, "Stripe-Signature": header}
        return self.client.call("POST", "/api/v1/webhooks/stripe", content, headers=headers)

    def webhook(self, event: dict[str, Any]) -> Answer:
        """The processor tells of something."""
        content = json.dumps(event).encode()
        return self.deliver(content, self.signed_by_processor(content))

    def now(self) -> datetime:
        """What the clock at the desk shows."""
        told = self.client.get("/dev/clock").expect(200).json["now"]
        return datetime.fromisoformat(told).astimezone(TIME_ZONE)

    def business_date(self) -> date:
        """The day that the books are on: it ends at three at night."""
        return (self.now() - timedelta(hours=3)).date()

    def sleep_until(self, moment: datetime) -> datetime:
        """Move the clock on. Tokens of yesterday are over by then."""
        seconds = ceil((moment - self.now()).total_seconds())
        self.client.post("/dev/clock", {"moveSeconds": seconds}).expect(200)
        self._tokens.clear()
        return self.now()


def sub_of(who: str) -> str:
    """How the identity service knows one of the staff: reception (amina) is `reception`."""
    return who.split(" ")[0]


@dataclass(frozen=True, slots=True)
class Step:
    """Somebody does something, and sees what comes of it; `play` answers that in a few words."""

    who: str
    what: str
    play: Callable[[Day, str], str]


def step(who: str, what: str) -> Callable[[Callable[[Day, str], str]], Step]:
    """Make a step of a function of the day and of who it is that acts."""
    return lambda play: Step(who, what, play)


def play(day: Day, steps: Sequence[Step], console: Console) -> bool:
    """Play the steps in their order; False when one went otherwise, which is said then."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(20),
        MofNCompleteColumn(),
    )
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task("", total=len(steps))
        for each in steps:
            bar.update(task, description=f"{each.who} {each.what}")
            try:
                came = each.play(day, each.who)
                at = day.now()
            except (WentOtherwise, OSError, KeyError, LookupError, RuntimeError) as error:
                _fail(console, each, error)
                return False
            _show(console, at, each, came)
            bar.advance(task)
    return True


def _show(console: Console, at: datetime, each: Step, came: str) -> None:
    """One line: when it was done, who, what, and what came of it, money among it."""
    console.print(
        f"[green]✓[/] [dim]{at:%d %b %H:%M}[/]  [bold]{escape(each.who):<20}[/] "
        f"{escape(each.what):<46} [cyan]{escape(came)}[/]",
        soft_wrap=True,
        highlight=False,
    )


def _fail(console: Console, each: Step, error: Exception) -> None:
    console.print(
        f"[red]✗[/] [bold]{escape(each.who)}[/] {escape(each.what)}: "
        f"[red]{escape(f'{type(error).__name__}: {error}')}[/]",
        soft_wrap=True,
        highlight=False,
    )
