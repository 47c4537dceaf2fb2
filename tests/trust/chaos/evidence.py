"""What stands in the database afterwards, read as its administrator by SQL of the judge's own.

Nothing here is the product's: a statement that is wrong there is not wrong here in the same way.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias
from uuid import UUID

Query: TypeAlias = Callable[[str], list[list[Any]]]
Place: TypeAlias = tuple[str, str]
"""A tenant, and an id or a text within it."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a folio."""

    tenant: str
    folio: str
    id: str
    type: str
    amount_micro: int
    charge: str | None


@dataclass(frozen=True, slots=True)
class Entry:
    """A ledger entry; `amount_micro` is what it moves the guests' account by."""

    tenant: str
    name: str
    amount_micro: int


@dataclass(frozen=True, slots=True)
class Credits:
    """A movement of prepaid credits, and how often it is booked."""

    id: str
    micro: int
    bookings: int


@dataclass(frozen=True, slots=True)
class Audit:
    """An entry of the audit trail."""

    tenant: str
    id: str
    action: str
    trace: str


@dataclass(frozen=True, slots=True)
class Event:
    """A row of the outbox."""

    tenant: str
    ordering_key: str
    sequence: int
    id: str
    fact: str
    trace: str
    published: bool


@dataclass(frozen=True, slots=True)
class Stored:
    """A stored answer, under its key's hash."""

    tenant: str
    hash: str
    function: str
    status: int
    body: str


