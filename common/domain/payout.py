"""A payout: what the processor holds of a property's card payments goes to the tenant's account.

It is never more than the ledger says is held, and counts from the moment that it is asked for: the
money is booked out of `card_clearing` then, under the lock of the tenant's account, so that of two
at once the second one sees what the first has left. One that fails or is rejected gives it back.

More than 10,000 USD wait for a second person, who confirms exactly this payout with a fresh second
factor; and so does what comes to more than that together with what the same person has asked for in
the 24 hours before and nobody else has decided on: a sum is not made small by cutting it up. What
that is in dollars is said by the snapshot of the tenant's rates, kept with the payout; where there
is no rate nobody knows, and it waits as well. Nobody decides on what they asked for.

The processor is asked after the commit, under the payout's id. It may say that a payout has failed
after it had said that it was paid, as banks send money back; never the other way round.

What an approver confirms is the SHA-256 of a canonical document (RFC 8785): `deed` is
`payout.approve` or `payout.reject`, then `tenant`, `payout`, `amountMicro` and `currency`.
"""

from dataclasses import field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import ClassVar, Final
from uuid import UUID

from common.domain.aggregate import Aggregate, Fact
from common.domain.canonical import digest
from common.domain.cash import Confirmed
from common.domain.dataclass import dataclass
from common.domain.fx import FxSnapshot
from common.domain.identifiers import PayoutId, PropertyId
from common.domain.ledger import BANK_CLEARING, CARD_CLEARING, PAYOUTS_IN_TRANSIT, Entry
from common.domain.moment import Moment
from common.domain.money import AmountNotPositive, Currency, Money
from common.domain.payout_account import PayoutAccount
from common.domain.refusal import Conflict, Forbidden, Missing

APPROVING: Final = "payout.approve"
REJECTING: Final = "payout.reject"
USD: Final = Currency("USD")
ALONE_MAX: Final = Money(10_000_000_000, USD)
"""What one person may pay out without another one, within `ALONE_WITHIN`."""
ALONE_WITHIN: Final = timedelta(hours=24)
NOTHING: Final = Money.zero(USD)
_PROMISED, _PAID, _RETURNED = 0, 1, 2


class PayoutUnknown(Missing):
    code = "PAYOUT_UNKNOWN"
    title = "There is no such payout"


class PayoutAccountNotVerified(Conflict):
    code = "PAYOUT_ACCOUNT_NOT_VERIFIED"
    title = "The processor has not proven the account that would be paid"


class PayoutExceedsBalance(Conflict):
    code = "PAYOUT_EXCEEDS_BALANCE"
    title = "The payout is more than what the processor holds"


class PayoutNotAwaiting(Conflict):
    code = "PAYOUT_NOT_AWAITING_APPROVAL"
    title = "The payout does not wait for a second person"


class PayoutSamePerson(Forbidden):
    code = "PAYOUT_SAME_PERSON"
    title = "Nobody decides on a payout that they asked for"


class PayoutStatus(StrEnum):
    """Where a payout stands."""

    AWAITING_APPROVAL = "awaiting_approval"
    PENDING = "pending"
    PAID = "paid"
    FAILED = "failed"
    REJECTED = "rejected"


@dataclass(frozen=True, kw_only=True)
class PayoutFact(Fact):
    """Something that happened to a payout, with the entries that it makes."""

    subject: "Payout" = field(repr=False, compare=False)
    entries: tuple[Entry, ...] = ()


@dataclass(frozen=True, kw_only=True)
class PayoutRequested(PayoutFact):
    """Somebody asked for it; it is booked as promised."""

    name = "payout.requested"


@dataclass(frozen=True, kw_only=True)
class PayoutApproved(PayoutFact):
    """A second person wants it, too."""

    name = "payout.approved"


@dataclass(frozen=True, kw_only=True)
class PayoutRejected(PayoutFact):
    """A second person does not want it."""

    name = "payout.rejected"


@dataclass(frozen=True, kw_only=True)
class PayoutPaid(PayoutFact):
    """The processor has paid it."""

    name = "payout.paid"


@dataclass(frozen=True, kw_only=True)
class PayoutFailed(PayoutFact):
    """The processor could not pay it, or the bank sent it back."""

    name = "payout.failed"


