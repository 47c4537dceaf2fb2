"""Others behind a circuit breaker: who would wait for nothing is told so at once (GW-4, AI-1).

The breaker is asked before a call, and told after it what may change it, each in a transaction of
its own: none is open while the other is asked. A call to the processor that is not let through is
one that was never made, and leaves a refund as pending as an answer that was lost; without the
orchestrator the house counts for itself.
"""

from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Final, TypeVar
from uuid import UUID, uuid4

from common.domain.cash_patterns import ActorFigures, Finding
from common.domain.circuit import CircuitState
from common.domain.identifiers import RefundId
from common.domain.money import Money
from common.domain.processor_payment import Heard
from common.domain.processor_reconciliation import Known, Movement
from common.domain.reconciliation import CardRecords
from common.domain.stored_method import MethodDetails
from common.ports.answers import Answer, Failed, Succeeded, Unknown, Unreachable
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
from common.ports.gateway import Gateway, Wanted
from common.ports.movements import MovementPage, MovementsWanted
from common.ports.payouts import PendingPayout
from common.ports.signals import Detector
from common.ports.telemetry import CALLS, measure, step

T = TypeVar("T")
PROCESSOR: Final = "processor"


class BreakingGateway:
    """Each call has a name of its own, so that a probe's word is told from that of a late one."""

    def __init__(self, gateway: Gateway, breaker: Breaker) -> None:
        self._gateway = gateway
        self._breaker = breaker

    def refund(self, refund_id: RefundId, processor_payment_id: str, amount: Money) -> Answer:
        """As the port has it; Unreachable while nobody is let through."""
        return self._through(
            "refund", lambda: self._gateway.refund(refund_id, processor_payment_id, amount)
        )

    def ask(self, refund_id: RefundId, processor_payment_id: str) -> Answer:
        """As the port has it; Unreachable while nobody is let through."""
        return self._through("ask", lambda: self._gateway.ask(refund_id, processor_payment_id))

    def payment_of(self, processor_invoice_id: str) -> str | Unknown | None:
        """As the port has it; Unreachable while nobody is let through."""
        return self._through("payment_of", lambda: self._gateway.payment_of(processor_invoice_id))

    def records(self, wanted: Wanted) -> CardRecords | Unknown:
        """As the port has it; Unreachable while nobody is let through."""
        return self._through("records", lambda: self._gateway.records(wanted))

    def movements(self, wanted: MovementsWanted) -> MovementPage | Unknown:
        """As the port has it; Unreachable while nobody is let through."""
        return self._through("movements", lambda: self._gateway.movements(wanted))

    def movement(self, known: Known, payment: str) -> Movement | Unknown | None:
        """As the port has it; Unreachable while nobody is let through."""
        return self._through("movement", lambda: self._gateway.movement(known, payment))

    def pay_out(self, wanted: PendingPayout) -> Answer:
        """As the port has it; Unreachable while nobody is let through."""
        return self._through("pay_out", lambda: self._gateway.pay_out(wanted))

    def ask_payout(self, wanted: PendingPayout) -> Answer | None:
        """As the port has it; Unreachable while nobody is let through."""
        return self._through("ask_payout", lambda: self._gateway.ask_payout(wanted))

    def _through(self, what: str, call: Callable[[], T]) -> T | Unreachable:
        try:
            return _through(self._breaker, what, call)
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
        return self._quietly("link", lambda: self._cards.link(person))

    def attach(self, token: str, processor_customer_id: str) -> MethodDetails | Failed | Unknown:
        """As the port has it. Refuses: GatewayUnavailable."""
        return self._or_refused("attach", lambda: self._cards.attach(token, processor_customer_id))

    def detach(self, token: str) -> Succeeded | Failed | Unknown:
        """As the port has it. Refuses: GatewayUnavailable."""
        return self._or_refused("detach", lambda: self._cards.detach(token))

    def pay(self, order: Order) -> Heard | Unknown:
        """As the port has it. Refuses: GatewayUnavailable."""
        return self._or_refused("pay", lambda: self._cards.pay(order))

    def standing(self, order: Order) -> Heard | NotThere | Unknown:
        """As the port has it; Unreachable while nobody is let through."""
        return self._quietly("standing", lambda: self._cards.standing(order))

    def cancel(self, order: Order) -> Heard | NotThere | Unknown:
        """As the port has it. Refuses: GatewayUnavailable."""
        return self._or_refused("cancel", lambda: self._cards.cancel(order))

    def next_action(self, order: Order) -> NextAction | None:
        """As the port has it; None while nobody is let through."""
        answer = self._quietly("next_action", lambda: self._cards.next_action(order))
        return None if isinstance(answer, Unreachable) else answer

    def _quietly(self, what: str, call: Callable[[], T]) -> T | Unreachable:
        try:
            return _through(self._breaker, what, call)
        except LeftAlone:
            return Unreachable()

    def _or_refused(self, what: str, call: Callable[[], T]) -> T:
        try:
            return _through(self._breaker, what, call)
        except LeftAlone:
            raise GatewayUnavailable() from None


