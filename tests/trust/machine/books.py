"""What a group's books must hold, and what each call must be answered: the plain model.

Dictionaries, integers and fractions; nothing of the code under test. `Books.command` predicts the
answer to a command and does to the model what the command does; `Books.learn` then takes over what
only the service could know: the ids that it gave, and the bytes that it stored for a key.
"""

import copy
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from fractions import Fraction
from typing import Any, Final

from tests.trust.machine import folio as folios
from tests.trust.machine.folio import Folio, Line, half_away
from tests.trust.machine.hotels import EURO_MICRO, HOTELS, REGIMES, House, Settings, rate_of

CREATES: Final = {
    *("open_folio", "post_charge", "record_payment", "refund_payment"),
    *("grant_credits", "purchase_credits", "hold_credits", "create_payment_intent"),
}
MICRO: Final = {"USD": 10_000, "JPY": 1_000_000, "KWD": 1_000, "EUR": EURO_MICRO}
Told = tuple[str, str, int]  # a kind of event, its aggregate, its number there
Event = Callable[[], Told]


@dataclass(frozen=True)
class Command:
    """A command as it is sent: by whom, to which function, under which key."""

    tenant: int
    function: str
    path: str
    body: dict[str, Any]
    actor: str
    houses: tuple[str, ...]
    key: str | None = None
    if_match: str | None = None

    @property
    def fingerprint(self) -> str:
        return json.dumps([self.function, self.path, self.body], sort_keys=True)

    @property
    def names(self) -> list[tuple[str, ...]]:
        """What the command is known by: its key, and the id of what it makes."""
        own = [("key", self.actor, self.function, self.key)] if self.key else []
        if self.function in CREATES and "id" in self.body:
            own.append(("id", self.function, self.body["id"]))
        return own


@dataclass
class Expected:
    """What must come back. `lines` are those that were written; `stored` is a replay.

    A transfer also reaches an `other` folio. `said` are fields of the answer, `credits` are the
    accounts that moved, and `touched` is a folio of which the answer does not tell.
    """

    status: int
    code: str = ""
    folio: Folio | None = None
    lines: list[Line] = field(default_factory=list)
    stored: dict[str, Any] | None = None
    invoice: dict[str, Any] | None = None
    events: list[Event] = field(default_factory=list)
    names: list[tuple[str, ...]] = field(default_factory=list)
    other: Folio | None = None
    other_lines: list[Line] = field(default_factory=list)
    said: dict[str, Any] = field(default_factory=dict)
    credits: tuple[dict[str, Any], ...] = ()
    touched: Folio | None = None

    @property
    def succeeds(self) -> bool:
        return self.status < 300

    @property
    def writes(self) -> bool:
        """Whether there is a commit whose answer can be lost."""
        return self.succeeds and self.stored is None