@dataclass
class Books:
    """The rows of some tenants, each where a command would look for it."""

    folios: dict[Place, list[str]] = field(default_factory=lambda: defaultdict(list))
    """Folios by the guest's name, which is the key of the command that opened it."""
    closed: set[Place] = field(default_factory=set)
    lines: dict[Place, Line] = field(default_factory=dict)
    by_text: dict[Place, list[Line]] = field(default_factory=lambda: defaultdict(list))
    """Charges by their description, payments by their reference, voids, refunds and what a transfer
    has brought by their reason."""
    taxes: dict[Place, list[Line]] = field(default_factory=lambda: defaultdict(list))
    """Tax lines by the charge that bears them."""
    payments: dict[Place, list[tuple[str, int]]] = field(default_factory=lambda: defaultdict(list))
    """Ids and amounts of the payments' own table, by their reference."""
    ledger: dict[Place, list[Entry]] = field(default_factory=lambda: defaultdict(list))
    """Entries by the line that they book. What a line brings over of a deposit hangs on what else
    is on the folio, and the books' invariants hold it against that."""
    credits: dict[Place, list[Credits]] = field(default_factory=lambda: defaultdict(list))
    """Grants, transfers and what came back by their reason, what was spent by its reference, and
    what settled a bill by the reference of its payment."""
    before: set[str] = field(default_factory=set)
    """The rows that were there before the first command."""
    applied: Counter[Place] = field(default_factory=Counter)
    """How often what the processor told was applied, by the ids of its events."""
    carded: dict[Place, int] = field(default_factory=dict)
    """What stands on folios of the processor's payments, by its ids."""
    taken: dict[Place, int] = field(default_factory=dict)
    """What the processor has taken, by its ids, as it says itself."""
    came_to: Counter[Place] = field(default_factory=Counter)
    paid_on: Counter[Place] = field(default_factory=Counter)
    """Of a folio: what was consumed, with its tax; and what was paid, less what went back."""
    settlements: dict[Place, list[str]] = field(default_factory=lambda: defaultdict(list))
    invoices: dict[Place, list[str]] = field(default_factory=lambda: defaultdict(list))
    """Both by folio."""
    series: list[tuple[str, int, list[int]]] = field(default_factory=list)
    """A number series: its name, the last number that it gave, the numbers on its documents."""
    audits: dict[str, list[Audit]] = field(default_factory=lambda: defaultdict(list))
    events: dict[str, list[Event]] = field(default_factory=lambda: defaultdict(list))
    """Both by trace."""
    stored: dict[str, Stored] = field(default_factory=dict)

    @classmethod
    def read(cls, query: Query, tenants: Iterable[UUID], processor: Path | None = None) -> "Books":
        """`processor` is where the sandbox keeps what it has taken."""
        books = cls()
        for file in processor.glob("captures/*.json") if processor else ():
            made = json.loads(file.read_bytes())
            books.taken[made["tenant"], made["payment"]] = made["amountMicro"]
        for tenant in tenants:
            books._read_folios(query, str(tenant), f"tenant_{tenant.hex}_billing")
            books._read_documents(query, str(tenant), f"tenant_{tenant.hex}_billing")
            books._read_credits(query, str(tenant), f"tenant_{tenant.hex}_billing")
            books._read_trails(query, str(tenant), f"tenant_{tenant.hex}_billing")
        return books

    def _read_folios(self, query: Query, tenant: str, schema: str) -> None:
        for folio, guest, status in query(f"SELECT id, guest_name, status FROM {schema}.folios"):
            self.folios[tenant, guest].append(folio)
            if status == "closed":
                self.closed.add((tenant, folio))
        for folio, name, kind, amount, charge, text in query(
            "SELECT l.folio_id, l.id, l.type, l.amount_micro, l.charge_id,"
            " CASE WHEN l.type IN ('void', 'refund') OR l.moved_from IS NOT NULL THEN l.reason"
            "   WHEN l.type = 'payment' THEN coalesce(p.reference, p.processor_payment_id)"
            "   ELSE l.description ->> 'und' END"
            f" FROM {schema}.folio_lines AS l LEFT JOIN {schema}.payments AS p ON p.id = l.id"
        ):
            line = Line(tenant, folio, name, kind, amount, charge)
            self.lines[tenant, name] = line
            side = self.paid_on if kind in ("payment", "refund") else self.came_to
            side[tenant, folio] += -amount if side is self.paid_on else amount
            by = self.taxes if kind == "tax" else self.by_text
            by[tenant, charge if kind == "tax" else text].append(line)
        for payment, amount in query(
            f"SELECT processor_payment_id, amount_micro FROM {schema}.payments"
            " WHERE processor_payment_id IS NOT NULL"
        ):
            self.carded[tenant, payment] = amount
        for name, reference, amount in query(
            "SELECT id, coalesce(reference, processor_payment_id), amount_micro"
            f" FROM {schema}.payments"
        ):
            self.payments[tenant, reference].append((name, amount))
        for source, part, amount in query(
            "SELECT source, part, amount_micro * (CASE WHEN debit_account = 'guest_ledger' THEN 1"
            "   WHEN credit_account = 'guest_ledger' THEN -1 ELSE 0 END)"
            f" FROM {schema}.ledger_entries"
            " WHERE 'guest_deposits' NOT IN (debit_account, credit_account)"
        ):
            self.ledger[tenant, source].append(Entry(tenant, f"{source}/{part}", amount))

    def _read_documents(self, query: Query, tenant: str, schema: str) -> None:
        for name, folio in query(f"SELECT id, folio_id FROM {schema}.settlements"):
            self.settlements[tenant, folio].append(name)
        for name, folio in query(f"SELECT id, folio_id FROM {schema}.invoices"):
            self.invoices[tenant, folio].append(name)
        for jurisdiction, kind, year, last, numbers in query(
            "SELECT s.jurisdiction, s.document_type, s.year, s.last_number,"
            " coalesce(array_agg(i.series_number ORDER BY i.series_number)"
            "   FILTER (WHERE i.id IS NOT NULL), '{}')"
            f" FROM {schema}.number_series AS s LEFT JOIN {schema}.invoices AS i"
            " USING (jurisdiction, document_type, year) GROUP BY 1, 2, 3, 4"
        ):
            self.series.append((f"{tenant} {jurisdiction} {kind} {year}", last, numbers))

    def _read_credits(self, query: Query, tenant: str, schema: str) -> None:
        for name, text, micro, bookings in query(
            "SELECT e.id, coalesce(e.reason, p.reference, e.reference), e.amount_micro,"
            f" (SELECT count(*) FROM {schema}.credit_book_entries WHERE entry_id = e.id)"
            f" FROM {schema}.credit_ledger_entries AS e"
            f" LEFT JOIN {schema}.payments AS p ON p.id = e.reference"
        ):
            self.credits[tenant, text].append(Credits(name, micro, bookings))

    def _read_trails(self, query: Query, tenant: str, schema: str) -> None:
        for name, action, trace in query(
            f"SELECT id, action, trace_id FROM {schema}.audit_entries"
        ):
            self.audits[trace].append(Audit(tenant, name, action, trace))
        for event_id, times in query(
            "SELECT event_id, count(*) FILTER (WHERE outcome = 'applied')"
            f" FROM {schema}.webhook_attempts GROUP BY 1"
        ):
            self.applied[tenant, event_id] = times
        for key, sequence, name, fact, event, published in query(
            "SELECT ordering_key, sequence, event_id, event_type, event,"
            f" published_at IS NOT NULL FROM billing_central.outbox WHERE tenant_id = '{tenant}'"
        ):
            trace = json.loads(event)["traceparent"].split("-")[1]
            told = Event(tenant, key, sequence, name, fact, trace, published)
            self.events[trace].append(told)
        for key_hash, function, status, body in query(
            f"SELECT encode(key_hash, 'hex'), function, status, body FROM {schema}.idempotency_keys"
        ):
            self.stored[key_hash] = Stored(tenant, key_hash, function, status, body)

    def rows(self) -> set[str]:
        """The name of every row that a command must account for."""
        names = {f"webhook {event}" for _, event in self.applied}
        names |= {f"folio {folio}" for found in self.folios.values() for folio in found}
        names |= {f"line {name}" for _, name in self.lines}
        names |= {f"entry {entry.name}" for found in self.ledger.values() for entry in found}
        names |= {f"audit {audit.id}" for found in self.audits.values() for audit in found}
        names |= {f"event {event.id}" for found in self.events.values() for event in found}
        names |= {f"answer {key_hash}" for key_hash in self.stored}
        names |= {f"credits {each.id}" for found in self.credits.values() for each in found}
        names |= {f"payment {name}" for found in self.payments.values() for name, _ in found}
        for found in (self.settlements, self.invoices):
            names |= {f"document {name}" for each in found.values() for name in each}
        return names - self.before

    def told(self) -> list[Event]:
        """Every row of the outbox."""
        return [event for found in self.events.values() for event in found]
