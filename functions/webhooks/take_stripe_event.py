"""Take in an event of the card processor: it is kept and has its effect, once.

Whoever calls has no token. The edge has checked the processor's signature over the raw bytes, and
found the tenant, before anything here is asked.
"""

from common.contracts.webhooks import ProcessorEvent, WebhookTaken
from common.domain.webhook import WebhookOutcome
from common.ports.transaction import Transaction
from common.procedures.hearing import keep_received, take_effect
from common.runtime.declaration import RateLimit, http_function


@http_function(
    "POST",
    "/webhooks/stripe",
    scope=None,
    signed_by="stripe",
    limits=(RateLimit(quota=6000, window_seconds=60, per="address"),),
    needs=("database", "webhooks"),
)
def take_stripe_event(event: ProcessorEvent, tx: Transaction) -> WebhookTaken:
    """Keep an event with its effect, unless it has had it; what is refused is kept with why."""
    known = tx.webhooks.find(event.event_id)
    if known is not None and known.is_applied:
        return WebhookTaken(event_id=event.event_id, outcome="duplicate")
    if known is None:
        keep_received(event, tx)
    take_effect(event.type, event.payload, tx)
    tx.webhooks.keep_attempt(event.event_id, WebhookOutcome.APPLIED)
    return WebhookTaken(event_id=event.event_id, outcome="applied")
