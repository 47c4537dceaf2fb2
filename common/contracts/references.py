"""Ids on the wire: each is read into its type, by its prefix and form, or refused at its place.

What a rule of the domain refuses is an error of its field, as any other.
"""

from collections.abc import Callable
from typing import Annotated, Any, Final, TypeVar
from uuid import UUID

from pydantic import Field, GetCoreSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from common.domain.identifiers import (
    AdjustmentId,
    AllocationId,
    AutoTopUpId,
    CashDrawerId,
    CashMovementId,
    CashSessionId,
    ChargeId,
    CompanyAccountId,
    CreditAccountId,
    CreditEntryId,
    CreditHoldId,
    CreditLotId,
    CreditNoteId,
    CustomerId,
    DepositTransferId,
    DisputeId,
    FolioId,
    Identifier,
    InvoiceId,
    LineId,
    NightAuditId,
    PaymentId,
    PaymentIntentId,
    PayoutId,
    PlanVersionId,
    ProcessorDifferenceId,
    PropertyId,
    ReceiptId,
    ReconciliationId,
    RefundId,
    ReviewId,
    SendingId,
    SetOffId,
    SettlementId,
    SignalId,
    StoredMethodId,
    SubscriptionId,
    SubscriptionInvoiceId,
    WebhookId,
    WriteOffId,
)
from common.domain.platform_identifiers import (
    PlatformCreditNoteId,
    PlatformIncidentId,
    PlatformTaxRulesId,
    UsageRecordId,
)
from common.domain.refusal import Refusal

T = TypeVar("T")
R = TypeVar("R")

REFUSED: Final = "refused"


def placed(rule: Callable[[T], R]) -> Callable[[T], R]:
    """The rule, its refusals being errors of the field: they carry the refusal as `refusal`."""

    def check(value: T) -> R:
        try:
            return rule(value)
        except Refusal as refusal:
            raise PydanticCustomError(REFUSED, refusal.title, {"refusal": refusal}) from None

    return check


class Typed:
    """Reads a string into a domain type and writes it back as a string."""

    def __init__(self, read: Callable[[str], Any], pattern: str, example: str) -> None:
        self.read = read
        self.extra = {"pattern": pattern, "examples": [example]}

    def __get_pydantic_core_schema__(
        self, source: type[Any], handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_after_validator_function(
            placed(self.read),
            core_schema.str_schema(strict=True, max_length=64),
            serialization=core_schema.to_string_ser_schema(),
            metadata={"pydantic_js_updates": self.extra},
        )


def _id(kind: type[Identifier]) -> Typed:
    return Typed(
        kind,
        rf"^{kind.prefix}[0-7][0-9A-HJKMNP-TV-Z]{{25}}$",
        kind.prefix + "01K9ZQ0M8Y" + "0" * 16,
    )


FolioRef = Annotated[FolioId, _id(FolioId)]
ChargeRef = Annotated[ChargeId, _id(ChargeId)]
PaymentRef = Annotated[PaymentId, _id(PaymentId)]
RefundRef = Annotated[RefundId, _id(RefundId)]
DepositTransferRef = Annotated[DepositTransferId, _id(DepositTransferId)]
SignalRef = Annotated[SignalId, _id(SignalId)]
NightAuditRef = Annotated[NightAuditId, _id(NightAuditId)]
AdjustmentRef = Annotated[AdjustmentId, _id(AdjustmentId)]
InvoiceRef = Annotated[InvoiceId, _id(InvoiceId)]
CreditNoteRef = Annotated[CreditNoteId, _id(CreditNoteId)]
SettlementRef = Annotated[SettlementId, _id(SettlementId)]
CashDrawerRef = Annotated[CashDrawerId, _id(CashDrawerId)]
CashSessionRef = Annotated[CashSessionId, _id(CashSessionId)]
PayoutRef = Annotated[PayoutId, _id(PayoutId)]
ProcessorDifferenceRef = Annotated[ProcessorDifferenceId, _id(ProcessorDifferenceId)]
ReconciliationRef = Annotated[ReconciliationId, _id(ReconciliationId)]
CompanyAccountRef = Annotated[CompanyAccountId, _id(CompanyAccountId)]
ReceiptRef = Annotated[ReceiptId, _id(ReceiptId)]
SetOffRef = Annotated[SetOffId, _id(SetOffId)]
AllocationRef = Annotated[AllocationId, _id(AllocationId)]
WriteOffRef = Annotated[WriteOffId, _id(WriteOffId)]
AutoTopUpRef = Annotated[AutoTopUpId, _id(AutoTopUpId)]
CustomerRef = Annotated[CustomerId, _id(CustomerId)]
StoredMethodRef = Annotated[StoredMethodId, _id(StoredMethodId)]
PaymentIntentRef = Annotated[PaymentIntentId, _id(PaymentIntentId)]
ReviewRef = Annotated[ReviewId, _id(ReviewId)]
DisputeRef = Annotated[DisputeId, _id(DisputeId)]
WebhookRef = Annotated[WebhookId, _id(WebhookId)]
SendingRef = Annotated[SendingId, _id(SendingId)]
CashMovementRef = Annotated[CashMovementId, _id(CashMovementId)]
CreditAccountRef = Annotated[CreditAccountId, _id(CreditAccountId)]
CreditLotRef = Annotated[CreditLotId, _id(CreditLotId)]
CreditEntryRef = Annotated[CreditEntryId, _id(CreditEntryId)]
CreditHoldRef = Annotated[CreditHoldId, _id(CreditHoldId)]
PlanVersionRef = Annotated[PlanVersionId, _id(PlanVersionId)]
PlatformTaxRulesRef = Annotated[PlatformTaxRulesId, _id(PlatformTaxRulesId)]
SubscriptionRef = Annotated[SubscriptionId, _id(SubscriptionId)]
PlatformCreditNoteRef = Annotated[PlatformCreditNoteId, _id(PlatformCreditNoteId)]
SubscriptionInvoiceRef = Annotated[SubscriptionInvoiceId, _id(SubscriptionInvoiceId)]
PlatformIncidentRef = Annotated[PlatformIncidentId, _id(PlatformIncidentId)]
UsageRecordRef = Annotated[UsageRecordId, _id(UsageRecordId)]
LineRef = Annotated[
    LineId, Typed(LineId, r"^[a-z]{3}_[0-7][0-9A-HJKMNP-TV-Z]{25}$", "chg_01K9ZQ0M8Y" + "0" * 16)
]
PropertyRef = Annotated[PropertyId, Field(examples=["7c1f0f0e-6f0b-4b8a-9d53-0a4f6e1f0a11"])]
TenantRef = Annotated[UUID, Field(examples=["2f8e7c1a-4b6d-4e3f-9a52-7d1c0b9e8f64"])]
