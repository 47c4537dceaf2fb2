"""How what a subscription owes is collected: from which payment method, how far it has come, when
something is to be done next (SUB-6, SUB-7).

It stands beside the subscription and is changed under that one's lock. What was declined, what is
asked for then and when it is over are the rules of `common.domain.dunning`; what becomes of the
subscription's state is its own table of transitions.

It may be handed over: a subscription of the processor's own collects it then, tries again what is
declined, and tells of it (WH-4). Nothing is charged and nobody is dunned here meanwhile. Where that
subscription has ended, what is open is collected here again.
"""

from dataclasses import field
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from common.domain.aggregate import Aggregate, Fact
from common.domain.dataclass import dataclass
from common.domain.dunning import Dunning, DunningTerms
from common.domain.identifiers import Identifier, StoredMethodId, SubscriptionId
from common.domain.moment import Moment
from common.domain.refusal import Missing
from common.domain.stored_method import StoredMethod
from common.domain.webhook import WebhookContradictsBooks


class CollectionId(Identifier):
    """How what a subscription owes is collected."""

    __slots__ = ()
    prefix = "sco_"


class CollectionUnknown(Missing):
    code = "COLLECTION_UNKNOWN"
    title = "Nothing was ever to be collected of this subscription"


class CollectedBy(StrEnum):
    """Who asks for what a subscription owes."""

    PLATFORM = "platform"
    PROCESSOR = "processor"


@dataclass(frozen=True, kw_only=True)
class CollectionFact(Fact):
    """Something that happened to the collecting of what a subscription owes."""

    subject: "Collection" = field(repr=False, compare=False)


@dataclass(frozen=True, kw_only=True)
class CollectionBegun(CollectionFact):
    """There is something to collect, or to collect it from, for the first time."""

    name = "subscription_collection.begun"


@dataclass(frozen=True, kw_only=True)
class MethodChosen(CollectionFact):
    """It is charged to this payment method from now on."""

    name = "subscription_collection.method_chosen"


@dataclass(frozen=True, kw_only=True)
class ChargeDeclined(CollectionFact):
    """A charge was declined, or there is nothing that could be charged; the reason is the code."""

    name = "subscription.payment_failed"
    terms: DunningTerms


@dataclass(frozen=True, kw_only=True)
class EndHeld(CollectionFact):
    """Its time is over, and it is not suspended for now: why, is the reason."""

    name = "subscription_collection.held"


@dataclass(frozen=True, kw_only=True)
class DunningEnded(CollectionFact):
    """What was declined counts no more: it was paid, or begins anew."""

    name = "subscription.payment_recovered"


@dataclass(frozen=True, kw_only=True)
class HandedOver(CollectionFact):
    """A subscription of the processor's own collects it from now on."""

    name = "subscription_collection.handed_over"


@dataclass(frozen=True, kw_only=True)
class TakenBack(CollectionFact):
    """The processor's subscription has ended: what is open is collected here again."""

    name = "subscription_collection.taken_back"


