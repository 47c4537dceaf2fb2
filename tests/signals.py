"""A signal to test with, raised as the job raises it."""

from datetime import date
from uuid import UUID

from common.domain.cash_patterns import Finding, Pattern
from common.domain.identifiers import PropertyId
from common.domain.signal import Signal
from common.ports.transaction import Transaction
from common.ports.transactions import Caller, StoredAnswer
from common.runtime.execute import Call
from common.runtime.system import SystemActor
from common.runtime.trace import Trace
from tests.hotel import Hotel

ON = date(2026, 3, 1)


def a_signal(hotel: Hotel, actor: str = "karim") -> str:
    """Somebody's drawers came short, on the first of March; the signal's id."""
    finding = Finding(
        pattern=Pattern.VARIANCE_TREND,
        actor=actor,
        score_ppm=900_000,
        figures={"sessions": 5, "shortMicro": 25_000_000},
    )

    def raise_it(property_id: UUID, tx: Transaction) -> str:
        raised = Signal.raised(PropertyId(property_id), ON, finding, "statistics", tx)
        tx.signals.keep(raised.subject)
        tx.tell(raised)
        return raised.subject.id

    caller = Caller(
        actor=SystemActor.named("detect_cash_patterns", hotel.tenant_id),
        traceparent=Trace.continued(None).parent,
    )
    call = Call(
        use_case=raise_it,
        request=hotel.property_id,
        caller=caller,
        tenant_id=hotel.tenant_id,
        answer=lambda _: StoredAnswer(b"", 204, {}, ""),
    )
    signal_id: str = hotel.house.wiring.runner.run(call).outcome
    return signal_id
