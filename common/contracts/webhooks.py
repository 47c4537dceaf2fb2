"""The processor's events: what is read of one, what is kept of it, and how that is shown.

Kept is a list of what may be kept: ids, amounts, states, the metadata that we have put there
ourselves, and of a payment method brand, last four digits and expiry. A payment method's id is its
token, which can be charged: its SHA-256 is kept in its place (GW-2). What else was sent, with
whatever it says about a guest, goes no further than the hash of the whole (WH-6).
"""

import json
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, Self

from pydantic import Field, StringConstraints

from common.contracts.fields import Instant, PaymentToken, Token
from common.contracts.references import WebhookRef
from common.contracts.shapes import Incoming, Outcome, Request
from common.contracts.webhook_parts import (
    account_kept,
    end_kept,
    fee_kept,
    invoice_kept,
    metadata_of,
    newest_refund_kept,
)
from common.domain.stored_method import MethodDetails, MethodKind, token_digest
from common.domain.webhook import KeptWebhook

_OBJECT_KEPT: Final = (
    "id",
    "object",
    "status",
    "amount",
    "amount_captured",
    "amount_received",
    "amount_paid",
    "amount_refunded",
    "currency",
    "payment_intent",
    "subscription",
    "cancel_at",
    "canceled_at",
    "ended_at",
    "charge",
    "customer",
    "reason",
    "failure_reason",
    "failure_code",
    "fraud_type",
)
_METADATA_KEPT: Final = (
    "tenantId",
    "propertyId",
    "folioId",
    "refundId",
    "paymentIntentId",
    "subscriptionId",
    "payoutId",
)
_DIGITS_MAX: Final = 4
_CARD_KEPT: Final = ("brand", "last4", "exp_month", "exp_year", "fingerprint")

EventType = Annotated[
    PaymentToken,
    StringConstraints(strict=True, pattern=r"^[a-z][a-z0-9_]{0,59}(\.[a-z][a-z0-9_]{0,59}){0,5}$"),
    Field(examples=["payment_intent.succeeded"]),
]
ApiVersion = Annotated[
    str, StringConstraints(strict=True, pattern=r"^20[0-9]{2}-[0-9]{2}-[0-9]{2}(\.[a-z]{1,20})?$")
]
Sha256 = Annotated[str, StringConstraints(strict=True, pattern=r"^[0-9a-f]{64}$")]
ProcessorWord = Annotated[str, StringConstraints(strict=True, pattern=r"^[a-z0-9_]{1,60}$")]
ProcessorKind = Annotated[str, StringConstraints(strict=True, pattern=r"^[a-z0-9_.]{1,60}$")]
Units = Annotated[int, Field(ge=0, le=10**12)]
Seconds = Annotated[int, Field(ge=0, le=253_402_300_799)]
"""A moment from 1970 to the end of the year 9999: no calendar of ours has a later one."""


class ProcessorEvent(Request):
    """An event of the processor whose signature was checked; `payload` is what is kept of it."""

    event_id: Token
    type: EventType
    api_version: ApiVersion | None = None
    livemode: bool = False
    payload: Annotated[str, StringConstraints(strict=True, max_length=20_000, pattern=r"^\{")]
    payload_sha256: Sha256

    @classmethod
    def fields_of(cls, document: Mapping[str, Any], sha256: str) -> dict[str, Any]:
        """The fields of an event as it was sent, under their names on the wire."""
        return {
            "eventId": document.get("id"),
            "type": document.get("type"),
            "apiVersion": document.get("api_version"),
            "livemode": document.get("livemode", False),
            "payload": json.dumps(_kept(document), sort_keys=True, separators=(",", ":")),
            "payloadSha256": sha256,
        }


class _Metadata(Incoming):
    tenant_id: Token | None = None
    property_id: Token | None = None
    folio_id: Token | None = None
    refund_id: Token | None = None
    payment_intent_id: Token | None = None
    subscription_id: Token | None = None
    payout_id: Token | None = None


class _Card(Incoming):
    brand: ProcessorWord
    last4: Annotated[str, StringConstraints(strict=True, pattern=r"^[0-9]{4}$")]
    exp_month: Annotated[int, Field(alias="exp_month", ge=1, le=12)]
    exp_year: Annotated[int, Field(alias="exp_year", ge=2000, le=9999)]
    fingerprint: Token | None = None

    def details(self) -> MethodDetails:
        return MethodDetails(
            kind=MethodKind.CARD,
            brand=self.brand,
            last_four=self.last4,
            expiry_month=self.exp_month,
            expiry_year=self.exp_year,
            fingerprint=self.fingerprint,
        )


class RefundPart(Incoming):
    """A refund as its charge brings it along."""

    id: Token
    status: ProcessorWord | None = None
    amount: Units | None = None
    currency: Annotated[str, StringConstraints(pattern=r"^[a-z]{3}$")] | None = None
    payment_intent: Annotated[Token | None, Field(alias="payment_intent")] = None
    failure_reason: Annotated[ProcessorWord | None, Field(alias="failure_reason")] = None
    metadata: _Metadata = Field(default_factory=_Metadata)


