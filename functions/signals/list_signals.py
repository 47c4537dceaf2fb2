"""List signals by property, pattern and whether anybody has looked at them."""

from common.contracts.references import PropertyRef
from common.contracts.shapes import ListRequest, Outcome
from common.contracts.signals import SignalView
from common.domain.cash_patterns import Pattern, Suspicion
from common.ports.paging import CursorInvalid
from common.ports.signals import SignalFilter
from common.ports.transaction import Transaction
from common.runtime.declaration import http_function


class ListSignals(ListRequest):
    """Which signals; what is not given is not asked."""

    property_id: PropertyRef | None = None
    pattern: Pattern | Suspicion | None = None
    reviewed: bool | None = None


class SignalPage(Outcome):
    """A page of signals; `nextCursor` is null at the end."""

    items: tuple[SignalView, ...]
    next_cursor: str | None


@http_function("GET", "/ai-signals", scope="billing.ai.review", refusals=(CursorInvalid,))
def list_signals(request: ListSignals, tx: Transaction) -> SignalPage:
    """Answer a page of the signals of the caller's properties.

    Refuses: CursorInvalid.
    """
    page = tx.signals.page(
        SignalFilter(
            property_id=request.property_id, pattern=request.pattern, reviewed=request.reviewed
        ),
        request.limit,
        request.cursor,
    )
    return SignalPage(
        items=tuple(SignalView.of(signal) for signal in page.items), next_cursor=page.next_cursor
    )