@dataclass(kw_only=True)
class Collection(Aggregate):
    """See the module. `next_at` is when somebody looks next: None while nothing is owed, a charge
    is under way, all has been done, or the processor collects it.

    `processor_subscription_id` is the subscription there that collects it, until
    `processor_ended_at`; one that has ended collects no more, whatever is told of it later.
    `end_told_at` is when its newest word of an end was said, and no part of the state."""

    kind: ClassVar[str] = "subscription_collection"
    id: CollectionId
    subscription_id: SubscriptionId
    method_id: StoredMethodId | None = None
    dunning: Dunning = field(default_factory=Dunning)
    next_at: datetime | None = None
    processor_subscription_id: str | None = None
    processor_ended_at: datetime | None = None
    end_told_at: datetime | None = None

    @classmethod
    def begin(
        cls, subscription_id: SubscriptionId, method: StoredMethod | None, moment: Moment
    ) -> CollectionBegun:
        """Begin to collect, from this method if there is one.

        Refuses: PaymentMethodRemoved, PaymentMethodForStays.
        """
        if method is not None:
            method.must_pay_the_platform()
        begun = cls(
            id=moment.new_id(CollectionId),
            subscription_id=subscription_id,
            method_id=method.id if method else None,
        )
        return CollectionBegun(subject=begun, sequence=begun.next_sequence())

    @property
    def collected_by(self) -> CollectedBy:
        is_there = self.processor_subscription_id is not None and self.processor_ended_at is None
        return CollectedBy.PROCESSOR if is_there else CollectedBy.PLATFORM

    @property
    def is_handed_over(self) -> bool:
        """Whether the processor collects it, and we do not."""
        return self.collected_by is CollectedBy.PROCESSOR

    def look_at(self, at: datetime | None) -> None:
        """Somebody looks next at this time; nobody where the processor collects it."""
        self.next_at = None if self.is_handed_over else at

    def hand_over(self, processor_subscription_id: str, told_at: datetime) -> HandedOver | None:
        """Let a subscription of the processor's collect it; None where that is known, has ended, or
        was told before the one before it had. Refuses: WebhookContradictsBooks, for a second one.
        """
        if self.processor_subscription_id == processor_subscription_id:
            return None
        if self.is_handed_over:
            raise WebhookContradictsBooks("Another subscription of the processor collects this.")
        if self.processor_ended_at is not None and told_at <= self.processor_ended_at:
            return None
        self.processor_subscription_id, self.processor_ended_at = processor_subscription_id, None
        self.dunning, self.next_at = Dunning(), None
        return HandedOver(subject=self, sequence=self.next_sequence())

    def take_back(
        self, processor_subscription_id: str, ended_at: datetime, moment: Moment
    ) -> TakenBack | None:
        """The processor's subscription has ended; None where it does not collect this."""
        if not self.is_handed_over or self.processor_subscription_id != processor_subscription_id:
            return None
        self.processor_ended_at = ended_at
        self.next_at = moment.now
        return TakenBack(subject=self, sequence=self.next_sequence())

    def hears_of_end(self, told_at: datetime) -> bool:
        """Whether a word of its end, or of none, is not older than the newest one, which it is from
        now on."""
        if self.end_told_at is not None and told_at < self.end_told_at:
            return False
        self.end_told_at = told_at
        return True

    def owe(self, moment: Moment) -> None:
        """Something more is owed, or nothing more will be. It is charged at once, but for who is
        being dunned: their next charge takes it along. Who was dunned to the end has none."""
        if self.dunning.failing_since is None or self.next_at is None:
            self.look_at(moment.now)

    def owe_less(self, moment: Moment, *, is_waiting: bool, is_more: bool) -> None:
        """A credit has paid a part of what is open, or all. What `is_waiting` at the bank for the
        whole is called off first; then the rest is charged, though a card's bank had to be asked.
        Where nothing is left, whoever looks next finds that all is well."""
        if is_waiting:
            self.dunning = self.dunning.with_other_method()
            self.look_at(None)
        elif not is_more:
            self.look_at(moment.now)

    def choose(self, method: StoredMethod, moment: Moment, *, is_charged: bool) -> MethodChosen:
        """Charge another method from now on, and what is open at once, but for what is under way.

        Refuses: PaymentMethodRemoved, PaymentMethodForStays.
        """
        method.must_pay_the_platform()
        self.method_id = method.id
        self.dunning = self.dunning.with_other_method()
        self.look_at(None if is_charged else moment.now)
        return MethodChosen(subject=self, sequence=self.next_sequence())

    def decline(self, code: str, moment: Moment) -> ChargeDeclined:
        """A charge was declined."""
        self.dunning = self.dunning.failed(code, moment.now)
        terms = moment.settings.dunning
        self.next_at = self.dunning.next_at(terms, moment.now)
        return ChargeDeclined(subject=self, sequence=self.next_sequence(), reason=code, terms=terms)

    def hold(self, why: str, until: datetime) -> EndHeld | None:
        """Look again later; None where it is held already."""
        self.next_at = until
        if self.dunning.must_charge:
            return None
        self.dunning = self.dunning.held()
        return EndHeld(subject=self, sequence=self.next_sequence(), reason=why)

    def recover(self, reason: str) -> DunningEnded | None:
        """Forget what was declined; None where nothing was."""
        if self.dunning == Dunning():
            return None
        self.dunning = Dunning()
        return DunningEnded(subject=self, sequence=self.next_sequence(), reason=reason)

    def state(self) -> dict[str, object]:
        """What the audit trail digests."""
        since, at = self.dunning.failing_since, self.dunning.failed_at
        theirs, ended_at = self.processor_subscription_id, self.processor_ended_at
        there = {"id": theirs, "endedAt": ended_at and ended_at.isoformat()}
        return {
            **({"processorSubscription": there} if theirs else {}),
            "id": self.id,
            "subscriptionId": self.subscription_id,
            "paymentMethodId": self.method_id,
            "failingSince": since and since.isoformat(),
            "failedAt": at and at.isoformat(),
            "failures": self.dunning.failures,
            "wantsMethod": self.dunning.wants_method,
            "mustCharge": self.dunning.must_charge,
        }