class ProcessorObject(Incoming):
    """What an event is about: a payment intent, a charge, a refund, a dispute or another thing."""

    id: Token
    object: ProcessorKind | None = None
    status: ProcessorWord | None = None
    amount: Units | None = None
    amount_captured: Annotated[Units | None, Field(alias="amount_captured")] = None
    amount_received: Annotated[Units | None, Field(alias="amount_received")] = None
    amount_paid: Annotated[Units | None, Field(alias="amount_paid")] = None
    currency: Annotated[str, StringConstraints(pattern=r"^[a-z]{3}$")] | None = None
    payment_intent: Annotated[Token | None, Field(alias="payment_intent")] = None
    subscription: Token | None = None
    covers_from: Annotated[Seconds | None, Field(alias="covers_from")] = None
    cancel_at: Annotated[Seconds | None, Field(alias="cancel_at")] = None
    goes_on: Annotated[bool | None, Field(alias="goes_on")] = None
    canceled_at: Annotated[Seconds | None, Field(alias="canceled_at")] = None
    ended_at: Annotated[Seconds | None, Field(alias="ended_at")] = None
    reason: ProcessorWord | None = None
    failure_reason: Annotated[ProcessorWord | None, Field(alias="failure_reason")] = None
    failure_code: Annotated[ProcessorWord | None, Field(alias="failure_code")] = None
    payouts_enabled: Annotated[bool | None, Field(alias="payouts_enabled")] = None
    told_at: Annotated[Seconds | None, Field(alias="told_at")] = None
    fraud_type: Annotated[ProcessorWord | None, Field(alias="fraud_type")] = None
    fee: Units | None = None
    fee_currency: Annotated[str | None, Field(alias="fee_currency", pattern=r"^[a-z]{3}$")] = None
    refund: RefundPart | None = None
    customer: Token | None = None
    account: Token | None = None
    token_digest: Annotated[Sha256 | None, Field(alias="token_digest")] = None
    card: _Card | None = None
    metadata: _Metadata = Field(default_factory=_Metadata)

    @classmethod
    def of(cls, payload: str) -> Self:
        """What a kept payload is about. Raises ValidationError."""
        kept = json.loads(payload)
        told = {**kept["object"], "told_at": kept.get("created")}
        return cls.model_validate_json(json.dumps(told))

    @property
    def of_account(self) -> str | None:
        """The connected account that this is, or at which it took place."""
        return self.id if self.object == "account" else self.account

    @property
    def payment(self) -> str | None:
        """The processor's payment that this is, or belongs to."""
        return self.id if self.object == "payment_intent" else self.payment_intent


class WebhookTaken(Outcome):
    """What became of an event: `applied` now, or `duplicate` where it had been; `refused` and
    `quarantined` are kept for a person to look at."""

    event_id: str
    outcome: Literal["applied", "repeated", "duplicate", "refused", "quarantined"]


class WebhookView(Outcome):
    """A kept event; `outcome` and `code` are those of its last attempt."""

    webhook_id: WebhookRef
    event_id: str
    type: str
    api_version: str | None
    livemode: bool
    payload_sha256: str
    received_at: Instant
    outcome: str
    code: str | None
    attempts: int

    @classmethod
    def of(cls, kept: KeptWebhook) -> "WebhookView":
        return cls(
            webhook_id=kept.id,
            event_id=kept.event_id,
            type=kept.type,
            api_version=kept.api_version,
            livemode=kept.livemode,
            payload_sha256=kept.payload_sha256.hex(),
            received_at=kept.received_at,
            outcome=kept.outcome.value,
            code=kept.code,
            attempts=kept.attempts,
        )


def _kept(document: Mapping[str, Any]) -> dict[str, Any]:
    """What may be kept of an event, and no more."""
    data = document.get("data")
    about = data.get("object") if isinstance(data, dict) else None
    about = about if isinstance(about, dict) else {}
    metadata = metadata_of(about)
    kept = {name: about[name] for name in _OBJECT_KEPT if _is_plain(about.get(name))}
    if isinstance(metadata, dict):
        ours = {name: metadata[name] for name in _METADATA_KEPT if _is_plain(metadata.get(name))}
        kept["metadata"] = ours
    kept |= (
        account_kept(about) | fee_kept(about) | newest_refund_kept(about, _is_plain, _METADATA_KEPT)
    )
    kept |= _of_a_method(about, data) | invoice_kept(about, _is_plain) | end_kept(about)
    if _is_plain(document.get("account")):
        kept["account"] = document["account"]
    failed = about.get("last_payment_error")
    if isinstance(failed, dict):
        code = failed.get("decline_code") or failed.get("code")
        kept |= {"failure_code": code} if _is_plain(code) else {}
    return {"created": _whole(document.get("created")), "object": kept}


def _of_a_method(about: dict[str, Any], data: Any) -> dict[str, Any]:
    """What is kept of a payment method, or of what names one: never the token itself."""
    is_method = about.get("object") == "payment_method"
    token = about.get("id") if is_method else about.get("payment_method")
    kept: dict[str, Any] = {}
    if isinstance(token, str):
        kept["token_digest"] = token_digest(token).hex()
    if is_method:
        kept["id"] = kept.get("token_digest", "none")
        card = about.get("card")
        if isinstance(card, dict):
            kept["card"] = {name: card[name] for name in _CARD_KEPT if _is_plain(card.get(name))}
        before = data.get("previous_attributes") if isinstance(data, dict) else None
        if isinstance(before, dict) and _is_plain(before.get("customer")):
            kept.setdefault("customer", before["customer"])
    return kept


def _whole(value: Any) -> int | None:
    return value if type(value) is int else None


def _is_plain(value: Any) -> bool:
    """A short text without anything that could be a person's, or a whole number.

    No id of the processor's or of ours is digits alone: a telephone's, an account's and a card's
    number is.
    """
    if isinstance(value, str):
        is_number = value.isdigit() and len(value) > _DIGITS_MAX
        return (
            len(value) <= 255
            and value.isascii()
            and not (is_number or {" ", "@", "+"} & set(value))
        )
    return type(value) is int
