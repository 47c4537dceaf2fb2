"""Typed identifiers: a prefix that says what is named, then a ULID.

The prefix keeps a payment's id out of a charge's place. The ULID (Crockford's base 32) sorts by the
time of its making, and an offline client can mint one. Only upper case is an identifier.
"""

import re
from typing import ClassVar, NewType, Self
from uuid import UUID

TenantId = NewType("TenantId", UUID)
PropertyId = NewType("PropertyId", UUID)

_ULID = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}")


class Identifier(str):
    """A prefixed ULID. Raises `ValueError` for any other text."""

    __slots__ = ()
    prefix: ClassVar[str]

    def __new__(cls, text: str) -> Self:
        if not (text.startswith(cls.prefix) and _ULID.fullmatch(text, len(cls.prefix))):
            raise ValueError(f"{cls.__name__} is {cls.prefix!r} and a ULID in upper case")
        return super().__new__(cls, text)

    @classmethod
    def of(cls, ulid: str) -> Self:
        """The identifier of this kind over a bare ULID."""
        return cls(cls.prefix + ulid)

    @property
    def ulid(self) -> str:
        """The bare ULID, without the prefix."""
        return self[len(self.prefix) :]


class FolioId(Identifier):
    """A guest's account."""

    __slots__ = ()
    prefix = "fol_"


class LineId(Identifier):
    """Any line of a folio: `LineId(text)` answers the kind that the prefix names."""

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        if cls is not LineId:
            return super().__new__(cls, text)
        for kind in cls.__subclasses__():
            if text.startswith(kind.prefix):
                return kind(text)
        raise ValueError("no kind of folio line has this prefix")


class ChargeId(LineId):
    """What a guest consumed."""

    __slots__ = ()
    prefix = "chg_"


class TaxLineId(LineId):
    """A tax on a charge."""

    __slots__ = ()
    prefix = "tax_"


class AdjustmentId(LineId):
    """A signed correction with a reason."""

    __slots__ = ()
    prefix = "adj_"


class RoundingId(LineId):
    """A residual of conversion, absorbed at close."""

    __slots__ = ()
    prefix = "rnd_"


class VoidId(LineId):
    """The reversal of a line."""

    __slots__ = ()
    prefix = "vod_"


class PaymentId(LineId):
    """Money received."""

    __slots__ = ()
    prefix = "pay_"


class RefundId(LineId):
    """Money given back out of one payment."""

    __slots__ = ()
    prefix = "rfd_"


class RefundReversalId(LineId):
    """The taking back of a refund that failed."""

    __slots__ = ()
    prefix = "rvr_"


class DepositTransferId(LineId):
    """Money that stands on a folio in credit, moved to another one; or its arrival there."""

    __slots__ = ()
    prefix = "dpt_"


class SettlementId(Identifier):
    """The closing of a folio."""

    __slots__ = ()
    prefix = "stl_"


class CertificateId(Identifier):
    """A certificate of a signing key."""

    __slots__ = ()
    prefix = "crt_"


class DocumentId(Identifier):
    """Any numbered document: `DocumentId(text)` answers the kind that the prefix names."""

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        if cls is not DocumentId:
            return super().__new__(cls, text)
        for kind in cls.__subclasses__():
            if text.startswith(kind.prefix):
                return kind(text)
        raise ValueError("no kind of document has this prefix")


class InvoiceId(DocumentId):
    """An issued invoice."""

    __slots__ = ()
    prefix = "inv_"


class CreditNoteId(DocumentId):
    """A document that takes back lines of an invoice."""

    __slots__ = ()
    prefix = "cn_"


class CashDrawerId(Identifier):
    """A drawer that cash is kept in."""

    __slots__ = ()
    prefix = "cdr_"


class CashSessionId(Identifier):
    """A drawer in somebody's hands, from the counted float to the closing."""

    __slots__ = ()
    prefix = "cds_"


class CashMovementId(Identifier):
    """Cash put into a drawer or taken out of it, other than by a guest."""

    __slots__ = ()
    prefix = "cmv_"


