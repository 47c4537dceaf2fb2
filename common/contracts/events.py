"""The events that we publish: CloudEvents 1.0 with typed data, one shape for each fact and version.

A shape may gain fields; it never loses one or changes its meaning, because consumers that we do not
know read it. No shape holds personal data: who the guest is can be asked for by those who may know.

Here is where the events of each aggregate stand. They are loaded with the first fact that is told
of it: every command can tell, but none tells of everything, and all shapes with what they are made
of would cost each function a third of its start (PERF-1).
"""

from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from common.contracts.event import EventData

if TYPE_CHECKING:  # a function loads the facts that it tells, not all that can be told
    from common.domain.aggregate import Fact

Events = dict[str, tuple[type[EventData], Callable[[Any], EventData]]]

STANDING: Final[dict[str, tuple[str, ...]]] = {
    "folio_events.FOLIO_EVENTS": ("folio", "charge", "payment", "refund", "tax_rule"),
    "night_audit_events.NIGHT_AUDIT_EVENTS": ("night_audit",),
    "document_events.DOCUMENT_EVENTS": ("invoice", "credit_note"),
    "cash_events.CASH_EVENTS": ("cash_drawer",),
    "reconciliations.RECONCILIATION_EVENTS": ("reconciliation",),
    "receivable_events.RECEIVABLE_EVENTS": ("company_account", "receivable"),
    "prepaid_events.CREDIT_EVENTS": ("credits",),
    "purchase_events.PURCHASE_EVENTS": ("credit_purchase", "auto_top_up"),
    "dispute_events.DISPUTE_EVENTS": (
        *("dispute", "late_refund", "returned_payment"),
        *("receivable", "credits", "subscription_invoice", "subscription_surplus", "payment"),
    ),
    "processor_differences.PROCESSOR_EVENTS": ("processor_reconciliation",),
    "subscription_events.SUBSCRIPTION_EVENTS": (
        *("subscription", "subscription_invoice", "subscription_refund"),
        *("platform_credit_note", "plan_version", "platform_tax_rules", "usage"),
    ),
    "collection_events.COLLECTION_EVENTS": (
        *("subscription_payment", "subscription", "platform_incident"),
    ),
    "review_events.REVIEW_EVENTS": ("review",),
    "payment_events.PAYMENT_EVENTS": ("payment_intent", "payment"),
    "payouts.PAYOUT_EVENTS": ("payout", "payout_account"),
}
"""Each tuple of events, by its module and name, and the aggregates that its facts tell of."""


@cache
def _standing_at(place: str) -> Events:
    """The events of one tuple, by their facts. Raises `ValueError` for one that is not announced:
    its fact would be told, and never published."""
    module, name = place.split(".")
    shapes = getattr(import_module(f"common.contracts.{module}"), name)
    for shape in shapes:
        if aggregate_of(shape.fact) not in STANDING[place]:
            raise ValueError(f"{shape.fact} is an event of {place}, which does not announce it")
    return {shape.fact: (shape, shape.of) for shape in shapes}


def aggregate_of(fact: str) -> str:
    """What a fact is about, by its name: `charge` of `charge.posted`."""
    return fact.partition(".")[0]


def every_event() -> Events:
    """All that can be published, by the facts."""
    return {fact: event for place in STANDING for fact, event in _standing_at(place).items()}


def event_of(fact: "Fact") -> EventData | None:
    """What is published of a fact; None for one that stays in the house."""
    aggregate = aggregate_of(fact.name)
    for place, announced in STANDING.items():
        if aggregate in announced and (known := _standing_at(place).get(fact.name)):
            return known[1](fact)
    return None