class BreakingDetector:
    """Whatever goes wrong with a detector is one answer that did not come.

    Nothing waits for it, so nothing fails: `on_trouble` hears of it, as nobody else would.
    """

    def __init__(
        self,
        detector: Detector,
        breaker: Breaker,
        on_trouble: Callable[[Exception], None] = lambda _: None,
    ) -> None:
        self._detector = detector
        self._breaker = breaker
        self._on_trouble = on_trouble

    @property
    def name(self) -> str:
        """Who it is."""
        return self._detector.name

    def look(self, tenant_id: UUID, figures: Sequence[ActorFigures]) -> Sequence[Finding]:
        """As the port has it. Raises LeftAlone while nobody is let through."""
        caller = str(uuid4())
        found_it = self._breaker.admits(caller)
        if found_it is None:
            raise LeftAlone
        try:
            found = _timed(self.name, "look", lambda: self._detector.look(tenant_id, figures))
        except Exception as trouble:
            self._breaker.heard(caller, answered=False)
            self._on_trouble(trouble)
            raise
        _tell(self._breaker, caller, found_it, answered=True)
        return found


def _through(breaker: Breaker, what: str, call: Callable[[], T]) -> T:
    """Call, and tell the breaker whether there was an answer. Raises LeftAlone."""
    caller = str(uuid4())
    found = breaker.admits(caller)
    if found is None:
        measure(CALLS, 0.0, _about(PROCESSOR, what, "left_alone"))
        raise LeftAlone
    try:
        answer = _timed(PROCESSOR, what, call)
    except ValueError:  # an answer: the key was used for something else
        _tell(breaker, caller, found, answered=True)
        raise
    except Exception:
        breaker.heard(caller, answered=False)
        raise
    _tell(breaker, caller, found, answered=not isinstance(answer, Unreachable))
    return answer


def _tell(breaker: Breaker, caller: str, found: CircuitState, *, answered: bool) -> None:
    """Tell the breaker of an answer, unless that cannot change it: the round trip is spared."""
    if not answered or found is not CircuitState.CLOSED:
        breaker.heard(caller, answered=answered)


def _timed(peer: str, what: str, call: Callable[[], T]) -> T:
    """Call under a span of its own, and measure how long the answer took."""
    started, outcome = perf_counter(), "failed"
    with step(f"{peer} {what}", "client") as noted:
        try:
            answer = call()
            outcome = "silent" if isinstance(answer, Unreachable) else "answered"
            if outcome == "silent":
                noted.failed = outcome
            return answer
        finally:
            noted.attributes |= _about(peer, what, outcome)
            measure(CALLS, perf_counter() - started, _about(peer, what, outcome))


def _about(peer: str, what: str, outcome: str) -> dict[str, str]:
    return {"billing.peer": peer, "billing.operation": what, "billing.outcome": outcome}
