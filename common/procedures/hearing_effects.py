"""What the events of the processor do to the books, by their type (WH-4).

Each effect is that of the state it tells of, on the state that the books are in: whichever event,
job or clerk was first, and in whatever order they come. What is about a thing that is none of ours
changes nothing.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from common.contracts.webhooks import ProcessorObject, RefundPart
from common.domain.dispute import DisputeStatus
from common.domain.folio import FolioUnknown
from common.domain.identifiers import FolioId, PayoutId, RefundId
from common.domain.money import Money
from common.domain.payout import PayoutUnknown
from common.domain.processor_units import from_processor
from common.domain.refund import RefundUnknown
from common.domain.webhook import WebhookContradictsBooks
from common.ports.transaction import Transaction
from common.procedures.capturing import capture_payment
from common.procedures.disputing import Claim, keep_claim
from common.procedures.giving_back import REFUNDED, is_refunded, keep_refunded
from common.procedures.giving_back import keep_failed_there as keep_platforms_failed_there
from common.procedures.hearing_cards import CARD_EFFECTS, intent_succeeded
from common.procedures.hearing_purchases import purchase_refund_failed, purchase_refunded
from common.procedures.paying_out import keep_account_told, keep_payout_result
from common.procedures.refunded_there import (
    Told,
    keep_failed_there,
    keep_refunded_there,
)
from common.procedures.refunding import (
    find_asked,
    keep_failed_afterwards,
    keep_pending_result,
)
from common.procedures.warning import warn_of_fraud

DISPUTE_STATES: Final = frozenset(status.value for status in DisputeStatus)
REFUND_FAILED: Final = frozenset({"failed", "canceled"})

Effect = Callable[[ProcessorObject, Transaction], None]


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


def _refunded(about: ProcessorObject | RefundPart, tx: Transaction) -> None:
    """The refund is settled as the processor says, unless it is; one that still runs waits on.

    One that bears no id of ours was made at the processor itself.
    """
    refund_id = about.metadata.refund_id
    if refund_id is None:
        if not purchase_refunded(about, tx):
            _refunded_there(about, tx)
        return
    if about.status != "succeeded" and about.status not in REFUND_FAILED:
        return
    try:
        known = RefundId(refund_id)
    except ValueError:
        raise RefundUnknown() from None
    pending = find_asked(known, about.payment_intent, tx)
    if pending is None:
        return
    if not pending.processor_payment_id and about.payment_intent:  # so it is known from now on
        pending = replace(pending, processor_payment_id=about.payment_intent)
    told = (about.payment_intent, _given_back(about))
    if told != (pending.processor_payment_id, pending.paid):
        raise WebhookContradictsBooks("It is of another payment, or another amount.")
    failure = about.failure_reason or about.status if about.status in REFUND_FAILED else None
    if not keep_pending_result(pending, failure, tx) and failure is not None:
        keep_failed_afterwards(pending, failure, tx)


def _refunded_there(about: ProcessorObject | RefundPart, tx: Transaction) -> None:
    """What somebody gave back at the processor is a refund of its payment, once it is made: of an
    invoice of the platform, or of a guest's folio. Made, it may fail afterwards."""
    if about.payment_intent is None:
        return
    if about.status in REFUND_FAILED:
        if purchase_refund_failed(about, tx):
            return
        code = about.failure_reason or about.status or "failed"
        if is_refunded(about.id, tx):
            keep_platforms_failed_there(_told(about, about.payment_intent), code, tx)
            return
        keep_failed_there(about.payment_intent, about.id, code, tx)
        return
    if about.status != "succeeded":
        return
    told = _told(about, about.payment_intent)
    if not keep_refunded(told, REFUNDED, tx):
        keep_refunded_there(told, tx)


def _told(about: ProcessorObject | RefundPart, processor_payment_id: str) -> Told:
    return Told(
        processor_refund_id=about.id,
        processor_payment_id=processor_payment_id,
        paid=_given_back(about),
    )


def _given_back(about: ProcessorObject | RefundPart) -> Money:
    """How much of a payment went back. Refuses: WebhookContradictsBooks, CurrencyUnknown."""
    if about.amount is None or about.currency is None:
        raise WebhookContradictsBooks("It does not say how much was given back.")
    return from_processor(about.amount, about.currency)


def _charge_refunded(about: ProcessorObject, tx: Transaction) -> None:
    """The refund that a charge brings along; else it is told by an event of its own."""
    if about.refund is not None:
        _refunded(about.refund, tx)


def _disputed(about: ProcessorObject, tx: Transaction) -> None:
    """The dispute is known, and stands where the processor says, or further on."""
    if about.status not in DISPUTE_STATES or about.payment_intent is None:
        return
    if about.amount is None or about.currency is None:
        raise WebhookContradictsBooks("It does not say how much is asked for.")
    is_told = about.fee is not None and about.fee_currency is not None
    claim = Claim(
        processor_dispute_id=about.id,
        processor_payment_id=about.payment_intent,
        status=DisputeStatus(about.status),
        reason=about.reason or "general",
        amount=from_processor(about.amount, about.currency),
        fee=from_processor(about.fee or 0, about.fee_currency or "") if is_told else None,
    )
    keep_claim(claim, tx)


def _paid_out(about: ProcessorObject, tx: Transaction) -> None:
    """A payout of ours is settled as the processor says; any other is none of ours."""
    payout_id, failed = about.metadata.payout_id, about.status in REFUND_FAILED
    if payout_id is None or not (failed or about.status == "paid"):
        return
    try:
        known = PayoutId(payout_id)
    except ValueError:
        raise PayoutUnknown() from None
    if about.amount is None or about.currency is None:
        raise WebhookContradictsBooks("It does not say how much was paid out.")
    failure = about.failure_code or about.status if failed else None
    keep_payout_result(known, failure, tx, from_processor(about.amount, about.currency))


def _account_updated(about: ProcessorObject, tx: Transaction) -> None:
    """Whether money may go to the tenant's account is the processor's word, the newest one."""
    if about.payouts_enabled is None or about.told_at is None:
        return
    keep_account_told(
        about.id,
        is_enabled=about.payouts_enabled,
        told_at=datetime.fromtimestamp(about.told_at, UTC),
        tx=tx,
    )


def _warned(about: ProcessorObject, tx: Transaction) -> None:
    """A card's issuer takes the payment for a fraud: a person may look before it is disputed."""
    if about.payment_intent is not None:
        warn_of_fraud(about.payment_intent, tx)


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
    "charge.refunded": _charge_refunded,
    "charge.refund.updated": _refunded,
    "refund.created": _refunded,
    "refund.updated": _refunded,
    "refund.failed": _refunded,
    "charge.dispute.created": _disputed,
    "charge.dispute.updated": _disputed,
    "charge.dispute.closed": _disputed,
    "charge.dispute.funds_withdrawn": _disputed,
    "charge.dispute.funds_reinstated": _disputed,
    "payout.paid": _paid_out,
    "payout.failed": _paid_out,
    "payout.canceled": _paid_out,
    "payout.updated": _paid_out,
    "account.updated": _account_updated,
    "radar.early_fraud_warning.created": _warned,
    "radar.early_fraud_warning.updated": _warned,
}
"""What has an effect; everything else is kept and waits for whoever will read it."""
