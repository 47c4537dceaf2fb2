"""What the house is told about prepaid credits: every movement, with what it left.

Each event bears all movements since the one before it, so that who adds them up has the balance.
"""

from typing import TYPE_CHECKING, Any, Final

from common.contracts.event import EventData
from common.contracts.fields import Instant
from common.contracts.references import (
    CreditAccountRef,
    CreditEntryRef,
    CreditHoldRef,
    CreditLotRef,
    FolioRef,
    PaymentRef,
    RefundRef,
)
from common.contracts.shapes import Shape

if TYPE_CHECKING:  # a function loads the facts that it tells, not all that can be told
    from common.domain.prepaid_account import CreditEntry, CreditsLow, CreditsMoved
    from common.domain.prepaid_claw_back import CreditsClawedBack
    from common.domain.prepaid_expiry import CreditsExpiring
    from common.domain.prepaid_grant import CreditsGranted
    from common.domain.prepaid_redemption import CreditsRedeemed, CreditsRestored
    from common.domain.prepaid_reversal import CreditsGivenBack
    from common.domain.prepaid_spend import CreditsCaptured, CreditsHeld
    from common.domain.prepaid_transfer import CreditsTransferred


class CreditEntryData(Shape):
    """A movement: of the balance, of what is held, of the debt; `meteredMicro` was used."""

    entry_id: CreditEntryRef
    sequence: int
    kind: str
    amount_micro: int
    held_micro: int
    debt_micro: int
    metered_micro: int
    service: str | None
    external_reference: str | None
    hold_id: CreditHoldRef | None

    @classmethod
    def of(cls, entry: "CreditEntry") -> "CreditEntryData":
        return cls(
            entry_id=entry.id,
            sequence=entry.sequence,
            kind=entry.kind.value,
            amount_micro=entry.amount_micro,
            held_micro=entry.held_micro,
            debt_micro=entry.debt_micro,
            metered_micro=entry.metered_micro,
            service=entry.service,
            external_reference=entry.reference,
            hold_id=entry.hold_id,
        )


class _Credits(EventData):
    account_id: CreditAccountRef
    account: str
    entries: tuple[CreditEntryData, ...]
    balance_micro: int
    held_micro: int
    debt_micro: int

    @classmethod
    def shared(cls, fact: "CreditsMoved") -> dict[str, Any]:
        account = fact.subject
        return {
            "account_id": account.id,
            "account": account.name,
            "entries": tuple(CreditEntryData.of(entry) for entry in fact.entries),
            "balance_micro": account.balance_micro,
            "held_micro": account.held_micro,
            "debt_micro": account.debt_micro,
        }


class CreditsGrantedV1(_Credits):
    fact = "credits.granted"
    lot_id: CreditLotRef
    source: str
    source_key: str | None
    expires_at: Instant | None

    @classmethod
    def of(cls, fact: "CreditsGranted") -> "CreditsGrantedV1":
        lot = fact.lot
        return cls(
            **cls.shared(fact),
            lot_id=lot.id,
            source=lot.source.value,
            source_key=lot.source_key,
            expires_at=lot.expires_at,
        )


class CreditsDeductedV1(_Credits):
    fact = "credits.deducted"

    @classmethod
    def of(cls, fact: "CreditsMoved") -> "CreditsDeductedV1":
        return cls(**cls.shared(fact))


class CreditsHeldV1(_Credits):
    fact = "credits.held"
    hold_id: CreditHoldRef
    expires_at: Instant

    @classmethod
    def of(cls, fact: "CreditsHeld") -> "CreditsHeldV1":
        return cls(**cls.shared(fact), hold_id=fact.hold.id, expires_at=fact.hold.expires_at)


class CreditsCapturedV1(_Credits):
    fact = "credits.captured"
    hold_id: CreditHoldRef

    @classmethod
    def of(cls, fact: "CreditsCaptured") -> "CreditsCapturedV1":
        return cls(**cls.shared(fact), hold_id=fact.hold.id)


class CreditsReleasedV1(_Credits):
    """Holds were given up, or have ended by themselves: the entries name them."""

    fact = "credits.released"

    @classmethod
    def of(cls, fact: "CreditsMoved") -> "CreditsReleasedV1":
        return cls(**cls.shared(fact))


class CreditsTransferredV1(_Credits):
    """One of two: the account that credits left and the one that they reached each tell theirs."""

    fact = "credits.transferred"
    from_account: str
    to_account: str

    @classmethod
    def of(cls, fact: "CreditsTransferred") -> "CreditsTransferredV1":
        return cls(**cls.shared(fact), from_account=fact.from_account, to_account=fact.to_account)


