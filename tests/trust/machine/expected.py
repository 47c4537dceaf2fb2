"""What is sent, and what must come back of it: the words in which the model and the play speak."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from tests.trust.machine.folio import Folio, Line
from tests.trust.machine.hotels import EURO_MICRO

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


def fact(kind: str, folio: Folio, number: int) -> Event:
    return lambda: (kind, folio["id"], number)


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
