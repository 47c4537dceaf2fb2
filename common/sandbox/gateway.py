"""A processor for the laptop and for tests: no network, and cards that behave by their names.

The id of the processor's payment decides, as a test card's number does:

    sandbox_declined_...     the refund is refused for good
    sandbox_lost_...         it is done, and the answer is lost on its way
    sandbox_unreachable_...  the first request never arrives; later ones do
    anything else            it is done

Beside what somebody has given back at the dashboard no more goes back than was captured, and
nothing while a bank asks for the payment.

What was done is a file of its own for each payment and refund, written once and whole, beside the
tenants' books and not in them: a process that is killed has forgotten nothing, and the same key is
answered the same for ever. A payment is captured at the terminal, which is none of this service's:
so the sandbox may hold what the books never heard of, and the other way round.
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from common.domain.identifiers import PropertyId, RefundId
from common.domain.money import Currency, Money
from common.domain.reconciliation import CardRecord, CardRecords
from common.ports.answers import Answer, Failed, Succeeded, Unknown
from common.ports.gateway import Wanted
from common.sandbox.movements import SandboxMovements, WriteOnce
from common.sandbox.outage import unless_down
from common.sandbox.payouts import SandboxPayouts

DECLINED: Final = "sandbox_declined_"
LOST: Final = "sandbox_lost_"
UNREACHABLE: Final = "sandbox_unreachable_"
DECLINED_CODE: Final = "card_declined"
DISPUTED_CODE: Final = "charge_disputed"
REFUNDED_CODE: Final = "charge_already_refunded"


class SandboxGateway(SandboxMovements, SandboxPayouts):
    """The payments and refunds of all tenants, in a folder.

    `write_once` puts a file there, or finds one; `now` is the processor's own clock.
    """

    def __init__(self, folder: Path, write_once: WriteOnce, now: Callable[[], datetime]) -> None:
        super().__init__(folder, write_once, now)

    def capture(
        self, tenant_id: UUID, property_id: PropertyId | None, payment_id: str, amount: Money
    ) -> None:
        """Take a payment, at a property's terminal or of the tenant's own; the same one again is
        no other."""
        captured = {
            "payment": payment_id,
            "tenant": str(tenant_id),
            "property": str(property_id) if property_id else None,
            "amountMicro": amount.amount_micro,
            "currency": str(amount.currency),
            "at": self._now().isoformat(),
        }
        self._write_once(self._capture_file(tenant_id, payment_id), json.dumps(captured).encode())

    @unless_down
    def refund(self, refund_id: RefundId, processor_payment_id: str, amount: Money) -> Answer:
        """Give an amount back. Raises ValueError where the key was used for something else."""
        if processor_payment_id.startswith(UNREACHABLE) and self._is_first(refund_id):
            return Unknown()
        asked = {
            "payment": processor_payment_id,
            "amountMicro": amount.amount_micro,
            "currency": str(amount.currency),
        }
        failure = self._refused(processor_payment_id, amount)
        made = {**asked, "failure": failure, "at": self._now().isoformat()}
        is_new = self._write_once(self._file(refund_id), json.dumps(made).encode())
        if not is_new and not asked.items() <= (self._done(refund_id) or {}).items():
            raise ValueError(f"{refund_id} was used for another refund")
        if is_new and processor_payment_id.startswith(LOST):
            return Unknown()
        return self.ask(refund_id, processor_payment_id)

    @unless_down
    def ask(self, refund_id: RefundId, processor_payment_id: str) -> Answer:
        """What became of a refund of a payment; Unknown where there is none."""
        done = self._done(refund_id)
        if done is None:
            return Unknown()
        return Failed(done["failure"]) if done["failure"] else Succeeded()

    def collect(self, processor_invoice_id: str, payment_id: str) -> None:
        """Have an invoice of the processor's own paid by a payment, as its own billing does."""
        self._write_once(self._invoice_file(processor_invoice_id), payment_id.encode())

    @unless_down
    def payment_of(self, processor_invoice_id: str) -> str | Unknown | None:
        """By which payment an invoice of the processor's own was paid; None for any other."""
        try:
            return self._invoice_file(processor_invoice_id).read_text()
        except FileNotFoundError:
            return None

    @unless_down
    def records(self, wanted: Wanted) -> CardRecords | Unknown:
        """What was captured and given back in a span of time, and what has one of the ids."""
        captures = {each["payment"]: each for each in self._captures(wanted)}
        return CardRecords(
            payments=tuple(
                _record(id, each)
                for id, each in sorted(captures.items())
                if id in wanted.payment_ids or _is_within(wanted, each)
            ),
            refunds=tuple(
                _record(id, each)
                for id, each in sorted(self._refunds(), key=lambda made: made[0])
                if id in wanted.refund_ids
                or (each["payment"] in captures and _is_within(wanted, each))
            ),
        )

    def _refused(self, payment_id: str, amount: Money) -> str | None:
        """Why a refund is not made, in a processor's words."""
        if payment_id.startswith(DECLINED):
            return DECLINED_CODE
        if self.is_disputed(payment_id):
            return DISPUTED_CODE
        if not any(each["payment"] == payment_id for each in self._read("there/*.json")):
            return None
        captures = (each for each in self._read("captures/*.json") if each["payment"] == payment_id)
        captured = sum(each["amountMicro"] for each in captures)
        made = (each for _, each in self._refunds() if each["payment"] == payment_id)
        given = sum(each["amountMicro"] for each in made)
        return None if given + amount.amount_micro <= captured else REFUNDED_CODE

    def _captures(self, wanted: Wanted) -> Iterator[dict[str, Any]]:
        """The payments that were taken at a property, and those of the tenant that have an id."""
        for file in self._folder.glob("captures/*.json"):
            captured = json.loads(file.read_bytes())
            is_there = captured["property"] == str(wanted.property_id)
            if captured["tenant"] == str(wanted.tenant_id) and (
                is_there or captured["payment"] in wanted.payment_ids
            ):
                yield captured

    def _refunds(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """The refunds that were made, by id."""
        for file in self._folder.glob(f"{RefundId.prefix}*.json"):
            made = json.loads(file.read_bytes())
            if not made["failure"]:
                yield file.stem, made
        for made in self._read("there/*.json"):
            yield made["id"], made

    def _is_first(self, refund_id: RefundId) -> bool:
        return self._write_once(self._file(refund_id).with_suffix(".tried"), b"")

    def _done(self, refund_id: RefundId) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = json.loads(self._file(refund_id).read_bytes())
        except FileNotFoundError:
            return None
        return found

    def _file(self, refund_id: RefundId) -> Path:
        return self._folder / f"{refund_id}.json"

    def _invoice_file(self, processor_invoice_id: str) -> Path:
        """Which payment has paid an invoice of the processor's own."""
        name = hashlib.sha256(processor_invoice_id.encode()).hexdigest()
        return self._folder / "invoices" / name

    def _capture_file(self, tenant_id: UUID, payment_id: str) -> Path:
        """A payment's file: its name is a digest, as an id may be any text."""
        name = hashlib.sha256(f"{tenant_id} {payment_id}".encode()).hexdigest()
        return self._folder / "captures" / f"{name}.json"


def _record(id: str, document: dict[str, Any]) -> CardRecord:
    return CardRecord(id, Money(document["amountMicro"], Currency(document["currency"])))


def _is_within(wanted: Wanted, document: dict[str, Any]) -> bool:
    """Whether it was done in the span; what was kept without its time was not."""
    at = document.get("at")
    return at is not None and wanted.since <= datetime.fromisoformat(at) < wanted.until
