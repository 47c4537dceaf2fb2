"""An event of the processor takes effect: what it tells is held against the books and kept (WH-4).

An event says what the processor knows, not what happened between. So each effect is that of the
state it tells of, on the state that the books are in: a payment that was captured is on its folio,
a refund is settled, a dispute has moved on, whichever event, job or clerk was first, and in
whatever order they come. An event of another type, and one about a thing that is none of ours, is
kept and changes nothing.
"""

from collections.abc import Callable
from typing import Final

from pydantic import ValidationError

from common.contracts.webhooks import ProcessorEvent, ProcessorObject
from common.domain.dispute import Dispute, DisputeRecorded, DisputeStatus
from common.domain.folio import FolioUnknown
from common.domain.identifiers import FolioId, RefundId
from common.domain.processor_units import from_processor
from common.domain.refund import PaymentUnknown, RefundUnknown
from common.domain.webhook import WebhookContradictsBooks, WebhookOutcome
from common.ports.transaction import Transaction
from common.ports.webhooks import ReceivedWebhook
from common.procedures.hearing_cards import CARD_EFFECTS, intent_succeeded
from common.procedures.hearing_purchases import purchase_disputed, purchase_refunded
from common.procedures.paying import capture_payment
from common.procedures.refunding import keep_result

DISPUTE_STATES: Final = frozenset(status.value for status in DisputeStatus)
REFUND_FAILED: Final = frozenset({"failed", "canceled"})

Effect = Callable[[ProcessorObject, Transaction], None]


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
    PaymentIntentUnknown, WebhookContradictsBooks, AmountNotPositive, CurrencyUnknown,
    CurrenciesDiffer, CreditsOutOfRange.
    """
    effect = EFFECTS.get(event_type)
    if effect is None:
        return
    try:
        about = ProcessorObject.of(payload)
    except ValidationError:
        raise WebhookContradictsBooks("It is not about what its type says.") from None
    effect(about, tx)


def _captured(about: ProcessorObject, tx: Transaction) -> None:
    """The payment is on its folio, unless somebody has told us; more than is owed is a credit."""
    if about.metadata.payment_intent_id is not None:
        intent_succeeded(about, tx)
        return
    received = about.amount_received if about.object == "payment_intent" else about.amount_captured
    folio = about.metadata.folio_id
    if folio is None or about.payment is None:
        return
    if received is None or about.currency is None:
        raise WebhookContradictsBooks("It does not say how much was captured.")
    paid = from_processor(received, about.currency)
    capture_payment(tx, _folio_id(folio), about.payment, paid)


def _refunded(about: ProcessorObject, tx: Transaction) -> None:
    """The refund is settled as the processor says, unless it is; one that still runs waits on."""
    refund_id = about.metadata.refund_id
    if refund_id is None:
        purchase_refunded(about, tx)
    is_over = about.status == "succeeded" or about.status in REFUND_FAILED
    if refund_id is None or not is_over:
        return
    try:
        known = RefundId(refund_id)
    except ValueError:
        raise RefundUnknown() from None
    pending = tx.refunds.find_pending(known)
    if pending is None:
        return
    if about.amount is None or about.currency is None:
        raise WebhookContradictsBooks("It does not say how much was given back.")
    told = (about.payment_intent, from_processor(about.amount, about.currency))
    if told != (pending.processor_payment_id, pending.paid):
        raise WebhookContradictsBooks("It is of another payment, or another amount.")
    failure = about.failure_reason or about.status if about.status in REFUND_FAILED else None
    keep_result(pending.folio_id, pending.id, failure, tx)


def _disputed(about: ProcessorObject, tx: Transaction) -> None:
    """The dispute is known, and stands where the processor says, or further on."""
    if about.status not in DISPUTE_STATES or about.payment_intent is None:
        return
    status = DisputeStatus(about.status)
    if purchase_disputed(about, status, tx):
        return
    known = tx.disputes.find(about.id)
    recorded = known.moved(status, tx) if known else _opened(about, status, tx)
    if recorded is not None:
        tx.disputes.keep(recorded.subject)
        tx.tell(recorded)


def _opened(about: ProcessorObject, status: DisputeStatus, tx: Transaction) -> DisputeRecorded:
    """A dispute that was not known, of a payment that is. Refuses: PaymentUnknown."""
    payment = tx.folios.find_paid_by(about.payment_intent or "")
    if payment is None:
        raise PaymentUnknown()
    if about.amount is None or about.currency is None:
        raise WebhookContradictsBooks("It does not say how much is asked for.")
    return Dispute.opened(
        payment,
        tx.folios.get(payment.folio_id).property_id,
        about.id,
        from_processor(about.amount, about.currency),
        about.reason or "general",
        status,
        tx,
    )


def _folio_id(text: str) -> FolioId:
    """The folio that we have named to the processor. Refuses: FolioUnknown."""
    try:
        return FolioId(text)
    except ValueError:
        raise FolioUnknown() from None


EFFECTS: Final[dict[str, Effect]] = {
    **CARD_EFFECTS,
    "payment_intent.succeeded": _captured,
    "charge.captured": _captured,
    "charge.refund.updated": _refunded,
    "refund.created": _refunded,
    "refund.updated": _refunded,
    "refund.failed": _refunded,
    "charge.dispute.created": _disputed,
    "charge.dispute.updated": _disputed,
    "charge.dispute.closed": _disputed,
}
"""What has an effect; everything else is kept and waits for whoever will read it."""
