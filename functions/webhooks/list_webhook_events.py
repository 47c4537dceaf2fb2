"""List the events that the processor has sent for the tenant, and what became of each."""

from common.contracts.shapes import ListRequest, Outcome
from common.contracts.webhooks import EventType, WebhookView
from common.domain.webhook import WebhookOutcome
from common.ports.paging import CursorInvalid
from common.ports.transaction import Transaction
from common.ports.webhooks import WebhookFilter
from common.runtime.declaration import http_function


class ListWebhookEvents(ListRequest):
    """Which events; `outcome` is that of the last attempt. What is not given is not asked."""

    type: EventType | None = None
    outcome: WebhookOutcome | None = None


class WebhookPage(Outcome):
    """A page of events; `nextCursor` is null at the end."""

    items: tuple[WebhookView, ...]
    next_cursor: str | None


@http_function("GET", "/webhooks/events", scope="platform.webhook.admin", refusals=(CursorInvalid,))
def list_webhook_events(request: ListWebhookEvents, tx: Transaction) -> WebhookPage:
    """Answer a page of the tenant's events, in the order of their coming.

    Refuses: CursorInvalid.
    """
    page = tx.webhooks.page(
        WebhookFilter(type=request.type, outcome=request.outcome), request.limit, request.cursor
    )
    return WebhookPage(
        items=tuple(WebhookView.of(kept) for kept in page.items), next_cursor=page.next_cursor
    )
