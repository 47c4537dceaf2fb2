"""A processor behind a circuit breaker: who would wait for nothing is told so at once (GW-4).

The breaker is asked before a call and told after it, each in a transaction of its own: none is open
while the processor is asked. A call that is not let through is one that was never made, and leaves
a refund as pending as an answer that was lost.
"""

from collections.abc import Callable
from typing import TypeVar
from uuid import uuid4

from common.domain.identifiers import RefundId
from common.domain.money import Money
from common.domain.reconciliation import CardRecords
from common.ports.circuit import Breaker
from common.ports.gateway import Answer, Gateway, Unknown, Unreachable, Wanted

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

    def _through(self, call: Callable[[], T]) -> T | Unreachable:
        caller = str(uuid4())
        if not self._breaker.admits(caller):
            return Unreachable()
        try:
            answer = call()
        except ValueError:  # an answer: the key was used for something else
            self._breaker.heard(caller, answered=True)
            raise
        except Exception:
            self._breaker.heard(caller, answered=False)
            raise
        self._breaker.heard(caller, answered=not isinstance(answer, Unreachable))
        return answer
