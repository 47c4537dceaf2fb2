"""The sandbox's side of a reconciliation, and what may happen at a processor without this house.

Somebody gives money back or pays money out at its dashboard, and a bank asks for a payment's money:
each is a file of its own beside the captures and the refunds, written once. The house hears of it
by webhooks only, which nobody sends here; so it is what a reconciliation finds.
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from common.domain.identifiers import PropertyId, RefundId
from common.domain.money import Currency, Money
from common.domain.processor_reconciliation import Known, Movement, MovementKind
from common.ports.answers import Unknown
from common.ports.movements import MovementPage, MovementsWanted
from common.sandbox.outage import unless_down
from common.sandbox.payouts import is_paid

PAGE: Final = 100
WriteOnce = Callable[[Path, bytes], bool]


class SandboxMovements:
    """What the folder of a sandbox holds, as movements."""

    def __init__(self, folder: Path, write_once: WriteOnce, now: Callable[[], datetime]) -> None:
        self._folder = folder
        self._write_once = write_once
        self._now = now

    def refund_there(self, processor_refund_id: str, payment: str, amount: Money) -> None:
        """Somebody gives an amount of a payment back at the dashboard."""
        self._write("there", processor_refund_id, payment, amount)

    def dispute(self, processor_dispute_id: str, payment: str, amount: Money) -> None:
        """A bank asks for an amount of a payment."""
        self._write("disputes", processor_dispute_id, payment, amount)

    def decide(self, processor_dispute_id: str, payment: str) -> None:
        """The bank's claim is over, won or lost."""
        amount = Money.zero(Currency("USD"))
        self._write("decided", processor_dispute_id, payment, amount)

    def is_disputed(self, payment: str) -> bool:
        """Whether a bank asks for a payment, and nothing is decided."""
        claims, decided = (
            {each["id"] for each in self._read(f"{where}/*.json") if each["payment"] == payment}
            for where in ("disputes", "decided")
        )
        return bool(claims - decided)

    def pay_out_there(self, processor_payout_id: str, account: str, amount: Money) -> None:
        """Somebody pays an account's money out at the dashboard."""
        self._write("payouts_there", processor_payout_id, account, amount)

    @unless_down
    def movements(self, wanted: MovementsWanted) -> MovementPage | Unknown:
        """A page of what took place in the span."""
        since, until = wanted.span.since, wanted.span.until
        found = sorted(
            (
                (at, each.known.id, each)
                for at, each in self._all(wanted.kind, wanted.tenant_id)
                if since <= at < until and each.tenant_id in (None, wanted.tenant_id)
                if wanted.kind is not MovementKind.PAYOUT or each.payment == wanted.account
            ),
            key=lambda dated: dated[:2],
        )
        begin = int(wanted.cursor or 0)
        items = tuple(each for _, _, each in found[begin : begin + PAGE])
        more = begin + PAGE < len(found)
        return MovementPage(items, str(begin + PAGE) if more else None)

    @unless_down
    def movement(self, known: Known, payment: str) -> Movement | Unknown | None:
        """One movement of a payment; None where none such took place."""
        found = (each for _, each in self._all(known.kind) if each.known == known)
        return next((each for each in found if payment in ("", each.payment)), None)

    def _all(
        self, kind: MovementKind, tenant_id: UUID | None = None
    ) -> Iterator[tuple[datetime, Movement]]:
        """All that took place. Where two tenants name a payment alike, it is the one's who asks."""
        made = list(self._read("captures/*.json"))
        made.sort(key=lambda each: each["tenant"] == str(tenant_id))
        captures = {each["payment"]: each for each in made}
        match kind:
            case MovementKind.PAYMENT:
                for each in captures.values():
                    yield _dated(each, _movement(kind, each["payment"], each, captures))
            case MovementKind.REFUND:
                for file in self._folder.glob(f"{RefundId.prefix}*.json"):
                    given = json.loads(file.read_bytes())
                    if not given["failure"]:
                        yield _dated(given, _movement(kind, file.stem, given, captures))
                for each in self._read("there/*.json"):
                    yield _dated(each, _movement(kind, each["id"], each, captures))
            case MovementKind.DISPUTE:
                for each in self._read("disputes/*.json"):
                    yield _dated(each, _movement(kind, each["id"], each, captures))
            case MovementKind.PAYOUT:
                for file in self._folder.glob("payouts/*.json"):
                    made = json.loads(file.read_bytes())
                    if is_paid(made["account"]):
                        yield _dated(made, _movement(kind, file.stem, _from_account(made), {}))
                for each in self._read("payouts_there/*.json"):
                    yield _dated(each, _movement(kind, each["id"], each, {}))

    def _write(self, where: str, id: str, payment: str, amount: Money) -> None:
        made = {
            "id": id,
            "payment": payment,
            "amountMicro": amount.amount_micro,
            "currency": str(amount.currency),
            "at": self._now().isoformat(),
        }
        name = hashlib.sha256(f"{payment} {id}".encode()).hexdigest()
        file = self._folder.joinpath(where, f"{name}.json")
        self._write_once(file, json.dumps(made).encode())

    def _read(self, pattern: str) -> Iterator[dict[str, Any]]:
        for file in self._folder.glob(pattern):
            yield json.loads(file.read_bytes())


def _dated(document: dict[str, Any], movement: Movement) -> tuple[datetime, Movement]:
    """What was kept without its time is as old as can be."""
    at = document.get("at")
    return datetime.fromisoformat(at) if at else datetime.min.replace(tzinfo=UTC), movement


def _from_account(made: dict[str, Any]) -> dict[str, Any]:
    """A payout as a movement of the account that it has left."""
    return {**made, "payment": made["account"]}


def _movement(
    kind: MovementKind, id: str, document: dict[str, Any], captures: dict[str, Any]
) -> Movement:
    """What is of a payment that was captured is its tenant's; else it is nobody's."""
    capture = captures.get(document["payment"])
    house = capture["property"] if capture else None
    return Movement(
        known=Known(kind, id),
        amount=Money(document["amountMicro"], Currency(document["currency"])),
        payment=document["payment"],
        property_id=PropertyId(UUID(house)) if house else None,
        tenant_id=UUID(capture["tenant"]) if capture else None,
    )
