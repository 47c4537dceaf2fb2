"""The model's back office: events that come in, and invoices that are drawn, late or again.

An event has its effect once, however often, late and in whichever order it comes. What is refused
for good is a dead letter: one for each message. An invoice waits until it is drawn; a drawing that
is refused lets it wait the longer the more often, and a process that is killed has changed nothing.
"""

import hashlib
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from tests.trust.machine.cards import Cards
from tests.trust.machine.expected import Command, Expected
from tests.trust.machine.hotels import Settings
from tests.trust.machine.nights import Nights
from tests.trust.machine.transfers import Transfers

REFUSED: Final = "refused"
Event = dict[str, Any]


class Group(Cards, Transfers, Nights):
    """All books of a group."""

    def take_in(self, consumer: str, event: Event, message: str, now: datetime, pen: str) -> None:
        """What an event does, that is delivered in a message; `pen` is the printer's trouble."""
        told = consumer, f"{event['source']}#{event['id']}"
        code = self._cross_tenant(event)
        if code is None and told in self.taken:
            return
        if code is None:
            code = getattr(self, f"_{consumer}")(event["data"], told, now, pen)
        if code is not None:
            self.letters.setdefault((consumer, message), code)

    def _cross_tenant(self, event: Event) -> str | None:
        named = event["data"].get("tenantId", event["tenantid"])
        return None if named == event["tenantid"] else "CROSS_TENANT_REFERENCE"

    def _on_payment_captured(
        self, data: Event, told: tuple[str, str], now: datetime, pen: str
    ) -> str | None:
        everywhere = tuple(house["id"] for house in self.houses)
        found = self.folio(data["folioId"], everywhere)
        if found is None:
            return "FOLIO_UNKNOWN"
        if data["paymentId"] not in self.processor:
            paid = self.pay(found, {**data, "method": "card", "allowCredit": True}, now)
            if not paid.succeeds:
                return paid.code
            self.told += paid.events
        self.taken.add(told)
        return None

    def _on_tenant_tax_rules_updated(
        self, data: Event, told: tuple[str, str], now: datetime, pen: str
    ) -> str | None:
        self.settings = replace(self.settings, regime=data["model"])
        self.taken.add(told)
        return None

    def _on_tenant_settings_updated(
        self, data: Event, told: tuple[str, str], now: datetime, pen: str
    ) -> str | None:
        chosen: Settings = Settings(**data["model"])
        self.settings = replace(chosen, regime=self.settings.regime)
        self.taken.add(told)
        return None

    def _on_invoice_generated(
        self, data: Event, told: tuple[str, str], now: datetime, pen: str
    ) -> str | None:
        """An invoice that is drawn already has nothing to be recorded."""
        invoice = self.invoice(data["invoiceId"])
        if invoice is not None and invoice["copies"] == 0 and not pen.startswith("killed"):
            self.drawn(invoice, now, pen)
            self.taken.add(told)
        return None if invoice is not None else "INVOICE_UNKNOWN"

    # invoices

    def invoice(self, invoice_id: str) -> dict[str, Any] | None:
        return next((each for each in self.invoices if each["id"] == invoice_id), None)

    def drawn(self, invoice: dict[str, Any], now: datetime, pen: str) -> int | None:
        """The number of the copy that was drawn; None where the drawing was refused."""
        invoice["signed"] = True
        waits = self.queue.get(invoice["id"])
        if pen == REFUSED:
            if waits is not None:
                seconds = 10 * 2 ** min(waits["attempts"], 9)
                waits |= {
                    "attempts": waits["attempts"] + 1,
                    "due": now + timedelta(seconds=seconds),
                }
            return None
        self.queue.pop(invoice["id"], None)
        invoice["copies"] += 1
        invoice["version"] += 1
        rendered = ("invoice.rendered", invoice["id"], invoice["version"])
        self.told.append(lambda: rendered)
        return int(invoice["copies"]) - 1

    def due(self, now: datetime) -> list[dict[str, Any]]:
        """The invoices that the job finds."""
        waiting = [self.invoice(each) for each, waits in self.queue.items() if waits["due"] <= now]
        return [each for each in waiting if each is not None]

    def regenerate(self, asked: Command, now: datetime, pen: str) -> tuple[Expected, Any]:
        """What a further copy is answered with: its number and its hash, or the trouble."""
        for name in asked.names:
            stored = self.answers.get(name)
            if stored is not None and stored["fingerprint"] != asked.fingerprint:
                return Expected(422, "IDEMPOTENCY_KEY_REUSED"), None
            if stored is not None:
                return Expected(stored["status"], stored=stored), None
        invoice = self.invoice(asked.path.split("/")[2])
        if invoice is None or invoice["folio"]["house"]["id"] not in asked.houses:
            return Expected(404, "INVOICE_UNKNOWN"), None
        if pen.startswith("killed"):
            return Expected(0), None
        copy = self.drawn(invoice, now, pen)
        page = None if copy is None else page_of(invoice, copy)
        answer = {
            "invoiceId": invoice["id"],
            "copyNumber": copy,
            "pdfSha256": None if page is None else hashlib.sha256(page).hexdigest(),
            "error": "a glyph is missing" if page is None else None,
        }
        return Expected(201, names=asked.names), answer

    def verification(self, invoice: dict[str, Any] | None) -> dict[str, Any]:
        """What anybody is told of a document that is ours, or is not."""
        if invoice is None:
            nothing = {"valid": False, "signature": "broken", "status": "", "number": ""}
            return {**nothing, "date": None, "issuer": "", "language": ""}
        return {
            "valid": invoice["signed"],
            "signature": "valid" if invoice["signed"] else "pending",
            "status": "issued",
            "number": invoice["number"],
            "date": invoice["day"].isoformat(),
            "issuer": "Hotel",
            "language": "en",
        }


def page_of(invoice: dict[str, Any], copy: int) -> bytes:
    """What the machine's printer writes for a copy."""
    return f"{invoice['number']} {invoice['hash']} invoice-2 {copy > 0}".encode()
