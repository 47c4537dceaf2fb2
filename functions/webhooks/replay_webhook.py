"""Let a kept event of the processor have its effect again, by the same rules as when it came."""

from common.contracts.fields import Token
from common.contracts.shapes import Request
from common.contracts.webhooks import WebhookTaken
from common.domain.company_account import CompanyAccountUnknown
from common.domain.folio import FolioAlreadyClosed, FolioUnknown
from common.domain.fx import FxRateMissing
from common.domain.money import AmountNotPositive, CurrencyUnknown
from common.domain.payment_intent import PaymentIntentUnknown
from common.domain.payout import PayoutUnknown
from common.domain.payout_account import PayoutAccountUnknown
from common.domain.prepaid_account import CreditsOutOfRange
from common.domain.refund import (
    PaymentUnknown,
    RefundExceedsPayment,
    RefundOfMovedMoney,
    RefundUnknown,
)
from common.domain.webhook import (
    WebhookBodyGone,
    WebhookContradictsBooks,
    WebhookOutcome,
    WebhookUnknown,
)
from common.ports.transaction import Transaction
from common.procedures.hearing import take_effect
from common.runtime.declaration import RateLimit, http_function


class ReplayWebhook(Request):
    """Which event, by the processor's id."""

    event_id: Token


@http_function(
    "POST",
    "/webhooks/replay",
    scope="platform.webhook.admin",
    limits=(RateLimit(quota=60, window_seconds=60),),
    refusals=(
        WebhookUnknown,
        WebhookBodyGone,
        FolioUnknown,
        FolioAlreadyClosed,
        FxRateMissing,
        PaymentUnknown,
        RefundUnknown,
        RefundExceedsPayment,
        RefundOfMovedMoney,
        PaymentIntentUnknown,
        WebhookContradictsBooks,
        AmountNotPositive,
        CurrencyUnknown,
        CreditsOutOfRange,
        PayoutUnknown,
        PayoutAccountUnknown,
        CompanyAccountUnknown,
    ),
)
def replay_webhook(request: ReplayWebhook, tx: Transaction) -> WebhookTaken:
    """Apply an event that was refused, or apply one once more, which changes nothing.

    Refuses: WebhookUnknown, WebhookBodyGone, FolioUnknown, FolioAlreadyClosed, FxRateMissing,
    PaymentUnknown, RefundUnknown, RefundExceedsPayment, RefundOfMovedMoney, PaymentIntentUnknown,
    WebhookContradictsBooks, AmountNotPositive, CurrencyUnknown, CreditsOutOfRange, PayoutUnknown,
    PayoutAccountUnknown, CompanyAccountUnknown.
    """
    kept = tx.webhooks.get(request.event_id)
    take_effect(kept.type, kept.body, tx)
    outcome = WebhookOutcome.REPEATED if kept.is_applied else WebhookOutcome.APPLIED
    tx.webhooks.keep_attempt(kept.event_id, outcome)
    return WebhookTaken(
        event_id=kept.event_id, outcome="repeated" if kept.is_applied else "applied"
    )
