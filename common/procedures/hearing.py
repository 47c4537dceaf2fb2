"""An event of the processor takes effect: what it tells is held against the books and kept (WH-4).

An event says what the processor knows, not what happened between. So each effect is that of the
state it tells of, on the state that the books are in: a payment that was captured is on its folio,
a refund is settled, a dispute has moved on, whichever event, job or clerk was first, and in
whatever order they come. An event of another type, and one about a thing that is none of ours, is
kept and changes nothing.
"""

from importlib import import_module
from typing import Final

from pydantic import ValidationError

from common.contracts.webhooks import ProcessorEvent, ProcessorObject
from common.domain.webhook import WebhookContradictsBooks, WebhookOutcome
from common.ports.transaction import Transaction
from common.ports.webhooks import ReceivedWebhook

EFFECTS: Final = "common.procedures.hearing_effects"
"""Where the effects stand. They reach into half of the books, which are loaded with the first event
whose signature is right, and not at every start (PERF-1)."""


def keep_received(event: ProcessorEvent, tx: Transaction) -> None:
    """Write an event down as it came; it is kept with what becomes of it, or not at all."""
    received = ReceivedWebhook(
        event_id=event.event_id,
        type=event.type,
        api_version=event.api_version,
        livemode=event.livemode,
        payload=event.payload,
        payload_sha256=bytes.fromhex(event.payload_sha256),
    )
    tx.webhooks.keep(received)


def keep_refused(
    event: ProcessorEvent, outcome: WebhookOutcome, code: str, tx: Transaction
) -> None:
    """Write down that an event had no effect, and why, where it has had none before."""
    known = tx.webhooks.find(event.event_id)
    if known is None:
        keep_received(event, tx)
    if known is None or not known.is_applied:
        tx.webhooks.keep_attempt(event.event_id, outcome, code)


def take_effect(event_type: str, payload: str, tx: Transaction) -> None:
    """Let an event have its effect on the books as they are.

    Refuses: FolioUnknown, FolioAlreadyClosed, FxRateMissing, PaymentUnknown, RefundUnknown,
    RefundExceedsPayment, RefundOfMovedMoney, PaymentIntentUnknown, WebhookContradictsBooks,
    AmountNotPositive, CurrencyUnknown, CurrenciesDiffer, CreditsOutOfRange, PayoutUnknown,
    PayoutAccountUnknown, CompanyAccountUnknown.
    """
    effect = import_module(EFFECTS).EFFECTS.get(event_type)
    if effect is None:
        return
    try:
        about = ProcessorObject.of(payload)
    except ValidationError:
        raise WebhookContradictsBooks("It is not about what its type says.") from None
    effect(about, tx)
