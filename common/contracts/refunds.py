"""How a refund reads on the wire: what goes back, what it is worth, and where it stands."""

from common.contracts.fields import Amount, Instant
from common.contracts.folios import LineView
from common.contracts.references import (
    FolioRef,
    PaymentRef,
    RefundRef,
    SignalRef,
)
from common.contracts.shapes import Outcome, Shape
from common.domain.advice import Advice
from common.domain.refund import Refund, RefundRecorded


class AdviceView(Shape):
    """A signal in short; `scorePpm` says how sure it is, `verdict` what a person made of it."""

    signal_id: SignalRef
    pattern: str
    score_ppm: int
    verdict: str | None

    @classmethod
    def of(cls, advice: Advice) -> "AdviceView":
        return cls(
            signal_id=advice.signal_id,
            pattern=advice.pattern,
            score_ppm=advice.score_ppm,
            verdict=advice.verdict,
        )


class RefundView(Shape):
    """A refund. `amount` goes back in the payment's currency, `worth` is what it adds to the folio.

    `source` is `house`, or `processor` where it was made at the processor itself.

    `failureCode` is the processor's word for why it failed. One that was made and failed afterwards
    has `cameBackAt`: the guest does not have the money, and it can be refunded anew; where the
    folio is closed, once that is opened again. Out of which drawer cash came is not
    told. `signals` are what was pointed out about it, its payment or its folio: they advise.
    """

    refund_id: RefundRef
    payment_id: PaymentRef
    method: str
    amount: Amount
    worth: Amount
    status: str
    source: str
    failure_code: str | None
    settled_at: Instant | None
    came_back_at: Instant | None
    reason: str | None
    reference: str | None
    signals: tuple[AdviceView, ...]

    @classmethod
    def of(cls, refund: Refund) -> "RefundView":
        return cls(
            refund_id=refund.id,
            payment_id=refund.payment_id,
            method=refund.method.value,
            amount=refund.paid,
            worth=refund.amount,
            status=refund.status.value,
            source=refund.source,
            failure_code=refund.failure_code,
            settled_at=refund.settled_at,
            came_back_at=refund.came_back_at,
            reason=refund.reason,
            reference=refund.reference,
            signals=tuple(AdviceView.of(advice) for advice in refund.advice),
        )


class RefundAnswer(Outcome):
    """A refund as it was recorded, its line, and the balance it left.

    A card's refund is answered as `pending`, and a retry with the same key is answered the same for
    ever: what became of it is shown on the folio and told by `refund.settled`.
    """

    folio_id: FolioRef
    refund: RefundView
    lines: tuple[LineView, ...]
    balance: Amount
    version: int

    @classmethod
    def of(cls, recorded: RefundRecorded) -> "RefundAnswer":
        return cls(
            folio_id=recorded.refund.folio_id,
            refund=RefundView.of(recorded.refund),
            lines=tuple(LineView.of(line) for line in recorded.lines),
            balance=recorded.balance,
            version=recorded.sequence,
        )

    @property
    def moved_minor_units(self) -> int:
        moved = self.refund.amount
        return moved.amount_micro // moved.currency.minor_unit_micro
