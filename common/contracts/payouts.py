"""How payouts and the account that they go to read on the wire, and what is told of them."""

from typing import TYPE_CHECKING, Any, Final

from pydantic import Field

from common.contracts.event import EventData
from common.contracts.fields import Amount, Instant
from common.contracts.references import PayoutRef, PropertyRef
from common.contracts.shapes import Outcome
from common.domain.payout import Payout
from common.domain.payout_account import PayoutAccount

if TYPE_CHECKING:  # a function loads the facts that it tells, not all that can be told
    from common.domain.payout import PayoutFact
    from common.domain.payout_account import PayoutAccountFact


class PayoutAccountView(Outcome):
    """The tenant's account at the processor; `isEnabled` is the processor's word, not ours."""

    processor_account_id: str
    is_enabled: bool
    told_at: Instant | None
    connected_by: str
    connected_at: Instant
    version: int

    @classmethod
    def of(cls, account: PayoutAccount) -> "PayoutAccountView":
        return cls(
            processor_account_id=account.processor_account_id,
            is_enabled=account.is_enabled,
            told_at=account.told_at,
            connected_by=account.connected_by,
            connected_at=account.connected_at,
            version=account.version,
        )


class PayoutView(Outcome):
    """A payout. `status` is awaiting_approval, pending, paid, failed or rejected.

    `usd` is what it is worth by the rate that was in force when it was asked for; null where there
    was none. `reason` says why it was rejected, `failureCode` why the processor did not pay it.
    """

    payout_id: PayoutRef
    property_id: PropertyRef
    amount: Amount
    usd: Amount | None
    status: str = Field(examples=["awaiting_approval"])
    needs_approval: bool
    requested_by: str
    requested_at: Instant
    decided_by: str | None
    decided_at: Instant | None
    reason: str | None
    paid_at: Instant | None
    failure_code: str | None
    version: int

    @classmethod
    def of(cls, payout: Payout) -> "PayoutView":
        return cls(
            payout_id=payout.id,
            property_id=payout.property_id,
            amount=payout.amount,
            usd=payout.usd,
            status=payout.status.value,
            needs_approval=payout.needs_approval,
            requested_by=payout.requested_by,
            requested_at=payout.requested_at,
            decided_by=payout.decided.by if payout.decided else None,
            decided_at=payout.decided.at if payout.decided else None,
            reason=payout.reason,
            paid_at=payout.paid_at,
            failure_code=payout.failure_code,
            version=payout.version,
        )


class _Payout(EventData):
    payout_id: PayoutRef
    property_id: PropertyRef
    amount: Amount
    status: str
    needs_approval: bool
    requested_by: str
    decided_by: str | None

    @classmethod
    def shared(cls, fact: "PayoutFact") -> dict[str, Any]:
        payout = fact.subject
        return {
            "payout_id": payout.id,
            "property_id": payout.property_id,
            "amount": payout.amount,
            "status": payout.status.value,
            "needs_approval": payout.needs_approval,
            "requested_by": payout.requested_by,
            "decided_by": payout.decided.by if payout.decided else None,
        }


class PayoutRequestedV1(_Payout):
    fact = "payout.requested"

    @classmethod
    def of(cls, fact: "PayoutFact") -> "PayoutRequestedV1":
        return cls(**cls.shared(fact))


class PayoutApprovedV1(_Payout):
    fact = "payout.approved"

    @classmethod
    def of(cls, fact: "PayoutFact") -> "PayoutApprovedV1":
        return cls(**cls.shared(fact))


class PayoutRejectedV1(_Payout):
    fact = "payout.rejected"
    reason: str | None

    @classmethod
    def of(cls, fact: "PayoutFact") -> "PayoutRejectedV1":
        return cls(**cls.shared(fact), reason=fact.reason)


class PayoutPaidV1(_Payout):
    fact = "payout.paid"

    @classmethod
    def of(cls, fact: "PayoutFact") -> "PayoutPaidV1":
        return cls(**cls.shared(fact))


class PayoutFailedV1(_Payout):
    """It could not be paid, or came back: its money is available again."""

    fact = "payout.failed"
    failure_code: str | None

    @classmethod
    def of(cls, fact: "PayoutFact") -> "PayoutFailedV1":
        return cls(**cls.shared(fact), failure_code=fact.subject.failure_code)


class _PayoutAccount(EventData):
    processor_account_id: str
    is_enabled: bool

    @classmethod
    def shared(cls, fact: "PayoutAccountFact") -> dict[str, Any]:
        account = fact.subject
        return {
            "processor_account_id": account.processor_account_id,
            "is_enabled": account.is_enabled,
        }


class PayoutAccountConnectedV1(_PayoutAccount):
    fact = "payout_account.connected"

    @classmethod
    def of(cls, fact: "PayoutAccountFact") -> "PayoutAccountConnectedV1":
        return cls(**cls.shared(fact))


class PayoutAccountUpdatedV1(_PayoutAccount):
    fact = "payout_account.updated"

    @classmethod
    def of(cls, fact: "PayoutAccountFact") -> "PayoutAccountUpdatedV1":
        return cls(**cls.shared(fact))


PAYOUT_EVENTS: Final = (
    PayoutRequestedV1,
    PayoutApprovedV1,
    PayoutRejectedV1,
    PayoutPaidV1,
    PayoutFailedV1,
    PayoutAccountConnectedV1,
    PayoutAccountUpdatedV1,
)