@dataclass(kw_only=True)
class Payout(Aggregate):
    """See the module. `usd` is its worth in dollars by `fx`; None where no rate says so."""

    kind: ClassVar[str] = "payout"
    id: PayoutId
    property_id: PropertyId
    amount: Money
    processor_account_id: str
    usd: Money | None
    fx: FxSnapshot | None
    needs_approval: bool
    status: PayoutStatus
    requested_by: str
    requested_at: datetime
    business_date: date
    decided: Confirmed | None = None
    reason: str | None = None
    paid_at: datetime | None = None
    failure_code: str | None = None

    @classmethod
    def requested(
        cls,
        account: PayoutAccount | None,
        property_id: PropertyId,
        amount: Money,
        held: Money,
        by: str,
        moment: Moment,
        id: PayoutId | None = None,
        alone: Money = NOTHING,
    ) -> PayoutRequested:
        """Ask for a payout out of what the processor holds of a property. `alone` is what they have
        asked for in dollars, within `ALONE_WITHIN`, without another person.

        Refuses: PayoutAccountNotVerified, AmountNotPositive, PayoutExceedsBalance, PropertyUnknown.
        """
        if account is None or not account.is_enabled:
            raise PayoutAccountNotVerified()
        if amount.amount_micro <= 0:
            raise AmountNotPositive()
        if amount > held:
            raise PayoutExceedsBalance(
                availableMicro=max(held.amount_micro, 0), currency=amount.currency
            )
        usd, fx = _in_dollars(amount, moment)
        waits = usd is None or usd + alone > ALONE_MAX
        payout = cls(
            id=id or moment.new_id(PayoutId),
            property_id=property_id,
            amount=amount,
            processor_account_id=account.processor_account_id,
            usd=usd,
            fx=fx,
            needs_approval=waits,
            status=PayoutStatus.AWAITING_APPROVAL if waits else PayoutStatus.PENDING,
            requested_by=by,
            requested_at=moment.now,
            business_date=moment.settings.property(property_id).business_date(moment.now),
        )
        promised = Entry(
            payout.id, _PROMISED, PAYOUTS_IN_TRANSIT, CARD_CLEARING, amount, payout.business_date
        )
        return PayoutRequested(subject=payout, sequence=payout.next_sequence(), entries=(promised,))

    def approve(self, confirmed: Confirmed) -> PayoutApproved:
        """Let it be paid. Refuses: PayoutNotAwaiting, PayoutSamePerson."""
        self._must_await(confirmed.by)
        self.status, self.decided = PayoutStatus.PENDING, confirmed
        return PayoutApproved(subject=self, sequence=self.next_sequence())

    def reject(self, confirmed: Confirmed, reason: str, moment: Moment) -> PayoutRejected:
        """Let it not be paid. Refuses: PayoutNotAwaiting, PayoutSamePerson."""
        self._must_await(confirmed.by)
        self.status, self.decided, self.reason = PayoutStatus.REJECTED, confirmed, reason
        return PayoutRejected(
            subject=self,
            sequence=self.next_sequence(),
            entries=self._returned(PAYOUTS_IN_TRANSIT, moment),
            reason=reason,
        )

    def settled(
        self, failure_code: str | None, moment: Moment
    ) -> "PayoutPaid | PayoutFailed | None":
        """Keep what became of it; None for what is known, or lies behind what is known."""
        is_paid = self.status is PayoutStatus.PAID
        if self.status is not PayoutStatus.PENDING and not (is_paid and failure_code):
            return None
        if failure_code is None:
            self.status, self.paid_at = PayoutStatus.PAID, max(moment.now, self.requested_at)
            entry = Entry(
                self.id, _PAID, BANK_CLEARING, PAYOUTS_IN_TRANSIT, self.amount, self._today(moment)
            )
            return PayoutPaid(subject=self, sequence=self.next_sequence(), entries=(entry,))
        self.status, self.failure_code = PayoutStatus.FAILED, failure_code
        entries = self._returned(BANK_CLEARING if is_paid else PAYOUTS_IN_TRANSIT, moment)
        return PayoutFailed(
            subject=self, sequence=self.next_sequence(), entries=entries, reason=failure_code
        )

    @property
    def is_pending(self) -> bool:
        """Whether the processor is to be asked for it."""
        return self.status is PayoutStatus.PENDING

    def state(self) -> dict[str, object]:
        """What the audit trail digests."""
        return {
            "amountMicro": self.amount.amount_micro,
            "currency": str(self.amount.currency),
            "decidedBy": self.decided.by if self.decided else None,
            "id": self.id,
            "processorAccountId": self.processor_account_id,
            "requestedBy": self.requested_by,
            "status": self.status.value,
        }

    def _must_await(self, by: str) -> None:
        if self.status is not PayoutStatus.AWAITING_APPROVAL:
            raise PayoutNotAwaiting(status=self.status.value)
        if by == self.requested_by:
            raise PayoutSamePerson()

    def _returned(self, out_of: str, moment: Moment) -> tuple[Entry, ...]:
        on = self._today(moment)
        return (Entry(self.id, _RETURNED, CARD_CLEARING, out_of, self.amount, on),)

    def _today(self, moment: Moment) -> date:
        return moment.settings.property(self.property_id).business_date(moment.now)


def decision_sha256(deed: str, tenant_id: UUID, payout_id: PayoutId, amount: Money) -> bytes:
    """What is confirmed by whoever approves or rejects a payout."""
    return digest(
        {
            "deed": deed,
            "tenant": str(tenant_id),
            "payout": payout_id,
            "amountMicro": amount.amount_micro,
            "currency": str(amount.currency),
        }
    )


def _in_dollars(amount: Money, moment: Moment) -> tuple[Money | None, FxSnapshot | None]:
    """What an amount is in dollars, and by which rate; nothing where there is none."""
    if amount.currency == USD:
        return amount, None
    for rate in moment.settings.fx_rates:
        if {rate.base, rate.quote} == {amount.currency, USD}:
            return rate.convert(amount), rate
    return None, None