class Books:
    """One group's books."""

    def __init__(self, number: int, settings: Settings) -> None:
        self.number = number
        self.houses: list[House] = HOTELS[number]
        self.settings = settings
        self.folios: list[Folio] = []
        self.answers: dict[tuple[str, ...], dict[str, Any]] = {}
        self.told: list[Callable[[], Told]] = []
        self.processor: set[str] = set()
        self.references: set[tuple[str, str | None]] = set()
        self.ids: set[str] = set()
        self.invoices: list[dict[str, Any]] = []
        self.series: dict[tuple[str, int], list[dict[str, Any]]] = {}
        self.queue: dict[str, dict[str, Any]] = {}
        self.taken: set[tuple[str, str]] = set()
        self.letters: dict[tuple[str, str], str] = {}
        self.days: dict[tuple[str, date], dict[str, Any]] = {}

    # what is asked for

    def command(self, asked: Command, now: datetime) -> Expected:
        """Predict the answer; a command that succeeds is done to the model."""
        for name in asked.names:
            stored = self.answers.get(name)
            if stored is None:
                continue
            if stored["fingerprint"] != asked.fingerprint:
                reused = name[0] == "key"
                return Expected(422, "IDEMPOTENCY_KEY_REUSED") if reused else _conflict()
            return Expected(stored["status"], stored=stored)
        expected: Expected = getattr(self, f"_{asked.function}")(asked, now)
        if expected.succeeds:
            expected.names = asked.names
        self.told += expected.events
        return expected

    def learn(self, asked: Command, expected: Expected, answer: Any) -> None:
        """Take over the ids that were given, and the answer that is kept under the keys."""
        said = answer.json
        if expected.folio is not None and expected.folio["id"] is None:
            expected.folio["id"] = said["folioId"]
        if expected.lines and "lines" in said:
            folios.bind(expected.lines, said["lines"])
            self.ids |= {line["id"] for line in expected.lines}
        if expected.other is not None:
            folios.bind(expected.other_lines, said["target"]["lines"])
        if expected.invoice is not None:
            expected.invoice["id"] = said["invoiceId"]
            self.queue[said["invoiceId"]] = expected.invoice["waits"]
        for name in expected.names:
            self.answers[name] = {
                "fingerprint": asked.fingerprint,
                "status": answer.status_code,
                "body": answer.data,
                "etag": answer.headers.get("ETag"),
            }

    def forget_answers(self) -> None:
        self.answers.clear()

    # folios

    def folio(self, folio_id: str, houses: tuple[str, ...]) -> Folio | None:
        """A folio that a clerk of these houses knows."""
        for each in self.folios:
            if each["id"] == folio_id and each["house"]["id"] in houses:
                return each
        return None

    def day(self, house: House, now: datetime) -> date:
        """The business date: what the clock on the wall shows, less the hours of the night."""
        found: date = (now + house["ahead"] - house["close"]).date()
        return found

    def _open_folio(self, asked: Command, now: datetime) -> Expected:
        body = asked.body
        house = next((h for h in self.houses if h["id"] == body["propertyId"]), None)
        if house is None or house["id"] not in asked.houses:
            return Expected(404, "PROPERTY_UNKNOWN")
        return self.open(house, body, now)

    def reserved(self, house: House, reservation: str | None, window: str) -> Folio | None:
        """The folio that a reservation has for a window."""
        place = (house["id"], reservation, window)
        for each in self.folios if reservation is not None else ():
            if (each["house"]["id"], each["reservation"], each["window"]) == place:
                return each
        return None

    def open(self, house: House, body: dict[str, Any], now: datetime) -> Expected:
        """Open a folio, unless the reservation has one for this window."""
        window, reservation = body.get("window", "guest"), body.get("reservationId")
        known = self.reserved(house, reservation, window)
        if known is not None:
            return Expected(201, folio=known)
        if "id" in body and any(each["id"] == body["id"] for each in self.folios):
            return _conflict()
        currency = body.get("currency", house["currency"])
        own = currency == house["currency"]
        made = folios.opened(
            house,
            day=self.day(house, now),
            euro=rate_of(self.settings, house) if own else None,
            currency=currency,
            micro=MICRO[currency],
            windows=list(dict.fromkeys([window, *body.get("windows", [])])),
            window=window,
            reservation=reservation,
            id=body.get("id"),
        )
        self.folios.append(made)
        return Expected(201, folio=made, events=[fact("folio.opened", made, 1)])

    def _post_charge(self, asked: Command, now: datetime) -> Expected:
        return self._post_charges(asked, [asked.body], now)

    def _post_charge_batch(self, asked: Command, now: datetime) -> Expected:
        return self._post_charges(asked, asked.body["charges"], now)

    def _post_charges(
        self, asked: Command, bodies: list[dict[str, Any]], now: datetime
    ) -> Expected:
        """All of them or none; what must be unique is found out at the commit."""
        found = self._taken(asked)
        if isinstance(found, Expected):
            return found
        trial = copy.deepcopy(found)
        for body in bodies:
            code = folios.charge(
                trial,
                _charge(body),
                REGIMES[self.settings.regime],
                self.settings.per_invoice,
                self.day(found["house"], now),
            )
            if code == "TAX_RULE_MISSING":
                found["version"] += 1
                missing = fact("tax_rule.missing", found, found["version"])
                return Expected(422, code, folio=found, events=[missing])
            if code is not None:
                return refused(code)
        ids, references = set(self.ids), set(self.references)
        for body in bodies:
            if body.get("id") in ids:
                return _conflict()
            if folios.reference_of(body) in references:
                return Expected(409, "EXTERNAL_REFERENCE_POSTED")
            ids |= {body["id"]} if "id" in body else set()
            references |= {folios.reference_of(body)} if "externalReference" in body else set()
        self.references = references
        return self._changed(found, trial, "charge.posted", len(bodies))

    def _post_adjustment(self, asked: Command, now: datetime) -> Expected:
        found = self._taken(asked)
        if isinstance(found, Expected):
            return found
        amount, currency = amount_of(asked.body["amount"])
        trial = copy.deepcopy(found)
        code = folios.adjust(
            trial,
            folios.which_of(found, asked.body["chargeId"]),
            amount,
            currency,
            self.settings.per_invoice,
            self.day(found["house"], now),
        )
        return refused(code) if code else self._changed(found, trial, "charge.adjusted")

    def _void_charge(self, asked: Command, now: datetime) -> Expected:
        found = self._taken(asked)
        if isinstance(found, Expected):
            return found
        trial = copy.deepcopy(found)
        charge_id = asked.path.split("/")[-2]
        code = folios.void(trial, folios.which_of(found, charge_id), self.day(found["house"], now))
        return refused(code) if code else self._changed(found, trial, "charge.voided")

    def _record_payment(self, asked: Command, now: datetime) -> Expected:
        found = self._taken(asked)
        if isinstance(found, Expected):
            return found
        if asked.body.get("paymentId") in self.processor:
            return Expected(409, "PAYMENT_ALREADY_RECORDED")
        return self.pay(found, asked.body, now)

    def pay(self, found: Folio, body: dict[str, Any], now: datetime) -> Expected:
        amount, currency = amount_of(body["amount"])
        given = {
            "method": body["method"],
            "amount": amount,
            "currency": currency,
            "processor": body.get("paymentId"),
            "credit": body.get("allowCredit", False),
        }
        trial = copy.deepcopy(found)
        code = folios.pay(trial, given, self.settings.residual, self.day(found["house"], now))
        if code is not None:
            return refused(code)
        if body.get("id") in self.ids:
            return _conflict()
        self.processor |= {body["paymentId"]} if "paymentId" in body else set()
        return self._changed(found, trial, "payment.recorded")

    def _close_folio(self, asked: Command, now: datetime) -> Expected:
        found = self._taken(asked)
        if isinstance(found, Expected):
            return found
        day, before = self.day(found["house"], now), len(found["lines"])
        slept = [] if folios.stays_open(found) else self.slept(found, now)
        code = folios.close(found, self.settings.residual, day)
        if code == "BALANCE_DUE":
            due = fact("folio.balance_due", found, found["version"])
            return Expected(409, code, folio=found, events=[*slept, due])
        if code is not None:
            return refused(code)
        invoice = self._issue(found, day, now)
        return Expected(
            200,
            folio=found,
            lines=found["lines"][before:],
            invoice=invoice,
            events=[
                *slept,
                fact("folio.closed", found, found["version"]),
                lambda: ("invoice.generated", invoice["id"], 1),
            ],
        )

    def slept(self, found: Folio, now: datetime) -> list[Event]:
        """Charge what was slept and not audited, as a folio closes; what is told of it."""
        return []

    def _issue(self, found: Folio, day: date, now: datetime) -> dict[str, Any]:
        """The next number of the series; the document before it in the chain."""
        settings, jurisdiction = self.settings, found["house"]["jurisdiction"]
        year = day.year if settings.yearly else 0
        series = self.series.setdefault((jurisdiction, year), [])
        parts = [settings.prefix, jurisdiction, *([str(year)] if year else [])]
        invoice = {
            "id": None,
            "folio": found,
            "number": "-".join([*parts, f"{len(series) + 1:06d}"]),
            "place": len(series) + 1,
            "before": series[-1] if series else None,
            "day": day,
            "hash": None,
            "version": 1,
            "signed": False,
            "copies": 0,
            "waits": {"attempts": 0, "due": now},
        }
        series.append(invoice)
        self.invoices.append(invoice)
        return invoice

    def _taken(self, asked: Command) -> Folio | Expected:
        """The folio in the path, at the version that is expected."""
        found = self.folio(asked.path.split("/")[2], asked.houses)
        if found is None:
            return Expected(404, "FOLIO_UNKNOWN")
        if asked.if_match not in (None, "*", f'"{found["version"]}"'):
            return Expected(412, "VERSION_STALE")
        return found

    def _changed(self, found: Folio, trial: Folio, kind: str, times: int = 1) -> Expected:
        """Let what was tried stand."""
        before, first = len(found["lines"]), found["version"] + 1
        found.clear()
        found.update(trial)
        facts = [fact(kind, found, first + n) for n in range(times)]
        return Expected(201, folio=found, lines=found["lines"][before:], events=facts)


