"""The sandbox's cards: tokens that behave by their names, as a processor's test cards do.

    sandbox_visa_...                 is charged, and so is whatever has no name of its own
    sandbox_bank_...                 a bank account, which is charged
    sandbox_declined_...             the bank declines it
    sandbox_insufficient_funds_...   and so it does here
    sandbox_expired_...              and here
    sandbox_fraud_...                it is taken for a fraud
    sandbox_3ds_...                  the guest has to confirm it to the bank first
    sandbox_unreachable_...          the first request never arrives; later ones do
    sandbox_lost_...                 it is charged, and the answer is lost on its way
    sandbox_disputed_...             it is charged, and named so that a dispute may follow
    sandbox_unknown_...              no token of this processor

What was made is a file of its own, written once and whole, by our ids: the same id is answered the
same for ever. A payment that succeeds is a capture, as one at the terminal is.
"""

import hashlib
import json
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from common.domain.identifiers import PropertyId
from common.domain.money import Currency, Money
from common.domain.payment_intent import PaymentIntentUnknown
from common.domain.processor_payment import Heard, PaymentStatus
from common.domain.stored_method import MethodDetails, MethodKind
from common.ports.answers import Failed, Succeeded, Unknown
from common.ports.cards import Linked, NextAction, NotThere, Order, Person
from common.sandbox.gateway import SandboxGateway
from common.sandbox.movements import WriteOnce
from common.sandbox.outage import unless_down

PREFIX: Final = "sandbox_"
CHALLENGED: Final = "sandbox_3ds_"
LOST: Final = "sandbox_lost_"
UNREACHABLE: Final = "sandbox_unreachable_"
UNKNOWN: Final = "sandbox_unknown_"
DISPUTED: Final = "sandbox_disputed_"
BANK: Final = "sandbox_bank_"
REFUSALS: Final = {
    "sandbox_declined_": "generic_decline",
    "sandbox_insufficient_funds_": "insufficient_funds",
    "sandbox_expired_": "expired_card",
    "sandbox_fraud_": "fraudulent",
}
NOT_CONFIRMED: Final = "payment_intent_authentication_failure"
DETACHED: Final = "payment_method_detached"