class NightAuditId(Identifier):
    """The end of a property's business day."""

    __slots__ = ()
    prefix = "nau_"


class SignalId(Identifier):
    """Something odd that was pointed out."""

    __slots__ = ()
    prefix = "sig_"


class ReconciliationId(Identifier):
    """What was found when the books of a business date were held against one another."""

    __slots__ = ()
    prefix = "rec_"


class CompanyAccountId(Identifier):
    """What a company owes, and pays by its invoices."""

    __slots__ = ()
    prefix = "cac_"


class ReceiptId(Identifier):
    """Money that a company paid."""

    __slots__ = ()
    prefix = "rcp_"


class AllocationId(Identifier):
    """A part of a company's credit, given to one of its invoices."""

    __slots__ = ()
    prefix = "alc_"


class SetOffId(Identifier):
    """A credit note that is set off against what a company owes."""

    __slots__ = ()
    prefix = "sof_"


class WriteOffId(Identifier):
    """What a company will never pay of an invoice."""

    __slots__ = ()
    prefix = "wof_"


class CreditAccountId(Identifier):
    """An account of prepaid credits."""

    __slots__ = ()
    prefix = "cra_"


class CreditLotId(Identifier):
    """Credits that were granted together."""

    __slots__ = ()
    prefix = "clt_"


class CreditEntryId(Identifier):
    """A movement of credits."""

    __slots__ = ()
    prefix = "crl_"


class CreditHoldId(Identifier):
    """Credits that are set aside."""

    __slots__ = ()
    prefix = "hld_"


class AutoTopUpId(Identifier):
    """How an account of credits fills itself up."""

    __slots__ = ()
    prefix = "atu_"


class CustomerId(Identifier):
    """A person or company whose cards are kept."""

    __slots__ = ()
    prefix = "cus_"


class StoredMethodId(Identifier):
    """A card or a bank account that a customer has left with the processor."""

    __slots__ = ()
    prefix = "pm_"


class PaymentIntentId(Identifier):
    """A payment that the processor is to take."""

    __slots__ = ()
    prefix = "pin_"


class RiskCheckId(Identifier):
    """What an attempt to pay was found to be."""

    __slots__ = ()
    prefix = "rkc_"


class ReviewId(Identifier):
    """Something that waits for a person's decision."""

    __slots__ = ()
    prefix = "rvw_"


class DataKeyId(Identifier):
    """A key that a tenant's payment tokens are sealed with."""

    __slots__ = ()
    prefix = "dky_"


class DisputeId(Identifier):
    """A bank's claim on the money of a card payment."""

    __slots__ = ()
    prefix = "dsp_"


class PayoutId(Identifier):
    """Money that goes to the tenant's own account."""

    __slots__ = ()
    prefix = "pyo_"


class PayoutAccountId(Identifier):
    """The tenant's account at the processor."""

    __slots__ = ()
    prefix = "pac_"


class ProcessorDifferenceId(Identifier):
    """What differs between the books and the processor."""

    __slots__ = ()
    prefix = "prd_"


class PlanVersionId(Identifier):
    """A version of a plan that the platform sells."""

    __slots__ = ()
    prefix = "plv_"


class SubscriptionId(Identifier):
    """A tenant's subscription to the platform."""

    __slots__ = ()
    prefix = "sub_"


class SubscriptionInvoiceId(Identifier):
    """An invoice of the platform to a tenant."""

    __slots__ = ()
    prefix = "sin_"


class WebhookId(Identifier):
    """An event of the processor that was kept."""

    __slots__ = ()
    prefix = "whk_"


class WebhookAttemptId(Identifier):
    """One trial to let an event of the processor take effect."""

    __slots__ = ()
    prefix = "wha_"


class SendingId(Identifier):
    """A document that was handed over to be sent."""

    __slots__ = ()
    prefix = "snd_"


class EventId(Identifier):
    """A published fact."""

    __slots__ = ()
    prefix = "evt_"


class AuditId(Identifier):
    """An entry of the audit chain."""

    __slots__ = ()
    prefix = "aud_"
