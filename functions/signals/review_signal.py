"""Write down what a person made of a signal; nobody reviews one about themselves."""

from common.contracts.fields import FreeText
from common.contracts.references import SignalRef
from common.contracts.shapes import Request
from common.contracts.signals import SignalView
from common.domain.signal import SignalOfOneself, SignalReviewedAlready, SignalUnknown, Verdict
from common.ports.transaction import Transaction
from common.runtime.declaration import http_function


class ReviewSignal(Request):
    """Whether there was something in it, and why one thinks so."""

    signal_id: SignalRef
    verdict: Verdict
    note: FreeText


@http_function(
    "POST",
    "/ai-signals/{signal_id}/review",
    scope="billing.ai.review",
    refusals=(SignalUnknown, SignalReviewedAlready, SignalOfOneself),
)
def review_signal(request: ReviewSignal, tx: Transaction) -> SignalView:
    """Keep the verdict on a signal, once.

    Refuses: SignalUnknown, SignalReviewedAlready, SignalOfOneself.
    """
    signal = tx.signals.take(request.signal_id)
    reviewed = signal.reviewed(request.verdict, request.note, tx.actor.sub, tx)
    tx.signals.keep(signal)
    tx.tell(reviewed)
    return SignalView.of(signal)
