"""Others behind a circuit breaker: who would wait for nothing is told so at once (GW-4, AI-1).

The breaker is asked before a call and told after it, each in a transaction of its own: none is open
while the other is asked. A call to the processor that is not let through is one that was never
made, and leaves a refund as pending as an answer that was lost; without the orchestrator the house
counts for itself.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar
from uuid import UUID, uuid4

from common.domain.cash_patterns import ActorFigures, Finding
from common.domain.identifiers import RefundId
from common.domain.money import Money
from common.domain.processor_payment import Heard
from common.domain.processor_reconciliation import Known, Movement
from common.domain.reconciliation import CardRecords
from common.domain.stored_method import MethodDetails
from common.ports.cards import (
    Cards,
    GatewayUnavailable,
    Linked,
    NextAction,
    NotThere,
    Order,
    Person,
)
from common.ports.circuit import Breaker
from common.ports.gateway import (
    Answer,
    Failed,
    Gateway,
    Succeeded,
    Unknown,
    Unreachable,
    Wanted,
)
from common.ports.movements import MovementPage, MovementsWanted
from common.ports.payouts import PendingPayout
from common.ports.signals import Detector

T = TypeVar("T")


class BreakingGateway:
    """Each call has a name of its own, so that a probe's word is told from that of a late one."""

    def __init__(self, gateway: Gateway, breaker: Breaker) -> None:
        self._gateway = gateway
        self._breaker = breaker

    def refund(self, refund_id: RefundId, processor_payment_id: str, amount: Money) -> Answer:
        """As the port has it; Unreachable while nobody is let through."""
        return self._through(lambda: self._gateway.refund(refund_id, processor_payment_id, amount))

    def ask(self, refund_id: RefundId, processor_payment_id: str) -> Answer:
        """As the port has it; Unreachable while nobody is let through."""
        return self._through(lambda: self._gateway.ask(refund_id, processor_payment_id))

    def records(self, wanted: Wanted) -> CardRecords | Unknown:
        """As the port has it; Unreachable while nobody is let through."""
        return self._through(lambda: self._gateway.records(wanted))

    def movements(self, wanted: MovementsWanted) -> MovementPage | Unknown:
        """As the port has it; Unreachable while nobody is let through."""
        return self._through(lambda: self._gateway.movements(wanted))

    def movement(self, known: Known, payment: str) -> Movement | Unknown | None:
        """As the port has it; Unreachable while nobody is let through."""
        return self._through(lambda: self._gateway.movement(known, payment))

    def pay_out(self, wanted: PendingPayout) -> Answer:
        """As the port has it; Unreachable while nobody is let through."""
        return self._through(lambda: self._gateway.pay_out(wanted))

    def ask_payout(self, wanted: PendingPayout) -> Answer | None:
        """As the port has it; Unreachable while nobody is let through."""
        return self._through(lambda: self._gateway.ask_payout(wanted))

    def _through(self, call: Callable[[], T]) -> T | Unreachable:
        try:
            return _through(self._breaker, call)
        except LeftAlone:
            return Unreachable()


class LeftAlone(Exception):
    """It did not answer before, and is not asked for a while."""


class BreakingCards:
    """The processor's other face behind the same breaker.

    Who waits for an answer is told that there will be none, before anything was asked: a payment
    that nobody was let through with was not asked for (GW-4). Jobs and readers go on without one.
    """

    def __init__(self, cards: Cards, breaker: Breaker) -> None:
        self._cards = cards
        self._breaker = breaker

    def link(self, person: Person) -> Linked | Failed | Unknown:
        """As the port has it; Unreachable while nobody is let through."""
        return self._quietly(lambda: self._cards.link(person))

    def attach(self, token: str, processor_customer_id: str) -> MethodDetails | Failed | Unknown:
        """As the port has it. Refuses: GatewayUnavailable."""
        return self._or_refused(lambda: self._cards.attach(token, processor_customer_id))

    def detach(self, token: str) -> Succeeded | Failed | Unknown:
        """As the port has it. Refuses: GatewayUnavailable."""
        return self._or_refused(lambda: self._cards.detach(token))

    def pay(self, order: Order) -> Heard | Unknown:
        """As the port has it. Refuses: GatewayUnavailable."""
        return self._or_refused(lambda: self._cards.pay(order))

    def standing(self, order: Order) -> Heard | NotThere | Unknown:
        """As the port has it; Unreachable while nobody is let through."""
        return self._quietly(lambda: self._cards.standing(order))

    def cancel(self, order: Order) -> Heard | NotThere | Unknown:
        """As the port has it. Refuses: GatewayUnavailable."""
        return self._or_refused(lambda: self._cards.cancel(order))

    def next_action(self, order: Order) -> NextAction | None:
        """As the port has it; None while nobody is let through."""
        answer = self._quietly(lambda: self._cards.next_action(order))
        return None if isinstance(answer, Unreachable) else answer

    def _quietly(self, call: Callable[[], T]) -> T | Unreachable:
        try:
            return _through(self._breaker, call)
        except LeftAlone:
            return Unreachable()

    def _or_refused(self, call: Callable[[], T]) -> T:
        try:
            return _through(self._breaker, call)
        except LeftAlone:
            raise GatewayUnavailable() from None


class BreakingDetector:
    """Whatever goes wrong with a detector is one answer that did not come."""

    def __init__(self, detector: Detector, breaker: Breaker) -> None:
        self._detector = detector
        self._breaker = breaker

    @property
    def name(self) -> str:
        """Who it is."""
        return self._detector.name

    def look(self, tenant_id: UUID, figures: Sequence[ActorFigures]) -> Sequence[Finding]:
        """As the port has it. Raises LeftAlone while nobody is let through."""
        caller = str(uuid4())
        if not self._breaker.admits(caller):
            raise LeftAlone
        try:
            found = self._detector.look(tenant_id, figures)
        except Exception:
            self._breaker.heard(caller, answered=False)
            raise
        self._breaker.heard(caller, answered=True)
        return found


def _through(breaker: Breaker, call: Callable[[], T]) -> T:
    """Call, and tell the breaker whether there was an answer. Raises LeftAlone."""
    caller = str(uuid4())
    if not breaker.admits(caller):
        raise LeftAlone
    try:
        answer = call()
    except ValueError:  # an answer: the key was used for something else
        breaker.heard(caller, answered=True)
        raise
    except Exception:
        breaker.heard(caller, answered=False)
        raise
    breaker.heard(caller, answered=not isinstance(answer, Unreachable))
    return answer
