"""Functions behind a second factor, for the tests of the factor itself.

Writing a charge off is what a supervisor confirms. It runs through the real edge on the real
database; only its declaration stands here.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from werkzeug.test import Client

from common.contracts.fields import FreeText
from common.contracts.folios import LinesAnswer
from common.contracts.references import ChargeRef, FolioRef
from common.contracts.shapes import Outcome, Request
from common.domain import correction
from common.domain.canonical import digest
from common.local.gateway import Gateway
from common.ports.identity import Actor
from common.ports.powers import Powers
from common.ports.transaction import Transaction
from common.runtime.declaration import HttpDeclaration, declaration_of, http_function
from tests.hotel import House

SCOPE = "billing.refund.write"


class WriteOff(Request):
    """The charge in the path, and why it is not asked for any more."""

    folio_id: FolioRef
    charge_id: ChargeRef
    reason: FreeText


class Begun(Outcome):
    """What was found before anything outside was asked."""

    folio_id: FolioRef
    charge_id: ChargeRef
    reason: str


class Performed(Exception):
    """What is outside broke down."""


def what_is_approved(request: WriteOff, actor: Actor) -> str:
    """The charge of this tenant; why is the supervisor's own business."""
    parts = {"tenant": str(actor.tenant_id), "charge": request.charge_id}
    return digest(parts).hex()


@http_function(
    "POST",
    "/test/folios/{folio_id}/charges/{charge_id}/write-off",
    scope=SCOPE,
    status=201,
    step_up=True,
    context=what_is_approved,
    moves_money=True,
    etag="folio",
)
def write_off(request: WriteOff, tx: Transaction) -> LinesAnswer:
    """Reverse a charge that a supervisor has confirmed."""
    folio, lines = tx.folios.take_with_charge(request.folio_id, request.charge_id)
    voided = correction.void_charge(folio, lines, request.reason, tx)
    tx.folios.keep(folio)
    tx.ledger.post(voided)
    tx.tell(voided)
    return LinesAnswer.of(voided)


asked_outside: list[str] = []
outside_fails: list[bool] = []


def ask_outside(begun: Begun, powers: Powers) -> Begun:
    """What happens between the two transactions: it must not happen for a used confirmation."""
    asked_outside.append(begun.charge_id)
    if outside_fails:
        raise Performed("the processor does not answer")
    return begun


def record(begun: Begun, tx: Transaction) -> LinesAnswer:
    """Write down what came of it."""
    asked = WriteOff(folio_id=begun.folio_id, charge_id=begun.charge_id, reason=begun.reason)
    return declaration(write_off).use_case(asked, tx)  # type: ignore[no-any-return] # as declared


@http_function(
    "POST",
    "/test/folios/{folio_id}/charges/{charge_id}/pay-back",
    scope=SCOPE,
    status=201,
    step_up=True,
    context=what_is_approved,
    moves_money=True,
    perform=ask_outside,
    record=record,
)
def pay_back(request: WriteOff, tx: Transaction) -> Begun:
    """Find out, ask outside, write down."""
    tx.folios.get(request.folio_id)
    return Begun(**dict(request))


def declaration(target: Any) -> HttpDeclaration:
    found = declaration_of(target)
    assert isinstance(found, HttpDeclaration)
    return found


@dataclass(frozen=True)
class Gate:
    """The gated functions at their paths."""

    house: House

    @property
    def client(self) -> Client:
        return Client(Gateway(self.house.wiring, [declaration(write_off), declaration(pay_back)]))


@contextmanager
def outside_is_down() -> Iterator[None]:
    outside_fails.append(True)
    try:
        yield
    finally:
        outside_fails.clear()