class CreditsExpiredV1(_Credits):
    fact = "credits.expired"

    @classmethod
    def of(cls, fact: "CreditsMoved") -> "CreditsExpiredV1":
        return cls(**cls.shared(fact))


class CreditsExpiringV1(_Credits):
    """A warning, seven days and one day before: so many of a lot's credits expire unless spent."""

    fact = "credits.expiring"
    lot_id: CreditLotRef
    left_micro: int
    expires_at: Instant | None
    days_before: int

    @classmethod
    def of(cls, fact: "CreditsExpiring") -> "CreditsExpiringV1":
        return cls(
            **cls.shared(fact),
            lot_id=fact.lot.id,
            left_micro=fact.lot.left_micro,
            expires_at=fact.lot.expires_at,
            days_before=fact.days_before,
        )


class CreditsClawedBackV1(_Credits):
    """Credits of a grant (`lotId`) were taken back; what had been spent of them is a debt."""

    fact = "credits.clawed_back"
    lot_id: CreditLotRef
    source_key: str

    @classmethod
    def of(cls, fact: "CreditsClawedBack") -> "CreditsClawedBackV1":
        return cls(**cls.shared(fact), lot_id=fact.lot_id, source_key=fact.source_key)


class CreditsGivenBackV1(_Credits):
    """A dispute was won: what was taken back for it is there again."""

    fact = "credits.given_back"
    lot_id: CreditLotRef
    source_key: str

    @classmethod
    def of(cls, fact: "CreditsGivenBack") -> "CreditsGivenBackV1":
        return cls(**cls.shared(fact), lot_id=fact.lot_id, source_key=fact.reversal.source_key)


class CreditsRedeemedV1(_Credits):
    """Credits settled a guest's bill, or a part of it: the payment of a folio."""

    fact = "credits.redeemed"
    folio_id: FolioRef
    payment_id: PaymentRef

    @classmethod
    def of(cls, fact: "CreditsRedeemed") -> "CreditsRedeemedV1":
        return cls(**cls.shared(fact), folio_id=fact.folio_id, payment_id=fact.payment_id)


class CreditsRestoredV1(_Credits):
    """Credits that had settled a bill came back by a refund, to the lots that they were taken of.

    Of a lot that has expired meanwhile they have expired, and were granted anew: see the entries.
    """

    fact = "credits.restored"
    folio_id: FolioRef
    payment_id: PaymentRef
    refund_id: RefundRef

    @classmethod
    def of(cls, fact: "CreditsRestored") -> "CreditsRestoredV1":
        return cls(
            **cls.shared(fact),
            folio_id=fact.folio_id,
            payment_id=fact.payment_id,
            refund_id=fact.refund_id,
        )


class CreditDebtWaivedV1(_Credits):
    fact = "credits.debt_waived"

    @classmethod
    def of(cls, fact: "CreditsMoved") -> "CreditDebtWaivedV1":
        return cls(**cls.shared(fact))


class CreditsLowV1(_Credits):
    """Less can be spent than somebody wanted to be told of: once, until there was more again."""

    fact = "credits.low"
    available_micro: int
    threshold_micro: int

    @classmethod
    def of(cls, fact: "CreditsLow") -> "CreditsLowV1":
        return cls(
            **cls.shared(fact),
            available_micro=fact.available_micro,
            threshold_micro=fact.subject.low_below_micro or 0,
        )


class CreditsWatchedV1(_Credits):
    """Somebody wants to be told when less can be spent than that; null: not any more."""

    fact = "credits.watched"
    threshold_micro: int | None

    @classmethod
    def of(cls, fact: "CreditsMoved") -> "CreditsWatchedV1":
        return cls(**cls.shared(fact), threshold_micro=fact.subject.low_below_micro)


CREDIT_EVENTS: Final = (
    CreditsWatchedV1,
    CreditsLowV1,
    CreditsGrantedV1,
    CreditsDeductedV1,
    CreditsHeldV1,
    CreditsCapturedV1,
    CreditsReleasedV1,
    CreditsTransferredV1,
    CreditsExpiredV1,
    CreditsExpiringV1,
    CreditsClawedBackV1,
    CreditsGivenBackV1,
    CreditDebtWaivedV1,
    CreditsRedeemedV1,
    CreditsRestoredV1,
)