class SandboxCards:
    """Customers, methods and payments of all tenants, in a folder beside the captures."""

    def __init__(self, folder: Path, write_once: WriteOnce, terminal: SandboxGateway) -> None:
        self._folder = folder
        self._write_once = write_once
        self._terminal = terminal

    @unless_down
    def link(self, person: Person) -> Linked | Failed | Unknown:
        """Make the customer, or note a change; one name of it for ever."""
        told = {"tenant": str(person.tenant_id), "detailsVersion": person.details_version}
        self._put(f"customers/{person.id}.{person.details_version}", told)
        return Linked(f"{PREFIX}{person.id}")

    @unless_down
    def attach(self, token: str, processor_customer_id: str) -> MethodDetails | Failed | Unknown:
        """Give a token to a customer, unless another one has it."""
        if token.startswith(UNKNOWN):
            return Failed("resource_missing")
        self._put(f"methods/{_name(token)}", {"customer": processor_customer_id})
        if self._read(f"methods/{_name(token)}") != {"customer": processor_customer_id}:
            return Failed("payment_method_of_another_customer")
        if self._read(f"methods/{_name(token)}.detached") is not None:
            return Failed(DETACHED)
        if token.startswith(BANK):
            return MethodDetails(kind=MethodKind.BANK_ACCOUNT, brand="test_bank", last_four="6789")
        return MethodDetails(
            kind=MethodKind.CARD,
            brand="visa",
            last_four="0341" if token.startswith(tuple(REFUSALS)) else "4242",
            expiry_month=12,
            expiry_year=2034,
            fingerprint=_name(token)[:16],
        )

    @unless_down
    def detach(self, token: str) -> Succeeded | Failed | Unknown:
        """Take a token away from its customer."""
        self._put(f"methods/{_name(token)}.detached", {})
        return Succeeded()

    @unless_down
    def pay(self, order: Order) -> Heard | Unknown:
        """Charge a token, once for each id; the same id for something else is no answer."""
        if order.token.startswith(UNREACHABLE) and self._put(f"intents/{order.id}.tried", {}):
            return Unknown()
        asked = {
            "amountMicro": order.amount.amount_micro,
            "currency": str(order.amount.currency),
            "customer": order.processor_customer_id,
            "method": _name(order.token),
        }
        made = {
            **asked,
            "tenant": str(order.tenant_id),
            "property": str(order.property_id) if order.property_id else None,
            "payment": _payment_id(order),
            **self._outcome(order),
        }
        is_new = self._put(f"intents/{order.id}", made)
        known = self._read(f"intents/{order.id}") or {}
        if not asked.items() <= known.items():
            return Unknown()
        heard = self._heard(order.id, known)
        return Unknown() if is_new and order.token.startswith(LOST) else heard

    @unless_down
    def standing(self, order: Order) -> Heard | NotThere | Unknown:
        """What became of a payment."""
        made = self._read(f"intents/{order.id}")
        return NotThere() if made is None else self._heard(order.id, made)

    def cancel(self, order: Order) -> Heard | NotThere | Unknown:
        """Cancel a payment that waits for its guest, unless that was faster."""
        heard = self.standing(order)
        if not isinstance(heard, Heard) or heard.status is not PaymentStatus.REQUIRES_ACTION:
            return heard
        told = {"status": PaymentStatus.CANCELED.value, "failure": None}
        self._put(f"intents/{order.id}.acted", told)
        return self.standing(order)

    def next_action(self, order: Order) -> NextAction | None:
        """Where a guest confirms a payment that waits for it."""
        heard = self.standing(order)
        if not isinstance(heard, Heard) or heard.status is not PaymentStatus.REQUIRES_ACTION:
            return None
        return NextAction(
            client_secret=f"{heard.processor_payment_id}_secret_{_name(order.id)[:24]}",
            redirect_url=f"https://sandbox.invalid/3ds/{order.id}",
        )

    def act(self, intent_id: str, *, confirms: bool) -> None:
        """The guest confirms a payment to the bank, or does not; the first word counts.

        Refuses: PaymentIntentUnknown.
        """
        made = self._read(f"intents/{intent_id}")
        if made is None:
            raise PaymentIntentUnknown()
        status = PaymentStatus.SUCCEEDED if confirms else PaymentStatus.FAILED
        failure = None if confirms else NOT_CONFIRMED
        self._put(f"intents/{intent_id}.acted", {"status": status.value, "failure": failure})
        self._heard(intent_id, made)

    def _outcome(self, order: Order) -> dict[str, Any]:
        token = order.token
        if self._read(f"methods/{_name(token)}.detached") is not None:
            return {"status": PaymentStatus.FAILED.value, "failure": DETACHED}
        for prefix, failure in REFUSALS.items():
            if token.startswith(prefix):
                return {"status": PaymentStatus.FAILED.value, "failure": failure}
        waits = order.challenge or token.startswith(CHALLENGED)
        status = PaymentStatus.REQUIRES_ACTION if waits else PaymentStatus.SUCCEEDED
        return {"status": status.value, "failure": None}

    def _heard(self, intent_id: str, made: dict[str, Any]) -> Heard:
        """Where a payment stands; one that was taken is among the captures."""
        outcome = self._read(f"intents/{intent_id}.acted") or made
        status = PaymentStatus(outcome["status"])
        is_paid = status is PaymentStatus.SUCCEEDED
        amount = Money(made["amountMicro"], Currency(made["currency"]))
        if is_paid:
            house = PropertyId(UUID(made["property"])) if made["property"] else None
            self._terminal.capture(UUID(made["tenant"]), house, made["payment"], amount)
        return Heard(
            processor_payment_id=made["payment"],
            status=status,
            received=amount if is_paid else None,
            failure_code=outcome["failure"],
        )

    def _put(self, name: str, document: dict[str, Any]) -> bool:
        return self._write_once(self._folder / f"{name}.json", json.dumps(document).encode())

    def _read(self, name: str) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = json.loads((self._folder / f"{name}.json").read_bytes())
        except FileNotFoundError:
            return None
        return found


def _name(text: str) -> str:
    """A file's name: a digest, as a token may be any text."""
    return hashlib.sha256(text.encode()).hexdigest()


def _payment_id(order: Order) -> str:
    disputed = order.token.startswith(DISPUTED)
    return f"{DISPUTED if disputed else PREFIX}pi_{order.id.ulid}"
