"""The tenant's account at the processor, to which its money is paid out (PO-1).

A platform actor connects it; the processor proves who owns it, and says so by `account.updated`.
Until then, and whenever it says otherwise, nothing is paid out to it. What it says of an earlier
moment than what is known changes nothing, in whatever order it comes.

An account is one tenant's: whoever names it first has it, and a second tenant is refused. One that
was never proven is given up when another one takes its place, so that a slip of the pen keeps
nobody from their own account.
"""

from dataclasses import field
from datetime import datetime
from typing import ClassVar

from common.domain.aggregate import Aggregate, Fact
from common.domain.dataclass import dataclass
from common.domain.identifiers import PayoutAccountId
from common.domain.moment import Moment
from common.domain.refusal import Conflict, Missing


class PayoutAccountUnknown(Missing):
    code = "PAYOUT_ACCOUNT_UNKNOWN"
    title = "No such account of the processor is connected"


class PayoutAccountTaken(Conflict):
    code = "PAYOUT_ACCOUNT_TAKEN"
    title = "This account of the processor is another tenant's"


@dataclass(frozen=True, kw_only=True)
class PayoutAccountFact(Fact):
    """Something that happened to the account."""

    subject: "PayoutAccount" = field(repr=False, compare=False)


@dataclass(frozen=True, kw_only=True)
class PayoutAccountConnected(PayoutAccountFact):
    """An account of the processor is the tenant's; nothing is proven yet."""

    name = "payout_account.connected"


@dataclass(frozen=True, kw_only=True)
class PayoutAccountUpdated(PayoutAccountFact):
    """The processor says whether money may go there."""

    name = "payout_account.updated"


@dataclass(kw_only=True)
class PayoutAccount(Aggregate):
    """See the module. `told_at` is the moment of which the processor has told; `replaces` the
    account in whose place this one was put just now."""

    kind: ClassVar[str] = "payout_account"
    id: PayoutAccountId
    processor_account_id: str
    connected_by: str
    connected_at: datetime
    is_enabled: bool = False
    told_at: datetime | None = None
    replaces: str | None = None

    @classmethod
    def connected(
        cls, processor_account_id: str, by: str, moment: Moment
    ) -> PayoutAccountConnected:
        """Connect the first account."""
        account = cls(
            id=moment.new_id(PayoutAccountId),
            processor_account_id=processor_account_id,
            connected_by=by,
            connected_at=moment.now,
        )
        return PayoutAccountConnected(subject=account, sequence=account.next_sequence())

    def connected_anew(
        self, processor_account_id: str, by: str, moment: Moment
    ) -> PayoutAccountConnected | None:
        """Connect another one in its place, unproven; None where it is that one."""
        if processor_account_id == self.processor_account_id:
            return None
        self.replaces, self.processor_account_id = self.processor_account_id, processor_account_id
        self.connected_by, self.connected_at = by, moment.now
        self.is_enabled, self.told_at = False, None
        return PayoutAccountConnected(subject=self, sequence=self.next_sequence())

    def updated(self, is_enabled: bool, told_at: datetime) -> PayoutAccountUpdated | None:
        """Keep what the processor says; None for what is no news, or older than what is known."""
        if self.told_at is not None and told_at <= self.told_at:
            return None
        is_news = self.is_enabled is not is_enabled or self.told_at is None
        self.is_enabled, self.told_at = is_enabled, told_at
        if not is_news:
            return None
        return PayoutAccountUpdated(subject=self, sequence=self.next_sequence())

    def state(self) -> dict[str, object]:
        """What the audit trail digests."""
        return {
            "id": self.id,
            "isEnabled": self.is_enabled,
            "processorAccountId": self.processor_account_id,
        }