def fact(kind: str, folio: Folio, number: int) -> Event:
    return lambda: (kind, folio["id"], number)


def _conflict() -> Expected:
    return Expected(409, "ID_CONFLICT")


def refused(code: str) -> Expected:
    conflicts = {
        *("FOLIO_CLOSED", "CHARGE_ALREADY_VOIDED", "NO_OPEN_CASH_SESSION"),
        *("REFUND_PENDING", "REFUND_EXCEEDS_PAYMENT"),
    }
    missing = {"CHARGE_UNKNOWN", "PAYMENT_UNKNOWN"}
    return Expected(409 if code in conflicts else 404 if code in missing else 422, code)


def amount_of(money: dict[str, Any]) -> tuple[int, str]:
    """An amount in the minor units of its currency."""
    return money["amountMicro"] // MICRO[money["currency"]], money["currency"]


def _charge(body: dict[str, Any]) -> dict[str, Any]:
    """A charge as the model reads it: what quantity times price come to, rounded once."""
    unit, currency = body["unitAmount"]["amountMicro"], body["unitAmount"]["currency"]
    micro = MICRO[currency]
    price = half_away(Fraction(unit) * Fraction(body.get("quantity", "1")) / micro)
    given = body.get("amount")
    return {
        "kind": body["kind"],
        "price": price,
        "currency": currency,
        "nights": body.get("nights", 1),
        "window": body.get("window"),
        "wrong": given is not None and given["amountMicro"] != price * micro,
    }
